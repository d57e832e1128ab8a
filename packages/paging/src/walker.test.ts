import { describe, expect, test } from 'vitest'
import { Words } from '../test/words.ts'
import { Access } from './access.ts'
import { type WalkControls, walkControls } from './controls.ts'
import { FORMAT_4LEVEL, FORMAT_32BIT, FORMAT_EPT, FORMAT_IOMMU, FORMAT_PAE } from './format.ts'
import { WalkResult } from './result.ts'
import { Walker } from './walker.ts'

const P = 1n
const RW = 2n
const US = 4n
const A = 0x20n
const D = 0x40n
const PS = 0x80n
const G = 0x100n
const XD = 1n << 63n

const legacy = new Walker(FORMAT_32BIT)
const pae = new Walker(FORMAT_PAE)
const long = new Walker(FORMAT_4LEVEL)
const ept = new Walker(FORMAT_EPT)
const iommu = new Walker(FORMAT_IOMMU)

function walk(
  walker: Walker,
  tables: Words,
  linear: number,
  access: number = Access.READ,
  controls: Partial<WalkControls> = {},
): WalkResult {
  const out = new WalkResult()
  expect(walker.walk(tables, 0x1000, linear, access, walkControls(controls), out)).toBe(out.ok)
  expect(out.ok).toBe(out.fault === 'none')
  return out
}

describe('32-bit tables', () => {
  function tables(): Words {
    const words = new Words()
    words.put32(0x1000 + 4 * 0x300, 0x2007)
    words.put32(0x2000 + 4 * 0x123, 0xabcd_e107)
    words.put32(0x1000 + 4 * 0x301, 0xffc0_0187)
    words.put32(0x1000 + 4 * 0x302, 0x0081_e083)
    return words
  }

  test('map 4 KiB in two references', () => {
    const result = walk(legacy, tables(), 0xc012_3456)
    expect(result).toMatchObject({ ok: true, physical: 0xabcd_e456, pageShift: 12, pageBytes: 4096, references: 2 })
    expect(result).toMatchObject({ writable: true, user: true, executable: true, global: true, dirty: false })
    expect(walk(legacy, tables(), 0xc012_3456, 0, { pge: false }).global).toBe(false)
  })

  test('map 4 MiB in one reference, above 4 GiB with PSE-36', () => {
    expect(walk(legacy, tables(), 0xc072_3456)).toMatchObject({
      physical: 0xfff2_3456,
      pageShift: 22,
      pageBytes: 2 ** 22,
      references: 1,
    })
    expect(walk(legacy, tables(), 0xc0bf_ffff)).toMatchObject({ physical: 0xf_00bf_ffff, user: false })
    expect(walk(legacy, tables(), 0xc0bf_ffff, 0, { pse36: false })).toMatchObject({
      fault: 'page-fault',
      errorCode: 9,
      level: 2,
    })
  })

  test('take the large bit for nothing without CR4.PSE', () => {
    const words = tables()
    words.put32(0xffc0_0000 + 4 * 0x323, 0x5001)
    expect(walk(legacy, words, 0xc072_3456, 0, { pse: false })).toMatchObject({ physical: 0x5456, references: 2 })
  })

  test('fault where an entry is not present, without a mark anywhere', () => {
    const words = tables()
    expect(walk(legacy, words, 0x1234)).toMatchObject({
      fault: 'page-fault',
      errorCode: 0,
      level: 2,
      references: 1,
      linear: 0x1234,
    })
    expect(walk(legacy, words, 0xc012_4000, Access.WRITE | Access.USER)).toMatchObject({
      errorCode: 6,
      level: 1,
      references: 2,
    })
    expect(walk(legacy, words, 0xc012_4000, Access.FETCH | Access.USER, { nx: true })).toMatchObject({ errorCode: 4 })
    expect(walk(legacy, words, 0xc012_4000, Access.FETCH | Access.USER, { smep: true })).toMatchObject({
      errorCode: 0x14,
    })
    expect(walk(legacy, words, 0xc012_4000, Access.WRITE | Access.USER | Access.IMPLICIT)).toMatchObject({
      errorCode: 2,
    })
    expect(words.stores).toEqual([])
  })
})

