/**
 * The input gate: the one place where the outside reaches a machine.
 *
 * Keys, packets, answers of disks on the host and timers of the host are posted at any moment, and let in only when no
 * CPU runs, stamped with the virtual time. A run is then a function of the machine and the log of its gate: replay,
 * lockstep and migration use that.
 */
import { VmexitError } from './errors.ts'
import type { StateValue } from './state.ts'

/** One input, as recorded. */
export interface RecordedInput {
  /** The virtual time at which it was let in, in ticks. */
  readonly stamp: number
  /** The name of the source it is of. */
  readonly source: string
  readonly payload: StateValue
}

/** What is used of an `AbortSignal`. */
export interface CancelSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
  removeEventListener(type: 'abort', listener: () => void): void
}

/** The host's timers. */
interface Timers {
  readonly setTimeout: (callback: () => void, milliseconds: number) => unknown
  readonly clearTimeout: (timer: unknown) => void
}

/** What lets one kind of input in. Disposing it closes the source. */
export interface InputSource<Payload extends StateValue = StateValue> extends Disposable {
  readonly name: string
  /** Posts an input; see {@link InputGate.post}. */
  post(payload: Payload): void
}

type Deliver = (payload: StateValue) => void

/** The gate of a machine or of a VM. */
export class InputGate {
  readonly #sources = new Map<string, Deliver>()
  readonly #queue: { readonly source: string; readonly payload: StateValue }[] = []
  readonly #listeners = new Set<() => void>()
  #log: RecordedInput[] | undefined
  #script: readonly RecordedInput[] | undefined
  #scriptAt = 0

  /**
   * Opens a source for a device: `deliver` is called for each of its inputs, when no CPU runs. Names are unique in a
   * machine, because the log refers to them. Throws a {@link VmexitError} `input-source-taken`.
   */
  open<Payload extends StateValue>(name: string, deliver: (payload: Payload) => void): InputSource<Payload> {
    if (this.#sources.has(name)) {
      throw new VmexitError('input-source-taken', {
        problem: `two devices open the input source '${name}'`,
        remedy: 'name one of the devices otherwise',
      })
    }
    this.#sources.set(name, deliver as Deliver)
    return {
      name,
      post: (payload) => this.post(name, payload),
      [Symbol.dispose]: () => void this.#sources.delete(name),
    }
  }

  /**
   * Posts an input from outside. It belongs to the gate from then on: do not change it. During a replay it is dropped,
   * because the log says what came. Throws a {@link VmexitError} `input-source-unknown`.
   */
  post(source: string, payload: StateValue): void {
    this.#find(source)
    if (this.#script !== undefined) return
    this.#queue.push({ source, payload })
    for (const listener of this.#listeners) listener()
  }

  /**
   * For the run loop, when no CPU runs: lets in what was posted, or in a replay what the log has for this time. Throws
   * a {@link VmexitError} `replay-diverged` if the log has inputs of an earlier time.
   */
  drain(now: number): void {
    if (this.#script !== undefined) this.#replayTo(this.#script, now)
    for (let input = this.#queue.shift(); input !== undefined; input = this.#queue.shift()) {
      this.#letIn({ stamp: now, ...input })
    }
  }

  /** When the run loop must drain next: in a replay the stamp of the next input, else Infinity. */
  get nextStamp(): number {
    return this.#script?.[this.#scriptAt]?.stamp ?? Number.POSITIVE_INFINITY
  }

  /** Whether inputs come from a log. */
  get replaying(): boolean {
    return this.#script !== undefined
  }

  /** Records every input from here on, into the array it returns. */
  record(): readonly RecordedInput[] {
    this.#log = []
    return this.#log
  }

  /** Takes inputs from a log, and no longer from outside, until {@link live} is called. */
  replay(log: readonly RecordedInput[]): void {
    this.#queue.length = 0
    this.#script = log
    this.#scriptAt = 0
  }

  /** Takes inputs from outside again. */
  live(): void {
    this.#script = undefined
  }

  /** Calls `listener` when an input is posted: a waiting machine goes on, a running one stops to let it in. */
  onPost(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** Waits for an input to be posted, for the signal, or for so many milliseconds. Inputs that wait already do not count. */
  async arrival(signal?: CancelSignal, milliseconds?: number): Promise<void> {
    if (signal?.aborted) return
    const { setTimeout, clearTimeout } = globalThis as unknown as Timers
    await new Promise<void>((resolve) => {
      const arrived = () => {
        clearTimeout(timer)
        listening[Symbol.dispose]()
        signal?.removeEventListener('abort', arrived)
        resolve()
      }
      const timer = milliseconds === undefined ? undefined : setTimeout(arrived, milliseconds)
      const listening = this.onPost(arrived)
      signal?.addEventListener('abort', arrived)
    })
  }

  #replayTo(script: readonly RecordedInput[], now: number): void {
    for (
      let input = script[this.#scriptAt];
      input !== undefined && input.stamp <= now;
      input = script[this.#scriptAt]
    ) {
      if (input.stamp < now) {
        throw new VmexitError('replay-diverged', {
          problem: `the log has an input of '${input.source}' at ${input.stamp}, but the machine is at ${now}`,
          remedy: 'replay it on the same machine, from the state in which the recording began',
        })
      }
      this.#scriptAt++
      this.#letIn(input)
    }
  }

  #letIn(input: RecordedInput): void {
    const deliver = this.#find(input.source)
    this.#log?.push(input)
    deliver(input.payload)
  }

  #find(source: string): Deliver {
    const deliver = this.#sources.get(source)
    if (deliver !== undefined) return deliver
    throw new VmexitError('input-source-unknown', {
      problem: `there is no input source '${source}'`,
      remedy: `add the device that opens it, or use one of: ${[...this.#sources.keys()].join(', ') || '(none is open)'}`,
    })
  }
}
