/**
 * The texts of control files: numbers, sizes, lists and tokens as Linux reads them (kstrtox, memparse, the list format
 * of bitmaps). What comes in is a guest's: each parser answers a value or a negated error number, in time linear in the
 * text.
 */
import { Errno } from './errno.ts'

/** What is unlimited, in a file and as a number. */
export const MAX = 'max'

/** `max` for no limit. Numbers above 2^53 are written with all digits, as limits of memory may have them. */
export function formatLimit(limit: number): string {
  return limit === Number.POSITIVE_INFINITY ? MAX : formatNumber(limit)
}

/** A whole number, never in exponents. */
export function formatNumber(value: number): string {
  return value > Number.MAX_SAFE_INTEGER ? BigInt(value).toString() : String(value)
}

/** Without the white space around it. */
export function strip(text: string): string {
  return text.replace(/^[ \t\n\v\f\r]+/, '').replace(/[ \t\n\v\f\r]+$/, '')
}

/** The parts between blanks. */
export function words(text: string): string[] {
  return strip(text)
    .split(/[ \t\n\v\f\r]+/)
    .filter((word) => word !== '')
}

/**
 * A whole number in decimal, hexadecimal (`0x`) or octal (`0`) from `least` to `most`: EINVAL for another text,
 * ERANGE beyond.
 */
function parseWhole(text: string, least: bigint, most: bigint): Parsed<number> {
  const match = /^([+-]?)(?:0[xX]([0-9a-fA-F]+)|(0[0-7]*)|([1-9][0-9]*))$/.exec(text)
  if (match === null || (match[1] === '-' && least >= 0n)) return refused(Errno.EINVAL)
  const [, sign, hex, octal, decimal] = match
  const size = hex !== undefined ? BigInt(`0x${hex}`) : octal !== undefined ? BigInt(`0o0${octal}`) : BigInt(decimal!)
  const value = sign === '-' ? -size : size
  return value < least || value > most ? refused(Errno.ERANGE) : parsed(Number(value))
}

/** A value, or the negated error number that stands for none. */
export type Parsed<T> = { readonly value: T; readonly errno: 0 } | { readonly value: undefined; readonly errno: number }

/** Nothing but an error number. */
function refused(errno: number): { readonly value: undefined; readonly errno: number } {
  return { value: undefined, errno: -errno }
}

/** What was read. */
function parsed<T>(value: T): { readonly value: T; readonly errno: 0 } {
  return { value, errno: 0 }
}

const units = 'KMGTPE'
const U64 = 1n << 64n
/** Limits at and above this many pages are none: 2^63 − 1 bytes. */
const MOST_PAGES = ((1n << 63n) - 1n) / 4096n

/**
 * A limit of memory in bytes: `max`, or a number with one of the suffixes K to E, rounded down to whole pages of 4 KiB.
 * EINVAL for another text.
 */
export function parseMemory(text: string): Parsed<number> {
  const word = strip(text)
  if (word === MAX) return parsed(Number.POSITIVE_INFINITY)
  const bytes = parseBytes(word)
  if (bytes === undefined) return refused(Errno.EINVAL)
  const pages = bytes / 4096n
  return parsed(pages >= MOST_PAGES ? Number.POSITIVE_INFINITY : Number(pages) * 4096)
}

/** A number of bytes with a suffix, modulo 2^64 as the kernel reads it. */
function parseBytes(word: string): bigint | undefined {
  const match = /^(0[xX][0-9a-fA-F]+|[0-9]+)([kKmMgGtTpPeE]?)$/.exec(word)
  if (match === null) return undefined
  const [, digits, unit] = match
  const octal = /^0[0-7]+$/.test(digits!)
  if (!octal && /^0[0-9]/.test(digits!)) return undefined
  const value = BigInt(octal ? `0o${digits}` : digits!) % U64
  const shift = unit === '' ? 0 : 10 * (units.indexOf(unit!.toUpperCase()) + 1)
  return (value << BigInt(shift)) % U64
}

/**
 * A list of numbers below `count`, such as `0-2,7`, ascending. `N:used/group` takes of each `group` numbers the first
 * `used`. EINVAL for another text, ERANGE from `count` on.
 */
export function parseList(text: string, count: number): Parsed<readonly number[]> {
  const listed = new Set<number>()
  for (const part of text.split(/[,\s]+/)) {
    if (part === '') continue
    const errno = addRange(part, count, listed)
    if (errno !== 0) return refused(errno)
  }
  return parsed([...listed].sort((a, b) => a - b))
}

function addRange(part: string, count: number, listed: Set<number>): number {
  if (part === 'all') part = `0-${count - 1}`
  const match = /^(\d+|N)(?:-(\d+|N)(?::(\d+)\/(\d+))?)?$/.exec(part)
  if (match === null) return Errno.EINVAL
  const bound = (word: string): number => (word === 'N' ? count - 1 : Number(word))
  const first = bound(match[1]!)
  const last = match[2] === undefined ? first : bound(match[2])
  const group = match[4] === undefined ? 1 : Number(match[4])
  const used = match[3] === undefined ? 1 : Number(match[3])
  // The kernel's numbers have 32 bits, and overflow is what it calls too large.
  if (Math.max(first, last, group, used) >= 2 ** 32) return Errno.EOVERFLOW
  if (first > last || group === 0 || used > group) return Errno.EINVAL
  if (last >= count) return Errno.ERANGE
  for (let n = first; n <= last; n++) if ((n - first) % group < used) listed.add(n)
  return 0
}

/** Ascending numbers as a list: `0-2,7`. */
export function formatList(numbers: readonly number[]): string {
  const parts: string[] = []
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at]!
    let last = first
    while (numbers[at + 1] === last + 1) last = numbers[++at]!
    at++
    parts.push(first === last ? `${first}` : `${first}-${last}`)
  }
  return parts.join(',')
}

/** A whole number of so many bits with a sign. */
export function parseSigned(text: string, bits: 32 | 64): Parsed<number> {
  const half = 1n << BigInt(bits - 1)
  return parseWhole(text, -half, half - 1n)
}

/** A whole number of 64 bits without a sign. */
export function parseUnsigned(text: string): Parsed<number> {
  return parseWhole(text, 0n, U64 - 1n)
}
