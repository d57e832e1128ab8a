import { describe, expect, test } from 'vitest'
import { generator, Words } from '../test/words.ts'
import { Access } from './access.ts'
import { walkControls } from './controls.ts'
import { ExtendedPageTables } from './extended-page-tables.ts'
import { FORMAT_32BIT } from './format.ts'
import { Mmu, type MmuListener, type MmuOptions } from './mmu.ts'
import { WalkResult } from './result.ts'
import { Walker } from './walker.ts'

const PG_PE = 0x8000_0001
const WP = 0x1_0000
const PSE = 0x10
const PAE = 0x20
const PGE = 0x80
const SMEP = 1 << 20
const SMAP = 1 << 21
const LMA = 0x400
const NXE = 0x800

/** Linear 0–16 MiB at physical 16 MiB up by tables at 0x2000 …, user and writable, clean; root at 0x1000. */
function tables(): Words {
  const words = new Words()
  for (let table = 0; table < 4; table++) {
    words.put32(0x1000 + 4 * table, 0x2007 + 0x1000 * table)
    for (let page = 0; page < 1024; page++)
      words.put32(0x2000 + 0x1000 * table + 4 * page, 0x100_0007 + 0x40_0000 * table + 0x1000 * page)
  }
  return words
}

function paged(options: Partial<MmuOptions> = {}, cr4 = 0): { mmu: Mmu; words: Words } {
  const words = tables()
  const mmu = new Mmu({ tables: words, dataEntries: 64, instructionEntries: 16, ...options })
  mmu.setRoot(0x1000)
  mmu.setControls(PG_PE | WP, cr4, 0)
  return { mmu, words }
}

const PAGE = 0x1000 // physical page of linear 0

describe('without paging', () => {
  test('linear is physical and nothing is counted', () => {
    const mmu = new Mmu({ tables: new Words() })
    expect(mmu.translate(0xffff_f123, Access.WRITE)).toBe(0xfffff)
    expect(mmu.peek(0x1234, Access.FETCH)).toBe(1)
    mmu.invlpg(0)
    mmu.setRoot(0x5000)
    expect(mmu.counts).toEqual({ dataMisses: 0, instructionMisses: 0, tableReferences: 0, secondStageReferences: 0 })
  })
})

test('A20 off clears bit 20 of what comes out, of table addresses too, and leaves the TLB alone', () => {
  const words = new Words()
  const flushes: boolean[] = []
  const mmu = new Mmu({ tables: words })
  mmu.listener = { onFlush: (keepsGlobal) => void flushes.push(keepsGlobal) }
  mmu.setA20(false)
  expect([mmu.translate(0x10_5000, Access.READ), mmu.peek(0x30_5000, Access.READ)]).toEqual([0x005, 0x205])
  mmu.setA20(true)
  expect([mmu.translate(0x10_5000, Access.READ), flushes]).toEqual([0x105, [false, false]])

  words.write32(0x1000, 0x2003)
  words.write32(0x2000, 0x0010_7003)
  mmu.setRoot(0x1000)
  mmu.setControls(0x8000_0001, 0, 0)
  expect(mmu.translate(0, Access.READ)).toBe(0x107)
  mmu.setA20(false)
  expect([mmu.translate(0, Access.READ), mmu.counts.dataMisses]).toEqual([0x007, 1])
  mmu.setRoot(0x10_1000)
  expect(mmu.translate(0, Access.READ)).toBe(0x007)
})

