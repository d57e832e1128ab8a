import { isVmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { buildElf, type Wanted, Writer } from '../test/build.ts'
import {
  type Elf,
  loadableSegments,
  readDynamic,
  readElf,
  readInterpreter,
  readNotes,
  readSymbols,
  SectionType,
  SegmentType,
} from './index.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const codeOf = (act: () => unknown): string => {
  try {
    act()
  } catch (error) {
    if (isVmexitError(error)) return error.code
    throw error
  }
  return 'nothing'
}

/** A whole program of any class and byte order. */
function program(bits: 32 | 64, littleEndian: boolean): Wanted {
  const wide = bits === 64
  const w = () => new Writer(littleEndian, wide)
  const symbol = (name: number, value: number) => {
    const s = w().int(name)
    if (wide) return s.raw([0x12, 2]).half(1).word(value).word(16).bytes
    return s.word(value).word(16).raw([0x12, 2]).half(1).bytes
  }
  const symbols = Uint8Array.from([...new Array(wide ? 24 : 16).fill(0), ...symbol(1, 0x1010)])
  const dynamic = w().word(1).word(1).word(5).word(0x2000).word(14).word(6).word(10).word(20).word(0).word(0)
  const note = w().int(4).int(3).int(7).raw(text('GNU\0')).raw([1, 2, 3, 0])
  return {
    bits,
    littleEndian,
    entry: 0x1004n,
    segments: [
      { type: SegmentType.load, address: 0x1000n, bytes: text('code'), memoryBytes: 100n },
      { type: SegmentType.load, address: 0x2000n, physicalAddress: 0x500n, bytes: text('\0libc\0self\0'), flags: 4 },
      { type: SegmentType.interpreter, bytes: text('/lib/ld.so\0') },
      { type: SegmentType.note, bytes: Uint8Array.from(note.bytes) },
      { type: SegmentType.dynamic, bytes: Uint8Array.from(dynamic.bytes) },
    ],
    sections: [
      { name: '.text', type: SectionType.contents, flags: 6n, bytes: text('code') },
      { name: '.symtab', type: SectionType.symbols, link: 3, entryBytes: wide ? 24 : 16, bytes: symbols },
      { name: '.strtab', type: SectionType.strings, bytes: text('\0main\0') },
      { name: '.bss', type: SectionType.noBits, size: 1n << 31n },
    ],
  }
}

describe.each([
  [32, true],
  [32, false],
  [64, true],
  [64, false],
] as const)('%i bits, little-endian: %s', (bits, littleEndian) => {
  const bytes = buildElf(program(bits, littleEndian))
  test('everything is read', () => {
    const elf = readElf(bytes)
    expect([elf.bits, elf.littleEndian, elf.entry, elf.machine]).toEqual([bits, littleEndian, 0x1004n, 3])
    expect(elf.segments.map(({ type }) => type)).toEqual([1, 1, 3, 4, 2])
    expect(loadableSegments(elf, 'physical').map((s) => [s.physicalAddress, s.memoryBytes])).toEqual([
      [0x500n, 11n],
      [0x1000n, 100n],
    ])
    expect(elf.sections.map(({ name }) => name)).toEqual(['', '.text', '.symtab', '.strtab', '.bss', '.shstrtab'])
    expect(elf.sections[4]).toMatchObject({ size: 1n << 31n, bytes: new Uint8Array(0) })
    expect(readSymbols(elf)).toEqual([
      { name: 'main', value: 0x1010n, size: 16n, binding: 1, type: 2, visibility: 2, section: 1 },
    ])
    expect(readSymbols(elf, 'dynamicSymbols')).toEqual([])
    expect(readInterpreter(elf)).toBe('/lib/ld.so')
    expect(readNotes(elf)).toEqual([{ owner: 'GNU', type: 7, description: Uint8Array.of(1, 2, 3) }])
    expect(readDynamic(elf)).toMatchObject({ needed: ['libc'], soname: 'self', runPath: undefined })
  })

  test('cut off anywhere, it is refused or reads as what is left of it, and never anything else', () => {
    for (let length = 0; length < bytes.length; length++) {
      expect(codeOf(() => readAll(readElf(bytes.slice(0, length))))).toMatch(/^elf-/)
    }
  })
})

/** Looks at everything. */
function readAll(elf: Elf): void {
  loadableSegments(elf, 'physical')
  loadableSegments(elf)
  readSymbols(elf)
  readSymbols(elf, 'dynamicSymbols')
  readNotes(elf)
  readInterpreter(elf)
  readDynamic(elf)
}

const load = (more: object) => ({
  segments: [{ type: SegmentType.load, address: 0x1000n, bytes: text('code'), ...more }],
})
const file = (wanted: Wanted) => () => readAll(readElf(buildElf(wanted)))

