/** Paths that a container does not see, or does not write (runtime-spec, "Masked Paths", "Readonly Paths"). */
import type { Task } from '@vmexit/linux'
import { Errno, Mode, MountFlag, Stat, TmpFs, toByteString } from '@vmexit/vfs'
import { mustAt } from './place.ts'

/** What Docker hides, and what it makes read-only: what is not there needs neither. */
// biome-ignore format: a table
export const MASKED: readonly string[] = [
  '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats',
  '/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
/** See {@link MASKED}. */
export const READ_ONLY: readonly string[] = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** Hides files behind /dev/null, and directories behind empty ones that cannot be written. */
export function maskPaths(task: Task, paths: readonly string[]): void {
  const { kernel, context } = task
  const { vfs, time } = kernel
  const stat = new Stat()
  for (const path of paths) {
    const answer = vfs.stat(context, null, toByteString(path), stat)
    if (isAbsent(answer)) continue
    if ((stat.mode & Mode.IFMT) === Mode.IFDIR) {
      const flags = MountFlag.RDONLY | MountFlag.NOSUID | MountFlag.NODEV | MountFlag.NOEXEC
      const fs = new TmpFs({ time, sizeBytes: 0, mode: 0o555 })
      mustAt(vfs.mount(context, fs, path, { source: 'tmpfs', flags }), path)
    } else mustAt(vfs.bind(context, '/dev/null', path), path)
  }
}

/** Makes paths read-only, with what is mounted below them. */
export function protectPaths(task: Task, paths: readonly string[]): void {
  const { kernel, context } = task
  const { vfs } = kernel
  for (const path of paths) {
    if (isAbsent(vfs.stat(context, null, toByteString(path), new Stat()))) continue
    const mount = mustAt(vfs.bind(context, path, path, true), path)
    for (const each of mount.all()) each.flags |= MountFlag.RDONLY
  }
}

function isAbsent(answer: number): boolean {
  return answer === -Errno.ENOENT || answer === -Errno.ENOTDIR
}
