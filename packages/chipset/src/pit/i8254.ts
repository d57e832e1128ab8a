/**
 * The 8254 programmable interval timer (Intel 8254 datasheet, order number 231164).
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0–2 | count or status of the counter | count of the counter |
 * | 3 | – | control word, read-back command |
 */
import {
  type Clock,
  checkState,
  type Device,
  type Line,
  Oscillator,
  openLine,
  type RegisterFile,
  type SavedTimer,
  type State,
  type Timer,
} from '@vmexit/core'
import { byteRegisters } from '../registers.ts'
import { Counter, type CounterState } from './counter.ts'

/** What a PC's 8254 is clocked with, in hertz: a twelfth of 14.31818 MHz. */
export const pitFrequency = 1_193_182

/** What an {@link I8254} is connected to. */
export interface I8254Options {
  readonly clock: Clock
  /**
   * The OUT wires. The edges of one that is there come at their exact times, by timers; where none is, the output is
   * worked out when it is asked for.
   */
  readonly outputs?: readonly (Line | undefined)[]
}

/** A saved 8254. */
export type I8254State = State & {
  readonly version: 1
  /** CLK pulses the counters have seen. */
  readonly pulses: number
  readonly counters: readonly CounterState[]
  readonly timers: readonly (SavedTimer | null)[]
}

/** Three counters on one clock. Each access brings them up to date first. */
export class I8254 implements Device<I8254State> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: byteRegisters(
      4,
      (offset) => (offset === 3 ? 0xff : this.#at(offset, (counter) => counter.read())),
      (offset, value) => (offset === 3 ? this.#control(value) : this.#at(offset, (counter) => counter.write(value))),
    ),
  }
  readonly #clock: Clock
  readonly #crystal: Oscillator
  readonly #outputs: readonly (Line | undefined)[]
  readonly #counters: readonly Counter[]
  readonly #timers: (Timer | undefined)[] = [undefined, undefined, undefined]
  #pulses: number

  constructor({ clock, outputs = [] }: I8254Options) {
    this.#clock = clock
    this.#crystal = new Oscillator(clock.frequency, pitFrequency)
    this.#outputs = outputs
    this.#counters = [0, 1, 2].map((i) => new Counter((level) => (outputs[i] ?? openLine).set(level)))
    this.#pulses = this.#crystal.cycles(clock.now)
  }

  /** The level of an output now. */
  out(counter: number): boolean {
    return this.#at(counter, ({ out }) => out)
  }

  /** The level of a gate. */
  gate(counter: number): boolean {
    return this.#counters[counter]!.gate
  }

  setGate(counter: number, level: boolean): void {
    this.#at(counter, (c) => c.setGate(level))
  }

  reset(): void {
    this.#sync()
    for (const [i, counter] of this.#counters.entries()) {
      counter.reset()
      this.#schedule(i)
    }
  }

  save(): I8254State {
    return {
      version: 1,
      pulses: this.#pulses,
      counters: this.#counters.map((counter) => counter.save()),
      timers: this.#timers.map((timer) => (timer?.pending ? timer.save() : null)),
    }
  }

  restore(state: I8254State): void {
    const { pulses, counters, timers } = checkState('the 8254', state, this.save())
    this.#pulses = pulses
    for (const [i, counter] of this.#counters.entries()) {
      counter.restore(counters[i]!)
      this.#timers[i]?.[Symbol.dispose]()
      const saved = timers[i] ?? null
      this.#timers[i] = saved === null ? undefined : this.#clock.resume(saved, () => this.#wake(i))
    }
  }

  /** Does something with an up-to-date counter. */
  #at<T>(index: number, use: (counter: Counter) => T): T {
    this.#sync()
    const result = use(this.#counters[index]!)
    this.#schedule(index)
    return result
  }

  #sync(): void {
    const pulses = this.#crystal.cycles(this.#clock.now)
    if (pulses === this.#pulses) return
    for (const counter of this.#counters) counter.advance(pulses - this.#pulses)
    this.#pulses = pulses
  }

  #wake(index: number): void {
    this.#sync()
    this.#schedule(index)
  }

  /** Sets the timer for the next event of a counter whose output somebody has a wire to. */
  #schedule(index: number): void {
    if (this.#outputs[index] === undefined) return
    const event = this.#pulses + this.#counters[index]!.pulsesToEvent
    const time = event === Number.POSITIVE_INFINITY ? event : this.#crystal.timeOf(event)
    const timer = this.#timers[index]
    if (timer?.pending && timer.time === time) return
    timer?.[Symbol.dispose]()
    this.#timers[index] = time === Number.POSITIVE_INFINITY ? undefined : this.#clock.at(time, () => this.#wake(index))
  }

  #control(value: number): void {
    const select = value >> 6
    if (select === 3) this.#readBack(value)
    else if ((value & 0x30) === 0) this.#at(select, (counter) => counter.latchCount())
    else this.#at(select, (counter) => counter.setControl(value & 0x3f))
  }

  /** The read-back command: bits 1–3 choose counters, bits 5 and 4 are low for count and status. */
  #readBack(command: number): void {
    for (let i = 0; i < 3; i++) {
      if (!(command & (2 << i))) continue
      this.#at(i, (counter) => {
        if (!(command & 0x20)) counter.latchCount()
        if (!(command & 0x10)) counter.latchStatus()
      })
    }
  }
}