test.each([
  ['no ELF', () => readElf(text('MZ nothing')), 'elf-not-elf'],
  ['of class 3', () => readElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 3, 1, 1, 0)), 'elf-format'],
  ['of version 2', () => readElf(Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 1, 1, 2, 0)), 'elf-format'],
  ['with a segment beyond the file', file(load({ fileBytes: 0x1000n, memoryBytes: 0x1000n })), 'elf-truncated'],
  ['with a segment at an absurd offset', file({ bits: 64, ...load({ offset: (1n << 64n) - 8n }) }), 'elf-header'],
  ['with more in the file than in memory', file(load({ memoryBytes: 2n })), 'elf-segment'],
  ['with a segment that wraps around', file(load({ memoryBytes: 0xffff_ffffn })), 'elf-segment'],
  ['aligned to 3', file(load({ alignment: 3n })), 'elf-segment'],
  ['not aligned as its offset', file(load({ alignment: 0x1000n, address: 0x1001n })), 'elf-segment'],
  ['with segments over each other', file({ segments: [0, 1].map(() => load({}).segments[0]!) }), 'elf-segment'],
  ['with a section beyond the file', file({ sections: [{ name: 'a', type: 1, size: 0x1000n }] }), 'elf-truncated'],
  [
    'with symbols of 5 bytes',
    file({ sections: [{ name: 'a', type: 2, bytes: new Uint8Array(15), entryBytes: 5 }] }),
    'elf-content',
  ],
  [
    'with a note that is longer than its segment',
    file({ segments: [{ type: 4, bytes: Uint8Array.of(255, 255, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0) }] }),
    'elf-content',
  ],
  ['with an interpreter that does not end', file({ segments: [{ type: 3, bytes: text('/lib') }] }), 'elf-content'],
  [
    'with dynamic strings that are nowhere',
    file({ segments: [{ type: 2, bytes: Uint8Array.from(new Writer(true, false).word(5).word(9).bytes) }] }),
    'elf-content',
  ],
] as const)('a file %s is refused', (_, act, code) => {
  expect(codeOf(act)).toBe(code)
})

test('as many section headers as section 0 says are not read where the file has no room for them', () => {
  const bytes = buildElf({ bits: 64, sections: [{ name: 'a', type: 1, bytes: text('b') }] })
  const view = new DataView(bytes.buffer)
  view.setUint16(60, 0, true)
  view.setBigUint64(Number(view.getBigUint64(40, true)) + 32, 1n << 60n, true)
  expect(codeOf(() => readElf(bytes))).toBe('elf-truncated')
})

test('more than 65535 sections have their count in section 0', () => {
  const bytes = buildElf({ sections: [{ name: '.text', type: 1, bytes: text('code') }] })
  const view = new DataView(bytes.buffer)
  const sections = view.getUint32(32, true)
  view.setUint16(48, 0, true)
  view.setUint16(50, 0xffff, true)
  view.setUint32(sections + 20, 3, true)
  view.setUint32(sections + 24, 2, true)
  expect(readElf(bytes).sections.map(({ name }) => name)).toEqual(['', '.text', '.shstrtab'])
})

test('names that overlap a million times do not take the time of a million names', () => {
  const count = 20_000
  const symbols = new Writer(true, false)
  for (let i = 0; i < count; i++) symbols.int(i).word(0).word(0).int(0)
  const strings = new Uint8Array(1_000_000).fill(0x61)
  strings[strings.length - 1] = 0
  const bytes = withSymbols(Uint8Array.from(symbols.bytes), strings)
  expect(codeOf(() => readSymbols(readElf(bytes)))).toBe('elf-content')
})

/** Two tables of any size; `buildElf` is for small files. */
function withSymbols(symbols: Uint8Array, strings: Uint8Array): Uint8Array {
  const sections = [
    { name: 'symbols', type: SectionType.symbols, link: 2, entryBytes: 16 },
    { name: 'strings', type: SectionType.strings },
  ]
  const small = buildElf({ sections })
  const bytes = new Uint8Array(small.length + symbols.length + strings.length)
  bytes.set(small)
  bytes.set(symbols, small.length)
  bytes.set(strings, small.length + symbols.length)
  const view = new DataView(bytes.buffer)
  const headers = view.getUint32(32, true)
  for (const [i, [offset, size]] of [
    [small.length, symbols.length],
    [small.length + symbols.length, strings.length],
  ].entries()) {
    view.setUint32(headers + (i + 1) * 40 + 16, offset!, true)
    view.setUint32(headers + (i + 1) * 40 + 20, size!, true)
  }
  return bytes
}

test('damaged anyhow, a file is read or refused: 20,000 times', () => {
  let seed = 12_345
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const originals = [32, 64].flatMap((bits) => [true, false].map((le) => buildElf(program(bits as 32 | 64, le))))
  const special = [0, 1, 0x7f, 0x80, 0xff]
  const seen = new Set<string>()
  for (let round = 0; round < 20_000; round++) {
    const bytes = originals[round % 4]!.slice()
    for (let n = 0; n <= random(6); n++)
      bytes[random(bytes.length)] = special[random(5)]! ^ (random(4) === 0 ? random(256) : 0)
    seen.add(codeOf(() => readAll(readElf(bytes))))
  }
  for (const code of seen) expect(code).toMatch(/^(elf-\w+|nothing)/)
  expect(seen.size).toBeGreaterThan(5)
})
