/** The block that begins each entry: POSIX's ustar, GNU's and the seventh edition's (POSIX.1-2017, pax, table 4-13). */
import { type ByteString, byteStringOf } from '@vmexit/vfs'
import { damaged } from './entry.ts'
import { readNumber, writeOctal } from './numbers.ts'

/** Everything in an archive begins at a multiple of this. */
export const BLOCK = 512

/** The fields of a header block, as they stand there. */
export interface Header {
  name: ByteString
  mode: number
  uid: number
  gid: number
  size: number
  seconds: number
  /** One character: what the entry is. */
  flag: string
  target: ByteString
  userName: ByteString
  groupName: ByteString
  major: number
  minor: number
}

const CHECKSUM_AT = 148
const CHECKSUM_BYTES = 8
const MAGIC_AT = 257
/** Longest name and target that a header has room for. */
export const NAME_BYTES = 100
/** Octal fields, with their terminators. */
export const ID_BYTES = 8
export const SIZE_BYTES = 12

/** Whether all of a block is 0, as at the end of an archive. */
export function isZero(block: Uint8Array): boolean {
  for (const byte of block) if (byte !== 0) return false
  return true
}

/** Reads the block that was found at `position` of the archive. @throws TarError. */
export function readHeader(block: Uint8Array, position: number): Header {
  checkSum(block, position)
  const magic = byteStringOf(block.subarray(MAGIC_AT, MAGIC_AT + 8))
  const posix = magic.startsWith('ustar\0')
  const known = posix || magic === 'ustar  \0'
  const name = text(block, 0, NAME_BYTES)
  const prefix = posix ? text(block, 345, 155) : ''
  const number = (at: number, length: number): number => readNumber(block, at, length, position)
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    mode: number(100, 8) & 0o7777,
    uid: number(108, ID_BYTES),
    gid: number(116, ID_BYTES),
    size: number(124, SIZE_BYTES),
    seconds: number(136, 12),
    flag: String.fromCharCode(block[156] === 0 ? 0x30 : block[156]!),
    target: text(block, 157, NAME_BYTES),
    userName: known ? text(block, 265, 32) : '',
    groupName: known ? text(block, 297, 32) : '',
    major: known ? number(329, 8) : 0,
    minor: known ? number(337, 8) : 0,
  }
}

/** A ustar header. Names and numbers must fit. */
export function writeHeader(header: Header): Uint8Array<ArrayBuffer> {
  const block = new Uint8Array(BLOCK)
  put(block, 0, header.name)
  writeOctal(block, 100, 8, header.mode)
  writeOctal(block, 108, ID_BYTES, header.uid)
  writeOctal(block, 116, ID_BYTES, header.gid)
  writeOctal(block, 124, SIZE_BYTES, header.size)
  writeOctal(block, 136, 12, header.seconds)
  put(block, 156, header.flag)
  put(block, 157, header.target)
  put(block, MAGIC_AT, 'ustar\0' + '00')
  put(block, 265, header.userName.slice(0, 31))
  put(block, 297, header.groupName.slice(0, 31))
  writeOctal(block, 329, 8, header.major)
  writeOctal(block, 337, 8, header.minor)
  writeOctal(block, CHECKSUM_AT, 7, sum(block, 0))
  block[CHECKSUM_AT + 7] = 0x20
  return block
}

/** The bytes' sum, the checksum itself taken as spaces; historical writers took the bytes as signed. */
function checkSum(block: Uint8Array, position: number): void {
  const stated = readNumber(block, CHECKSUM_AT, CHECKSUM_BYTES, position)
  if (stated !== sum(block, 0) && stated !== sum(block, 0x100))
    throw damaged('the checksum of a header is wrong', position)
}

/** `signed` is what is taken off bytes above 0x7f. */
function sum(block: Uint8Array, signed: number): number {
  let total = 0
  for (let at = 0; at < BLOCK; at++) {
    const byte = at >= CHECKSUM_AT && at < CHECKSUM_AT + CHECKSUM_BYTES ? 0x20 : block[at]!
    total += byte > 0x7f ? byte - signed : byte
  }
  return total
}

/** Bytes up to a 0, if there is one. */
function text(block: Uint8Array, at: number, length: number): ByteString {
  const field = block.subarray(at, at + length)
  const end = field.indexOf(0)
  return byteStringOf(end < 0 ? field : field.subarray(0, end))
}

function put(block: Uint8Array, at: number, value: ByteString): void {
  for (let n = 0; n < value.length; n++) block[at + n] = value.charCodeAt(n)
}
