/** The asynchronous edge of the run loop: slices between which the host's own events are served. */
import { VmexitError } from './errors.ts'
import type { InputGate } from './input-gate.ts'
import type { RunLoop, SliceLimits, Stop } from './run-loop.ts'

/** What is used of an `AbortSignal`. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** How far to run, and how to share the thread with the host. */
export interface RunOptions extends SliceLimits {
  /** Stops the run between two slices. The run then *returns* with the reason `aborted`: it can be continued. */
  readonly signal?: CancelSignal | undefined
  /** Instructions between two yields to the host, 1,000,000 unless stated: a few milliseconds on a fast engine. */
  readonly slice?: number | undefined
  /** What to do when only an input from outside can go on: `return` (unless stated) or `wait` for one. */
  readonly idle?: 'return' | 'wait' | undefined
  /**
   * Called between slices with the virtual time; the run goes on when its promise is fulfilled. It is where an app paces
   * a machine to real time. Unless given, the host serves what is waiting and the run goes on.
   */
  readonly yieldToHost?: ((now: number) => PromiseLike<void> | void) | undefined
}

/** Virtual time after which a slice ends too, so that a machine that idles from timer to timer yields: 0.1 seconds. */
const sliceSeconds = 0.1

/** Runs `loop` slice by slice. Throws a {@link VmexitError} `run-option`, and what `runSlice` throws. */
export async function run(loop: RunLoop, options: RunOptions = {}): Promise<Stop> {
  const { clock, input } = loop.parts
  const { instructions = Number.POSITIVE_INFINITY, until = Number.POSITIVE_INFINITY } = options
  const { signal, slice = 1_000_000, idle = 'return' } = options
  checkPositive('instructions', instructions)
  checkPositive('slice', slice)
  using host = new HostTurns()
  const yieldToHost = options.yieldToHost ?? (() => host.next())
  let retired = 0
  for (;;) {
    if (signal?.aborted) return { reason: 'aborted', retired, now: clock.now }
    const stop = loop.runSlice({
      instructions: Math.min(slice, instructions - retired),
      until: Math.min(until, clock.now + sliceSeconds * clock.frequency),
    })
    retired += stop.retired
    const { reason } = stop
    if (reason === 'idle' && idle === 'wait') await arrival(input, signal)
    else if ((reason === 'instructions' && retired < instructions) || (reason === 'time' && clock.now < until)) {
      await yieldToHost(clock.now)
    } else return { ...stop, retired }
  }
}

function checkPositive(option: string, value: number): void {
  if (value > 0) return
  throw new VmexitError('run-option', {
    problem: `run is given ${option}: ${value}`,
    remedy: 'give a number of instructions from 1, or leave it out',
  })
}

/** Waits for an input, or for the signal. */
async function arrival(input: InputGate, signal: CancelSignal | undefined): Promise<void> {
  await new Promise<void>((resolve) => {
    const arrived = () => {
      listening[Symbol.dispose]()
      signal?.removeEventListener('abort', arrived)
      resolve()
    }
    const listening = input.onPost(arrived)
    signal?.addEventListener('abort', arrived)
  })
}

interface Port {
  onmessage: (() => void) | null
  postMessage(message: null): void
  close(): void
}

/** What a host may have to give others a turn with. */
interface HostScheduling {
  readonly MessageChannel?: new () => { readonly port1: Port; readonly port2: Port }
  readonly setTimeout: (callback: () => void) => unknown
}

/**
 * Turns of the host's event loop. A message to oneself comes back as soon as what waited has been served; a timeout,
 * which browsers stretch to 4 ms, is for hosts without messages.
 */
class HostTurns implements Disposable {
  #channel: { readonly port1: Port; readonly port2: Port } | undefined

  next(): Promise<void> {
    const { MessageChannel, setTimeout } = globalThis as unknown as HostScheduling
    return new Promise((resolve) => {
      if (MessageChannel === undefined) setTimeout(resolve)
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
