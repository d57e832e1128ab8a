/** A sequence in the making: its code, and what of the seed's state must be otherwise so that it stays in its page. */

import type { Random } from '../../random.ts'
import type { Patch, Sequence } from '../format.ts'
import { createUserState, DATA, fillState, pageOf, type UserState } from '../input.ts'
import type { Bits } from './encode.ts'

export class SequenceDraft {
  readonly random: Random
  readonly bits: Bits
  readonly seed: number
  readonly #state: UserState = createUserState()
  readonly #registers = new Map<number, bigint>()
  readonly #patches: Patch[] = []
  readonly code: number[] = []

  constructor(random: Random, bits: Bits, seed: number) {
    this.random = random
    this.bits = bits
    this.seed = seed
    fillState(seed, this.#state, bits)
  }

  /** Number of registers. */
  get count(): 8 | 16 {
    return this.bits === 64 ? 16 : 8
  }
  register(reg: number): bigint {
    return (
      this.#registers.get(reg) ?? (BigInt(this.#state.gpr[reg * 2 + 1]!) << 32n) | BigInt(this.#state.gpr[reg * 2]!)
    )
  }
  isSet(reg: number): boolean {
    return this.#registers.has(reg)
  }
  /** Have the low `size` bits of a register begin with `value`. */
  set(reg: number, value: bigint, size: number = this.bits === 64 ? 64 : 32): void {
    const mask = (1n << BigInt(size)) - 1n
    this.#registers.set(reg, (this.register(reg) & ~mask) | (value & mask))
  }
  /** The seed's state. */
  get state(): UserState {
    return this.#state
  }

  /** Have the page begin with `bytes` at `offset`. */
  patch(offset: number, bytes: Uint8Array): void {
    this.#patches.push({ offset, bytes })
  }
  patchNumber(offset: number, value: bigint, bytes: number): void {
    this.patch(
      offset,
      Uint8Array.from({ length: bytes }, (_, i) => Number((value >> BigInt(8 * i)) & 0xffn)),
    )
  }
  /** `bytes` bytes of the page as a number. */
  memory(offset: number, bytes: number): bigint {
    const page = pageOf(this.seed).slice()
    for (const patch of this.#patches) page.set(patch.bytes, patch.offset)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(page[offset + i]!)
    return value
  }
  /** A copy of bytes of the page as the seed has it. */
  copy(offset: number, bytes: number): Uint8Array {
    return pageOf(this.seed).slice(offset, offset + bytes)
  }

  finish(): Sequence {
    const registers = [...this.#registers].map(([reg, value]) => ({ reg, value }))
    return { seed: this.seed, code: Uint8Array.from(this.code), registers, patches: this.#patches }
  }
}

export { DATA }