describe('counts', () => {
  test('misses per side, references per level; hits count nothing', () => {
    const { mmu, words } = paged()
    expect(mmu.translate(0x1234, Access.READ)).toBe(PAGE + 1)
    expect(mmu.translate(0x1ffc, Access.READ)).toBe(PAGE + 1)
    expect(mmu.translate(0x1000, Access.FETCH)).toBe(PAGE + 1)
    expect(mmu.translate(0x1800, Access.FETCH | Access.USER)).toBe(PAGE + 1)
    expect(mmu.counts).toEqual({ dataMisses: 1, instructionMisses: 1, tableReferences: 4, secondStageReferences: 0 })
    expect(words.reads).toBe(4)
  })

  test('a write through a clean entry walks again to set the dirty flag, once', () => {
    const { mmu, words } = paged()
    mmu.translate(0, Access.READ)
    mmu.translate(0, Access.WRITE)
    expect(words.words.get(0x2000)).toBe(0x100_0067)
    mmu.translate(0, Access.WRITE)
    expect(mmu.counts.dataMisses).toBe(2)
    words.put32(0x2000, 0x100_0027)
    mmu.translate(0, Access.WRITE)
    expect(mmu.counts.dataMisses).toBe(2)
  })

  test('a refused hit is dropped and walked: stale rights heal, missing ones fault', () => {
    const { mmu, words } = paged()
    words.put32(0x2000, 0x100_0001)
    expect(mmu.translate(0, Access.READ)).toBe(PAGE)
    words.put32(0x2000, 0x100_0005)
    expect(mmu.translate(0, Access.READ | Access.USER)).toBe(PAGE)
    expect(mmu.counts.dataMisses).toBe(2)
    expect(mmu.translate(0, Access.WRITE)).toBe(-1)
    expect(mmu.result).toMatchObject({ fault: 'page-fault', errorCode: 3, linear: 0 })
    expect(mmu.data.lookup(0)).toBe(-1)
    expect(mmu.counts).toMatchObject({ dataMisses: 3, tableReferences: 6 })
  })

  test('a fault drops what both sides hold for the page', () => {
    const { mmu, words } = paged()
    mmu.translate(0x3000, Access.FETCH)
    mmu.translate(0x3000, Access.READ)
    words.put32(0x200c, 0)
    expect(mmu.translate(0x3000, Access.WRITE)).toBe(-1)
    expect(mmu.instruction.lookup(3)).toBe(-1)
    expect(mmu.translate(0x3000, Access.FETCH)).toBe(-1)
    expect(mmu.counts).toMatchObject({ dataMisses: 2, instructionMisses: 2, tableReferences: 8 })
  })

  test('a page-table change is not seen before its INVLPG', () => {
    const { mmu, words } = paged()
    mmu.translate(0x3000, Access.READ)
    words.put32(0x200c, 0x777_7007)
    expect(mmu.translate(0x3000, Access.READ)).toBe(PAGE + 3)
    mmu.invlpg(0x3abc)
    expect(mmu.translate(0x3000, Access.READ)).toBe(0x7777)
  })

  test('taking what was peeked at does what translating does', () => {
    const random = generator(7)
    const [looking, plain] = [paged({ dataEntries: 8 }, PSE | PGE), paged({ dataEntries: 8 }, PSE | PGE)]
    for (let n = 0; n < 4000; n++) {
      const linear = random(2 ** 24 + 0x40_0000)
      const access = [Access.READ, Access.WRITE, Access.USER | Access.WRITE, Access.FETCH][random(4)]!
      const [table, entry] = [0x1000 * (1 + random(5)) + 4 * random(8), random(2 ** 9) | (random(1024) << 22)]
      for (const { words } of [looking, plain]) if (n % 3 === 0 && table >= 0x2000) words.put32(table, entry)
      const large = random(4) * 0x100_0000 + 0x87
      if (n % 50 === 0) for (const { words } of [looking, plain]) words.put32(0x1008, large)
      const peeked = looking.mmu.peek(linear, access)
      expect(looking.mmu.take()).toBe(peeked >= 0)
      expect(plain.mmu.translate(linear, access)).toBe(peeked)
      expect(looking.mmu.find(linear, access)).toBe(peeked)
      if (peeked < 0) expect(looking.mmu.result).toEqual(plain.mmu.result)
    }
    expect(looking.mmu.save()).toEqual(plain.mmu.save())
    expect(looking.words.words).toEqual(plain.words.words)
  })

  test('peeking leaves no trace', () => {
    const { mmu, words } = paged()
    const before = mmu.save()
    expect(mmu.peek(0x5123, Access.WRITE)).toBe(PAGE + 5)
    expect(mmu.peek(0x100_0000, Access.WRITE)).toBe(-1)
    expect(mmu.save()).toEqual(before)
    expect(words.stores).toEqual([])
    mmu.translate(0x5000, Access.READ)
    words.put32(0x2014, 0)
    expect(mmu.peek(0x5123, Access.READ)).toBe(PAGE + 5)
    expect(mmu.peek(0x5123, Access.WRITE)).toBe(-1)
  })
})