describe('PAE tables', () => {
  function tables(): Words {
    const words = new Words()
    words.put64(0x1000 + 8 * 3, 0x2000n | P)
    words.put64(0x2000 + 8 * 5, 0xf_0000_3000n | P | RW | US)
    words.put64(0xf_0000_3000 + 8 * 7, 0x8_1234_5000n | P | RW | US | D)
    words.put64(0x2000 + 8 * 6, 0x8_1220_0000n | P | RW | PS | XD)
    return words
  }

  test('map 4 KiB, with the pointer table read from memory, in three references', () => {
    const words = tables()
    const result = walk(pae, words, 0xc0a0_7123, Access.WRITE | Access.USER)
    expect(result).toMatchObject({
      ok: true,
      physical: 0x8_1234_5123,
      pageShift: 12,
      references: 3,
      writable: true,
      user: true,
      dirty: true,
    })
    expect(words.get64(0x1000 + 8 * 3)).toBe(0x2000n | P)
  })

  test('map 2 MiB; XD forbids fetches with EFER.NXE and is reserved without', () => {
    expect(walk(pae, tables(), 0xc0df_fedc, 0, { nx: true })).toMatchObject({
      physical: 0x8_123f_fedc,
      pageShift: 21,
      executable: false,
    })
    expect(walk(pae, tables(), 0xc0df_fedc, Access.FETCH, { nx: true })).toMatchObject({
      fault: 'page-fault',
      errorCode: 0x11,
      level: 2,
    })
    expect(walk(pae, tables(), 0xc0df_fedc, Access.FETCH)).toMatchObject({
      fault: 'page-fault',
      errorCode: 9,
      level: 2,
    })
  })

  test('may lie at any 32 bytes', () => {
    const words = new Words()
    words.put64(0x10e0, 0x2001n)
    words.put64(0x2000, 0x40_0081n)
    expect(pae.walk(words, 0x10ff, 0x1234, 0, walkControls(), new WalkResult())).toBe(true)
  })

  test('walk on from a directory that a register points to', () => {
    const out = new WalkResult()
    expect(pae.walkFrom(2, 0x2000, tables(), 0xc0a0_7123, 0, walkControls(), out)).toBe(true)
    expect(out).toMatchObject({ physical: 0x8_1234_5123, references: 2 })
    expect(pae.refuseAbsent(3, 0xc0a0_7123, Access.USER, walkControls(), out)).toBe(false)
    expect(out).toMatchObject({ fault: 'page-fault', errorCode: 4, level: 3, references: 0, linear: 0xc0a0_7123 })
  })
})

describe('4-level tables', () => {
  const LINEAR = 0xffff_8123_4567 % 2 ** 48
  const index = (level: number): number => Math.floor(LINEAR / 2 ** (3 + 9 * level)) % 512

  function tables(): Words {
    const words = new Words()
    words.put64(0x1000 + 8 * index(4), 0x2000n | P | RW | US | (0x7ffn << 52n))
    words.put64(0x2000 + 8 * index(3), 0x3000n | P | RW | US)
    words.put64(0x3000 + 8 * index(2), 0x4000n | P | RW | US)
    words.put64(0x4000 + 8 * index(1), 0xf_ffff_f000n | P | RW | US | G)
    return words
  }

  test('map 4 KiB of a 48-bit address in four references', () => {
    expect(walk(long, tables(), LINEAR)).toMatchObject({
      ok: true,
      physical: 0xf_ffff_f567,
      references: 4,
      global: true,
    })
  })

  test('map 2 MiB and 1 GiB', () => {
    const words = tables()
    words.put64(0x3000 + 8 * index(2), 0x4_0020_0000n | P | PS)
    expect(walk(long, words, LINEAR)).toMatchObject({
      physical: 0x4_0020_0000 + (LINEAR % 2 ** 21),
      pageShift: 21,
      references: 3,
    })
    words.put64(0x2000 + 8 * index(3), 0x4_4000_0000n | P | PS)
    expect(walk(long, words, LINEAR)).toMatchObject({
      physical: 0x4_4000_0000 + (LINEAR % 2 ** 30),
      pageShift: 30,
      references: 2,
    })
    expect(walk(long, words, LINEAR, 0, { pages1G: false })).toMatchObject({
      fault: 'page-fault',
      errorCode: 9,
      level: 3,
    })
  })

  test('reach 52 bits of physical address', () => {
    const words = tables()
    words.put64(0x4000 + 8 * index(1), 0xf_ffff_ffff_f000n | P)
    expect(walk(long, words, LINEAR, 0, { maxPhysicalAddress: 52 })).toMatchObject({ physical: 2 ** 52 - 4096 + 0x567 })
    expect(walk(long, words, LINEAR, 0, { maxPhysicalAddress: 51 })).toMatchObject({ errorCode: 9, level: 1 })
  })

  test('take only address bits of the root', () => {
    const out = new WalkResult()
    expect(long.walk(tables(), 0x1fff, LINEAR, 0, walkControls(), out)).toBe(true)
    const high = new Words()
    for (const [address, value] of tables().words)
      high.put32(address < 0x2000 ? address + 0x3_0000_0000 : address, value)
    expect(long.walk(high, 0x3_0000_1018, LINEAR, 0, walkControls(), out)).toBe(true)
  })
})

