/** What the system knows of a process. */
import { readFileSync } from 'node:fs'

/**
 * Whether a process that is there was stopped by a signal, where the system tells: false elsewhere. By proc(5), the
 * state stands behind the name, which is in parentheses and may contain some.
 */
export function isStopped(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return /^\) [Tt] /.test(stat.slice(stat.lastIndexOf(')')))
  } catch {
    return false
  }
}