describe('large pages', () => {
  test('enter piece by piece, and INVLPG anywhere in one drops all pieces', () => {
    const { mmu, words } = paged({ dataEntries: 4096 }, PSE)
    words.put32(0x1000, 0x0100_0087)
    for (const linear of [0, 0x20_0000, 0x3f_f000]) mmu.translate(linear, Access.READ)
    mmu.translate(0x40_0000, Access.READ)
    expect(mmu.counts).toMatchObject({ dataMisses: 4, tableReferences: 5 })
    mmu.invlpg(0x12_3456)
    expect([0, 0x200, 0x3ff].map((page) => mmu.data.lookup(page))).toEqual([-1, -1, -1])
    expect(mmu.data.lookup(0x400)).not.toBe(-1)
  })
})

describe('registers', () => {
  test('a CR3 load spares global entries only with CR4.PGE', () => {
    for (const pge of [0, PGE]) {
      const { mmu, words } = paged({}, pge)
      words.put32(0x2004, 0x100_1107)
      mmu.translate(0x1000, Access.READ)
      mmu.translate(0x2000, Access.READ)
      mmu.setRoot(0x1000)
      expect([mmu.data.lookup(1) >= 0, mmu.data.lookup(2) >= 0]).toEqual([pge !== 0, false])
      mmu.flush()
      expect(mmu.data.lookup(1)).toBe(-1)
    }
  })

  test.each([
    { name: 'CR0.PG', cr0: WP | 1, cr4: PGE, flushed: true },
    { name: 'CR4.PGE', cr0: PG_PE | WP, cr4: 0, flushed: true },
    { name: 'CR4.PSE', cr0: PG_PE | WP, cr4: PGE | PSE, flushed: true },
    { name: 'CR4.SMEP set', cr0: PG_PE | WP, cr4: PGE | SMEP, flushed: true },
    { name: 'CR0.WP', cr0: PG_PE, cr4: PGE, flushed: false },
    { name: 'CR4.SMAP', cr0: PG_PE | WP, cr4: PGE | SMAP, flushed: false },
    { name: 'CR0.TS', cr0: PG_PE | WP | 8, cr4: PGE, flushed: false },
  ])('a change of $name: global entries flushed $flushed', ({ cr0, cr4, flushed }) => {
    const { mmu, words } = paged({}, PGE)
    words.put32(0x2004, 0x100_1107)
    mmu.translate(0x1000, Access.READ)
    expect(mmu.setControls(cr0, cr4, 0)).toBe(true)
    expect(mmu.data.lookup(1) < 0).toBe(flushed)
  })

  test('supervisor writes obey CR0.WP at once, and engines hear of it', () => {
    const { mmu, words } = paged()
    words.put32(0x2000, 0x100_0065)
    mmu.translate(0, Access.READ)
    const heard: unknown[] = []
    mmu.listener = { onFlush: (keepsGlobal) => heard.push(keepsGlobal) }
    mmu.setControls(PG_PE, 0, 0)
    expect(mmu.translate(0, Access.WRITE)).toBe(PAGE)
    expect(mmu.counts.dataMisses).toBe(1)
    mmu.setControls(PG_PE | WP, 0, 0)
    expect(mmu.translate(0, Access.WRITE)).toBe(-1)
    expect(heard).toEqual([false, false])
    mmu.setControls(PG_PE | WP | 8, 0, 0)
    mmu.setAlignmentCheck(true)
    expect(heard).toHaveLength(2)
  })

  test('EFLAGS.AC lifts SMAP', () => {
    const { mmu } = paged({}, SMAP)
    expect(mmu.translate(0, Access.READ)).toBe(-1)
    const heard: unknown[] = []
    mmu.listener = { onFlush: (keepsGlobal) => heard.push(keepsGlobal) }
    mmu.setAlignmentCheck(true)
    expect(mmu.translate(0, Access.READ)).toBe(PAGE)
    mmu.setAlignmentCheck(true)
    mmu.setAlignmentCheck(false)
    expect(mmu.translate(0, Access.READ)).toBe(-1)
    expect(heard).toEqual([false, false])
  })
})