describe('accessed and dirty flags', () => {
  function tables(flags = 0n): Words {
    const words = new Words()
    words.put64(0x1000, 0x2000n | P | RW | US)
    words.put64(0x2000, 0x3000n | P | RW | US)
    words.put64(0x3000, 0x4000n | P | RW | US)
    words.put64(0x4000, 0x5000n | P | RW | flags)
    return words
  }

  test('a read marks every level accessed, once', () => {
    const words = tables()
    expect(walk(long, words, 0).dirty).toBe(false)
    expect(words.stores).toEqual([0x1000, 0x2000, 0x3000, 0x4000])
    expect([0x1000, 0x2000, 0x3000, 0x4000].map((at) => words.get64(at) & (A | D))).toEqual([A, A, A, A])
    walk(long, words, 0)
    expect(words.stores).toHaveLength(4)
  })

  test('a write marks only the page itself dirty', () => {
    const words = tables()
    walk(long, words, 0)
    expect(walk(long, words, 0, Access.WRITE).dirty).toBe(true)
    expect(words.stores.slice(4)).toEqual([0x4000])
    expect([0x1000, 0x2000, 0x3000, 0x4000].map((at) => words.get64(at) & (A | D))).toEqual([A, A, A, A | D])
    expect(walk(long, words, 0).dirty).toBe(true)
  })

  test('a refused access and a look without a trace mark nothing', () => {
    const words = tables()
    walk(long, words, 0, Access.USER)
    walk(long, words, 0x1000)
    const peeked = walk(long, words, 0, Access.WRITE | Access.PEEK)
    expect(peeked).toMatchObject({ ok: true, physical: 0x5000, dirty: false })
    expect(words.stores).toEqual([])
  })

  test('32-bit entries are stored as 32 bits, large pages marked in the directory', () => {
    const words = new Words()
    words.put32(0x1000, 0x0040_0083)
    walk(legacy, words, 0x1234, Access.WRITE)
    expect(words.stores).toEqual([0x1000])
    expect(words.words.get(0x1000)).toBe(0x0040_00e3)
  })

  test('a directory that maps itself is marked as table and as page', () => {
    const words = new Words()
    words.put32(0x1000 + 4 * 1023, 0x1003)
    expect(walk(legacy, words, 0xffff_fffc, Access.WRITE)).toMatchObject({ ok: true, physical: 0x1ffc })
    expect(words.words.get(0x1ffc)).toBe(0x1063)
  })
})

