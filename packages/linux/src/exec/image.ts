/** What a program file is: an ELF header with its program headers, or a script (execve(2); System V ABI, chapter 5). */
import { FileType, MachineType, SegmentFlag, SegmentType } from '@vmexit/elf'
import type { File, Vfs } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { Prot } from '../memory/vma.ts'

/** A segment to be mapped, in bytes. */
export interface LoadSegment {
  readonly offset: number
  readonly address: number
  readonly fileBytes: number
  readonly memoryBytes: number
  readonly prot: number
}

/** An ELF file as a loader needs it. */
export interface ElfImage {
  /** Goes where there is room: a shared object, or a position-independent program. */
  readonly isDynamic: boolean
  readonly entry: number
  readonly segments: readonly LoadSegment[]
  /** Path of the program interpreter; '' where there is none. */
  readonly interpreter: string
  /** The program headers: offset in the file, and how many. */
  readonly headersOffset: number
  readonly headerCount: number
}

/** `#!`: the interpreter, and the rest of the line as one argument. */
export interface Script {
  readonly interpreter: string
  readonly argument: string | undefined
}

const HEADER_BYTES = 52
const SEGMENT_BYTES = 32
/** Linux looks at so many bytes of the first line (BINPRM_BUF_SIZE). */
const LINE_BYTES = 256
/** As Linux: a page's worth of program headers. */
const MOST_HEADERS = 4096 / SEGMENT_BYTES
const MOST_PATH = 4096

/** Reads what a program file is; ENOEXEC for anything else. */
export function readImage(vfs: Vfs, file: File): ElfImage | Script | number {
  const head = new Uint8Array(LINE_BYTES)
  const length = vfs.pread(file, head, 0, LINE_BYTES, 0)
  if (length < 0) return length
  if (head[0] === 0x23 && head[1] === 0x21) return readScript(head.subarray(2, length))
  return readElf(vfs, file, new DataView(head.buffer, 0, length))
}

function readScript(line: Uint8Array): Script | number {
  const end = line.indexOf(0x0a)
  const text = String.fromCharCode(...(end < 0 ? line : line.subarray(0, end))).replace(/\0.*/s, '')
  const [, interpreter, argument] = /^[ \t]*([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/s.exec(text) ?? []
  if (interpreter === undefined) return -Errno.ENOEXEC
  return { interpreter, argument: argument === '' ? undefined : argument }
}

function readElf(vfs: Vfs, file: File, head: DataView): ElfImage | number {
  if (head.byteLength < HEADER_BYTES || head.getUint32(0, false) !== 0x7f45_4c46) return -Errno.ENOEXEC
  const type = head.getUint16(16, true)
  if (head.getUint8(4) !== 1 || head.getUint8(5) !== 1 || head.getUint16(18, true) !== MachineType.i386)
    return -Errno.ENOEXEC
  if (type !== FileType.executable && type !== FileType.shared) return -Errno.ENOEXEC
  const headersOffset = head.getUint32(28, true)
  const headerCount = head.getUint16(44, true)
  if (head.getUint16(42, true) !== SEGMENT_BYTES || headerCount === 0 || headerCount > MOST_HEADERS)
    return -Errno.ENOEXEC
  const table = new Uint8Array(headerCount * SEGMENT_BYTES)
  if (vfs.pread(file, table, 0, table.length, headersOffset) !== table.length) return -Errno.ENOEXEC
  const view = new DataView(table.buffer)
  const segments: LoadSegment[] = []
  let interpreter = ''
  for (let at = 0; at < table.length; at += SEGMENT_BYTES) {
    const word = (n: number): number => view.getUint32(at + n * 4, true)
    const segment = {
      offset: word(1),
      address: word(2),
      fileBytes: word(4),
      memoryBytes: word(5),
      prot: protOf(word(6)),
    }
    if (word(0) === SegmentType.interpreter && interpreter === '') {
      const path = readPath(vfs, file, segment)
      if (typeof path === 'number') return path
      interpreter = path
    } else if (word(0) === SegmentType.load && segment.memoryBytes > 0) {
      if (!isSound(segment, segments.at(-1))) return -Errno.ENOEXEC
      segments.push(segment)
    }
  }
  if (segments.length === 0) return -Errno.ENOEXEC
  return {
    isDynamic: type === FileType.shared,
    entry: head.getUint32(24, true),
    segments,
    interpreter,
    headersOffset,
    headerCount,
  }
}

function protOf(flags: number): number {
  return (
    ((flags & SegmentFlag.read) !== 0 ? Prot.READ : 0) |
    ((flags & SegmentFlag.write) !== 0 ? Prot.WRITE : 0) |
    ((flags & SegmentFlag.execute) !== 0 ? Prot.EXEC : 0)
  )
}

/** Ascending, not beyond the user's part, offset and address alike in their place within a page. */
function isSound(segment: LoadSegment, before: LoadSegment | undefined): boolean {
  const { address, offset, fileBytes, memoryBytes } = segment
  if (fileBytes > memoryBytes || (address - offset) % 4096 !== 0) return false
  if (address + memoryBytes > 0xc000_0000 || offset + fileBytes > 2 ** 31) return false
  return before === undefined || address >= before.address + before.memoryBytes
}

function readPath(vfs: Vfs, file: File, { offset, fileBytes }: LoadSegment): string | number {
  if (fileBytes < 2 || fileBytes > MOST_PATH) return -Errno.ENOEXEC
  const bytes = new Uint8Array(fileBytes)
  if (vfs.pread(file, bytes, 0, fileBytes, offset) !== fileBytes || bytes[fileBytes - 1] !== 0) return -Errno.ENOEXEC
  return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)))
}
