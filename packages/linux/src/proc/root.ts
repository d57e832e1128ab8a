/** The top of /proc: the system as a whole (proc(5)). */
import { Errno } from '../errno.ts'
import { messagesText } from '../ipc/messages.ts'
import { semaphoresText } from '../ipc/semaphores.ts'
import { segmentsText } from '../ipc/shared-memory.ts'
import type { PidNamespace } from '../namespaces/pid.ts'
import type { Kernel, Task } from '../system.ts'
import { RELEASE, VERSION } from '../system-calls.ts'
import { Cap } from '../tasks/capabilities.ts'
import { netSysctl } from './net-sysctl.ts'
import { directory, file, link, type ProcDirectory, type ProcFile, type ProcNode } from './node.ts'
import { processNode } from './process-node.ts'

/** Hundredths of a second. */
const hundredths = (ticks: number): number => Math.floor(ticks / 1e7)
const seconds = (ticks: number): string => (ticks / 1e9).toFixed(2)

/** /proc itself. */
export function rootNode(kernel: Kernel, pids: PidNamespace<Task>): ProcDirectory {
  let bootId: string | undefined
  const own = (): string => String(pids.local(kernel.current?.process.pid ?? 0) || '')
  const fixed: Readonly<Record<string, ProcNode>> = {
    self: link(own),
    'thread-self': link(() => (own() === '' ? '' : `${own()}/task/${pids.local(kernel.current!.tid)}`)),
    mounts: link(() => 'self/mounts'),
    net: link(() => 'self/net'),
    meminfo: file(() => memory(kernel)),
    uptime: file(
      () =>
        `${seconds(kernel.now + (kernel.current?.ns.time.boottime ?? 0))} ${seconds(Math.max(0, kernel.now - kernel.cpu.retired))}\n`,
    ),
    stat: file(() => stat(kernel)),
    vmstat: file(() => memoryEvents(kernel)),
    diskstats: file(() => ''),
    loadavg: file(
      () =>
        `0.00 0.00 0.00 1/${kernel.processes.size} ${Math.max(0, ...[...kernel.processes.keys()].map((pid) => pids.local(pid)))}\n`,
    ),
    cpuinfo: file(() => cpu(kernel)),
    version: file(() => `Linux version ${RELEASE} (vmexit) ${VERSION}\n`),
    filesystems: file(() => 'nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tcgroup2\n'),
    cmdline: file(() => '\n'),
    devices: file(() => 'Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n'),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    sysvipc: directory({
      shm: file(() => ofCurrent(kernel, segmentsText)),
      sem: file(() => ofCurrent(kernel, semaphoresText)),
      msg: file(() => ofCurrent(kernel, messagesText)),
    }),
    sys: directory({
      net: netSysctl(kernel),
      kernel: directory({
        hostname: nameFile(kernel, 'hostname'),
        domainname: nameFile(kernel, 'domainname'),
        osrelease: file(() => `${RELEASE}\n`),
        ostype: file(() => 'Linux\n'),
        version: file(() => `${VERSION}\n`),
        pid_max: file(() => '32768\n'),
        ngroups_max: file(() => '65536\n'),
        cap_last_cap: file(() => '40\n'),
        overflowuid: file(() => '65534\n'),
        overflowgid: file(() => '65534\n'),
        random: directory({
          uuid: file(() => `${uuid(kernel)}\n`),
          boot_id: file(() => `${(bootId ??= uuid(kernel))}\n`),
          entropy_avail: file(() => '256\n'),
          poolsize: file(() => '256\n'),
        }),
      }),
      vm: directory({ overcommit_memory: file(() => '0\n'), max_map_count: file(() => '65530\n') }),
      fs: directory({ 'file-max': file(() => '1048576\n'), 'pipe-max-size': file(() => '1048576\n') }),
    }),
  }
  const nodes = new WeakMap<object, ProcNode>()
  return {
    kind: 'directory',
    entry(name) {
      if (Object.hasOwn(fixed, name)) return fixed[name]
      const proc = /^[1-9][0-9]*$/.test(name) ? kernel.processes.get(pids.global(Number(name))) : undefined
      if (proc === undefined) return undefined
      let node = nodes.get(proc)
      if (node === undefined) {
        node = processNode(kernel, proc, pids)
        nodes.set(proc, node)
      }
      return node
    },
    names: () => [
      ...Object.keys(fixed),
      ...[...kernel.processes.keys()]
        .map((pid) => pids.local(pid))
        .filter((pid) => pid !== 0)
        .map(String),
    ],
  }
}

