/** /proc/N: one process (proc(5)). */
import { type Path, toText } from '@vmexit/vfs'
import { PAGE } from '../memory/frames.ts'
import { Prot } from '../memory/vma.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { netNode } from './net.ts'
import { directory, file, link, type ProcDirectory, type ProcNode } from './node.ts'

const hundredths = (ticks: number): number => Math.floor(ticks / 1e7)

/** The directory of a process; of a zombie most is empty. */
export function processNode(kernel: Kernel, proc: Process): ProcDirectory {
  const task = (): Task | undefined => (proc.tasks.has(proc.leader) ? proc.leader : [...proc.tasks][0])
  const context = () => kernel.current?.context
  const descriptors = new Map<number, ProcNode>()
  const fds: ProcDirectory = {
    kind: 'directory',
    mode: 0o500,
    entry(name) {
      const fd = Number(name)
      if (!/^[0-9]+$/.test(name) || task()?.files.get(fd) === undefined) return undefined
      let node = descriptors.get(fd)
      if (node === undefined) {
        const opened = () => task()?.files.get(fd)
        node = link(
          () => opened()?.describe(context()!) ?? '',
          () => opened()?.file?.path,
        )
        descriptors.set(fd, node)
      }
      return node
    },
    names: () => [...(task()?.files.numbers() ?? [])].map(String),
  }
  const entries: Record<string, ProcNode> = {
    cmdline: file(() => strings(kernel, task(), 'args')),
    environ: file(() => strings(kernel, task(), 'env'), 0o400),
    comm: file(() => `${proc.leader.name}\n`),
    stat: file(() => stat(proc, task())),
    statm: file(() => statm(task())),
    status: file(() => status(kernel, proc, task())),
    maps: file(() => maps(task())),
    mounts: file(() => mounts(kernel, task())),
    mountinfo: file(() => mountInfo(kernel, task())),
    limits: file(() => ''),
    exe: link(
      () => proc.executablePath,
      () => proc.executable ?? undefined,
    ),
    cwd: link(
      () => {
        const there = task()
        return there === undefined ? '' : kernel.vfs.pathName(there.context, there.context.cwd)
      },
      () => task()?.context.cwd,
    ),
    root: link(
      () => '/',
      () => task()?.context.root,
    ),
    fd: fds,
    net: netNode(() => (task() ?? proc.leader).ns.net),
  }
  const base = directory(entries)
  const tasks: ProcDirectory = {
    kind: 'directory',
    entry: (name) => ([...proc.tasks].some(({ tid }) => String(tid) === name) ? base : undefined),
    names: () => [...proc.tasks].map(({ tid }) => String(tid)),
  }
  entries['task'] = tasks
  return base
}

/** Arguments or environment, as they lie in the program's memory. */
function strings(kernel: Kernel, task: Task | undefined, which: 'args' | 'env'): string {
  if (task === undefined) return ''
  const { space } = task
  const [start, end] =
    which === 'args' ? [space.strings.args, space.strings.argsEnd] : [space.strings.env, space.strings.envEnd]
  const bytes = new Uint8Array(end - start)
  for (let done = 0; done < bytes.length; ) {
    const at = start + done
    const part = Math.min(PAGE - (at % PAGE), bytes.length - done)
    const physical = space.physical(at, false)
    if (physical < 0) break
    kernel.machine.memory.readBytes(physical, bytes.subarray(done, done + part))
    done += part
  }
  return toText(String.fromCharCode(...bytes))
}

function stateOf(proc: Process, task: Task | undefined): string {
  if (proc.isZombie || task === undefined) return 'Z'
  if (proc.stopSignal !== 0) return 'T'
  return task.state === 'blocked' ? 'S' : 'R'
}

function stat(proc: Process, task: Task | undefined): string {
  const { times, session } = proc
  const { space } = task ?? {}
  const terminal =
    session.tty === null ? 0 : (Math.floor(session.tty.rdev / 0x10_0000) << 8) | (session.tty.rdev & 0xff)
  const fields = [
    ...[proc.pid, `(${proc.leader.name})`, stateOf(proc, task), proc.parent?.pid ?? 0, proc.group, session.id],
    ...[terminal, session.tty?.foreground ?? -1, 0x40_0000, 0, 0, 0, 0],
    ...[
      hundredths(times.user),
      hundredths(times.system),
      hundredths(times.childrenUser),
      hundredths(times.childrenSystem),
    ],
    ...[20 + (task?.nice ?? 0), task?.nice ?? 0, proc.tasks.size, 0, hundredths(proc.started)],
    ...[(space?.size ?? 0) * PAGE, space?.resident ?? 0, 0xffff_ffff, 0, 0, 0, 0, 0],
    ...[0, 0, 0, 0, 0, 0, 0, proc.exitSignal, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, proc.status ?? 0],
  ]
  return `${fields.join(' ')}\n`
}

