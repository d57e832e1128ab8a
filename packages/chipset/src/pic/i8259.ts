/**
 * The 8259A programmable interrupt controller (Intel 8259A datasheet, order number 231468), with the edge/level control
 * register that PC chipsets added to it (82371AB datasheet, 7.1.8).
 *
 * | offset | read | written |
 * |---|---|---|
 * | 0 | IRR or ISR, as OCW3 chose; after a poll command the poll word | ICW1, OCW2, OCW3 |
 * | 1 | IMR; after a poll command the poll word | OCW1; ICW2–ICW4 while initialising |
 *
 * It answers as in 8086 mode always: the CALL sequence of an MCS-80 is nothing that an x86 could take.
 */
import { checkState, type Device, type Line, type RegisterFile } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** What an {@link I8259} is connected to. */
export interface I8259Options {
  /** The INT output. */
  readonly int: Line
  /** Inputs that the edge/level control register can set to level, as a mask; none unless stated. */
  readonly levelCapable?: number
}

/** What a chip answers to an acknowledge cycle. */
export interface Acknowledged {
  /** The input that was taken, or 7 for a spurious one. */
  readonly input: number
  /** No request was there any more. */
  readonly spurious: boolean
}

/** A saved 8259A. Masks have a bit for each input. */
export type I8259State = {
  readonly version: 1
  /** Levels of the inputs. */
  readonly lines: number
  /** Inputs that have risen since they were last acknowledged. */
  readonly edges: number
  readonly inService: number
  readonly masked: number
  readonly elcr: number
  readonly vectorBase: number
  readonly levelTriggered: boolean
  readonly single: boolean
  readonly needsIcw4: boolean
  /** ICW3: of a master the inputs that slaves are on. */
  readonly slaves: number
  readonly autoEoi: boolean
  readonly rotateOnAutoEoi: boolean
  readonly fullyNested: boolean
  readonly specialMask: boolean
  readonly readsInService: boolean
  readonly polled: boolean
  /** The input of the lowest priority. */
  readonly lowest: number
  /** The word that is written next: of the initialisation, or operation command words. */
  readonly expects: 'icw2' | 'icw3' | 'icw4' | 'operation'
}

const powerOn: I8259State = {
  version: 1,
  lines: 0,
  edges: 0,
  inService: 0,
  masked: 0,
  elcr: 0,
  vectorBase: 0,
  levelTriggered: false,
  single: false,
  needsIcw4: false,
  slaves: 0,
  autoEoi: false,
  rotateOnAutoEoi: false,
  fullyNested: false,
  specialMask: false,
  readsInService: false,
  polled: false,
  lowest: 7,
  expects: 'operation',
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] }

/** One 8259A. */
export class I8259 implements Device<I8259State> {
  readonly regions: { readonly registers: RegisterFile; readonly elcr: RegisterFile }
  readonly #int: Line
  readonly #s: Mutable<I8259State> = { ...powerOn }

  constructor({ int, levelCapable = 0 }: I8259Options) {
    this.#int = int
    this.regions = {
      registers: byteRegisters(
        2,
        (offset) => this.#read(offset),
        (offset, value) => this.#write(offset, value),
      ),
      elcr: byteRegisters(
        1,
        () => this.#s.elcr,
        (_, value) => {
          this.#s.elcr = value & levelCapable
          this.#drive()
        },
      ),
    }
  }

  /** ICW2: the vector of input 0. */
  get vectorBase(): number {
    return this.#s.vectorBase
  }

  /** ICW3 of a master in cascade mode: the inputs whose vectors slaves give. */
  get slaves(): number {
    return this.#s.single ? 0 : this.#s.slaves
  }

  /**
   * Drives input `input`, 0–7. In edge mode a rise is a request until it is acknowledged, though the wire may have
   * fallen: chipsets latch it, where the data sheet has it held. A slave's INT is followed as it goes up and down.
   */
  setInput(input: number, level: boolean): void {
    const s = this.#s
    const bit = 1 << input
    if (level === ((s.lines & bit) !== 0)) return
    s.lines ^= bit
    if (level) s.edges |= bit
    else if (this.slaves & bit) s.edges &= ~bit
    this.#drive()
  }

  /** The acknowledge cycle: the request of the highest priority goes into service. Without one the answer is input 7. */
  acknowledge(): Acknowledged {
    const s = this.#s
    const input = this.#candidate()
    if (input < 0) return { input: 7, spurious: true }
    s.edges &= ~(1 << input)
    if (!s.autoEoi) s.inService |= 1 << input
    else if (s.rotateOnAutoEoi) s.lowest = input
    this.#int.set(false)
    this.#drive()
    return { input, spurious: false }
  }

