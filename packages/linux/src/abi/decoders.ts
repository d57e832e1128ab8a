/** Arguments of system calls that are the same in every ABI: numbers, addresses, paths. */
import { type ByteString, Open, PATH_MAX } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import type { Decoder } from './table.ts'

const hex = (value: number): string => (value === 0 ? 'NULL' : `0x${(value >>> 0).toString(16)}`)

/** A signed number. */
export const int: Decoder<number> = { words: 1 }
/** A descriptor. */
export const fd: Decoder<number> = { words: 1 }
/** A size, unsigned. */
export const size: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: (_task, word) => String(word >>> 0),
}
/** An address, unsigned. */
export const pointer: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: (_task, word) => hex(word),
}
/** Bits without names. */
export const bits: Decoder<number> = { words: 1, show: (_task, word) => (word === 0 ? '0' : hex(word)) }
/** Permissions. */
export const mode: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word & 0xffff,
  show: (_task, word) => `0${(word & 0xffff).toString(8)}`,
}

/** What is at an address, as strace shows it: 32 bytes of it. @throws BAD_ADDRESS. */
export function contents(task: Task, address: number, length: number): string {
  const bytes = new Uint8Array(Math.max(0, Math.min(length, SHOWN + 1)))
  task.kernel.memory.read(address >>> 0, bytes)
  return quoted(String.fromCharCode(...bytes), SHOWN)
}
const SHOWN = 32

/** An address with bytes that the call takes; their number comes behind it. */
export const bytesGiven: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: (task, word, _high, next) => contents(task, word, next >>> 0),
}
/** An address where the call leaves as many bytes as it answers. */
export const bytesTaken: Decoder<number> = {
  words: 1,
  isResult: true,
  decode: (_task, word) => word >>> 0,
  show: (task, word, _high, _next, answer) => (answer < 0 ? hex(word) : contents(task, word, answer)),
}

/** The directory where a path begins. */
export const at: Decoder<number> = { words: 1, show: (_task, word) => (word === -100 ? 'AT_FDCWD' : String(word)) }

const NAMES = Object.entries(Open).filter(([name]) => !['O_RDONLY', 'O_WRONLY', 'O_RDWR', 'O_ACCMODE'].includes(name))

/** open(2)'s flags. */
export const openFlags: Decoder<number> = {
  words: 1,
  show: (_task, word) => {
    const shown = [['O_RDONLY', 'O_WRONLY', 'O_RDWR', '3'][word & 3]!]
    let left = word & ~3
    for (const [name, value] of NAMES.toSorted((a, b) => b[1] - a[1])) {
      if ((left & value) !== value) continue
      shown.push(name)
      left &= ~value
    }
    if (left !== 0) shown.push(hex(left))
    return shown.join('|')
  },
}

/** Thrown in place of an answer by a decoder; the table's caller knows only EFAULT. */
export class Refused {
  readonly error: number
  constructor(error: number) {
    this.error = error
  }
}
const TOO_LONG = new Refused(-Errno.ENAMETOOLONG)

const showPath = (task: Task, word: number): string =>
  word === 0 ? 'NULL' : quoted(task.kernel.memory.string(word >>> 0, PATH_MAX) ?? '…')

/** A path: as byte string. @throws Refused ENAMETOOLONG. */
export const path: Decoder<ByteString> = {
  words: 1,
  decode: (task, word) => readPath(task, word >>> 0),
  show: showPath,
}

/** Where a path is: for calls that may do without, or that look at something else first. */
export const pathAddress: Decoder<number> = {
  words: 1,
  decode: (_task, word) => word >>> 0,
  show: showPath,
}

/** A name of an extended attribute. In place of one that is longer than names may be there is another one that is too long. */
export const attributeName: Decoder<ByteString> = {
  words: 1,
  decode: (task, word) => task.kernel.memory.string(word >>> 0, LONGEST_NAME) ?? TOO_LONG_A_NAME,
  show: showPath,
}
/** XATTR_NAME_MAX. */
const LONGEST_NAME = 255
const TOO_LONG_A_NAME = 'x'.repeat(LONGEST_NAME + 1)

/** Reads a path. @throws BAD_ADDRESS, Refused. */
function readPath(task: Task, address: number): ByteString {
  const text = task.kernel.memory.string(address, PATH_MAX - 1)
  if (text === undefined) throw TOO_LONG
  return text
}

/** Text as C has it, at most `most` bytes of it. */
function quoted(text: ByteString, most = 4096): string {
  let shown = ''
  for (let n = 0; n < text.length && n < most; n++) {
    const byte = text.charCodeAt(n)
    const name = ESCAPES[text[n]!]
    if (name !== undefined) shown += name
    else if (byte >= 32 && byte < 127) shown += text[n]
    else shown += `\\${byte.toString(8)}`
  }
  return `"${shown}"${text.length > most ? '...' : ''}`
}
const ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\t': '\\t', '\r': '\\r', '"': '\\"', '\\': '\\\\' }
