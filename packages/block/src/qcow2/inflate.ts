/** DEFLATE (RFC 1951), decompressed at once into a buffer of known size: browsers offer it only asynchronously. */

/** Lengths of matches for symbols 257–285, and bits that are added (RFC 1951, 3.2.5). */
// biome-ignore format: a table
const lengthBase = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258]
// biome-ignore format: a table
const lengthBits = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0]
/** Distances of matches for symbols 0–29, and bits that are added. */
// biome-ignore format: a table
const distanceBase = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577]
// biome-ignore format: a table
const distanceBits = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13]
/** In which order the lengths of the code for code lengths come (3.2.7). */
const lengthOrder = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]

const longestCode = 15

/** A canonical Huffman code: how many codes there are of each length, and their symbols in order. */
interface Code {
  readonly counts: Uint16Array
  readonly symbols: Uint16Array
}

/** What is thrown where the data are no DEFLATE. Whoever called says what they are of. */
export class InflateError extends Error {}

/** Decompresses `from` until `into` is full or the data end. Throws an {@link InflateError} for data that are broken. */
export function inflate(from: Uint8Array, into: Uint8Array): void {
  const bits = new Bits(from)
  let at = 0
  for (let last = false; !last && at < into.length; ) {
    last = bits.take(1) === 1
    const kind = bits.take(2)
    if (kind === 0) at = copyStored(bits, into, at)
    else if (kind === 1) at = decode(bits, into, at, fixedLiterals, fixedDistances)
    else if (kind === 2) at = decode(bits, into, at, ...readCodes(bits))
    else throw new InflateError('a block is of no known kind')
  }
  if (at < into.length) throw new InflateError(`the data end after ${at} of ${into.length} bytes`)
}

/** Bits of bytes, the lowest first. */
class Bits {
  readonly #bytes: Uint8Array
  #at = 0
  #held = 0
  #count = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  /** The next `count` bits, 16 at most, as a number. */
  take(count: number): number {
    while (this.#count < count) {
      this.#held |= this.byte() << this.#count
      this.#count += 8
    }
    const value = this.#held & ((1 << count) - 1)
    this.#held >>>= count
    this.#count -= count
    return value
  }

  /** The next whole byte; {@link align} must have been called, or no bits be held. */
  byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new InflateError('the data are cut off')
    return byte
  }

  /** Drops what is left of the byte. */
  align(): void {
    this.#held = this.#count = 0
  }

  /** The next symbol of a code. */
  symbol({ counts, symbols }: Code): number {
    let code = 0
    let first = 0
    let index = 0
    for (let length = 1; length <= longestCode; length++) {
      code |= this.take(1)
      const count = counts[length]!
      if (code - first < count) return symbols[index + code - first]!
      index += count
      first = (first + count) << 1
      code <<= 1
    }
    throw new InflateError('a code is not in its table')
  }
}

function copyStored(bits: Bits, into: Uint8Array, at: number): number {
  bits.align()
  const length = bits.byte() | (bits.byte() << 8)
  const inverted = bits.byte() | (bits.byte() << 8)
  if ((length ^ inverted) !== 0xffff) throw new InflateError('the length of a stored block is damaged')
  const end = Math.min(at + length, into.length)
  for (; at < end; at++) into[at] = bits.byte()
  return at
}

/** Decodes a block; returns where in `into` it ends. */
function decode(bits: Bits, into: Uint8Array, at: number, literals: Code, distances: Code): number {
  while (at < into.length) {
    const symbol = bits.symbol(literals)
    if (symbol === 256) return at
    if (symbol < 256) into[at++] = symbol
    else {
      const length = lengthOf(bits, symbol - 257)
      const distance = distanceOf(bits, bits.symbol(distances))
      if (distance > at) throw new InflateError('a match begins before the data')
      for (const end = Math.min(at + length, into.length); at < end; at++) into[at] = into[at - distance]!
    }
  }
  return at
}

function lengthOf(bits: Bits, symbol: number): number {
  const base = lengthBase[symbol]
  if (base === undefined) throw new InflateError('a match has no known length')
  return base + bits.take(lengthBits[symbol]!)
}

function distanceOf(bits: Bits, symbol: number): number {
  const base = distanceBase[symbol]
  if (base === undefined) throw new InflateError('a match has no known distance')
  return base + bits.take(distanceBits[symbol]!)
}

/** The codes of a block that brings its own. */
function readCodes(bits: Bits): [literals: Code, distances: Code] {
  const literals = bits.take(5) + 257
  const distances = bits.take(5) + 1
  const count = bits.take(4) + 4
  const ofLengths = new Uint8Array(19)
  for (let i = 0; i < count; i++) ofLengths[lengthOrder[i]!] = bits.take(3)
  const lengthCode = makeCode(ofLengths)
  const lengths = new Uint8Array(literals + distances)
  for (let i = 0; i < lengths.length; ) {
    const symbol = bits.symbol(lengthCode)
    if (symbol < 16) lengths[i++] = symbol
    else {
      const [value, repeat] = repeated(bits, symbol, lengths[i - 1])
      if (i + repeat > lengths.length) throw new InflateError('there are more code lengths than codes')
      lengths.fill(value, i, i + repeat)
      i += repeat
    }
  }
  return [makeCode(lengths.subarray(0, literals)), makeCode(lengths.subarray(literals))]
}

function repeated(bits: Bits, symbol: number, before: number | undefined): readonly [value: number, count: number] {
  if (symbol === 17) return [0, 3 + bits.take(3)]
  if (symbol === 18) return [0, 11 + bits.take(7)]
  if (before === undefined) throw new InflateError('a code length is repeated before the first')
  return [before, 3 + bits.take(2)]
}

function makeCode(lengths: Uint8Array): Code {
  const counts = new Uint16Array(longestCode + 1)
  for (const length of lengths) counts[length]!++
  counts[0] = 0
  const next = new Uint16Array(longestCode + 2)
  let left = 1
  for (let length = 1; length <= longestCode; length++) {
    left = 2 * left - counts[length]!
    if (left < 0) throw new InflateError('a code has more symbols than fit')
    next[length + 1] = next[length]! + counts[length]!
  }
  const symbols = new Uint16Array(lengths.length)
  for (const [symbol, length] of lengths.entries()) if (length > 0) symbols[next[length]!++] = symbol
  return { counts, symbols }
}

const fixedLiterals = makeCode(
  Uint8Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
)
const fixedDistances = makeCode(new Uint8Array(30).fill(5))
