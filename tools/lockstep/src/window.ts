/**
 * Windows: two machines of different engines from the same state, compared after every instruction.
 *
 * Asked for one instruction at a time, an engine that translates straight runs of code may execute each the slow way. So
 * the window is repeated, with strides of random lengths that leave whole runs to the translation.
 */
import type { Pc } from '@vmexit/vmexit'
import { advance, position } from './advance.ts'
import { cpuImage, cpuOf, eventsOf } from './cpu-image.ts'
import { differences } from './differences.ts'
import { listTo } from './listing.ts'
import { StateHash } from './state-hash.ts'

/** How a window is compared. */
export interface WindowOptions {
  /** Instructions in it. */
  readonly length: number
  /** Repetitions with random strides. */
  readonly passes: number
  /** The longest stride. */
  readonly stride: number
  /** A number from 0 below the argument. */
  readonly random: (below: number) => number
}

/** What a window has shown. */
export interface WindowResult {
  readonly at: number
  /** Instructions in it: fewer than asked for where the machine stopped. */
  readonly instructions: number
  /** Comparisons of all registers. */
  readonly comparisons: number
  /** Interrupts and exceptions delivered in it. */
  readonly events: number
  readonly difference?: WindowDifference | undefined
}

/** The first difference that was found in a window. */
export interface WindowDifference {
  /** The machines differ after so many instructions since power-on. */
  readonly after: number
  /** Strides of the engine under test since the window's beginning, the last one up to there. */
  readonly strides: readonly number[]
  readonly report: readonly string[]
}

/** Two machines, which are used for one window after the other. */
export class Windows implements Disposable {
  readonly #tested: Pc
  readonly #reference: Pc
  readonly #hashes: { readonly tested: StateHash; readonly reference: StateHash }

  constructor(tested: Pc, reference: Pc) {
    this.#tested = tested
    this.#reference = reference
    this.#hashes = { tested: new StateHash(tested), reference: new StateHash(reference) }
  }

  /** Compares from where `tested` is, and leaves both machines at the window's end. */
  compare(options: WindowOptions): WindowResult {
    const start = this.#tested.save()
    const at = position(this.#tested)
    this.#reference.restore(start)
    const before = eventsOf(cpuOf(this.#reference))
    const images = this.#record(at, options.length)
    const events = eventsOf(cpuOf(this.#reference)) - before
    const instructions = images.length - 1
    const expected = this.#hashes.reference.digest()
    let comparisons = 0
    for (let pass = 0; pass <= options.passes; pass++) {
      if (pass > 0) this.#tested.restore(start)
      const strides: number[] = []
      const fail = (): WindowResult => {
        const difference = this.#explain(start, at, strides)
        return { at, instructions, comparisons, events, difference }
      }
      for (let done = 0; done < instructions; ) {
        const stride = pass === 0 ? 1 : Math.min(instructions - done, 1 + options.random(options.stride))
        done += stride
        strides.push(stride)
        advance(this.#tested, at + done)
        comparisons++
        if (!images[done]!.equals(cpuImage(cpuOf(this.#tested)))) return fail()
      }
      // What ends the window early ends it here too.
      if (instructions < options.length) advance(this.#tested, at + options.length)
      if (this.#hashes.tested.digest() !== expected) return fail()
    }
    return { at, instructions, comparisons, events }
  }

  [Symbol.dispose](): void {
    this.#hashes.tested[Symbol.dispose]()
    this.#hashes.reference[Symbol.dispose]()
  }

  /** The reference's CPU before the first instruction and after each. */
  #record(at: number, length: number): Buffer[] {
    const images = [cpuImage(cpuOf(this.#reference))]
    for (let i = 1; i <= length; i++) {
      if (advance(this.#reference, at + i) !== 'limit') break
      images.push(cpuImage(cpuOf(this.#reference)))
    }
    return images
  }

  #explain(start: ReturnType<Pc['save']>, at: number, strides: readonly number[]): WindowDifference {
    const after = strides.reduce((sum, stride) => sum + stride, at)
    this.#tested.restore(start)
    this.#reference.restore(start)
    let done = at
    for (const stride of strides) {
      done += stride
      advance(this.#tested, done)
    }
    const listing = listTo(this.#reference, after, Math.min(16, after - at))
    return { after, strides, report: [...listing, ...differences(this.#tested, this.#reference)] }
  }
}
