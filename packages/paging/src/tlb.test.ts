import { describe, expect, test } from 'vitest'
import { generator } from '../test/words.ts'
import { Right } from './access.ts'
import { Tlb } from './tlb.ts'

const GLOBAL = Right.GLOBAL

test('a translation is found until another takes its slot', () => {
  const evicted: number[] = []
  const tlb = new Tlb(16, { onEvict: (page) => evicted.push(page) })
  expect(tlb.lookup(5)).toBe(-1)
  tlb.fill(5, 1000, Right.USER, 12)
  const slot = tlb.lookup(5)
  expect([tlb.frame[slot], tlb.rights[slot]]).toEqual([1000, Right.USER])
  tlb.fill(5 + 16 * 2 ** 30, 2 ** 39, 0, 12)
  expect(tlb.lookup(5)).toBe(-1)
  expect(tlb.frame[tlb.lookup(5 + 16 * 2 ** 30)]).toBe(2 ** 39)
  expect(evicted).toEqual([5])
})

test('page 0 of an empty TLB is a miss', () => {
  expect(new Tlb(4).lookup(0)).toBe(-1)
})

test('a flush spares global entries, another does not', () => {
  const flushes: boolean[] = []
  const tlb = new Tlb(16, { onFlush: (keepsGlobal) => flushes.push(keepsGlobal) })
  tlb.fill(1, 1, GLOBAL, 12)
  tlb.fill(2, 2, 0, 12)
  tlb.flushNonGlobal()
  expect([tlb.lookup(1), tlb.lookup(2)]).toEqual([1, -1])
  tlb.flushAll()
  expect(tlb.lookup(1)).toBe(-1)
  expect(flushes).toEqual([true, false])
})

test('invalidating a page drops every piece of its large page, global or not, and nothing else', () => {
  for (const [pageShift, entries] of [
    [21, 4096],
    [22, 64],
    [30, 4096],
  ] as const) {
    const tlb = new Tlb(entries)
    const pieces = 2 ** (pageShift - 12)
    const first = 3 * pieces
    const pages = [first, first + 1, first + pieces - 1]
    for (const page of pages) tlb.fill(page, page, page % 2 === 0 ? GLOBAL : 0, pageShift)
    tlb.fill(first + 5, 77, 0, 12)
    tlb.fill(first + pieces + 7, 78, 0, pageShift)
    tlb.invalidatePage(first + 2)
    expect(pages.map((page) => tlb.lookup(page))).toEqual([-1, -1, -1])
    expect(tlb.lookup(first + 5)).not.toBe(-1)
    expect(tlb.lookup(first + pieces + 7)).not.toBe(-1)
  }
})

test('address spaces keep their entries apart and through each other’s flushes', () => {
  const tlb = new Tlb(16)
  tlb.fill(1, 100, GLOBAL, 12)
  tlb.select(7)
  expect(tlb.lookup(1)).toBe(-1)
  tlb.fill(2, 200, 0, 12)
  tlb.flushNonGlobal()
  expect(tlb.lookup(2)).toBe(-1)
  tlb.fill(2, 201, 0, 12)
  tlb.flushAll()
  tlb.fill(3, 300, 0, 12)
  tlb.select(0)
  expect(tlb.frame[tlb.lookup(1)]).toBe(100)
  expect(tlb.lookup(3)).toBe(-1)
  tlb.select(7)
  expect(tlb.frame[tlb.lookup(3)]).toBe(300)
  tlb.flushSpaces()
  expect(tlb.lookup(3)).toBe(-1)
  tlb.select(0)
  expect(tlb.lookup(1)).toBe(-1)
})

test('a flush of one address space does not forget the large pages of another', () => {
  const tlb = new Tlb(1024)
  tlb.fill(512, 1, 0, 21)
  tlb.select(7)
  tlb.flushAll()
  tlb.select(0)
  tlb.invalidatePage(513)
  expect(tlb.lookup(512)).toBe(-1)
})

test.each([0, 3, -4, 2 ** 21, 1.5])('%s entries are a typed error', (entries) => {
  expect(() => new Tlb(entries)).toThrow(expect.objectContaining({ code: 'tlb-geometry' }))
})

