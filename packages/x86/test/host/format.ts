/**
 * Host vectors as a file: one record behind the other, each a sequence of instructions, what differs from the state that its
 * seed stands for, and the outcome as differences from that. Little-endian.
 */
import { Fx, PAGE, pageOf, type UserState } from './input.ts'

/** Bytes at an offset in the page. */
export interface Patch {
  readonly offset: number
  readonly bytes: Uint8Array
}

export interface Sequence {
  readonly seed: number
  readonly code: Uint8Array
  /** Register number → value, instead of the seed's. */
  readonly registers: readonly { readonly reg: number; readonly value: bigint }[]
  readonly patches: readonly Patch[]
}

/** What the processor made of a sequence. It ends at an HLT, which in user mode is #GP. */
export interface Outcome {
  /** Vector of the exception that ended it. */
  readonly vector: number
  /** Offset in the code of the instruction that raised it. */
  readonly ip: number
  readonly state: UserState
  readonly memory: readonly Patch[]
}

/** EFLAGS without RF, which a fault sets in the image that the host keeps. */
const FLAGS = 0x2e_7fd7

/** Groups of 16-byte slots in the FXSAVE image that are recorded: the words, ST0–ST7, XMM0–XMM15. */
const SLOTS: readonly { readonly at: number; readonly bytes: number }[] = [
  { at: Fx.fcw, bytes: 5 },
  { at: Fx.mxcsr, bytes: 2 },
  ...Array.from({ length: 8 }, (_, i) => ({ at: Fx.st + i * 16, bytes: 10 })),
  ...Array.from({ length: 16 }, (_, i) => ({ at: Fx.xmm + i * 16, bytes: 16 })),
]

export class Writer {
  #bytes: Uint8Array = new Uint8Array(1 << 20)
  #at = 0

  /** `width`: bytes of a general register. */
  sequence({ seed, code, registers, patches }: Sequence, width: number): void {
    this.#number(seed, 4)
    this.#number(code.length, 1)
    this.#append(code)
    this.#number(registers.length, 1)
    for (const { reg, value } of registers) {
      this.#number(reg, 1)
      this.#wide(value, width)
    }
    this.#patches(patches)
  }

  outcome({ vector, ip, state, memory }: Outcome, before: UserState, width: number): void {
    this.#number(vector, 1)
    this.#number(ip, 1)
    this.#number(state.flags & FLAGS, 3)
    const count = width === 8 ? 16 : 8
    let changed = 0
    for (let reg = 0; reg < count; reg++) if (differs(state, before, reg)) changed |= 1 << reg
    this.#number(changed, 2)
    for (let reg = 0; reg < count; reg++) {
      if (!(changed & (1 << reg))) continue
      this.#number(state.gpr[reg * 2]!, 4)
      if (width === 8) this.#number(state.gpr[reg * 2 + 1]!, 4)
    }
    const slots = SLOTS.map(({ at, bytes }) => {
      for (let i = at; i < at + bytes; i++) if (state.fx[i] !== before.fx[i]) return true
      return false
    })
    this.#number(
      slots.reduce((bits, changed, i) => bits + (changed ? 2 ** i : 0), 0),
      4,
    )
    slots.forEach((changed, i) => {
      if (changed) this.#append(state.fx.subarray(SLOTS[i]!.at, SLOTS[i]!.at + SLOTS[i]!.bytes))
    })
    this.#patches(memory)
  }

  bytes(): Uint8Array {
    return this.#bytes.slice(0, this.#at)
  }

  #patches(patches: readonly Patch[]): void {
    this.#number(patches.length, 1)
    for (const { offset, bytes } of patches) {
      this.#number(offset | (bytes.length << 12), 3)
      this.#append(bytes)
    }
  }
  #wide(value: bigint, width: number): void {
    for (let i = 0; i < width; i++) this.#number(Number((value >> BigInt(8 * i)) & 0xffn), 1)
  }
  #number(value: number, bytes: number): void {
    this.#room(bytes)
    for (let i = 0; i < bytes; i++) this.#bytes[this.#at++] = value / 2 ** (8 * i)
  }
  #append(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }
  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const larger = new Uint8Array(this.#bytes.length * 2)
    larger.set(this.#bytes)
    this.#bytes = larger
  }
}

function differs(state: UserState, before: UserState, reg: number): boolean {
  return state.gpr[reg * 2] !== before.gpr[reg * 2] || state.gpr[reg * 2 + 1] !== before.gpr[reg * 2 + 1]
}

export class Reader {
  readonly #bytes: Uint8Array
  readonly #width: number
  #at = 0

  constructor(bytes: Uint8Array, width: number) {
    this.#bytes = bytes
    this.#width = width
  }

  get more(): boolean {
    return this.#at < this.#bytes.length
  }

  sequence(): Sequence {
    const seed = this.#number(4)
    const code = this.#take(this.#number(1))
    const registers = Array.from({ length: this.#number(1) }, () => ({ reg: this.#number(1), value: this.#wide() }))
    return { seed, code, registers, patches: this.#patches() }
  }

  /** The outcome; `state` holds what the sequence began with, and is changed into what it ended with. */
  outcome(state: UserState): Outcome {
    const vector = this.#number(1)
    const ip = this.#number(1)
    state.flags = this.#number(3)
    const changed = this.#number(2)
    for (let reg = 0; reg < 16; reg++) {
      if (!(changed & (1 << reg))) continue
      state.gpr[reg * 2] = this.#number(4)
      if (this.#width === 8) state.gpr[reg * 2 + 1] = this.#number(4)
    }
    const slots = this.#number(4)
    SLOTS.forEach(({ at, bytes }, i) => {
      if ((slots >>> i) & 1) state.fx.set(this.#take(bytes), at)
    })
    return { vector, ip, state, memory: this.#patches() }
  }

  #patches(): Patch[] {
    return Array.from({ length: this.#number(1) }, () => {
      const head = this.#number(3)
      return { offset: head % PAGE, bytes: this.#take(head >> 12) }
    })
  }
  #wide(): bigint {
    let value = 0n
    for (let i = 0; i < this.#width; i++) value |= BigInt(this.#number(1)) << BigInt(8 * i)
    return value
  }
  #number(bytes: number): number {
    let value = 0
    for (let i = 0; i < bytes; i++) value += this.#bytes[this.#at++]! * 2 ** (8 * i)
    return value
  }
  #take(count: number): Uint8Array {
    const from = this.#at
    this.#at += count
    return this.#bytes.subarray(from, this.#at)
  }
}

/** The page that a sequence begins with. */
export function initialPage({ seed, patches }: Sequence): Uint8Array {
  const page = pageOf(seed).slice()
  for (const { offset, bytes } of patches) page.set(bytes, offset)
  return page
}

/** The state that a sequence begins with: the seed's, with its registers in place. */
export function applyRegisters(sequence: Sequence, state: UserState): void {
  for (const { reg, value } of sequence.registers) {
    state.gpr[reg * 2] = Number(value & 0xffff_ffffn)
    state.gpr[reg * 2 + 1] = Number(value >> 32n)
  }
}
