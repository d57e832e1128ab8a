/** Pax records: `LENGTH KEY=VALUE\n`, the length counting itself, values any bytes (POSIX.1-2017, "pax Extended Header"). */
import { type ByteString, byteStringOf, bytesOf } from '@vmexit/vfs'
import { damaged, type TarTime } from './entry.ts'

/** One record. An empty value takes back what an earlier one said. */
export type PaxRecord = readonly [key: ByteString, value: ByteString]

/** Records that are names, in which there is no byte 0. */
const NAMES: ReadonlySet<ByteString> = new Set(['path', 'linkpath', 'GNU.sparse.name'])

/** All records of an extended header that begins at `position` of the archive. @throws TarError. */
export function readRecords(bytes: Uint8Array, position: number): PaxRecord[] {
  const records: PaxRecord[] = []
  let at = 0
  while (at < bytes.length) {
    // Some writers fill the rest up with zeros.
    if (bytes[at] === 0) break
    const space = bytes.indexOf(0x20, at)
    const digits = space < 0 ? '' : byteStringOf(bytes.subarray(at, Math.min(space, at + 20)))
    const length = /^[0-9]+$/.test(digits) ? Number(digits) : 0
    const end = at + length
    const equals = bytes.indexOf(0x3d, space)
    if (length === 0 || end > bytes.length || bytes[end - 1] !== 0x0a || equals < 0 || equals >= end)
      throw damaged('a pax record is malformed', position + at)
    const key = byteStringOf(bytes.subarray(space + 1, equals))
    const value = byteStringOf(bytes.subarray(equals + 1, end - 1))
    if (NAMES.has(key) && value.includes('\0')) throw damaged('a name holds a byte 0', position + at)
    records.push([key, value])
    at = end
  }
  return records
}

/** The bytes of records, in order. */
export function writeRecords(records: readonly PaxRecord[]): Uint8Array<ArrayBuffer> {
  return bytesOf(records.map(([key, value]) => record(key, value)).join(''))
}

function record(key: ByteString, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  // Its own digits may make it longer by one more.
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return length + rest
}

/** A decimal number of whole units. @throws TarError. */
export function readWhole(value: ByteString, position: number): number {
  const number = Number(value)
  if (!/^-?[0-9]+$/.test(value) || !Number.isSafeInteger(number)) throw damaged('a pax number is malformed', position)
  return number
}

/** Seconds with a fraction, of which nine digits are kept. @throws TarError. */
export function readTime(value: ByteString, position: number): TarTime {
  const match = /^(-?)([0-9]{1,15})(?:\.([0-9]*))?$/.exec(value)
  if (match === null) throw damaged('a pax time is malformed', position)
  const whole = Number(match[2])
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'))
  if (match[1] === '') return { seconds: whole, nanoseconds }
  // Before 1970 the fraction goes backwards too.
  return nanoseconds === 0 ? { seconds: -whole, nanoseconds } : { seconds: -whole - 1, nanoseconds: 1e9 - nanoseconds }
}

export function writeTime({ seconds, nanoseconds }: TarTime): ByteString {
  if (nanoseconds === 0) return String(seconds)
  const [sign, whole, rest] = seconds < 0 ? ['-', -seconds - 1, 1e9 - nanoseconds] : ['', seconds, nanoseconds]
  return `${sign}${whole}.${String(rest).padStart(9, '0').replace(/0+$/, '')}`
}

/** What star, GNU tar, Go and libarchive put before the name of an extended attribute. */
const ATTRIBUTE = 'SCHILY.xattr.'

/** Whether a record's key is that of an extended attribute. */
export function isAttribute(key: ByteString): boolean {
  return key.startsWith(ATTRIBUTE)
}

/** The attribute's name in such a key. */
export function attributeOf(key: ByteString): ByteString {
  return key.slice(ATTRIBUTE.length).replaceAll('%3D', '=').replaceAll('%25', '%')
}

/** The key of an attribute's record: `=` would end it, and is written as GNU tar does. */
export function attributeKey(name: ByteString): ByteString {
  return ATTRIBUTE + name.replaceAll('%', '%25').replaceAll('=', '%3D')
}
