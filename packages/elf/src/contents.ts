/** What lies within segments and sections: symbols, notes, dynamic entries, the interpreter (generic ABI 4.1, chapters 4 and 5). */
import { ElfBytes, GET_AGAIN, refuse, StringTable } from './bytes.ts'
import { DynamicTag, SectionType, SegmentType } from './constants.ts'
import type { Elf, Section } from './elf.ts'
import { loadableSegments } from './load.ts'

/** An entry of a symbol table. */
export interface ElfSymbol {
  readonly name: string
  readonly value: bigint
  readonly size: bigint
  /** 0 local, 1 global, 2 weak. */
  readonly binding: number
  /** 0 none, 1 object, 2 function, 3 section, 4 file, 6 thread-local. */
  readonly type: number
  /** 0 default, 1 internal, 2 hidden, 3 protected. */
  readonly visibility: number
  /** Number of its section; 0 is undefined, 0xfff1 absolute, 0xfff2 common. */
  readonly section: number
}

/** A note: who made it, what kind, contents (not copied). */
export interface ElfNote {
  /** `GNU`, `Linux`, `Xen`, `CORE`. */
  readonly owner: string
  readonly type: number
  readonly description: Uint8Array
}

/** An entry of the dynamic section. */
export interface DynamicEntry {
  /** See `DynamicTag`; may be negative in 32-bit files of some systems. */
  readonly tag: bigint
  readonly value: bigint
}

/** What the dynamic section says. */
export interface Dynamic {
  readonly entries: readonly DynamicEntry[]
  /** Names of the libraries that are needed, in their order. */
  readonly needed: readonly string[]
  /** The name of this library, if it is one. */
  readonly soname: string | undefined
  readonly runPath: string | undefined
}

/** Number in a symbol that says: too large, look into the section with the numbers. */
const SHN_XINDEX = 0xffff

function reader(elf: Elf, bytes: Uint8Array): ElfBytes {
  return new ElfBytes(bytes, elf.bits === 64, elf.littleEndian)
}

/**
 * The symbols of the linker's table (`symbols`) or of the dynamic linker's, without symbol 0; empty where there is none.
 * @throws VmexitError `elf-content`.
 */
export function readSymbols(elf: Elf, table: 'symbols' | 'dynamicSymbols' = 'symbols'): readonly ElfSymbol[] {
  const number = elf.sections.findIndex(({ type }) => type === SectionType[table])
  return number < 0 ? [] : symbolsOf(elf, elf.sections[number]!, number)
}

function symbolsOf(elf: Elf, section: Section, number: number): ElfSymbol[] {
  const size = elf.bits === 64 ? 24 : 16
  const what = `the symbol table ${section.name}`
  const strings = elf.sections[section.link]
  if (section.entryBytes !== size || section.bytes.length % size !== 0 || strings === undefined) {
    return refuse('elf-content', `${what} has entries of ${section.entryBytes} bytes, or no names`, GET_AGAIN)
  }
  const names = new StringTable(strings.bytes)
  const numbers = elf.sections.find(({ type, link }) => type === SectionType.sectionNumbers && link === number)
  const file = reader(elf, section.bytes)
  const symbols: ElfSymbol[] = []
  for (let at = size, i = 1; at < section.bytes.length; at += size, i++) {
    const [info, other, place, value, length] = elf.bits === 64 ? [4, 5, 6, 8, 16] : [12, 13, 14, 4, 8]
    const index = file.u16(at + place)
    const far = index === SHN_XINDEX && numbers !== undefined && 4 * i + 4 <= numbers.bytes.length
    symbols.push({
      name: names.text(file.u32(at), `the name of symbol ${i}`),
      value: file.word(at + value),
      size: file.word(at + length),
      binding: file.u8(at + info) >> 4,
      type: file.u8(at + info) & 15,
      visibility: file.u8(at + other) & 3,
      section: far ? reader(elf, numbers.bytes).u32(4 * i) : index,
    })
  }
  return symbols
}

