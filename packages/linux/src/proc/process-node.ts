/** /proc/N: one process, and its threads (proc(5)). */
import { Errno } from '../errno.ts'
import { AnonymousFile } from '../files/anonymous-file.ts'
import { placeName } from '../files/place-name.ts'
import { streamFsOf } from '../files/stream-fs.ts'
import { PAGE } from '../memory/frames.ts'
import type { PidNamespace } from '../namespaces/pid.ts'
import type { Kernel, Process, Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import { HostTerminal } from '../tty/pty.ts'
import { limitsText } from './limits-text.ts'
import { auxvBytes, mapsText, smapsRollupText, smapsText } from './memory-text.ts'
import {
  cgroupText,
  guarded,
  mapFile,
  mountInfoText,
  mountsText,
  namespaceDirectory,
  setgroupsFile,
  timeOffsetsFile,
} from './namespace-nodes.ts'
import { netNode } from './net.ts'
import { directory, file, link, type ProcDirectory, type ProcFile, type ProcNode } from './node.ts'

const hundredths = (ticks: number): number => Math.floor(ticks / 1e7)

/** The directory of a process; of a zombie most is empty. */
export function processNode(kernel: Kernel, proc: Process, pids: PidNamespace<Task>): ProcDirectory {
  const task = (): Task | undefined => (proc.tasks.has(proc.leader) ? proc.leader : [...proc.tasks][0])
  const leader = (): Task => proc.leader
  const threads = new WeakMap<Task, ProcDirectory>()
  const threadNamed = (name: string): ProcDirectory | undefined => {
    const thread = [...proc.tasks].find(({ tid }) => String(pids.local(tid)) === name)
    if (thread === undefined) return undefined
    const known = threads.get(thread)
    if (known !== undefined) return known
    const there = (): Task | undefined => (proc.tasks.has(thread) ? thread : undefined)
    const made = {
      ...directory(commonEntries(kernel, () => thread, there, pids, true)),
      owner: ownerOf(() => thread, there),
    }
    threads.set(thread, made)
    return made
  }
  const entries: Record<string, ProcNode> = {
    ...commonEntries(kernel, leader, task, pids, false),
    timens_offsets: timeOffsetsFile(kernel, task),
    task: {
      kind: 'directory',
      entry: threadNamed,
      names: () => [...proc.tasks].map(({ tid }) => String(pids.local(tid))),
    },
  }
  return { ...directory(entries), owner: ownerOf(leader, task), process: proc }
}

/** Whose a process' files are: nobody looks into one that is not to be dumped but root. */
function ownerOf(named: () => Task, task: () => Task | undefined) {
  return (): { uid: number; gid: number } => {
    const { ids, process: proc } = task() ?? named()
    return proc.settings.isDumpable !== 0 ? { uid: ids.euid, gid: ids.egid } : { uid: 0, gid: 0 }
  }
}

/** A process or a thread, as somebody looks. */
interface Shown {
  readonly kernel: Kernel
  /** Whose name it is, and a task of it that lives. */
  readonly named: Task
  readonly task: Task | undefined
  readonly pids: PidNamespace<Task>
  readonly ofThread: boolean
  readonly number: number
}

/** What a process and each of its threads (`ofThread`) have: with the name of `named`, of `task`, which may have ended. */
function commonEntries(
  kernel: Kernel,
  named: () => Task,
  task: () => Task | undefined,
  pids: PidNamespace<Task>,
  ofThread: boolean,
): Record<string, ProcNode> {
  const proc = named().process
  const shown = (): Shown => {
    const who = named()
    return { kernel, named: who, task: task(), pids, ofThread, number: ofThread ? who.tid : proc.pid }
  }
  const context = () => kernel.current?.context
  const descriptors = new Map<number, ProcNode>()
  const fds: ProcDirectory = {
    kind: 'directory',
    mode: 0o500,
    entry(name) {
      if (typeof guarded(kernel, task(), () => true) === 'number') return undefined
      const fd = Number(name)
      if (!/^[0-9]+$/.test(name) || task()?.files.get(fd) === undefined) return undefined
      let node = descriptors.get(fd)
      if (node === undefined) {
        const opened = () => task()?.files.get(fd)
        node = link(
          () => opened()?.describe(context()!) ?? '',
          () => {
            const there = opened()
            if (!(there instanceof AnonymousFile)) return there?.file?.path
            // (A terminal of the host's has a node, unless somebody has removed it.)
            const node = there instanceof HostTerminal ? kernel.vfs.lookup(context()!, null, there.tty.name) : -1
            return typeof node === 'number' ? streamFsOf(kernel).place(there) : node
          },
        )
        descriptors.set(fd, node)
      }
      return node
    },
    names: () => [...(task()?.files.numbers() ?? [])].map(String),
  }
  /** What only those read who may look into it. */
  const ofMemory = (text: (task: Task) => string | Uint8Array, mode = 0o444): ProcFile =>
    file(() => {
      const found = guarded(kernel, task(), text)
      return typeof found === 'number' ? '' : found
    }, mode)
  return {
    cmdline: file(() => strings(kernel, task(), 'args')),
    environ: file(() => (guarded(kernel, task(), () => true) === true ? strings(kernel, task(), 'env') : ''), 0o400),
    comm: file(() => `${named().name}\n`),
    stat: file(() => stat(shown())),
    statm: file(() => statm(task())),
    status: file(() => status(shown())),
    maps: ofMemory(mapsText),
    smaps: ofMemory(smapsText),
    smaps_rollup: ofMemory(smapsRollupText),
    auxv: ofMemory(auxvBytes, 0o400),
    mounts: file(() => mountsText(kernel, task())),
    mountinfo: file(() => mountInfoText(kernel, task())),
    cgroup: file(() => cgroupText(kernel, task())),
    ns: namespaceDirectory(kernel, task),
    uid_map: mapFile(kernel, task, 'uids'),
    gid_map: mapFile(kernel, task, 'gids'),
    setgroups: setgroupsFile(kernel, task),
    oom_score_adj: oomFile(kernel, proc),
    limits: file(() => limitsText(proc)),
    exe: link(
      () => proc.executablePath,
      () => guarded(kernel, task(), () => proc.executable ?? undefined),
    ),
    cwd: link(
      () => {
        const there = task()
        return there === undefined ? '' : placeName(kernel, there.context, there.context.cwd)
      },
      () => guarded(kernel, task(), ({ context: there }) => there.cwd),
    ),
    root: link(
      () => '/',
      () => guarded(kernel, task(), ({ context: there }) => there.root),
    ),
    fd: fds,
    net: netNode(kernel, () => (task() ?? named()).ns.net),
  }
}

/** Arguments or environment, as they lie in the program's memory. */
function strings(kernel: Kernel, task: Task | undefined, which: 'args' | 'env'): Uint8Array {
  if (task === undefined) return new Uint8Array()
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
  return bytes
}

function stateOf(proc: Process, task: Task | undefined): string {
  if (proc.isZombie || task === undefined) return 'Z'
  if (task.state === 'traced') return 't'
  if (proc.stopSignal !== 0) return 'T'
  return task.state === 'blocked' ? 'S' : 'R'
}

function stat({ kernel, named, task, pids, number, ofThread }: Shown): string {
  const { process: proc } = named
  const { session } = proc
  const times = ofThread ? { ...proc.times, user: kernel.ticksOf(named), system: 0 } : proc.times
  const { space } = task ?? {}
  const terminal =
    session.tty === null ? 0 : (Math.floor(session.tty.rdev / 0x10_0000) << 8) | (session.tty.rdev & 0xff)
  const fields = [
    ...[pids.local(number), `(${named.name})`, stateOf(proc, task), pids.local(proc.parent?.pid ?? 0)],
    ...[pids.local(proc.group), pids.local(session.id)],
    ...[terminal, session.tty === null ? -1 : pids.local(session.tty.foreground), 0x40_0000, 0, 0, 0, 0],
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

const STATES: Readonly<Record<string, string>> = {
  R: 'running',
  S: 'sleeping',
  T: 'stopped',
  t: 'tracing stop',
  Z: 'zombie',
}

function status({ kernel, named, task, pids, number }: Shown): string {
  const { process: proc } = named
  const { ids } = task ?? named
  const { uids, gids } = (kernel.current ?? named).ids.user
  const letter = stateOf(proc, task)
  const kilobytes = (pages: number): string => `${String(pages * 4).padStart(8)} kB`
  const mask = (low: number, high: number): string =>
    (high >>> 0).toString(16).padStart(8, '0') + (low >>> 0).toString(16).padStart(8, '0')
  const rows: [string, string | number][] = [
    ['Name', named.name],
    ['Umask', (task?.context.umask ?? 0).toString(8).padStart(4, '0')],
    ['State', `${letter} (${STATES[letter]})`],
    ['Tgid', pids.local(proc.pid)],
    ['Pid', pids.local(number)],
    ['PPid', pids.local(proc.parent?.pid ?? 0)],
    ['TracerPid', pids.local(task?.tracing?.tracer.pid ?? 0)],
    ['Uid', [ids.uid, ids.euid, ids.suid, ids.fsuid].map((id) => uids.shown(id)).join('\t')],
    ['Gid', [ids.gid, ids.egid, ids.sgid, ids.fsgid].map((id) => gids.shown(id)).join('\t')],
    ['Groups', ids.groups.map((id) => `${gids.shown(id)} `).join('') || ' '],
    ['NSpid', numbersOf(named, number, pids).join('\t')],
    ...(task === undefined
      ? []
      : ([
          ['VmSize', kilobytes(task.space.size)],
          ['VmRSS', kilobytes(task.space.resident)],
        ] as [string, string][])),
    ['Threads', proc.tasks.size],
    ['SigPnd', mask(named.pending.set.low, named.pending.set.high)],
    ['ShdPnd', mask(proc.pending.set.low, proc.pending.set.high)],
    ['SigBlk', mask(named.blocked.low, named.blocked.high)],
    ...(['Inh', 'Prm', 'Eff', 'Bnd', 'Amb'] as const).map((which, n): [string, string] => {
      const { inheritable, permitted, effective, bounding, ambient } = ids.caps
      const set = [inheritable, permitted, effective, bounding, ambient][n]!
      return [`Cap${which}`, set.toString(16).padStart(16, '0')]
    }),
    ['NoNewPrivs', (task ?? named).noNewPrivileges ? 1 : 0],
    ['Seccomp', (task ?? named).seccomp?.mode ?? 0],
    ['Cpus_allowed', 1],
    ['Cpus_allowed_list', 0],
    ['voluntary_ctxt_switches', kernel.counts.switches],
    ['nonvoluntary_ctxt_switches', 0],
  ]
  return rows.map(([name, value]) => `${name}:\t${value}\n`).join('')
}

/** The numbers of a process or thread in a namespace and in those below, down to its own. */
function numbersOf(named: Task, number: number, from: PidNamespace<Task>): number[] {
  const numbers: number[] = []
  for (let ns: PidNamespace<Task> | null = named.ns.pid; ns !== null; ns = ns.parent) {
    numbers.unshift(ns.local(number))
    if (ns === from) break
  }
  return numbers
}

/** /proc/PID/oom_score_adj. */
function oomFile(kernel: Kernel, proc: Process): ProcFile {
  return {
    ...{ kind: 'file', mode: 0o644, text: () => `${proc.oomAdjustment}\n` },
    write(text) {
      const wanted = Number(text.trim())
      if (!Number.isInteger(wanted) || Math.abs(wanted) > 1000) return -Errno.EINVAL
      if (wanted < proc.oomAdjustment && kernel.current?.capable(Cap.SYS_RESOURCE) !== true) return -Errno.EACCES
      proc.oomAdjustment = wanted
      return 0
    },
  }
}
