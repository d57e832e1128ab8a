/** Runs a kernel beside other work of the host's: in slices, between which the host's event loop has its turn. */
import type { LinuxKernel } from './kernel.ts'

/** What a host gives a kernel that runs. Nothing of it changes what programs do. */
export interface Host {
  /** Lets the event loop have a turn: `setImmediate`, or a `MessageChannel`; not a timer, which takes a millisecond. */
  readonly pause: () => Promise<void>
  /** Instructions of the next slice: so many that it takes a few milliseconds. Default 500,000. */
  readonly slice?: () => number
  /**
   * Waits while no program can run: for `nanoseconds` of virtual time, which may be infinite, or until something has come from
   * outside. Answers how many of them have passed, infinity where nothing comes any more. Without, idle time passes at once.
   */
  readonly wait?: (nanoseconds: number) => Promise<number>
  /** Ends the run at the next slice. */
  readonly isOver?: () => boolean
}

/** Why {@link runKernel} returned: `stuck`, programs wait for what cannot come. */
export type RunOutcome = 'ended' | 'over' | 'stuck'

/** Runs until all programs have ended. */
export async function runKernel(kernel: LinuxKernel, host: Host): Promise<RunOutcome> {
  for (;;) {
    if (host.isOver?.()) return 'over'
    const outcome = kernel.step(host.slice?.() ?? 500_000)
    if (outcome === 'ended') return outcome
    if (outcome === 'idle') {
      const left = kernel.timers.next - kernel.now
      const passed = host.wait === undefined ? left : Math.min(left, await host.wait(left))
      if (passed === Number.POSITIVE_INFINITY) return 'stuck'
      kernel.skipTo(passed === left ? kernel.timers.next : kernel.now + passed)
    } else await host.pause()
  }
}
