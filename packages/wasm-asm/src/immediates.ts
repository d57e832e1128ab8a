/** What bounds the immediates of memory and lane instructions: indexed by the opcode without its prefix. */

const FIRST_SCALAR = 0x28
const FIRST_LANE_ACCESS = 0x54
const FIRST_LANE = 0x15

/** log2 of the bytes accessed. Scalar opcodes (28 … 3E) lie between the vector ones (00 … 0B, 54 … 5D). */
const NATURAL_ALIGNMENT = new Uint8Array(0x5e)
NATURAL_ALIGNMENT.set([4, 3, 3, 3, 3, 3, 3, 0, 1, 2, 3, 4])
NATURAL_ALIGNMENT.set([2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2], FIRST_SCALAR)
NATURAL_ALIGNMENT.set([0, 1, 2, 3, 0, 1, 2, 3, 2, 3], FIRST_LANE_ACCESS)

const LANE_COUNT = new Uint8Array(0x5c)
LANE_COUNT.set([16, 16, 16, 8, 8, 8, 4, 4, 2, 2, 4, 4, 2, 2], FIRST_LANE)
LANE_COUNT.set([16, 8, 4, 2, 16, 8, 4, 2], FIRST_LANE_ACCESS)

/** The natural alignment of a load or store, as log2 of bytes: also the greatest it may state. */
export function naturalAlignment(code: number): number {
  return NATURAL_ALIGNMENT[code & 0xff]
}

/** How many lanes an instruction with a lane immediate chooses from. */
export function laneCount(code: number): number {
  return LANE_COUNT[code & 0xff]
}
