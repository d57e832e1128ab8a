/** The two 8259As of a PC: the slave's INT is the master's input 2. */
import { checkState, type Line, type State, type Stateful, sharedLine, VmexitError } from '@vmexit/core'
import { I8259, type I8259State } from './i8259.ts'

/** A saved pair. */
export type PicPairState = State & {
  readonly version: 1
  readonly master: I8259State
  readonly slave: I8259State
}

/** The input that the slave is on. */
const cascade = 2

/** A master and a slave that together have the ISA interrupts 0–15 without 2. */
export class PicPair implements Stateful<PicPairState> {
  readonly master: I8259
  readonly slave: I8259
  readonly #inputs: (() => Line)[]

  /** `int` is the master's INT output. */
  constructor(int: Line) {
    // The timer, the keyboard, the cascade, the clock and the coprocessor are edges whatever is written (82371AB).
    this.master = new I8259({ int, levelCapable: 0xf8 })
    this.slave = new I8259({ int: { set: (level) => this.master.setInput(cascade, level) }, levelCapable: 0xde })
    this.#inputs = Array.from({ length: 16 }, (_, input) => {
      const chip = input < 8 ? this.master : this.slave
      return sharedLine({ set: (level) => chip.setInput(input & 7, level) })
    })
  }

  /**
   * One more wire into `input`, 0–15; wires into one input are or-ed. Throws a {@link VmexitError} `pic-input` for a
   * number that is none, and for 2, which the slave is on.
   */
  line(input: number): Line {
    const connect = this.#inputs[input]
    if (connect !== undefined && input !== cascade) return connect()
    throw new VmexitError('pic-input', {
      problem: input === cascade ? 'input 2 of the PIC has the second chip on it' : `the PIC has no input ${input}`,
      remedy: input === cascade ? 'use 9, where PCs since the AT have what was on 2' : 'use one of 0, 1 and 3–15',
    })
  }

  /** The acknowledge cycle: the vector, from the chip that has the request. */
  acknowledge(): number {
    const { input, spurious } = this.master.acknowledge()
    if (spurious || !(this.master.slaves & (1 << input))) return this.master.vectorBase | input
    return this.slave.vectorBase | this.slave.acknowledge().input
  }

  reset(): void {
    this.slave.reset()
    this.master.reset()
  }

  save(): PicPairState {
    return { version: 1, master: this.master.save(), slave: this.slave.save() }
  }

  restore(state: PicPairState): void {
    const { master, slave } = checkState('the PIC pair', state, this.save())
    this.slave.restore(slave)
    this.master.restore(master)
  }
}