describe('PAE', () => {
  function words(): Words {
    const made = new Words()
    made.put64(0x1000, 0x2001n)
    made.put64(0x1018, 0x8_0000_3001n)
    made.put64(0x2000, 0x4007n)
    made.put64(0x8_0000_3000, (1n << 63n) | 0x4007n)
    made.put64(0x4008, 0x9_9999_9007n)
    return made
  }

  test('loads four pointers with CR3 and walks two levels from them', () => {
    const memory = words()
    const mmu = new Mmu({ tables: memory })
    mmu.setRoot(0x1000)
    expect(mmu.counts.tableReferences).toBe(0)
    expect(mmu.setControls(PG_PE, PAE, NXE)).toBe(true)
    expect(mmu.counts.tableReferences).toBe(4)
    expect(mmu.translate(0x1000, Access.FETCH)).toBe(0x999999)
    expect(mmu.translate(0xc000_1000, Access.READ)).toBe(0x999999)
    expect(mmu.counts.tableReferences).toBe(8)
    expect(mmu.translate(0xc000_1000, Access.FETCH)).toBe(-1)
    expect(mmu.result.errorCode).toBe(0x11)
    expect(mmu.translate(0x4000_1000, Access.WRITE)).toBe(-1)
    expect(mmu.result).toMatchObject({ errorCode: 2, level: 3, references: 0 })
    expect(mmu.counts.tableReferences).toBe(10)
    memory.put64(0x1000, 0n)
    mmu.flush()
    expect(mmu.translate(0x1000, Access.READ)).toBe(0x999999)
    expect(mmu.setRoot(0x1000)).toBe(true)
    expect(mmu.translate(0x1000, Access.READ)).toBe(-1)
  })

  test('refuses reserved bits in a pointer and stays as it was', () => {
    const memory = words()
    const mmu = new Mmu({ tables: memory })
    memory.put64(0x5000, 0x2003n)
    mmu.setRoot(0x5000)
    expect(mmu.setControls(PG_PE, PAE, 0)).toBe(false)
    expect(mmu.result.fault).toBe('general-protection')
    expect(mmu.translate(0x1234_5000, Access.READ)).toBe(0x12345)
    mmu.setRoot(0x1000)
    expect(mmu.setControls(PG_PE, PAE, 0)).toBe(true)
    mmu.translate(0x1000, Access.READ)
    expect(mmu.setRoot(0x5000)).toBe(false)
    expect(mmu.data.lookup(1)).not.toBe(-1)
    expect(mmu.setControls(PG_PE | 0x4000_0000, PAE, 0)).toBe(true)
  })

  test('loads pointers from any 32 bytes, and again only with the bits the manual lists', () => {
    const memory = words()
    for (let entry = 0; entry < 4; entry++) memory.put64(0x1020 + 8 * entry, 0x2001n)
    const mmu = new Mmu({ tables: memory })
    mmu.setRoot(0x1020)
    mmu.setControls(PG_PE, PAE, NXE)
    expect(mmu.translate(0x8000_1000, Access.READ)).toBe(0x999999)
    const loads = (cr0: number, cr4: number): boolean => {
      const before = mmu.counts.tableReferences
      mmu.setControls(cr0, cr4, NXE)
      return mmu.counts.tableReferences === before + 4
    }
    const CD = 0x4000_0000
    expect([loads(PG_PE | CD, PAE), loads(PG_PE | CD, PAE | PGE), loads(PG_PE | CD, PAE | PGE | SMEP)]).toEqual([
      true,
      true,
      true,
    ])
    expect([loads(PG_PE | CD | WP, PAE | PGE | SMEP), loads(PG_PE | CD | WP, PAE | PGE | SMEP | SMAP)]).toEqual([
      false,
      false,
    ])
  })
})

