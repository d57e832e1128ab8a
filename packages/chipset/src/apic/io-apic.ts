/**
 * An I/O APIC (Intel 82093AA datasheet) with 24 inputs.
 *
 * | offset | register |
 * |---|---|
 * | 0x00 | index |
 * | 0x10 | the register at the index: 0 ID, 1 version, 2 arbitration ID, 0x10 + 2n redirection entry n |
 *
 * A wire is asserted or not; the polarity that a redirection entry states is kept and means nothing here.
 */
import { checkState, type Device, type RegisterFile } from '@vmexit/core'
import type { ApicMessage } from './message.ts'
import { deliveryMode } from './message.ts'

/** A saved I/O APIC. */
export type IoApicState = {
  readonly version: 1
  readonly index: number
  readonly id: number
  /** Lower halves of the redirection entries. */
  readonly low: readonly number[]
  /** Upper halves. */
  readonly high: readonly number[]
  readonly inputs: readonly boolean[]
}

/** How many inputs it has. */
export const ioApicInputs = 24

/** Bits of a redirection entry's lower half. */
const remoteIrr = 0x4000
const levelTriggered = 0x8000
const masked = 0x1_0000
const writable = 0x1_afff

/** An I/O APIC. */
export class IoApic implements Device<IoApicState> {
  readonly regions: { readonly registers: RegisterFile } = {
    registers: {
      size: 0x1000,
      read: (offset) => (offset === 0 ? this.#index : offset === 0x10 ? this.#read() : 0),
      write: (offset, _, value) => {
        if (offset === 0) this.#index = value & 0xff
        else if (offset === 0x10) this.#write(value)
      },
    },
  }
  readonly #send: (message: ApicMessage) => void
  readonly #onChange: () => void
  #index = 0
  #id = 0
  #low: number[] = []
  #high: number[] = []
  #inputs: boolean[] = new Array<boolean>(ioApicInputs).fill(false)

  /** `send` takes its messages; `onChange` is called when an entry has changed. */
  constructor(send: (message: ApicMessage) => void, onChange: () => void = () => {}) {
    this.#send = send
    this.#onChange = onChange
    this.#clear()
  }

  /** Drives an input, 0–23. An edge on a masked input is forgotten. */
  setInput(input: number, level: boolean): void {
    if (level === this.#inputs[input]) return
    this.#inputs[input] = level
    if (!level) return
    if (this.#low[input]! & levelTriggered) this.#serveLevel(input)
    else if (!(this.#low[input]! & masked)) this.#deliver(input)
  }

  /** A level-triggered vector has ended at a local APIC: what is still asserted is sent again. */
  endOfInterrupt(vector: number): void {
    for (let input = 0; input < ioApicInputs; input++) {
      if ((this.#low[input]! & 0xff) !== vector || !(this.#low[input]! & levelTriggered)) continue
      this.#low[input]! &= ~remoteIrr
      this.#serveLevel(input)
    }
  }

  /** Where input `input` sends ExtINT to, if it does. */
  externalTarget(input: number): { readonly destination: number; readonly logical: boolean } | undefined {
    const low = this.#low[input]!
    if (low & masked || ((low >> 8) & 7) !== deliveryMode.extInt) return undefined
    return { destination: this.#high[input]! >>> 24, logical: (low & 0x800) !== 0 }
  }

  reset(): void {
    this.#clear()
    this.#onChange()
  }

  save(): IoApicState {
    return {
      version: 1,
      index: this.#index,
      id: this.#id,
      low: [...this.#low],
      high: [...this.#high],
      inputs: [...this.#inputs],
    }
  }

  restore(state: IoApicState): void {
    const saved = checkState('the I/O APIC', state, this.save())
    this.#index = saved.index
    this.#id = saved.id
    this.#low = [...saved.low]
    this.#high = [...saved.high]
    this.#inputs = [...saved.inputs]
    this.#onChange()
  }

  #clear(): void {
    this.#index = 0
    this.#id = 0
    this.#low = new Array<number>(ioApicInputs).fill(masked)
    this.#high = new Array<number>(ioApicInputs).fill(0)
  }

  #read(): number {
    const index = this.#index
    if (index === 1) return 0x11 | ((ioApicInputs - 1) << 16)
    if (index === 0 || index === 2) return this.#id << 24
    const input = (index - 0x10) >> 1
    if (index < 0x10 || input >= ioApicInputs) return 0
    return index & 1 ? this.#high[input]! : this.#low[input]!
  }

  #write(value: number): void {
    const index = this.#index
    if (index === 0) this.#id = (value >>> 24) & 0x0f
    const input = (index - 0x10) >> 1
    if (index < 0x10 || input >= ioApicInputs) return
    if (index & 1) this.#high[input] = (value & 0xff00_0000) >>> 0
    else {
      // An edge-triggered input has no remote IRR: changing to it and back forgets it.
      const kept = value & levelTriggered ? this.#low[input]! & remoteIrr : 0
      this.#low[input] = (value & writable) | kept
      if (value & levelTriggered) this.#serveLevel(input)
    }
    this.#onChange()
  }

  /** Sends a level-triggered interrupt that is asserted and not on its way. */
  #serveLevel(input: number): void {
    if (!this.#inputs[input] || this.#low[input]! & (masked | remoteIrr)) return
    const mode = (this.#low[input]! >> 8) & 7
    if (mode <= deliveryMode.lowestPriority) this.#low[input]! |= remoteIrr
    this.#deliver(input)
  }

  #deliver(input: number): void {
    const low = this.#low[input]!
    const mode = (low >> 8) & 7
    if (mode === deliveryMode.extInt) return
    this.#send({
      destination: this.#high[input]! >>> 24,
      logical: (low & 0x800) !== 0,
      mode,
      vector: low & 0xff,
      level: (low & levelTriggered) !== 0,
    })
  }
}
