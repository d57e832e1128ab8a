import { describe, expect, test } from 'vitest'
import { Words } from '../test/words.ts'
import { Access } from './access.ts'
import { type WalkControls, walkControls } from './controls.ts'
import { ExtendedPageTables } from './extended-page-tables.ts'
import { FORMAT_4LEVEL, FORMAT_32BIT, FORMAT_PAE, type TableFormat } from './format.ts'
import { loadPdptes } from './pdpte.ts'
import { WalkResult } from './result.ts'
import { Walker } from './walker.ts'

const PS = 0x80n
const RWX_WB = 0x37n

/** Guest-physical pages lie at host-physical `HOST + page`, by EPT pages of the given level (1: 4 KiB … 3: 1 GiB). */
const HOST = 0x1_0000_0000
const EPT_ROOT = 0x10_0000

class Machine {
  readonly words = new Words()
  readonly ept: ExtendedPageTables
  readonly guest: { put(guestPhysical: number, entry: bigint, bytes: number): void }
  readonly out = new WalkResult()

  constructor(eptLevel: number, eptControls: Partial<WalkControls> = {}) {
    this.words.put64(EPT_ROOT, 0x10_1007n)
    if (eptLevel === 3) this.words.put64(0x10_1000, BigInt(HOST) | RWX_WB | PS)
    else {
      this.words.put64(0x10_1000, 0x10_2007n)
      if (eptLevel === 2) this.words.put64(0x10_2000, BigInt(HOST) | RWX_WB | PS)
      else {
        this.words.put64(0x10_2000, 0x10_3007n)
        for (let page = 0; page < 512; page++) this.setPage(page, RWX_WB)
      }
    }
    this.ept = new ExtendedPageTables(this.words, EPT_ROOT | 0x1e, walkControls(eptControls))
    this.guest = {
      put: (guestPhysical, entry, bytes) => {
        if (bytes === 4) this.words.put32(HOST + guestPhysical, Number(entry))
        else this.words.put64(HOST + guestPhysical, entry)
      },
    }
  }

  /** Rewrites the EPT entry of a 4 KiB page. */
  setPage(page: number, bits: bigint): void {
    this.words.put64(0x10_3000 + 8 * page, BigInt(HOST + page * 4096) | bits)
  }

  eptEntry(page: number): bigint {
    return this.words.get64(0x10_3000 + 8 * page)
  }

  walk(walker: Walker, linear: number, access: number = Access.READ, controls: Partial<WalkControls> = {}): WalkResult {
    walker.walk(this.words, 0x1000, linear, access, walkControls(controls), this.out, this.ept)
    return this.out
  }
}

describe.each([
  { format: FORMAT_32BIT, levels: 2 },
  { format: FORMAT_PAE, levels: 3 },
  { format: FORMAT_4LEVEL, levels: 4 },
])('$format.name tables over EPT', ({ format, levels }: { format: TableFormat; levels: number }) => {
  const cases = [1, 2, 3].flatMap((eptLevel) =>
    (levels === 2 || levels === 3 ? [1, 2] : [1, 2, 3]).map((leaf) => ({ eptLevel, leaf })),
  )

  test.each(cases)(
    'EPT pages of level $eptLevel, guest pages of level $leaf: (g+1)(n+1)−1 references',
    ({ eptLevel, leaf }) => {
      const machine = new Machine(eptLevel)
      for (let level = levels; level >= leaf; level--) {
        const pdpte = format === FORMAT_PAE && level === 3
        const target = level > leaf ? BigInt(0x1000 * (levels - level + 2)) | 7n : leaf === 1 ? 0x9007n : 0x0087n
        machine.guest.put(0x1000 * (levels - level + 1), pdpte ? target & ~6n : target, format.entryBytes)
      }
      const result = machine.walk(new Walker(format), 0x234, Access.WRITE)
      const g = levels - leaf + 1
      const n = 4 - eptLevel + 1
      expect(result).toMatchObject({ ok: true, physical: HOST + (leaf === 1 ? 0x9234 : 0x234), memoryType: 6 })
      expect(result.references).toBe(g)
      expect(result.references + result.secondReferences).toBe((g + 1) * (n + 1) - 1)
      expect(machine.words.reads).toBe(result.references * (format.entryBytes / 4) + result.secondReferences * 2)
    },
  )
})

test('4 KiB pages throughout take 14 references for i386 and 24 for x86-64', () => {
  const total = (format: TableFormat): number => {
    const machine = new Machine(1)
    const levels = format.indexBits.length
    for (let level = 1; level <= levels; level++)
      machine.guest.put(0x1000 * level, BigInt(0x1000 * (level + 1)) | 7n, format.entryBytes)
    const result = machine.walk(new Walker(format), 0)
    return result.references + result.secondReferences
  }
  expect(total(FORMAT_32BIT)).toBe(14)
  expect(total(FORMAT_4LEVEL)).toBe(24)
})