test('4-level paging reaches the upper half', () => {
  const words = new Words()
  words.put64(0x1000 + 8 * 511, 0x2003n)
  words.put64(0x2000 + 8 * 511, 0x3003n)
  words.put64(0x3000 + 8 * 511, 0x4003n)
  words.put64(0x4000 + 8 * 511, 0x8_7654_3003n)
  const mmu = new Mmu({ tables: words })
  mmu.setRoot(0x1000)
  mmu.setControls(PG_PE, PAE, LMA)
  expect(mmu.translate(2 ** 48 - 1, Access.WRITE)).toBe(0x876543)
  expect(mmu.translate(2 ** 48 - 4096, Access.WRITE)).toBe(0x876543)
  mmu.invlpg(2 ** 48 - 5)
  expect(mmu.translate(2 ** 48 - 4096, Access.WRITE)).toBe(0x876543)
  expect(mmu.counts).toMatchObject({ dataMisses: 2, tableReferences: 8 })
})

describe('a second stage', () => {
  const EPT_ROOT = 0x1000_0000

  function nested(accessedDirty = false): { mmu: Mmu; words: Words } {
    const { mmu, words } = paged()
    // Guest-physical 0–64 MiB as they are, by 2 MiB pages.
    words.put64(EPT_ROOT, 0x1000_1007n)
    words.put64(0x1000_1000, 0x1000_2007n)
    for (let page = 0; page < 32; page++) words.put64(0x1000_2000 + 8 * page, BigInt(page * 0x20_0000) | 0xb7n)
    mmu.setSecondStage(new ExtendedPageTables(words, EPT_ROOT, walkControls({ accessedDirty })))
    return { mmu, words }
  }

  test('counts both stages and caches the pair', () => {
    const { mmu } = nested()
    expect(mmu.translate(0x1000, Access.WRITE)).toBe(PAGE + 1)
    expect(mmu.translate(0x1000, Access.READ)).toBe(PAGE + 1)
    expect(mmu.counts).toEqual({ dataMisses: 1, instructionMisses: 0, tableReferences: 2, secondStageReferences: 9 })
  })

  test('a guest without paging is translated by it alone', () => {
    const { mmu, words } = nested()
    mmu.setControls(0, 0, 0)
    expect(mmu.translate(0x123_4567, Access.WRITE)).toBe(0x1234)
    expect(mmu.translate(0x123_4567, Access.WRITE)).toBe(0x1234)
    expect(mmu.counts).toMatchObject({ dataMisses: 1, tableReferences: 0, secondStageReferences: 3 })
    words.put64(0x1000_2000, 0n)
    expect(mmu.translate(0x1234, Access.WRITE)).toBe(-1)
    expect(mmu.result).toMatchObject({
      fault: 'ept-violation',
      qualification: 0x182,
      guestPhysical: 0x1234,
      linear: 0x1234,
    })
    mmu.setSecondStage(undefined)
    expect(mmu.translate(0x123_4567, Access.WRITE)).toBe(0x1234)
    expect(mmu.counts.dataMisses).toBe(2)
  })

  test('what it takes away is a violation also on a hit', () => {
    const { mmu, words } = nested()
    words.put64(0x1000_2000 + 8 * 8, 0x100_0000n | 0xb1n)
    expect(mmu.translate(0, Access.READ)).toBe(PAGE)
    mmu.setControls(PG_PE, 0, 0)
    expect(mmu.translate(0, Access.WRITE)).toBe(-1)
    expect(mmu.result).toMatchObject({ fault: 'ept-violation', qualification: 0x18a, guestPhysical: 0x100_0000 })
  })

  test('a first write sets the dirty flag of both stages', () => {
    const { mmu, words } = nested(true)
    mmu.translate(0, Access.READ)
    expect(words.get64(0x1000_2000 + 8 * 8) & 0x300n).toBe(0x100n)
    mmu.translate(0, Access.WRITE)
    mmu.translate(0, Access.WRITE)
    expect(words.get64(0x1000_2000 + 8 * 8) & 0x300n).toBe(0x300n)
    expect(mmu.counts.dataMisses).toBe(2)
  })
})

