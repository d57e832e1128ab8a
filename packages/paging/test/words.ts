/** Memory for tests: 32-bit words by address, zero where nothing was written, with a log of what a walk stored. */
import type { PageTableMemory } from '../src/walker.ts'

export class Words implements PageTableMemory {
  readonly words: Map<number, number> = new Map()
  /** Addresses stored to, in order. */
  readonly stores: number[] = []
  reads: number = 0

  read32(address: number): number {
    if (address % 4 !== 0) throw new Error(`unaligned read at ${address}`)
    this.reads++
    return this.words.get(address) ?? 0
  }

  write32(address: number, value: number): void {
    if (value < 0) throw new Error('a signed value')
    this.stores.push(address)
    this.words.set(address, value)
  }

  /** A 4-byte entry. */
  put32(address: number, value: number): void {
    this.words.set(address, value >>> 0)
  }

  /** An 8-byte entry. */
  put64(address: number, value: bigint): void {
    this.words.set(address, Number(value & 0xffff_ffffn))
    this.words.set(address + 4, Number(value >> 32n))
  }

  get64(address: number): bigint {
    return BigInt(this.words.get(address) ?? 0) | (BigInt(this.words.get(address + 4) ?? 0) << 32n)
  }
}

/** Pseudo-random numbers from a fixed seed. */
export function generator(seed: number): (below: number) => number {
  let state = seed | 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
