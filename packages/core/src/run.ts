/** The asynchronous edge of the run loop: slices between which the host's own events are served. */
import { VmexitError } from './errors.ts'
import type { CancelSignal } from './input-gate.ts'
import type { RunLoop, SliceLimits, Stop } from './run-loop.ts'

/** How far to run, and how to share the thread with the host. */
export interface RunOptions extends SliceLimits {
  /** Stops the run between two slices. The run then *returns* with the reason `aborted`: it can be continued. */
  readonly signal?: CancelSignal | undefined
  /** Instructions between two yields to the host, 1,000,000 unless stated: a few milliseconds on a fast engine. */
  readonly slice?: number | undefined
  /** What to do when only an input from outside can go on: `return` (unless stated) or `wait` for one. */
  readonly idle?: 'return' | 'wait' | undefined
  /**
   * Lets the host sleep for as long as the virtual time in which every CPU waited for a timer, or until an input comes:
   * an idle guest then costs no host time. Unless set, virtual time goes on to the timer at once.
   */
  readonly sleep?: boolean | undefined
  /**
   * The host's clock in milliseconds, such as `performance.now`: virtual seconds then last at least as long as real ones.
   * A machine that falls behind, because the host is too slow for it, does not catch up.
   */
  readonly realTime?: (() => number) | undefined
  /** Called after each slice, the last one too; if it returns a promise, the run goes on when that is fulfilled. */
  readonly onSlice?: (() => PromiseLike<void> | void) | undefined
  /**
   * Called between slices with the virtual time; the run goes on when its promise is fulfilled. Unless given, the host
   * serves what is waiting and the run goes on.
   */
  readonly yieldToHost?: ((now: number) => PromiseLike<void> | void) | undefined
}

/** Virtual time after which a slice ends too, so that a machine that idles from timer to timer yields: 0.1 seconds. */
const sliceSeconds = 0.1

/** The same where virtual time is paced: 10 ms, finer than what people see and coarser than hosts' timers. */
const pacedSliceSeconds = 0.01

/** Runs `loop` slice by slice. Throws a {@link VmexitError} `run-option`, and what `runSlice` throws. */
export async function run(loop: RunLoop, options: RunOptions = {}): Promise<Stop> {
  const { clock, input } = loop.parts
  const { instructions = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options
  const { signal, slice = 1_000_000, idle = 'return', sleep = false, realTime } = options
  checkWhole('instructions', instructions)
  checkWhole('slice', slice)
  using host = new HostTurns()
  const yieldToHost = options.yieldToHost ?? (() => host.next())
  const pace = realTime === undefined ? undefined : new Pace(loop, realTime)
  const seconds = pace === undefined ? sliceSeconds : pacedSliceSeconds
  const idleMilliseconds = () => (loop.idleTicks / clock.frequency) * 1000
  let retired = 0
  for (;;) {
    if (signal?.aborted) return { reason: 'aborted', retired, now: clock.now }
    const idled = idleMilliseconds()
    const stop = loop.runSlice({
      instructions: Math.min(slice, instructions - retired),
      until: Math.min(until, clock.now + seconds * clock.frequency),
    })
    retired += stop.retired
    const { reason } = stop
    const held = options.onSlice?.()
    if (held !== undefined) await held
    const rest = pace?.milliseconds() ?? (sleep ? idleMilliseconds() - idled : 0)
    if (rest >= 1 && (reason === 'time' || reason === 'instructions')) await input.arrival(signal, rest)
    if (reason === 'idle' && idle === 'wait') {
      await input.arrival(signal)
      pace?.restart()
    } else if ((reason === 'instructions' && retired < instructions) || (reason === 'time' && clock.now < until)) {
      await yieldToHost(clock.now)
    } else return { ...stop, retired }
  }
}

function checkWhole(option: string, value: number): void {
  if (value >= 1 && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY)) return
  throw new VmexitError('run-option', {
    problem: `run is given ${option}: ${value}`,
    remedy: 'give a whole number of instructions from 1, or leave it out',
  })
}

/** How far virtual time is ahead of the host's. */
class Pace {
  readonly #loop: RunLoop
  readonly #realTime: () => number
  #virtual = 0
  #real = 0

  constructor(loop: RunLoop, realTime: () => number) {
    this.#loop = loop
    this.#realTime = realTime
    this.restart()
  }

  /** The two are together now. */
  restart(): void {
    this.#virtual = this.#loop.parts.clock.now
    this.#real = this.#realTime()
  }

  /** Milliseconds that the host has yet to wait. */
  milliseconds(): number {
    const { now, frequency } = this.#loop.parts.clock
    const ahead = ((now - this.#virtual) / frequency) * 1000 - (this.#realTime() - this.#real)
    if (ahead < 0) this.restart()
    return Math.max(0, ahead)
  }
}

interface Port {
  onmessage: (() => void) | null
  postMessage(message: null): void
  close(): void
}

/** What a host may have to give others a turn with. */
interface HostScheduling {
  readonly setImmediate?: (callback: () => void) => unknown
  readonly MessageChannel?: new () => { readonly port1: Port; readonly port2: Port }
  readonly setTimeout: (callback: () => void) => unknown
}

/**
 * Turns of the host's event loop. Node serves everything else between two `setImmediate`, but takes a thousand messages
 * before it looks at timers, signals and files. In browsers a message to oneself comes back as soon as what waited has
 * been served; a timeout, which they stretch to 4 ms, is for hosts without either.
 */
export class HostTurns implements Disposable {
  #channel: { readonly port1: Port; readonly port2: Port } | undefined

  /** Fulfilled when the host has served what waited. */
  next(): Promise<void> {
    const { setImmediate, MessageChannel, setTimeout } = globalThis as unknown as HostScheduling
    return new Promise((resolve) => {
      if (setImmediate !== undefined) setImmediate(resolve)
      else if (MessageChannel === undefined) setTimeout(resolve)
      else {
        this.#channel ??= new MessageChannel()
        this.#channel.port1.onmessage = () => resolve()
        this.#channel.port2.postMessage(null)
      }
    })
  }

  [Symbol.dispose](): void {
    this.#channel?.port1.close()
  }
}