describe('state', () => {
  test('is put back so that counts go on as if nothing had been', () => {
    const { mmu, words } = paged({}, PGE)
    const random = generator(5)
    const use = (target: Mmu): void => {
      const access = [Access.READ, Access.WRITE, Access.FETCH][random(3)]
      target.translate(random(0x100_0000), access)
      if (random(50) === 0) target.setRoot(0x1000)
    }
    for (let step = 0; step < 500; step++) use(mmu)
    const copy = new Mmu({ tables: words, dataEntries: 64, instructionEntries: 16 })
    copy.restore(structuredClone(mmu.save()))
    expect(copy.save()).toEqual(mmu.save())
    for (let step = 0; step < 500; step++) {
      const linear = random(0x100_0000)
      const access = [Access.READ, Access.WRITE, Access.FETCH][random(3)]
      expect(copy.translate(linear, access)).toBe(mmu.translate(linear, access))
      expect(copy.counts).toEqual(mmu.counts)
    }
  })

  test('of another geometry is refused', () => {
    const { mmu } = paged()
    expect(() => new Mmu({ tables: new Words() }).restore(mmu.save())).toThrow(
      expect.objectContaining({ code: 'state-mismatch' }),
    )
  })
})

test('an engine that caches by the listener stays a subset, and its counts are those of no cache at all', () => {
  const script = generator(99)
  const steps = Array.from({ length: 30_000 }, () => [
    script(100),
    script(200) * 4096 + script(2) * 0x40_0000,
    script(6),
  ])
  const run = (caching: boolean): unknown => {
    const { mmu, words } = paged({}, PSE | PGE)
    words.put32(0x1004, 0x0100_0187)
    const cache = new Map<string, number>()
    const listener: MmuListener = {
      onEvict: (page, instruction) => {
        for (const kind of instruction ? ['fetch'] : ['read', 'write']) cache.delete(`${kind} ${page}`)
      },
      onFlush: () => cache.clear(),
    }
    mmu.listener = listener
    const trace: number[] = []
    for (const [what, linear, detail] of steps) {
      const page = linear / 4096
      if (what === 0) mmu.setRoot(0x1000)
      else if (what === 1) mmu.invlpg(linear)
      else if (what === 2) mmu.setControls(PG_PE | (detail & 1 ? WP : 0), PSE | PGE, 0)
      else if (what < 6) words.put32(0x2000 + 4 * (page % 1024), (0x100_0000 + linear) | 1 | (detail << 1))
      else {
        const kind = ['read', 'write', 'fetch'][detail % 3]
        const access = [Access.READ, Access.WRITE, Access.FETCH][detail % 3]
        const cached = caching ? cache.get(`${kind} ${page}`) : undefined
        const got = cached ?? mmu.translate(linear, access)
        if (got >= 0) cache.set(`${kind} ${page}`, got)
        trace.push(got)
      }
    }
    return { trace, counts: mmu.counts }
  }
  expect(run(true)).toEqual(run(false))
})

test('the walker accepts what the unit accepts', () => {
  const { mmu, words } = paged()
  const out = new WalkResult()
  const walker = new Walker(FORMAT_32BIT)
  for (let linear = 0; linear < 0x120_0000; linear += 0x1_1000) {
    const ok = walker.walk(words, 0x1000, linear, Access.READ, walkControls({ pse: false, pge: false }), out)
    expect(mmu.translate(linear, Access.READ)).toBe(ok ? Math.floor(out.physical / 4096) : -1)
  }
})
