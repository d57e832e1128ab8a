/** Random numbers for host vectors: recorded outcomes depend on every line here. */

import type { Random } from '../random.ts'

/** Numbers at which operations of some size carry, overflow or divide by zero. */
// biome-ignore format: a table
const EDGES = [
  0, 1, 2, 3, 7, 8, 9, 0xf, 0x10, 0x1f, 0x20, 0x21, 0x3f, 0x40, 0x7f, 0x80, 0x81, 0xff, 0x100, 0x7fff, 0x8000, 0x8001, 0xffff, 0x1_0000,
  0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ff80, 0xffff_8000, 0xffff_ff7f, 0xffff_ff00, 0xffff_fffe, 0xffff_ffff, 0x0101_0101,
]

/** A 32-bit integer: an edge, its negative, a few bits, or any. */
export function word(random: Random): number {
  const how = random.below(8)
  if (how < 3) return random.pick(EDGES)
  if (how === 3) return -random.pick(EDGES) >>> 0
  if (how === 4) return random.next() >>> random.below(32)
  return random.next()
}

/** A 64-bit integer into two words. */
export function quadword(random: Random, into: Uint32Array, at: number): void {
  const how = random.below(8)
  const low = word(random)
  into[at] = low
  if (how < 2) into[at + 1] = 0
  else if (how < 4) into[at + 1] = (low | 0) < 0 ? 0xffff_ffff : 0
  else into[at + 1] = word(random)
}

// biome-ignore format: a table
const SINGLES = [
  0, 1, 0x007f_ffff, 0x0080_0000, 0x0080_0001, 0x3f80_0000, 0x3f00_0000, 0x3fc0_0000, 0x4040_0000, 0x3f7f_ffff, 0x4b00_0001, 0x4f00_0000,
  0x4eff_ffff, 0x5f00_0000, 0x7f7f_ffff, 0x7f80_0000, 0x7f80_0001, 0x7fc0_0000, 0x7fd2_3456, 0x0000_1000, 0x3300_0000, 0x3400_0000,
]

/** The bits of a single-precision number: special, of moderate size with few bits, or any. */
export function single(random: Random): number {
  const how = random.below(8)
  const bits = random.next()
  if (how < 3) return (random.pick(SINGLES) | (bits & 0x8000_0000)) >>> 0
  if (how === 3) return ((bits & 0x807c_0000) | ((111 + ((bits >>> 8) & 31)) << 23)) >>> 0
  if (how < 6) return ((bits & 0x807f_ffff) | ((111 + random.below(32)) << 23)) >>> 0
  if (how === 6) return ((bits & 0x807f_ffff) | (random.pick([1, 2, 24, 126, 150, 157, 158, 253, 254]) << 23)) >>> 0
  return bits
}

// biome-ignore format: a table
const DOUBLES = [
  [0, 0], [1, 0], [0xffff_ffff, 0x000f_ffff], [0, 0x0010_0000], [1, 0x0010_0000], [0, 0x3ff0_0000], [0, 0x3fe0_0000], [0, 0x3ff8_0000],
  [0, 0x4008_0000], [0xffff_ffff, 0x3fef_ffff], [1, 0x4330_0000], [0xffc0_0000, 0x41df_ffff], [0, 0x41e0_0000], [0, 0x43e0_0000],
  [0xffff_ffff, 0x7fef_ffff], [0, 0x7ff0_0000], [1, 0x7ff0_0000], [0, 0x7ff8_0000], [0x5678_9abc, 0x7ffd_1234], [0xe000_0000, 0x47ef_ffff],
  [0x1000_0000, 0x3810_0000], [0, 0x3690_0000], [0, 0x3ca0_0000],
] as const

/** The bits of a double-precision number into two words. */
export function double(random: Random, into: Uint32Array, at: number): void {
  const how = random.below(8)
  let low = random.next()
  let high = random.next()
  if (how < 3) {
    const [specialLow, specialHigh] = random.pick(DOUBLES)
    low = specialLow
    high = specialHigh | (high & 0x8000_0000)
  } else if (how === 3) {
    low = 0
    high = (high & 0x800f_0000) | ((1007 + (low & 31)) << 20)
  } else if (how < 6) high = (high & 0x800f_ffff) | ((1007 + random.below(32)) << 20)
  else if (how === 6)
    high = (high & 0x800f_ffff) | (random.pick([1, 53, 896, 897, 1022, 1054, 1086, 1151, 2045, 2046]) << 20)
  into[at] = low
  into[at + 1] = high
}

/** Sign and exponent, and significand as two words. */
// biome-ignore format: a table
const EXTENDED = [
  [0, 0, 0], [0, 1, 0], [0, 0xffff_ffff, 0x7fff_ffff], [0, 0, 0x8000_0000], [1, 0, 0x8000_0000], [1, 1, 0x8000_0000], [0x3fff, 0, 0x8000_0000],
  [0x3ffe, 0, 0x8000_0000], [0x3fff, 0, 0xc000_0000], [0x4000, 0, 0xc000_0000], [0x3ffe, 0xffff_ffff, 0xffff_ffff], [0x403e, 1, 0x8000_0000],
  [0x401e, 0, 0x8000_0000], [0x403e, 0, 0x8000_0000], [0x400e, 0, 0x8000_0000], [0x403a, 0x1234_5678, 0xde0b_6b3a], [0x3f9b, 1, 0x8000_0000],
  [0x7ffe, 0xffff_ffff, 0xffff_ffff], [0x7fff, 0, 0x8000_0000], [0x7fff, 1, 0x8000_0000], [0x7fff, 0, 0xc000_0000], [0x7fff, 0x5678_9abc, 0xd234_5678],
  [0x7fff, 1, 0x4000_0000], [0x4000, 0xffff_ffff, 0x7fff_ffff], [0x3c01, 0xffff_f800, 0xffff_ffff], [0x3f81, 0, 0xffff_ff80],
  [0x43fe, 0xffff_fc00, 0xffff_ffff], [0x407e, 0, 0xffff_ff80], [0x4000, 0x2168_c235, 0xc90f_daa2], [0x3ffe, 0xd1cf_79ac, 0xb172_17f7],
] as const

/** An extended-precision number: ten bytes at `at`. */
export function extended(random: Random, into: Uint8Array, at: number): void {
  const how = random.below(8)
  let low = random.next()
  let high = random.next()
  let exponent = 0x3fff - 16 + random.below(32)
  if (how < 3) [exponent, low, high] = random.pick(EXTENDED)
  else if (how === 3) {
    low = 0
    high = (high & 0x7c00_0000) | 0x8000_0000
  } else if (how < 6) high |= 0x8000_0000
  else if (how === 6) {
    high |= 0x8000_0000
    exponent = random.pick([1, 2, 64, 0x3bff, 0x3c01, 0x3f7f, 0x3fbe, 0x3fde, 0x403d, 0x407e, 0x43fe, 0x7ffd, 0x7ffe])
  } else exponent = random.next() & 0x7fff
  exponent |= random.next() & 0x8000
  for (let i = 0; i < 4; i++) {
    into[at + i] = low >>> (8 * i)
    into[at + 4 + i] = high >>> (8 * i)
  }
  into[at + 8] = exponent
  into[at + 9] = exponent >> 8
}
