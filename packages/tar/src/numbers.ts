/** Numbers in header fields: octal digits, or base 256 as GNU tar writes what does not fit. */
import { damaged } from './entry.ts'

/** The largest number of `digits` octal digits, of which the last place is the terminator's. */
export function largestOctal(bytes: number): number {
  return 8 ** (bytes - 1) - 1
}

/** A field of `length` bytes at `at`. @throws TarError. */
export function readNumber(block: Uint8Array, at: number, length: number, position: number): number {
  const first = block[at]!
  if ((first & 0x80) !== 0) return readBase256(block, at, length, position)
  let value = 0
  let from = at
  const end = at + length
  while (from < end && block[from] === 0x20) from++
  for (; from < end; from++) {
    const digit = block[from]! - 0x30
    if (digit < 0 || digit > 7) break
    value = value * 8 + digit
  }
  const terminator = from < end ? block[from] : 0
  if (terminator !== 0 && terminator !== 0x20) throw damaged('a number is not octal', position + from)
  return value
}

/** Two's complement, the sign being bit 6 of the first byte. */
function readBase256(block: Uint8Array, at: number, length: number, position: number): number {
  const negative = (block[at]! & 0x40) !== 0
  let value = negative ? (block[at]! | 0x80) - 0x100 : block[at]! & 0x3f
  for (let n = 1; n < length; n++) value = value * 256 + block[at + n]!
  if (!Number.isSafeInteger(value)) throw damaged('a number is beyond 2^53', position + at)
  return value
}

/** Octal with leading zeros and a terminating 0. The number must fit. */
export function writeOctal(block: Uint8Array, at: number, length: number, value: number): void {
  const digits = value.toString(8).padStart(length - 1, '0')
  for (let n = 0; n < length - 1; n++) block[at + n] = digits.charCodeAt(n)
  block[at + length - 1] = 0
}