/** The notes of all segments of type `note`, or, where there are none, of the sections. @throws VmexitError `elf-content`. */
export function readNotes(elf: Elf): readonly ElfNote[] {
  const segments = elf.segments.filter(({ type }) => type === SegmentType.note)
  const holders = segments.length > 0 ? segments : elf.sections.filter(({ type }) => type === SectionType.note)
  const total = holders.reduce((sum, { bytes }) => sum + bytes.length, 0)
  if (total > elf.bytes.length) refuse('elf-content', `${holders.length} holders of notes overlap`, GET_AGAIN)
  return holders.flatMap(({ bytes, alignment }) => notesOf(reader(elf, bytes), alignment === 8n ? 8 : 4))
}

function notesOf(file: ElfBytes, alignment: 4 | 8): ElfNote[] {
  const up = (at: number) => Math.ceil(at / alignment) * alignment
  const notes: ElfNote[] = []
  const total = file.bytes.length
  for (let at = 0; at < total; ) {
    const nameAt = at + 12
    const described = nameAt <= total ? up(nameAt + file.u32(at)) : Number.POSITIVE_INFINITY
    const end = described <= total ? described + file.u32(at + 4) : Number.POSITIVE_INFINITY
    if (end > total) refuse('elf-content', `a note at ${at} of ${total} bytes reaches beyond them`, GET_AGAIN)
    const name = file.bytes.subarray(nameAt, nameAt + file.u32(at))
    const owner = new TextDecoder().decode(name).replace(/\0.*$/s, '')
    notes.push({ owner, type: file.u32(at + 8), description: file.bytes.subarray(described, end) })
    at = up(end)
  }
  return notes
}

/** The path of the program that is to load this one, or undefined. @throws VmexitError `elf-content`. */
export function readInterpreter(elf: Elf): string | undefined {
  const segment = elf.segments.find(({ type }) => type === SegmentType.interpreter)
  if (segment === undefined) return undefined
  if (segment.bytes.length > 4096) refuse('elf-content', "the interpreter's path is beyond 4096 bytes", GET_AGAIN)
  return new StringTable(segment.bytes).text(0, "the interpreter's path")
}

/**
 * What the dynamic segment says, or undefined where there is none. Its strings are found by their address in memory.
 * @throws VmexitError `elf-content`, `elf-segment`.
 */
export function readDynamic(elf: Elf): Dynamic | undefined {
  const segment = elf.segments.find(({ type }) => type === SegmentType.dynamic)
  if (segment === undefined) return undefined
  const file = reader(elf, segment.bytes)
  const w = elf.bits / 8
  const entries: DynamicEntry[] = []
  for (let at = 0; at + 2 * w <= segment.bytes.length; at += 2 * w) {
    const tag = file.signedWord(at)
    if (tag === BigInt(DynamicTag.end)) break
    entries.push({ tag, value: file.word(at + w) })
  }
  const names = namesOf(elf, entries)
  const texts = (tag: number) =>
    entries
      .filter((entry) => entry.tag === BigInt(tag))
      .map(({ value }) => names.text(Number(value), 'a name of the dynamic section'))
  return {
    entries,
    needed: texts(DynamicTag.needed),
    soname: texts(DynamicTag.soname)[0],
    runPath: texts(DynamicTag.runPath)[0],
  }
}

function namesOf(elf: Elf, entries: readonly DynamicEntry[]): StringTable {
  const firstOf = (tag: number) => entries.find((entry) => entry.tag === BigInt(tag))?.value
  const address = firstOf(DynamicTag.stringTable)
  if (address === undefined) return new StringTable(new Uint8Array(0))
  const holder = loadableSegments(elf).find(({ virtualAddress, bytes }) => {
    return address >= virtualAddress && address < virtualAddress + BigInt(bytes.length)
  })
  if (holder === undefined) {
    return refuse('elf-content', `no segment has the dynamic strings at 0x${address.toString(16)}`, GET_AGAIN)
  }
  const start = Number(address - holder.virtualAddress)
  const size = firstOf(DynamicTag.stringTableSize)
  const end = size === undefined || size > 2n ** 32n ? holder.bytes.length : start + Number(size)
  return new StringTable(holder.bytes.subarray(start, end))
}
