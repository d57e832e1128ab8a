/** ELF files for tests, of either class and byte order, written field by field from the generic ABI 4.1, chapter 4. */

/** What a test wants of a file. */
export interface Wanted {
  readonly bits?: 32 | 64
  readonly littleEndian?: boolean
  readonly type?: number
  readonly machine?: number
  readonly entry?: bigint
  readonly segments?: readonly WantedSegment[]
  readonly sections?: readonly WantedSection[]
}
export interface WantedSegment {
  readonly type: number
  readonly flags?: number
  readonly address?: bigint
  readonly physicalAddress?: bigint
  readonly bytes?: Uint8Array
  /** Where `bytes` are to seem to be. */
  readonly offset?: bigint
  readonly fileBytes?: bigint
  readonly memoryBytes?: bigint
  readonly alignment?: bigint
}
export interface WantedSection {
  readonly name: string
  readonly type: number
  readonly flags?: bigint
  readonly bytes?: Uint8Array
  readonly size?: bigint
  readonly link?: number
  readonly info?: number
  readonly entryBytes?: number
}

/** Writes numbers one behind the other. */
export class Writer {
  readonly bytes: number[] = []
  readonly #littleEndian: boolean
  readonly #wide: boolean

  constructor(littleEndian: boolean, wide: boolean) {
    this.#littleEndian = littleEndian
    this.#wide = wide
  }

  number(value: bigint | number, size: number): this {
    const all = Array.from({ length: size }, (_, i) => Number((BigInt(value) >> BigInt(8 * i)) & 0xffn))
    this.bytes.push(...(this.#littleEndian ? all : all.reverse()))
    return this
  }
  half = (value: number): this => this.number(value, 2)
  int = (value: number | bigint): this => this.number(value, 4)
  word = (value: number | bigint): this => this.number(value, this.#wide ? 8 : 4)
  raw(bytes: Iterable<number>): this {
    this.bytes.push(...bytes)
    return this
  }
}

/** Header, program headers, contents of segments and sections, section headers. */
export function buildElf(wanted: Wanted): Uint8Array {
  const { bits = 32, littleEndian = true, type = 2, machine = 3, entry = 0n, segments = [] } = wanted
  const wide = bits === 64
  const named = wanted.sections ? [{ name: '', type: 0 }, ...wanted.sections, { name: '.shstrtab', type: 3 }] : []
  const names = new TextEncoder().encode(named.map(({ name }) => `${name}\0`).join(''))
  const sections: WantedSection[] = named.map((s, i) => (i > 0 && i === named.length - 1 ? { ...s, bytes: names } : s))
  const headerBytes = wide ? 64 : 52
  const segmentBytes = wide ? 56 : 32
  const contents: number[] = []
  const start = headerBytes + segments.length * segmentBytes
  const place = (bytes: Uint8Array = new Uint8Array(0)) => {
    const at = start + contents.length
    contents.push(...bytes, ...new Array((8 - (bytes.length % 8)) % 8).fill(0))
    return at
  }
  const segmentPlaces = segments.map(({ bytes }) => place(bytes))
  const sectionPlaces = sections.map(({ bytes }) => place(bytes))
  const sectionsAt = start + contents.length
  const w = new Writer(littleEndian, wide)
  w.raw([0x7f, 0x45, 0x4c, 0x46, wide ? 2 : 1, littleEndian ? 1 : 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
  w.half(type).half(machine).int(1).word(entry)
  w.word(segments.length ? headerBytes : 0)
    .word(sections.length ? sectionsAt : 0)
    .int(0)
  w.half(headerBytes)
    .half(segmentBytes)
    .half(segments.length)
    .half(wide ? 64 : 40)
  w.half(sections.length).half(Math.max(0, sections.length - 1))
  for (const [i, s] of segments.entries()) {
    const size = s.fileBytes ?? BigInt(s.bytes?.length ?? 0)
    const address = s.address ?? 0n
    w.int(s.type)
    if (wide) w.int(s.flags ?? 5)
    w.word(s.offset ?? segmentPlaces[i]!)
      .word(address)
      .word(s.physicalAddress ?? address)
      .word(size)
      .word(s.memoryBytes ?? size)
    if (!wide) w.int(s.flags ?? 5)
    w.word(s.alignment ?? 1n)
  }
  w.raw(contents)
  let nameAt = 0
  for (const [i, s] of sections.entries()) {
    w.int(nameAt)
      .int(s.type)
      .word(s.flags ?? 0n)
      .word(0)
      .word(sectionPlaces[i]!)
    w.word(s.size ?? s.bytes?.length ?? 0)
      .int(s.link ?? 0)
      .int(s.info ?? 0)
      .word(1)
      .word(s.entryBytes ?? 0)
    nameAt += s.name.length + 1
  }
  return Uint8Array.from(w.bytes)
}