describe('EPT', () => {
  const R = 1n
  const W = 2n
  const X = 4n
  const WB = 6n << 3n

  function tables(leaf: bigint, upper = R | W | X): Words {
    const words = new Words()
    words.put64(0x1000, 0x2000n | upper)
    words.put64(0x2000, 0x3000n | R | W | X)
    words.put64(0x3000, 0x4000n | R | W | X)
    words.put64(0x4000 + 8 * 5, leaf)
    return words
  }

  test('translates, with memory type, in four references', () => {
    const result = walk(ept, tables(0x7_0000_0000n | R | W | WB | 0x40n), 0x5678)
    expect(result).toMatchObject({ ok: true, physical: 0x7_0000_0678, references: 4, memoryType: 6, ignorePat: true })
    expect(result).toMatchObject({ writable: true, executable: false })
  })

  test('grants exactly what every level grants, and says in a violation what was asked and what was granted', () => {
    const accesses = [Access.READ, Access.WRITE, Access.FETCH]
    for (let upper = 1n; upper < 8n; upper++) {
      for (let leaf = 0n; leaf < 8n; leaf++) {
        for (const [kind, access] of accesses.entries()) {
          const result = walk(ept, tables(0x9000n | leaf | WB, upper), 0x5000, access, { executeOnly: true })
          const granted = Number(upper & leaf)
          const bad = [upper, leaf].some((rwx) => rwx === 2n || rwx === 6n)
          if (bad) expect(result).toMatchObject({ fault: 'ept-misconfiguration', guestPhysical: 0x5000 })
          else if ((granted >> kind) & 1) expect(result.ok).toBe(true)
          else {
            const rights = leaf === 0n ? 0 : granted
            expect(result).toMatchObject({
              fault: 'ept-violation',
              qualification: (1 << kind) | (rights << 3),
              guestPhysical: 0x5000,
            })
          }
        }
      }
    }
  })

  test('calls contradicting entries misconfigured', () => {
    const misconfigured = (leaf: bigint, controls: Partial<WalkControls> = {}): boolean =>
      walk(ept, tables(leaf), 0x5000, Access.READ, controls).fault === 'ept-misconfiguration'
    expect(misconfigured(X)).toBe(true)
    expect(misconfigured(X, { executeOnly: true })).toBe(false)
    expect([0n, 1n, 2n, 3n, 4n, 5n, 6n, 7n].filter((type) => misconfigured(R | (type << 3n)))).toEqual([2n, 3n, 7n])
    expect(misconfigured(R | (1n << 36n))).toBe(true)
    expect(misconfigured(R | (1n << 36n), { maxPhysicalAddress: 37 })).toBe(false)
    expect(misconfigured(R | (0xfffn << 52n))).toBe(false)
  })

  test('keeps accessed and dirty flags only where asked to', () => {
    const plain = tables(0x9000n | R | W | WB)
    expect(walk(ept, plain, 0x5000, Access.WRITE).dirty).toBe(true)
    expect(plain.stores).toEqual([])
    const kept = tables(0x9000n | R | W | WB)
    expect(walk(ept, kept, 0x5000, Access.READ, { accessedDirty: true }).dirty).toBe(false)
    expect(kept.stores).toEqual([0x1000, 0x2000, 0x3000, 0x4028])
    walk(ept, kept, 0x5000, Access.WRITE, { accessedDirty: true })
    expect([0x1000, 0x4028].map((at) => kept.get64(at) & 0x300n)).toEqual([0x100n, 0x300n])
  })

  test('maps 2 MiB and 1 GiB, and nothing above 48 bits', () => {
    const words = tables(0n)
    words.put64(0x3000, 0x20_0000n | R | PS | WB)
    expect(walk(ept, words, 0x5678)).toMatchObject({ physical: 0x20_5678, pageShift: 21, references: 3 })
    words.put64(0x2000, 0x4000_0000n | R | PS | WB)
    expect(walk(ept, words, 0x5678)).toMatchObject({ physical: 0x4000_5678, pageShift: 30, references: 2 })
    expect(walk(ept, words, 0x5678, 0, { pages1G: false }).fault).toBe('ept-misconfiguration')
    expect(walk(ept, words, 2 ** 48 + 0x5678)).toMatchObject({
      fault: 'ept-violation',
      references: 0,
      qualification: 1,
    })
  })
})

describe('IOMMU', () => {
  test('lets a device read and write as every level allows, or says why not', () => {
    for (let upper = 1n; upper < 4n; upper++) {
      for (let leaf = 0n; leaf < 4n; leaf++) {
        const words = new Words()
        words.put64(0x1000, 0x2000n | 3n)
        words.put64(0x2000, 0x3000n | upper)
        words.put64(0x3000, 0x4000n | 3n)
        words.put64(0x4000, 0x1_2345_6000n | leaf)
        const granted = Number(upper & leaf)
        const read = walk(iommu, words, 0x123)
        if (granted & 1) expect(read).toMatchObject({ ok: true, physical: 0x1_2345_6123, references: 4 })
        else expect(read).toMatchObject({ fault: 'dma-fault', errorCode: 6 })
        const write = walk(iommu, words, 0x123, Access.WRITE)
        if (granted & 2) expect(write).toMatchObject({ ok: true, writable: true })
        else expect(write).toMatchObject({ fault: 'dma-fault', errorCode: 5 })
        expect(words.stores).toEqual([])
      }
    }
  })

  test('has large pages and reserved bits', () => {
    const words = new Words()
    words.put64(0x1000, 0x2000n | 3n)
    words.put64(0x2000, 0x3000n | 3n)
    words.put64(0x3000, 0x20_0000n | 3n | PS)
    expect(walk(iommu, words, 0x123, Access.WRITE)).toMatchObject({ physical: 0x20_0123, pageShift: 21 })
    words.put64(0x3000, 0x20_1000n | 3n | PS)
    expect(walk(iommu, words, 0x123)).toMatchObject({ fault: 'dma-fault', errorCode: 0xc, level: 2 })
    words.put64(0x3000, 0x20_0000n | 3n | PS | (1n << 62n))
    expect(walk(iommu, words, 0x123)).toMatchObject({ errorCode: 0xc })
  })
})

test.each([31, 53, 40.5, Number.NaN])('a physical address width of %s is a typed error', (maxPhysicalAddress) => {
  expect(() => walkControls({ maxPhysicalAddress })).toThrow(
    expect.objectContaining({ code: 'physical-address-width' }),
  )
})