function statm(task: Task | undefined): string {
  const { space } = task ?? {}
  return `${space?.size ?? 0} ${space?.resident ?? 0} 0 0 0 0 0\n`
}

const STATES: Readonly<Record<string, string>> = { R: 'running', S: 'sleeping', T: 'stopped', Z: 'zombie' }

function status(kernel: Kernel, proc: Process, task: Task | undefined): string {
  const { leader } = proc
  const { ids } = task ?? leader
  const letter = stateOf(proc, task)
  const kilobytes = (pages: number): string => `${String(pages * 4).padStart(8)} kB`
  const mask = (low: number, high: number): string =>
    (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
  const rows: [string, string | number][] = [
    ['Name', leader.name],
    ['Umask', (task?.context.umask ?? 0).toString(8).padStart(4, '0')],
    ['State', `${letter} (${STATES[letter]})`],
    ['Tgid', proc.pid],
    ['Pid', proc.pid],
    ['PPid', proc.parent?.pid ?? 0],
    ['TracerPid', 0],
    ['Uid', [ids.uid, ids.euid, ids.suid, ids.fsuid].join('\t')],
    ['Gid', [ids.gid, ids.egid, ids.sgid, ids.fsgid].join('\t')],
    ['Groups', ids.groups.join(' ')],
    ...(task === undefined
      ? []
      : ([
          ['VmSize', kilobytes(task.space.size)],
          ['VmRSS', kilobytes(task.space.resident)],
        ] as [string, string][])),
    ['Threads', proc.tasks.size],
    ['SigPnd', mask(leader.pending.set.low, leader.pending.set.high)],
    ['ShdPnd', mask(proc.pending.set.low, proc.pending.set.high)],
    ['SigBlk', mask(leader.blocked.low, leader.blocked.high)],
    ['Cpus_allowed', 1],
    ['Cpus_allowed_list', 0],
    ['voluntary_ctxt_switches', kernel.counts.switches],
    ['nonvoluntary_ctxt_switches', 0],
  ]
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join('')
}

function maps(task: Task | undefined): string {
  if (task === undefined) return ''
  const hex = (page: number): string => (page * PAGE).toString(16).padStart(8, '0')
  return task.space.areas.list
    .map(({ start, end, prot, shared, pages, offset, name }) => {
      const letter = (bit: number, text: string): string => ((prot & bit) !== 0 ? text : '-')
      const rights = letter(Prot.READ, 'r') + letter(Prot.WRITE, 'w') + letter(Prot.EXEC, 'x') + (shared ? 's' : 'p')
      const inode = pages?.inode ?? undefined
      const label = inode === undefined ? name || (shared ? (pages?.name ?? '') : '') : (pages?.name ?? '')
      const line = `${hex(start)}-${hex(end)} ${rights} ${inode === undefined ? '00000000' : hex(offset)} 00:00 ${inode?.ino ?? 0} `
      return label === '' ? `${line.trimEnd()}\n` : `${line.padEnd(49)}${label}\n`
    })
    .join('')
}

/** What a mount shows of its file system: all, or what was bound. */
function pathInside(root: Path['dentry']): string {
  const names: string[] = []
  for (let at = root; at.parent !== null; at = at.parent) names.unshift(at.name)
  return `/${names.join('/')}`
}

/** Mounts with their numbers, and what of a file system is seen (proc(5)). */
function mountInfo(kernel: Kernel, task: Task | undefined): string {
  const tree = task?.context.tree ?? kernel.tree
  const nameOf = (path: Path): string => (task === undefined ? '/' : kernel.vfs.pathName(task.context, path))
  return tree
    .all()
    .map((mount) => {
      const { id, parent, root, source, flags } = mount
      const place = nameOf({ mount, dentry: mount.root })
      const { fs } = mount.super
      const rights = (flags & 1) !== 0 ? 'ro' : 'rw'
      return `${id} ${parent?.id ?? id} 0:${mount.super.device} ${pathInside(root)} ${place} ${rights},relatime - ${fs.type} ${source} ${rights}\n`
    })
    .join('')
}

function mounts(kernel: Kernel, task: Task | undefined): string {
  const tree = task?.context.tree ?? kernel.tree
  return tree
    .all()
    .map((mount) => {
      const root = { mount, dentry: mount.root }
      const place = task === undefined ? '/' : kernel.vfs.pathName(task.context, root)
      return `${mount.source} ${place} ${mount.super.fs.type} ${(mount.flags & 1) !== 0 ? 'ro' : 'rw'},relatime 0 0\n`
    })
    .join('')
}