describe('two stages', () => {
  const walker = new Walker(FORMAT_32BIT)

  function machine(controls: Partial<WalkControls> = {}): Machine {
    const made = new Machine(1, controls)
    made.guest.put(0x1000, 0x2007n, 4)
    made.guest.put(0x2000, 0x5007n, 4)
    return made
  }

  test('a table the EPT does not map is a violation of a read, not of the address itself', () => {
    const made = machine()
    made.setPage(2, 0n)
    expect(made.walk(walker, 0x123, Access.WRITE)).toMatchObject({
      fault: 'ept-violation',
      qualification: 0x81,
      guestPhysical: 0x2000,
      linear: 0x123,
      references: 1,
      secondReferences: 8,
    })
    expect(made.words.stores).toEqual([])
  })

  test('the address itself carries bit 8, what was asked and what EPT grants', () => {
    const made = machine()
    made.setPage(5, 0x31n)
    expect(made.walk(walker, 0x123, Access.WRITE)).toMatchObject({
      fault: 'ept-violation',
      qualification: 0x18a,
      guestPhysical: 0x5123,
    })
    expect(made.walk(walker, 0x123, Access.FETCH)).toMatchObject({ qualification: 0x18c })
    expect(made.walk(walker, 0x123)).toMatchObject({ ok: true, writable: false, executable: false, user: true })
  })

  test('a misconfigured entry says where', () => {
    const made = machine()
    made.setPage(5, 0x32n)
    expect(made.walk(walker, 0x123)).toMatchObject({
      fault: 'ept-misconfiguration',
      guestPhysical: 0x5123,
      qualification: 0,
    })
  })

  test('the guest’s own fault comes before the last EPT access', () => {
    const made = machine()
    made.guest.put(0x2000, 0x5005n, 4)
    made.setPage(5, 0n)
    expect(made.walk(walker, 0x123, Access.WRITE)).toMatchObject({
      fault: 'page-fault',
      errorCode: 3,
      secondReferences: 8,
    })
  })

  test('flags of a table page the guest may not write are a violation of a write', () => {
    const made = machine()
    made.setPage(2, 0x35n)
    expect(made.walk(walker, 0x123)).toMatchObject({
      fault: 'ept-violation',
      qualification: 0x80 | 2 | (5 << 3),
      guestPhysical: 0x2000,
    })
    made.guest.put(0x2000, 0x5027n, 4)
    expect(made.walk(walker, 0x123).ok).toBe(true)
  })

  test('with EPT accessed and dirty flags, table pages count as written', () => {
    const made = machine({ accessedDirty: true })
    expect(made.walk(walker, 0x123)).toMatchObject({ ok: true, dirty: false })
    expect([1, 2, 5].map((page) => made.eptEntry(page) & 0x300n)).toEqual([0x300n, 0x300n, 0x100n])
    expect(made.walk(walker, 0x123, Access.WRITE)).toMatchObject({ ok: true, dirty: true })
    expect(made.eptEntry(5) & 0x300n).toBe(0x300n)
    made.setPage(2, 0x31n)
    expect(made.walk(walker, 0x123)).toMatchObject({
      fault: 'ept-violation',
      qualification: 0x80 | 3 | (1 << 3),
      guestPhysical: 0x2000,
    })
  })

  test('a page is clean while either stage has it clean', () => {
    const made = machine({ accessedDirty: true })
    made.guest.put(0x2000, 0x5067n, 4)
    expect(made.walk(walker, 0).dirty).toBe(false)
    made.setPage(5, 0x237n)
    expect(made.walk(walker, 0).dirty).toBe(true)
    made.guest.put(0x2000, 0x5027n, 4)
    expect(made.walk(walker, 0).dirty).toBe(false)
  })

  test('a look without a trace marks neither stage', () => {
    const made = machine({ accessedDirty: true })
    expect(made.walk(walker, 0x123, Access.WRITE | Access.PEEK).ok).toBe(true)
    expect(made.words.stores).toEqual([])
  })
})

describe('the PAE pointer registers', () => {
  test('take four references, and their EPT translations', () => {
    const machine = new Machine(1)
    machine.guest.put(0x1020, 0x2001n, 8)
    machine.guest.put(0x1038, 0x8_0000_3019n, 8)
    const registers = new Uint32Array(8)
    expect(loadPdptes(machine.words, 0x103f, walkControls(), registers, machine.out, machine.ept)).toBe(true)
    expect([...registers]).toEqual([0x2001, 0, 0, 0, 0, 0, 0x3019, 8])
    expect(machine.out).toMatchObject({ references: 4, secondReferences: 16 })
    machine.setPage(1, 0n)
    expect(loadPdptes(machine.words, 0x1020, walkControls(), registers, machine.out, machine.ept)).toBe(false)
    expect(machine.out).toMatchObject({ fault: 'ept-violation', qualification: 1, guestPhysical: 0x1020 })
  })

  test('refuse each reserved bit of a present entry, and keep what they held', () => {
    const refused: number[] = []
    for (let bit = 1; bit < 64; bit++) {
      const words = new Words()
      words.put64(0x1008, 1n | (1n << BigInt(bit)))
      const registers = new Uint32Array(8).fill(7)
      const out = new WalkResult()
      if (loadPdptes(words, 0x1000, walkControls({ maxPhysicalAddress: 40 }), registers, out)) continue
      expect(out.fault).toBe('general-protection')
      expect([...registers]).toEqual(Array(8).fill(7))
      refused.push(bit)
    }
    expect(refused).toEqual([1, 2, 5, 6, 7, 8, ...Array.from({ length: 24 }, (_, index) => 40 + index)])
    const absent = new Words()
    absent.put64(0x1000, ~1n & 0xffff_ffff_ffff_ffffn)
    expect(loadPdptes(absent, 0x1000, walkControls(), new Uint32Array(8), new WalkResult())).toBe(true)
  })
})
