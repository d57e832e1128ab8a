/** The ELF header, program headers and sections of a file (System V ABI, generic 4.1, chapters 4 and 5). */
import { ElfBytes, GET_AGAIN, refuse, StringTable } from './bytes.ts'

/** A program header: a part of the file, and where it goes. */
export interface Segment {
  /** See `SegmentType`. */
  readonly type: number
  /** See `SegmentFlag`. */
  readonly flags: number
  readonly virtualAddress: bigint
  readonly physicalAddress: bigint
  /** Where it lies in the file. */
  readonly offset: number
  /** What the file has of it, not copied. */
  readonly bytes: Uint8Array
  /** Bytes in memory; what the file does not have is zeros. */
  readonly memoryBytes: bigint
  readonly alignment: bigint
}

/** A section header with its name and contents. */
export interface Section {
  readonly name: string
  /** See `SectionType`. */
  readonly type: number
  /** See `SectionFlag`. */
  readonly flags: bigint
  readonly address: bigint
  readonly offset: number
  readonly size: bigint
  /** Number of a section that belongs to this one; what kind depends on the type. */
  readonly link: number
  readonly info: number
  readonly alignment: bigint
  readonly entryBytes: number
  /** Contents, not copied; empty for a section of type `noBits` or `none`. */
  readonly bytes: Uint8Array
}

/** An ELF file, its tables read and checked. Addresses and sizes in memory are bigints, unsigned; offsets are numbers. */
export interface Elf {
  readonly bits: 32 | 64
  readonly littleEndian: boolean
  /** EI_OSABI: 0 System V, 3 GNU/Linux. */
  readonly osAbi: number
  /** See `FileType`. */
  readonly type: number
  /** See `MachineType`. */
  readonly machine: number
  readonly flags: number
  /** Where execution begins, or 0. */
  readonly entry: bigint
  /** Where the program headers lie in the file, and the bytes of one. */
  readonly segmentsOffset: number
  readonly segmentHeaderBytes: number
  readonly segments: readonly Segment[]
  /** Section 0, which is none, included; empty where there are none. */
  readonly sections: readonly Section[]
  /** The section headers as the file has them, not copied. */
  readonly sectionHeaders: Uint8Array
  /** Number of the section with the names of sections, or 0. */
  readonly sectionNames: number
  /** The whole file. */
  readonly bytes: Uint8Array
}

/** Bytes of each header, by class. */
const HEADER = { 32: { file: 52, segment: 32, section: 40 }, 64: { file: 64, segment: 56, section: 64 } } as const
const MAGIC = [0x7f, 0x45, 0x4c, 0x46]
/** Numbers in the ELF header that say: too large, look into section 0. */
const PN_XNUM = 0xffff
const SHN_XINDEX = 0xffff
const NO_BITS = 8

/** Does it begin as an ELF file does? */
export function isElf(bytes: Uint8Array): boolean {
  return MAGIC.every((byte, i) => bytes[i] === byte)
}

/**
 * Reads an ELF file of 32 or 64 bits and either byte order. The contents are not copied: keep `bytes` as they are.
 * @throws VmexitError `elf-not-elf`, `elf-format`, `elf-truncated`, `elf-header`, `elf-content`.
 */
export function readElf(bytes: Uint8Array): Elf {
  if (!isElf(bytes)) refuse('elf-not-elf', 'the file does not begin with 7f 45 4c 46', 'give an ELF file')
  const [bitsCode, order, version, osAbi] = [bytes[4], bytes[5], bytes[6], bytes[7]]
  if (bitsCode === undefined || order === undefined || version === undefined || osAbi === undefined) {
    return refuse('elf-truncated', `the file ends after ${bytes.length} bytes`, GET_AGAIN)
  }
  if ((bitsCode !== 1 && bitsCode !== 2) || (order !== 1 && order !== 2) || version !== 1) {
    return refuse(
      'elf-format',
      `the file is ELF of class ${bitsCode}, byte order ${order}, version ${version}`,
      'give one of class 1 or 2 (32 or 64 bits), byte order 1 or 2, version 1',
    )
  }
  const bits = bitsCode === 1 ? 32 : 64
  const file = new ElfBytes(bytes, bits === 64, order === 1)
  file.slice(0, HEADER[bits].file, 'the ELF header')
  return new Reader(file, bits).read(osAbi)
}

/** Reads the tables of one file. */
class Reader {
  readonly #file: ElfBytes
  readonly #bits: 32 | 64

  constructor(file: ElfBytes, bits: 32 | 64) {
    this.#file = file
    this.#bits = bits
  }