test('a state of another geometry or version is a typed error', () => {
  expect(() => new Tlb(8).restore(new Tlb(16).save())).toThrow(expect.objectContaining({ code: 'state-mismatch' }))
  expect(() => new Tlb(8).restore({ ...new Tlb(8).save(), version: 2 as 1 })).toThrow(
    expect.objectContaining({ code: 'state-mismatch' }),
  )
})

interface Entry {
  space: number
  page: number
  frame: number
  rights: number
  pageShift: number
}

/** A list of entries, searched from end to end; and a cache that follows the listener. */
class Model {
  entries: Entry[] = []
  space = 0
  readonly size: number

  constructor(size: number) {
    this.size = size
  }

  find(page: number): Entry | undefined {
    return this.entries.find((entry) => entry.space === this.space && entry.page === page)
  }

  fill(entry: Entry): void {
    this.entries = this.entries.filter((other) => other.page % this.size !== entry.page % this.size)
    this.entries.push(entry)
  }

  invalidate(page: number): void {
    const covers = (entry: Entry): boolean => {
      const pieces = 2 ** (entry.pageShift - 12)
      return Math.floor(entry.page / pieces) === Math.floor(page / pieces)
    }
    this.entries = this.entries.filter((entry) => entry.space !== this.space || !covers(entry))
  }

  flush(keep: (entry: Entry) => boolean): void {
    this.entries = this.entries.filter((entry) => entry.space !== this.space || keep(entry))
  }
}

describe.each([1, 2, 3, 4])('seed %i', (seed) => {
  test('random use agrees with a naive model, and a cache that listens stays a subset', () => {
    const random = generator(seed * 977)
    const size = 2 ** (3 + seed)
    const cache = new Map<number, number>()
    const make = (): Tlb =>
      new Tlb(size, {
        onEvict: (page) => cache.delete(page),
        onFlush: (keepsGlobal) => {
          for (const page of [...cache.keys()]) if (!keepsGlobal || (globals.get(page) ?? 0) === 0) cache.delete(page)
        },
      })
    const globals = new Map<number, number>()
    let tlb = make()
    const model = new Model(size)
    const anyPage = (): number => random(size * 3) + random(3) * 1024 + (random(8) === 0 ? 2 ** 34 : 0)
    for (let step = 0; step < 20_000; step++) {
      const page = anyPage()
      switch (random(12)) {
        case 0:
        case 1:
          tlb.invalidatePage(page)
          model.invalidate(page)
          break
        case 2:
          if (random(10) > 0) break
          tlb.flushNonGlobal()
          model.flush((entry) => (entry.rights & GLOBAL) !== 0)
          break
        case 3:
          if (random(30) > 0) break
          tlb.flushAll()
          model.flush(() => false)
          break
        case 4:
          if (random(10) > 0) break
          model.space = random(3)
          tlb.select(model.space)
          break
        case 5: {
          const slot = tlb.lookup(page)
          if (slot >= 0) tlb.drop(slot)
          model.entries = model.entries.filter((entry) => entry.space !== model.space || entry.page !== page)
          break
        }
        case 6: {
          if (random(20) > 0) break
          const state = structuredClone(tlb.save())
          expect(state.valid).toHaveLength(model.entries.length)
          tlb = make()
          tlb.restore(state)
          expect(tlb.save()).toEqual(state)
          cache.clear()
          break
        }
        default: {
          const entry = {
            space: model.space,
            page,
            frame: random(2 ** 31),
            rights: random(256),
            pageShift: [12, 12, 12, 21, 22, 30][random(6)],
          }
          tlb.fill(page, entry.frame, entry.rights, entry.pageShift)
          model.fill(entry)
          if (random(2) === 0) {
            cache.set(page, entry.frame)
            globals.set(page, entry.rights & GLOBAL)
          }
          break
        }
      }
      for (const probe of [page, anyPage()]) {
        const slot = tlb.lookup(probe)
        const expected = model.find(probe)
        if (slot < 0 !== (expected === undefined))
          expect.fail(`page ${probe}: slot ${slot}, model ${JSON.stringify(expected)}`)
        if (expected === undefined) continue
        if (tlb.frame[slot] !== expected.frame || tlb.rights[slot] !== expected.rights)
          expect.fail(`page ${probe} differs`)
      }
      if (step % 50 === 0) for (const [cached, frame] of cache) expect(tlb.frame[tlb.lookup(cached)]).toBe(frame)
    }
  })
})
