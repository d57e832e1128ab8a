/** /proc/N/limits (proc_pid_limits(5)). */
import type { Process } from '../system.ts'
import { INFINITE, Limit } from '../tasks/limits.ts'

/** As each is called, in which unit, by its number. */
// biome-ignore format: a table
const NAMES: readonly (readonly [limit: number, name: string, unit: string])[] = [
  [Limit.CPU, 'cpu time', 'seconds'], [Limit.FSIZE, 'file size', 'bytes'], [Limit.DATA, 'data size', 'bytes'],
  [Limit.STACK, 'stack size', 'bytes'], [Limit.CORE, 'core file size', 'bytes'], [Limit.RSS, 'resident set', 'bytes'],
  [Limit.NPROC, 'processes', 'processes'], [Limit.NOFILE, 'open files', 'files'], [Limit.MEMLOCK, 'locked memory', 'bytes'],
  [Limit.AS, 'address space', 'bytes'], [Limit.LOCKS, 'file locks', 'locks'], [Limit.SIGPENDING, 'pending signals', 'signals'],
  [Limit.MSGQUEUE, 'msgqueue size', 'bytes'], [Limit.NICE, 'nice priority', ''], [Limit.RTPRIO, 'realtime priority', ''],
  [Limit.RTTIME, 'realtime timeout', 'us'],
]

/** All limits of a process, a line each. */
export function limitsText({ limits: { soft, hard } }: Process): string {
  const line = (name: string, least: string, most: string, unit: string): string =>
    `${name.padEnd(25)} ${least.padEnd(20)} ${most.padEnd(20)} ${unit === '' ? '' : unit.padEnd(10)}\n`
  const figure = (value: number): string => (value === INFINITE ? 'unlimited' : String(value))
  const rows = NAMES.map(([limit, name, unit]) => line(`Max ${name}`, figure(soft[limit]!), figure(hard[limit]!), unit))
  return line('Limit', 'Soft Limit', 'Hard Limit', 'Units') + rows.join('')
}
