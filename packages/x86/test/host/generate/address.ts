/** Memory operands of every shape that lead to a given place in the page. */

import { FS_BASE, GS_BASE_32, GS_BASE_64, GS_LIMIT_32 } from '../segments.ts'
import { DATA, type SequenceDraft } from './draft.ts'
import type { Address, Bits } from './encode.ts'
import { addressForms16 } from './encode.ts'

const SP = 4
const FS = 4
const GS = 5
const SEGMENT_PREFIXES = [0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65]

export interface Placed {
  readonly address: Address
  readonly prefixes: readonly number[]
}

/** Segment prefix, and what the offset in the segment is for a linear address. */
function segment(draft: SequenceDraft, target: number): { prefixes: number[]; offset: bigint; high: boolean } {
  const { random, bits } = draft
  const plain = { prefixes: [], offset: BigInt(target), high: false }
  if (!random.one(8)) return plain
  const seg = random.below(6)
  const prefixes = [SEGMENT_PREFIXES[seg]!]
  if (seg === FS) return { prefixes, offset: BigInt(target - FS_BASE), high: false }
  if (seg !== GS) return { ...plain, prefixes }
  if (bits === 64) return { prefixes, offset: BigInt.asUintN(64, BigInt(target - GS_BASE_64)), high: true }
  const offset = target - GS_BASE_32
  return offset > GS_LIMIT_32 ? { prefixes, offset: BigInt(offset), high: false } : plain
}

/** An address that reaches byte `at` of the page; registers that it needs are set. `taken` are not to be touched. */
export function place(draft: SequenceDraft, at: number, taken: readonly number[] = []): Placed {
  const { bits } = draft
  for (;;) {
    const { prefixes, offset, high } = segment(draft, DATA + at)
    const size = addressSize(draft, high)
    const address =
      size === 16 ? place16(draft, offset, taken) : placeWide(draft, size, offset, taken, prefixes.length > 0)
    if (address && (bits === 64 || size !== 64)) return { address, prefixes }
  }
}

function addressSize({ random, bits }: SequenceDraft, high: boolean): Bits {
  if (bits === 64) return high || !random.one(8) ? 64 : 32
  return random.one(8) ? (bits === 32 ? 16 : 32) : bits
}

function displacement(draft: SequenceDraft): number {
  const { random } = draft
  const how = random.below(4)
  if (how === 0) return 0
  return how < 3 ? random.below(256) - 128 : random.next() | 0
}

/** A register that may be given a value. */
function free(draft: SequenceDraft, taken: readonly number[], registers: readonly number[]): number {
  const candidates = registers.filter((reg) => reg !== SP && !taken.includes(reg) && !draft.isSet(reg))
  return candidates.length > 0 ? draft.random.pick(candidates) : -1
}
const all = (draft: SequenceDraft): number[] => Array.from({ length: draft.count }, (_, i) => i)

function place16(draft: SequenceDraft, offset: bigint, taken: readonly number[]): Address | undefined {
  const { random } = draft
  const [base, index] = random.pick(addressForms16)
  if (base < 0) return { size: 16, base, index, scale: 0, disp: (Number(offset) << 16) >> 16 }
  const disp = random.one(3) ? 0 : ((random.one(2) ? random.next() : random.below(256) - 128) << 16) >> 16
  const rest = offset - BigInt(disp)
  const owner = taken.includes(base) || draft.isSet(base) ? index : base
  if (owner < 0 || taken.includes(owner) || draft.isSet(owner)) return undefined
  const other = owner === base ? index : base
  draft.set(owner, rest - (other < 0 ? 0n : draft.register(other)), 16)
  return { size: 16, base, index, scale: 0, disp }
}

function placeWide(
  draft: SequenceDraft,
  size: 32 | 64 | 16,
  offset: bigint,
  taken: readonly number[],
  overridden: boolean,
): Address | undefined {
  const { random, bits } = draft
  const shape = random.below(8)
  if (shape === 0 && bits === 64 && !overridden && size === 64) return relative(offset)
  if (shape <= 1)
    return fits(offset, size)
      ? { size, base: -1, index: -1, scale: 0, disp: Number(BigInt.asIntN(32, offset)) }
      : undefined
  if (shape === 2) return onStackPointer(draft, size, offset)
  const index = shape >= 5 ? free(draft, [], all(draft)) : -1
  const scale = random.below(4) as 0 | 1 | 2 | 3
  if (shape === 5) return withoutBase(draft, size, offset, index, scale, taken)
  const base = free(draft, [...taken, index], all(draft))
  if (base < 0 || (shape >= 5 && index < 0)) return undefined
  const disp = displacement(draft)
  const indexed = index < 0 ? 0n : draft.register(index) << BigInt(scale)
  draft.set(base, offset - indexed - BigInt(disp), size)
  // The index keeps the seed's value.
  if (index >= 0) draft.set(index, draft.register(index))
  return { size, base, index, scale, disp }
}

/** Filled in when the instruction's length is known. */
function relative(offset: bigint): Address {
  return { size: 64, base: -1, index: -1, scale: 0, disp: Number(offset), rip: true }
}
const fits = (offset: bigint, size: number): boolean =>
  size === 32 || BigInt.asIntN(32, BigInt.asIntN(64, offset)) === BigInt.asIntN(64, offset)

function onStackPointer(draft: SequenceDraft, size: 32 | 64 | 16, offset: bigint): Address | undefined {
  const disp = BigInt.asIntN(size, offset - draft.register(SP))
  if (BigInt.asIntN(32, disp) !== disp) return undefined
  return { size, base: SP, index: -1, scale: 0, disp: Number(disp) }
}

function withoutBase(
  draft: SequenceDraft,
  size: 32 | 64 | 16,
  offset: bigint,
  index: number,
  scale: 0 | 1 | 2 | 3,
  taken: readonly number[],
): Address | undefined {
  if (index < 0 || taken.includes(index) || !fits(offset, size)) return undefined
  const value = BigInt(draft.random.below(256))
  draft.set(index, value, size)
  return { size, base: -1, index, scale, disp: Number(BigInt.asIntN(32, offset - (value << BigInt(scale)))) }
}
