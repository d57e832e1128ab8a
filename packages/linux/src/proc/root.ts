/** The top of /proc: the system as a whole (proc(5)). */
import type { Kernel } from '../system.ts'
import { RELEASE, VERSION } from '../system-calls.ts'
import { netSysctl } from './net-sysctl.ts'
import { directory, file, link, type ProcDirectory, type ProcNode } from './node.ts'
import { processNode } from './process-node.ts'

/** Hundredths of a second. */
const hundredths = (ticks: number): number => Math.floor(ticks / 1e7)
const seconds = (ticks: number): string => (ticks / 1e9).toFixed(2)

/** /proc itself. */
export function rootNode(kernel: Kernel): ProcDirectory {
  const fixed: Readonly<Record<string, ProcNode>> = {
    self: link(() => String(kernel.current?.process.pid ?? 1)),
    'thread-self': link(() => `${kernel.current?.process.pid ?? 1}/task/${kernel.current?.tid ?? 1}`),
    mounts: link(() => 'self/mounts'),
    net: link(() => 'self/net'),
    meminfo: file(() => memory(kernel)),
    uptime: file(() => `${seconds(kernel.now)} ${seconds(Math.max(0, kernel.now - kernel.cpu.retired))}\n`),
    stat: file(() => stat(kernel)),
    loadavg: file(() => `0.00 0.00 0.00 1/${kernel.processes.size} ${Math.max(0, ...kernel.processes.keys())}\n`),
    cpuinfo: file(() => cpu(kernel)),
    version: file(() => `Linux version ${RELEASE} (vmexit) ${VERSION}\n`),
    filesystems: file(() => 'nodev\tproc\nnodev\ttmpfs\n'),
    cmdline: file(() => '\n'),
    devices: file(() => 'Character devices:\n  1 mem\n  5 /dev/tty\n136 pts\n\nBlock devices:\n'),
    swaps: file(() => 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n'),
    sys: directory({
      net: netSysctl(kernel),
      kernel: directory({
        hostname: file(() => `${kernel.ns.uts.hostname}\n`),
        domainname: file(() => `${kernel.ns.uts.domainname}\n`),
        osrelease: file(() => `${RELEASE}\n`),
        ostype: file(() => 'Linux\n'),
        version: file(() => `${VERSION}\n`),
        pid_max: file(() => '32768\n'),
        ngroups_max: file(() => '65536\n'),
        cap_last_cap: file(() => '40\n'),
        overflowuid: file(() => '65534\n'),
        overflowgid: file(() => '65534\n'),
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
      const proc = /^[1-9][0-9]*$/.test(name) ? kernel.processes.get(Number(name)) : undefined
      if (proc === undefined) return undefined
      let node = nodes.get(proc)
      if (node === undefined) {
        node = processNode(kernel, proc)
        nodes.set(proc, node)
      }
      return node
    },
    names: () => [...Object.keys(fixed), ...[...kernel.processes.keys()].map(String)],
  }
}

function memory({ frames }: Kernel): string {
  const total = frames.count * 4
  const free = (frames.count - frames.used) * 4
  const rows = {
    MemTotal: total,
    MemFree: free,
    MemAvailable: free,
    Buffers: 0,
    Cached: 0,
    SwapCached: 0,
    SwapTotal: 0,
    SwapFree: 0,
    Shmem: 0,
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
  const { counts, processes, epoch } = kernel
  const running = [...processes.values()].filter(({ leader }) => leader.state === 'ready').length
  return `cpu  ${line}\ncpu0 ${line}\nintr 0\nctxt ${counts.switches}\nbtime ${epoch}\nprocesses ${counts.forks + 1}\nprocs_running ${running}\nprocs_blocked 0\n`
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
  return `${rows.map(([name, value]) => `${name.padEnd(15)}\t: ${value}\n`).join('')}\n`
}