  read(osAbi: number): Elf {
    const file = this.#file
    const w = this.#bits / 8
    const tail = 24 + 3 * w
    if (file.u32(20) !== 1) refuse('elf-format', `the ELF version is ${file.u32(20)}`, 'give a file of version 1')
    const segmentsOffset = file.amount(24 + w, 'the offset of the program headers')
    const sectionsOffset = file.amount(24 + 2 * w, 'the offset of the section headers')
    const segmentHeaderBytes = file.u16(tail + 6)
    const sectionHeaderBytes = file.u16(tail + 10)
    const first = sectionsOffset === 0 ? undefined : this.#firstSection(sectionsOffset, sectionHeaderBytes)
    const segmentCount = file.u16(tail + 8) === PN_XNUM && first ? first.info : file.u16(tail + 8)
    const sectionCount = file.u16(tail + 12) === 0 && first ? Number(first.size) : file.u16(tail + 12)
    const sectionNames = file.u16(tail + 14) === SHN_XINDEX && first ? first.link : file.u16(tail + 14)
    const sectionHeaders = this.#table(sectionsOffset, sectionCount, sectionHeaderBytes, 'section')
    return {
      bits: this.#bits,
      littleEndian: file.littleEndian,
      osAbi,
      type: file.u16(16),
      machine: file.u16(18),
      entry: file.word(24),
      flags: file.u32(tail),
      segmentsOffset,
      segmentHeaderBytes,
      segments: this.#segments(this.#table(segmentsOffset, segmentCount, segmentHeaderBytes, 'segment')),
      sections: this.#sections(sectionHeaders, sectionNames),
      sectionHeaders,
      sectionNames,
      bytes: file.bytes,
    }
  }

  /** Section 0 has what is too large for the ELF header. */
  #firstSection(offset: number, size: number): { info: number; size: bigint; link: number } {
    const header = this.#file.within(this.#table(offset, 1, size, 'section'))
    const w = this.#bits / 8
    const link = 8 + 4 * w
    return { size: header.word(8 + 3 * w), link: header.u32(link), info: header.u32(link + 4) }
  }

  /** A table of headers, all of it in the file: so there are never more of them than the file has bytes. */
  #table(offset: number, count: number, size: number, kind: 'segment' | 'section'): Uint8Array {
    if (count === 0 || offset === 0) {
      if (count !== 0) refuse('elf-header', `there are ${count} ${kind} headers at offset 0`, GET_AGAIN)
      return new Uint8Array(0)
    }
    const wanted = HEADER[this.#bits][kind]
    if (size !== wanted) refuse('elf-header', `a ${kind} header has ${size} bytes instead of ${wanted}`, GET_AGAIN)
    return this.#file.slice(offset, count * size, `the table of ${count} ${kind} headers`)
  }

  #segments(table: Uint8Array): Segment[] {
    const size = HEADER[this.#bits].segment
    return Array.from({ length: table.length / size }, (_, i) =>
      this.#segment(this.#file.within(table.subarray(i * size, (i + 1) * size)), `segment ${i}`),
    )
  }

  #segment(header: ElfBytes, what: string): Segment {
    const w = this.#bits / 8
    // The flags are where the alignment of the fields in each class has room for them.
    const at = w === 8 ? 8 : 4
    const offset = header.amount(at, `the offset of ${what}`)
    const size = header.amount(at + 3 * w, `the size of ${what}`)
    return {
      type: header.u32(0),
      flags: header.u32(w === 8 ? 4 : 24),
      virtualAddress: header.word(at + w),
      physicalAddress: header.word(at + 2 * w),
      offset,
      bytes: this.#file.slice(offset, size, what),
      memoryBytes: header.word(at + 4 * w),
      alignment: header.word(w === 8 ? 48 : 28),
    }
  }

  #sections(table: Uint8Array, names: number): Section[] {
    const size = HEADER[this.#bits].section
    const unnamed = Array.from({ length: table.length / size }, (_, i) => {
      const header = this.#file.within(table.subarray(i * size, (i + 1) * size))
      return { name: header.u32(0), section: this.#section(header, `section ${i}`) }
    })
    if (names === 0) return unnamed.map(({ section }) => section)
    const strings = unnamed[names]?.section.bytes
    if (strings === undefined) {
      return refuse('elf-header', `section ${names} is to have the names, but there are ${unnamed.length}`, GET_AGAIN)
    }
    const texts = new StringTable(strings)
    return unnamed.map(({ name, section }, i) => ({ ...section, name: texts.text(name, `the name of section ${i}`) }))
  }

  #section(header: ElfBytes, what: string): Section {
    const w = this.#bits / 8
    const type = header.u32(4)
    const empty = type === 0 || type === NO_BITS
    const offset = header.amount(8 + 2 * w, `the offset of ${what}`)
    const entryBytes = header.amount(16 + 5 * w, `the size of an entry of ${what}`)
    return {
      name: '',
      type,
      flags: header.word(8),
      address: header.word(8 + w),
      offset,
      size: header.word(8 + 3 * w),
      link: header.u32(8 + 4 * w),
      info: header.u32(12 + 4 * w),
      alignment: header.word(16 + 4 * w),
      entryBytes,
      bytes: empty
        ? new Uint8Array(0)
        : this.#file.slice(offset, header.amount(8 + 3 * w, `the size of ${what}`), what),
    }
  }
}