/** What the reader sees. */
function ofCurrent({ current }: Kernel, text: (task: Task) => string): string {
  return current === undefined ? '' : text(current)
}

/** A name of the reader's host. */
function nameFile(kernel: Kernel, which: 'hostname' | 'domainname'): ProcFile {
  const uts = () => (kernel.current ?? kernel).ns.uts
  return {
    ...{ kind: 'file', mode: 0o644, text: () => `${uts()[which]}\n` },
    write(text) {
      if (kernel.current?.capable(Cap.SYS_ADMIN, uts().owner) !== true) return -Errno.EPERM
      uts()[which] = text.split('\n')[0]!.slice(0, 64)
      return 0
    },
  }
}

/** One of version 4, from the kernel's random numbers (random(4)). */
function uuid({ random }: Kernel): string {
  const bytes = new Uint8Array(16)
  random.fill(bytes)
  bytes[6] = (bytes[6]! & 0x0f) | 0x40
  bytes[8] = (bytes[8]! & 0x3f) | 0x80
  const digits = [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('')
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
}

/** /proc/vmstat: what there is of it. There is no swap, and no disk that pages come from. */
function memoryEvents(kernel: Kernel): string {
  const { frames, counts } = kernel
  const { files, shared } = cachedPages(kernel)
  const rows = {
    ...{ nr_free_pages: frames.count - frames.used, nr_file_pages: files + shared, nr_shmem: shared },
    ...{ pgpgin: 0, pgpgout: 0, pswpin: 0, pswpout: 0, pgfault: counts.pages, pgmajfault: 0 },
  }
  return Object.entries(rows)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('')
}

/** Pages that are kept of files, and of memory that is shared without one. */
function cachedPages({ pageCache }: Kernel): { readonly files: number; readonly shared: number } {
  const count = { files: 0, shared: 0 }
  for (const pages of pageCache.all()) count[pages.inode === null ? 'shared' : 'files'] += pages.size
  return count
}

function memory(kernel: Kernel): string {
  const { frames } = kernel
  const total = frames.count * 4
  const free = (frames.count - frames.used) * 4
  const { files, shared } = cachedPages(kernel)
  const rows = {
    MemTotal: total,
    MemFree: free,
    MemAvailable: free + files * 4,
    Buffers: 0,
    Cached: (files + shared) * 4,
    SwapCached: 0,
    SwapTotal: 0,
    SwapFree: 0,
    Shmem: shared * 4,
    Slab: 0,
  }
  return Object.entries(rows)
    .map(([name, value]) => `${`${name}:`.padEnd(15)}${String(value).padStart(9)} kB\n`)
    .join('')
}

function stat(kernel: Kernel): string {
  const user = hundredths(kernel.cpu.retired)
  const idle = hundredths(Math.max(0, kernel.now - kernel.cpu.retired))
  const line = `${user} 0 0 ${idle} 0 0 0 0 0 0`
  const { counts, processes, time } = kernel
  const running = [...processes.values()].filter(({ leader }) => leader.state === 'ready').length
  return `cpu  ${line}\ncpu0 ${line}\nintr 0\nctxt ${counts.switches}\nbtime ${time.startSeconds}\nprocesses ${counts.forks + 1}\nprocs_running ${running}\nprocs_blocked 0\n`
}

function cpu(kernel: Kernel): string {
  const { model } = kernel.cpu
  const { signature } = model
  const rows: [string, string | number][] = [
    ['processor', 0],
    ['vendor_id', 'GenuineIntel'],
    ['cpu family', (signature >> 8) & 15],
    ['model', ((signature >> 4) & 15) | ((signature >> 12) & 0xf0)],
    ['model name', `vmexit ${model.name}`],
    ['stepping', signature & 15],
    ['cpu MHz', '1000.000'],
    ['fpu', 'yes'],
    ['cpuid level', 2],
    ['wp', 'yes'],
    ['flags', 'fpu tsc cx8 cmov mmx fxsr sse sse2'],
    ['bogomips', '2000.00'],
  ]
  return `${rows.map(([name, value]) => `${name}${name.length < 8 ? '\t\t' : '\t'}: ${value}\n`).join('')}\n`
}
