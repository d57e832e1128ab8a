/** What the page says of sizes and endings. */
import type { Problem } from './problem.ts'
import type { Report } from './protocol.ts'

/** `5.4 MiB`. */
export function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`
}

/** How a run ended, in a word or two, and what is wrong if that is not what a guest should do. */
export function endingOf({ reason, exitCode, at }: Extract<Report, { readonly type: 'ended' }>): {
  readonly status: string
  readonly problem?: Problem
} {
  const remedy = 'see what it printed last; Reset boots it again'
  switch (reason) {
    case 'off':
      return { status: exitCode === undefined ? 'Powered off' : `Powered off, exit code ${exitCode}` }
    case 'triple-fault':
      return { status: 'Shut down', problem: { what: `the guest's CPU shut down (triple fault) at ${at}`, remedy } }
    case 'stuck':
      return { status: 'Stuck', problem: { what: `the guest's CPU faults without end at ${at}`, remedy } }
    case 'machine-memory':
      return {
        status: 'Out of memory',
        problem: { what: `the machine has no memory left for the guest at ${at}`, remedy },
      }
    case 'halted':
      return { status: 'Halted', problem: { what: `the guest halted with interrupts disabled at ${at}`, remedy } }
    default:
      return { status: 'Stopped' }
  }
}
