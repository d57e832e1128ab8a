/**
 * What a kernel that is no guest code costs. `@vmexit/linux` works in TypeScript and retires no instruction; so its work is charged: so
 * many instructions for each call, page, byte …, as many as a real kernel on the bare machine takes for the same.
 *
 * The constants are calibrated, workload by workload: what a repetition takes on that kernel, less the instructions of the program
 * itself and what constants that are known charge, divided by how often the new event happens. So the workloads that constants come
 * from prove nothing about the model; others do.
 */
import type { Counts } from '@vmexit/core'
import type { ContainerCalibration } from '../container/container-work.ts'

/** Events of a kernel that are charged, in the order in which their constants are found. */
export const KERNEL_EVENTS = [
  'plain-calls',
  'bytes-copied',
  'signals',
  'memory-calls',
  'file-calls',
  'switches',
  'pages',
  'forks',
  'execs',
] as const

/** Name of an event that is charged. */
export type KernelEvent = (typeof KERNEL_EVENTS)[number]

/** The workload that the constant of an event comes from. */
export const CALIBRATED_BY: Readonly<Record<KernelEvent, string>> = {
  'plain-calls': 'syscall',
  'bytes-copied': 'pipe',
  signals: 'divzero',
  'memory-calls': 'ptemod',
  'file-calls': 'files',
  switches: 'switch',
  pages: 'mmap',
  forks: 'fork',
  execs: 'exec',
}

/** Constants of one kernel, and what they come from. */
export interface KernelCalibration {
  /** Name of the kernel, as a comparison has it. */
  readonly kernel: string
  /** Of its image, in hexadecimal. */
  readonly sha256: string
  /** Instructions of a repetition: on the bare machine with that kernel, and those of the program alone. */
  readonly workloads: Readonly<Record<string, { readonly total: number; readonly program: number }>>
  /** Instructions of that kernel for one event. */
  readonly instructions: Readonly<Record<KernelEvent, number>>
  /** What its containers cost more; undefined of a kernel that has none. */
  readonly container?: ContainerCalibration
}

const MEMORY_CALLS = ['brk', 'mmap', 'munmap', 'mprotect', 'mremap', 'msync', 'mmap2', 'madvise']
const FILE_CALLS = [
  ...['open', 'openat', 'openat2', 'creat', 'close', 'lseek', '_llseek', 'access', 'faccessat', 'faccessat2'],
  ...['stat64', 'lstat64', 'fstat64', 'fstatat64', 'statx', 'statfs64', 'fstatfs64', 'getdents64', 'getcwd', 'chdir'],
  ...['link', 'linkat', 'unlink', 'unlinkat', 'rename', 'renameat', 'renameat2', 'symlink', 'symlinkat', 'readlink'],
  ...['readlinkat', 'mkdir', 'mkdirat', 'rmdir', 'mknod', 'mknodat', 'chmod', 'fchmod', 'fchmodat', 'truncate64'],
  ...['ftruncate64', 'utimensat', 'utimensat_time64', 'chown32', 'lchown32', 'fchown32', 'fchownat'],
]
const KINDS: ReadonlyMap<string, KernelEvent> = new Map([
  ...MEMORY_CALLS.map((name) => [name, 'memory-calls'] as const),
  ...FILE_CALLS.map((name) => [name, 'file-calls'] as const),
])

/** The event that a call counts as, by its name. */
export function kindOfCall(name: string): KernelEvent {
  return KINDS.get(name) ?? 'plain-calls'
}

/** Instructions of a kernel for events, of which there may be fractions. */
export function kernelInstructions(events: Counts, { instructions }: Pick<KernelCalibration, 'instructions'>): number {
  return KERNEL_EVENTS.reduce((sum, event) => sum + (events[event] ?? 0) * instructions[event], 0)
}

/**
 * Constants of a kernel. `native` has the instructions of one repetition of each workload on it, on the bare machine; `bare` the
 * events of the same workloads as bare processes. Constants are rounded, those below 1 to four digits, and none is below 0.
 */
export function calibrate(
  kernel: string,
  sha256: string,
  native: ReadonlyMap<string, Counts>,
  bare: ReadonlyMap<string, Counts>,
): KernelCalibration {
  const instructions = Object.fromEntries(KERNEL_EVENTS.map((event) => [event, 0])) as Record<KernelEvent, number>
  const workloads: Record<string, { readonly total: number; readonly program: number }> = {}
  for (const [name, { instructions: total = 0 }] of native) {
    workloads[name] = { total, program: bare.get(name)?.['instructions'] ?? 0 }
  }
  for (const event of KERNEL_EVENTS) {
    const workload = CALIBRATED_BY[event]
    const events = bare.get(workload) ?? {}
    const { total = 0, program = 0 } = workloads[workload] ?? {}
    const left = total - program - kernelInstructions(events, { instructions })
    instructions[event] = rounded(left / (events[event] ?? 1))
  }
  return { kernel, sha256, workloads, instructions }
}

function rounded(value: number): number {
  const digits = value < 1 ? 10_000 : 100
  return Math.max(0, Math.round(value * digits) / digits)
}