  reset(): void {
    const { lines } = this.#s
    Object.assign(this.#s, powerOn, { lines })
    this.#drive()
  }

  save(): I8259State {
    return { ...this.#s }
  }

  restore(state: I8259State): void {
    Object.assign(this.#s, checkState('the 8259A', state, this.save()))
    this.#drive()
  }

  /** IRR as it is read: of inputs in edge mode what has risen, of those in level mode what is high. */
  get #requests(): number {
    const { lines, edges, levelTriggered, elcr } = this.#s
    const levels = levelTriggered ? 0xff : elcr
    return (lines & levels) | (edges & ~levels)
  }

  /** The input to be served next, or −1 (datasheet: fully nested mode, special fully nested mode, special mask mode). */
  #candidate(): number {
    const s = this.#s
    const requests = this.#requests & ~s.masked
    if (requests === 0 || s.expects !== 'operation') return -1
    const inService = s.specialMask ? s.inService & ~s.masked : s.inService
    for (let i = 1; i <= 8; i++) {
      const input = (s.lowest + i) & 7
      const bit = 1 << input
      const again = s.fullyNested && (this.slaves & bit) !== 0
      if (requests & bit && (!(inService & bit) || again)) return input
      if (inService & bit) return -1
    }
    return -1
  }

  #drive(): void {
    this.#int.set(this.#candidate() >= 0)
  }

  #read(offset: number): number {
    const s = this.#s
    if (s.polled) {
      s.polled = false
      const { input, spurious } = this.acknowledge()
      return spurious ? 0 : 0x80 | input
    }
    if (offset === 1) return s.masked
    return s.readsInService ? s.inService : this.#requests
  }

  #write(offset: number, value: number): void {
    if (offset === 1) this.#writeUpper(value)
    else if (value & 0x10) this.#initialise(value)
    else if (value & 0x08) this.#operation3(value)
    else this.#operation2(value)
    this.#drive()
  }

  /** ICW1. Edges before it are forgotten: an input must fall and rise again. */
  #initialise(icw1: number): void {
    const { lines, elcr } = this.#s
    Object.assign(this.#s, powerOn, {
      lines,
      elcr,
      needsIcw4: (icw1 & 0x01) !== 0,
      single: (icw1 & 0x02) !== 0,
      levelTriggered: (icw1 & 0x08) !== 0,
      expects: 'icw2',
    })
  }

  #writeUpper(value: number): void {
    const s = this.#s
    switch (s.expects) {
      case 'operation':
        s.masked = value
        return
      case 'icw2':
        s.vectorBase = value & 0xf8
        s.expects = s.single ? this.#afterIcw3() : 'icw3'
        return
      case 'icw3':
        s.slaves = value
        s.expects = this.#afterIcw3()
        return
      case 'icw4':
        s.autoEoi = (value & 0x02) !== 0
        s.fullyNested = (value & 0x10) !== 0
        s.expects = 'operation'
    }
  }

  #afterIcw3(): I8259State['expects'] {
    return this.#s.needsIcw4 ? 'icw4' : 'operation'
  }

  /** OCW2: end of interrupt, rotation, priorities. Bits 7–5 are R, SL, EOI. */
  #operation2(value: number): void {
    const s = this.#s
    const level = value & 7
    switch (value >> 5) {
      case 0b000:
      case 0b100:
        s.rotateOnAutoEoi = (value & 0x80) !== 0
        return
      case 0b001:
        this.#endOfInterrupt()
        return
      case 0b101: {
        const ended = this.#endOfInterrupt()
        if (ended >= 0) s.lowest = ended
        return
      }
      case 0b011:
        s.inService &= ~(1 << level)
        return
      case 0b111:
        s.inService &= ~(1 << level)
        s.lowest = level
        return
      case 0b110:
        s.lowest = level
    }
  }

  /** A non-specific EOI: ends what has the highest priority; in special mask mode what is masked is passed over. */
  #endOfInterrupt(): number {
    const s = this.#s
    const candidates = s.specialMask ? s.inService & ~s.masked : s.inService
    for (let i = 1; i <= 8; i++) {
      const input = (s.lowest + i) & 7
      if (!(candidates & (1 << input))) continue
      s.inService &= ~(1 << input)
      return input
    }
    return -1
  }

  /** OCW3: special mask mode, poll, which register is read. */
  #operation3(value: number): void {
    const s = this.#s
    if (value & 0x40) s.specialMask = (value & 0x20) !== 0
    s.polled = (value & 0x04) !== 0
    if (value & 0x02) s.readsInService = (value & 0x01) !== 0
  }
}
