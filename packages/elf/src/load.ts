/** The segments that a loader puts into memory (System V ABI, generic 4.1, chapter 5, "Program Header"). */
import { GET_AGAIN, refuse } from './bytes.ts'
import { SegmentType } from './constants.ts'
import type { Elf, Segment } from './elf.ts'

/** By which of its two addresses a segment is loaded: programs by the virtual one, kernels by the physical one. */
export type AddressKind = 'virtual' | 'physical'

/**
 * The segments of type `load` that take memory, by ascending address, checked: the file has no more of one than memory
 * does, none reaches beyond the address space, none overlaps another, and alignments are powers of two that addresses and
 * offsets agree with.
 * @throws VmexitError `elf-segment`.
 */
export function loadableSegments(elf: Elf, by: AddressKind = 'virtual'): readonly Segment[] {
  const segments = elf.segments.filter(({ type, memoryBytes, bytes }) => {
    return type === SegmentType.load && (memoryBytes > 0n || bytes.length > 0)
  })
  const sorted = segments.toSorted((a, b) => (addressOf(a, by) < addressOf(b, by) ? -1 : 1))
  let end = 0n
  for (const segment of sorted) {
    const what = `the segment at 0x${addressOf(segment, by).toString(16)}`
    check(elf, segment, addressOf(segment, by), what)
    if (addressOf(segment, by) < end) refuse('elf-segment', `${what} overlaps the one before it`, GET_AGAIN)
    end = addressOf(segment, by) + segment.memoryBytes
  }
  return sorted
}

/** The address that a segment goes to. */
export function addressOf(segment: Segment, by: AddressKind): bigint {
  return by === 'virtual' ? segment.virtualAddress : segment.physicalAddress
}

function check(elf: Elf, segment: Segment, address: bigint, what: string): void {
  const { bytes, memoryBytes, alignment, virtualAddress, offset } = segment
  if (BigInt(bytes.length) > memoryBytes) {
    refuse('elf-segment', `${what} has ${bytes.length} bytes in the file but ${memoryBytes} in memory`, GET_AGAIN)
  }
  if (address + memoryBytes > 2n ** BigInt(elf.bits)) {
    refuse('elf-segment', `${what} of ${memoryBytes} bytes reaches beyond ${elf.bits} bits`, GET_AGAIN)
  }
  if ((alignment & (alignment - 1n)) !== 0n && alignment !== 0n) {
    refuse('elf-segment', `${what} is to be aligned to ${alignment}, which is no power of two`, GET_AGAIN)
  }
  if (alignment > 1n && bytes.length > 0 && (virtualAddress - BigInt(offset)) % alignment !== 0n) {
    refuse('elf-segment', `${what} and its offset differ in their place within ${alignment} bytes`, GET_AGAIN)
  }
}
