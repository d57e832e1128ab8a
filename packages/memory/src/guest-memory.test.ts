import { describe, expect, test } from 'vitest'
import { FramePool } from './frame-pool.ts'
import { GuestMemory, type MmioHandler } from './guest-memory.ts'
import { HostMemory } from './host-memory.ts'
import { pcRanges } from './layout.ts'
import { PageFlag, PageMap } from './page-map.ts'

const KIB = 1024
const GIB = 2 ** 30

function small(mmio?: MmioHandler): GuestMemory {
  return new GuestMemory({
    ranges: [
      { kind: 'ram', start: 0, bytes: 64 * KIB },
      { kind: 'rom', start: 0xf0000, bytes: 64 * KIB, name: 'BIOS' },
      { kind: 'ram', start: 0x1_0000_0000, bytes: 64 * KIB, name: 'high RAM' },
    ],
    ...(mmio === undefined ? {} : { mmio }),
  })
}

describe('bytes', () => {
  test('every width, aligned or not, within and across pages, below and above 4 GiB', () => {
    const memory = small()
    for (const base of [0, 0x1_0000_0000]) {
      for (const offset of [0, 1, 2, 3, 0xffb, 0xffc, 0xffd, 0xffe, 0xfff]) {
        const address = base + offset
        memory.write64(address, 0x89abcdef, 0x01234567)
        expect(memory.read64(address)).toBe(0x0123456789abcdefn)
        expect(memory.read32(address)).toBe(0x89abcdef)
        expect(memory.read16(address)).toBe(0xcdef)
        expect(memory.read8(address)).toBe(0xef)
        memory.write32(address, -2)
        expect(memory.read32(address)).toBe(0xfffffffe)
        memory.write16(address, 0x5678)
        memory.write8(address + 1, 0x1ff)
        expect(memory.read32(address)).toBe(0xffffff78)
        const bytes = new Uint8Array(8)
        memory.readBytes(address, bytes)
        expect([...bytes]).toEqual([0x78, 0xff, 0xff, 0xff, 0x67, 0x45, 0x23, 0x01])
      }
    }
  })

  test('ROM is loaded by its owner and not written by the guest', () => {
    const memory = small()
    memory.load(0xf0ffe, Uint8Array.of(1, 2, 3, 4))
    memory.write32(0xf0ffe, 0)
    memory.write8(0xf0fff, 0)
    memory.write16(0xf0fff, 0)
    memory.write64(0xf0000, 1, 1)
    memory.writeBytes(0xf0ffe, new Uint8Array(4))
    expect(memory.read32(0xf0ffe)).toBe(0x04030201)
    expect(memory.read32(0xf0000)).toBe(0)
    expect(memory.prepareWrite(0xf0, 0, 4)).toBe(0)
    expect(memory.writePage(0xf0)).toBe(0)
    expect(() => memory.load(0xe0000, Uint8Array.of(1))).toThrow(expect.objectContaining({ code: 'not-memory' }))
  })

  test('RAM can be made read-only and writable again', () => {
    const memory = small()
    memory.write32(0x2000, 7)
    memory.setReadOnly(0x2000, 0x1000, true)
    memory.write32(0x2000, 8)
    expect(memory.read32(0x2000)).toBe(7)
    memory.setReadOnly(0x2000, 0x1000, false)
    memory.write32(0x2000, 9)
    expect(memory.read32(0x2000)).toBe(9)
    expect(() => memory.setReadOnly(0xf000, 0x2000, true)).toThrow(expect.objectContaining({ code: 'not-memory' }))
    memory.write32(0xf000, 1)
    expect(memory.read32(0xf000)).toBe(1)
  })
})

describe('holes', () => {
  test('go to the handler with address, width and an unsigned value', () => {
    const seen: unknown[] = []
    const memory = small({
      read: (address, width) => {
        seen.push(['read', address, width])
        return -1
      },
      write: (address, width, value) => seen.push(['write', address, width, value]),
    })
    expect([memory.read8(0xa0000), memory.read16(0xa0001), memory.read32(0xfee0_0002)]).toEqual([
      0xff, 0xffff, 0xffffffff,
    ])
    memory.write8(0xa0000, -1)
    memory.write16(0xa0000, -1)
    memory.write32(2 ** 45, -1)
    memory.write64(0xa0000, 1, 2)
    memory.writeBytes(0xa0003, Uint8Array.of(1, 2, 3, 4, 0xff, 6))
    expect(seen).toEqual([
      ['read', 0xa0000, 1],
      ['read', 0xa0001, 2],
      ['read', 0xfee00002, 4],
      ['write', 0xa0000, 1, 0xff],
      ['write', 0xa0000, 2, 0xffff],
      ['write', 2 ** 45, 4, 0xffffffff],
      ['write', 0xa0000, 4, 1],
      ['write', 0xa0004, 4, 2],
      ['write', 0xa0003, 1, 1],
      ['write', 0xa0004, 4, 0xff040302],
      ['write', 0xa0008, 1, 6],
    ])
  })

  test('read all ones by default, also from RAM into a hole', () => {
    const memory = small()
    memory.write32(0xfffe, 0x11223344)
    expect(memory.read32(0xfffe)).toBe(0xffff3344)
    const bytes = new Uint8Array(6)
    memory.readBytes(0xfffd, bytes)
    expect([...bytes]).toEqual([0, 0x44, 0x33, 0xff, 0xff, 0xff])
    expect(memory.readPage(0x10)).toBe(0)
    expect(memory.readPage(2 ** 39)).toBe(0)
    expect(memory.markCode(0x10, 0, 10)).toBe(false)
    expect(() => memory.watch(0x10, {})).toThrow(expect.objectContaining({ code: 'not-memory' }))
  })

  test('DMA is done whole or not at all', () => {
    const memory = small()
    const bytes = Uint8Array.of(1, 2, 3, 4)
    expect(memory.dma.write(0xfffe, bytes)).toBe(false)
    expect(memory.read16(0xfffe)).toBe(0)
    expect(memory.dma.write(0xf0000, bytes)).toBe(false)
    expect(memory.dma.write(0xfffc, bytes)).toBe(true)
    const into = new Uint8Array(4)
    expect(memory.dma.read(0xfffc, into)).toBe(true)
    expect(into).toEqual(bytes)
    expect(memory.dma.read(0xfffd, into)).toBe(false)
    expect(memory.dma.read(0xf0000, into)).toBe(true)
  })
})

describe('ranges', () => {
  test('an overlap names both', () => {
    const memory = small()
    expect(() => memory.map({ kind: 'ram', start: 0xff000, bytes: 0x2000, name: 'frame buffer' })).toThrow(
      expect.objectContaining({
        code: 'range-overlap',
        message: expect.stringMatching(/frame buffer 0xff000–0x100fff.*BIOS 0xf0000–0xfffff/),
      }),
    )
  })

  test.each([
    { start: 1, bytes: 4096 },
    { start: 0x20000, bytes: 100 },
    { start: 0x20000, bytes: 0 },
    { start: -4096, bytes: 4096 },
    { start: 2 ** 40, bytes: 4096 },
    { start: Number.NaN, bytes: 4096 },
  ])('a range that cannot be is a typed error: %o', (range) => {
    expect(() => small().map({ kind: 'ram', ...range })).toThrow(expect.objectContaining({ code: 'range-invalid' }))
  })

  test('come and go at run time', () => {
    const memory = small()
    const remapped: number[] = []
    const codeWrites: number[] = []
    memory.map({ kind: 'ram', start: 0xe000_0000, bytes: 0x2000 })
    memory.write32(0xe000_0ffe, 0xdeadbeef)
    memory.listen({ onRemapped: (pfn) => remapped.push(pfn), onCodeWrite: (pfn) => codeWrites.push(pfn) })
    memory.noteWriteCached(0xe0000)
    memory.markCode(0xe0001, 0, 1)
    memory.noteReadCached(0xe0001)
    memory.unmap(0xe000_0000)
    expect(remapped).toEqual([0xe0000, 0xe0001])
    expect(codeWrites).toEqual([0xe0001])
    expect(memory.read32(0xe000_0ffe)).toBe(0xffffffff)
    expect(memory.pool.inUse).toBe(0)
    memory.map({ kind: 'ram', start: 0xe000_0000, bytes: 0x1000 })
    expect(memory.read32(0xe000_0ffc)).toBe(0)
    expect(() => memory.unmap(0xe000_1000)).toThrow(expect.objectContaining({ code: 'not-memory' }))
  })

  test('move with what is in them, within a memory and to another', () => {
    const memory = small()
    const card = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 0x3000 }], pool: memory.pool })
    card.write32(0x1ffe, 0xdeadbeef)
    card.moveRange(0, 0xe000_0000, memory)
    expect([memory.read32(0xe000_1ffe), card.ranges, card.read8(0x1ffe)]).toEqual([0xdeadbeef, [], 0xff])
    memory.write8(0xe000_0000, 1)
    const remapped: number[] = []
    memory.listen({ onRemapped: (pfn) => remapped.push(pfn) })
    memory.noteReadCached(0xe0001)
    memory.moveRange(0xe000_0000, 0x20_0000)
    expect([remapped, memory.read8(0xe000_0000)]).toEqual([[0xe0001], 0xff])
    memory.write16(0x20_2ffe, 7)
    memory.moveRange(0x20_0000, 0, card)
    expect([card.read8(0), card.read32(0x1ffe), card.read16(0x2ffe)]).toEqual([1, 0xdeadbeef, 7])
    expect(memory.pool.inUse).toBe(3)
  })

  test('stay where they are if there is no room', () => {
    const memory = small()
    memory.write8(5, 1)
    const refuses = (to: number, code: string) =>
      expect(() => memory.moveRange(0, to)).toThrow(expect.objectContaining({ code }))
    refuses(0xf_8000, 'range-overlap')
    refuses(0x1000, 'range-overlap')
    refuses(0x1001, 'range-invalid')
    expect(() => memory.moveRange(0x1000, 0x20_0000)).toThrow(expect.objectContaining({ code: 'not-memory' }))
    expect([memory.ranges.length, memory.read8(5)]).toEqual([3, 1])
  })

  test('that move about for long cost no more than one', () => {
    const map = new PageMap()
    for (let i = 0; i < 100; i++) {
      const start = ((i * 37) % 100) * 2 ** 30
      map.add({ kind: 'ram', start, bytes: 0x80_0000 }, 4096, 0)
      expect([map.frame[map.slot(start / 4096)], map.frame[map.slot(start / 4096 + 2048)]]).toEqual([4096, 0])
      map.remove(start)
      expect(map.frame[map.slot(start / 4096)]).toBe(0)
    }
    expect(map.frame.length).toBe(3 * 1024)
  })

  test('the layout of a PC', () => {
    expect(pcRanges({ ram: 4 * GIB }).map(({ start, bytes }) => [start, bytes])).toEqual([
      [0, 0xa0000],
      [0x100000, 3 * GIB - 0x100000],
      [4 * GIB, GIB],
    ])
    expect(pcRanges({ ram: 2 ** 20 }).map(({ start, bytes }) => [start, bytes])).toEqual([[0, 0xa0000]])
    expect(() => pcRanges({ ram: 12345 })).toThrow(expect.objectContaining({ code: 'memory-size' }))
  })
})

describe('frames', () => {
  test('a guest of 4 GiB costs what it writes', () => {
    const memory = new GuestMemory({ ranges: pcRanges({ ram: 4 * GIB }) })
    expect(memory.read32(0xbfff_fffc)).toBe(0)
    memory.write8(0, 1)
    memory.write8(5 * GIB - 1, 1)
    expect(memory.pool.inUse).toBe(2)
    expect(memory.host.byteLength).toBeLessThan(32 * 2 ** 20)
  })

  test('a page given back reads as zeros and gets a frame when written', () => {
    const memory = small()
    memory.write32(0x3000, 5)
    memory.unmapFrame(3)
    expect(memory.pool.inUse).toBe(0)
    expect(memory.read32(0x3000)).toBe(0)
    memory.write32(0x3004, 6)
    expect(memory.pool.inUse).toBe(1)
  })

  test('equal pages can be merged and part again when written', () => {
    const memory = small()
    memory.write32(0x1000, 42)
    memory.write32(0x2000, 42)
    memory.mapFrame(2, memory.readPage(1))
    expect(memory.pool.inUse).toBe(1)
    expect(memory.writePage(2)).toBe(0)
    memory.write32(0x2000, 43)
    expect([memory.read32(0x1000), memory.read32(0x2000)]).toEqual([42, 43])
    expect(() => memory.mapFrame(3, 4096 * 999)).toThrow(expect.objectContaining({ code: 'frame-unknown' }))
  })

  test('a guest that may not have a frame says so before anything has changed', () => {
    const owner = { name: 'small guest', charge: () => false, uncharge: () => {} }
    const memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 8192 }], owner })
    const log = memory.openDirtyLog()
    expect(() => memory.write32(0, 1)).toThrow(expect.objectContaining({ code: 'frame-limit' }))
    expect(log.take()).toEqual([])
    expect(memory.read32(0)).toBe(0)
  })

  test('disposing gives every frame back, shared ones when the last sharer goes', () => {
    const pool = new FramePool({ host: new HostMemory() })
    const memory = new GuestMemory({ pool, ranges: [{ kind: 'ram', start: 0, bytes: 65536 }] })
    memory.writeBytes(0, new Uint8Array(65536).fill(1))
    {
      using child = memory.fork()
      child.write8(0, 2)
      expect(pool.inUse).toBe(17)
    }
    expect(pool.inUse).toBe(16)
    memory[Symbol.dispose]()
    expect(pool.inUse).toBe(0)
  })
})

describe('plain writes', () => {
  test('are allowed from the first prepared write on, until something needs to know', () => {
    const memory = small()
    const restricted: number[] = []
    const all: string[] = []
    memory.listen({ onWriteRestricted: (pfn) => restricted.push(pfn), onAllWriteRestricted: () => all.push('all') })
    expect(memory.writePage(1)).toBe(0)
    const host = memory.prepareWrite(1, 0x10, 4)
    expect(memory.writePage(1)).toBe(host - 0x10)
    memory.markCode(1, 0, 4)
    expect(restricted).toEqual([])
    memory.clearCode(1)
    memory.noteWriteCached(1)
    memory.markCode(1, 0, 4)
    memory.markCode(1, 64, 68)
    expect(restricted).toEqual([1])
    expect(memory.writePage(1)).toBe(0)
    memory.clearCode(1)
    memory.noteWriteCached(1)
    const unwatch = memory.watch(1, {})
    expect(restricted).toEqual([1, 1])
    expect(memory.prepareWrite(1, 0, 4)).toBe(0)
    unwatch()
    expect(memory.writePage(1)).toBe(host - 0x10)
    memory.noteWriteCached(1)
    const log = memory.openDirtyLog()
    expect(all).toEqual(['all'])
    expect(memory.writePage(1)).toBe(0)
    memory.prepareWrite(1, 0, 4)
    expect(memory.writePage(1)).not.toBe(0)
    memory.noteWriteCached(1)
    expect(log.take()).toEqual([1])
    expect(restricted).toEqual([1, 1, 1])
    memory.prepareWrite(1, 0, 4)
    memory.noteWriteCached(1)
    memory.fork()
    expect(all).toEqual(['all', 'all'])
    expect(memory.writePage(1)).toBe(0)
  })

  test('a page that moves at its first write takes its read translations along', () => {
    const memory = small()
    const remapped: number[] = []
    memory.listen({ onRemapped: (pfn) => remapped.push(pfn) })
    memory.noteReadCached(1)
    memory.write8(0x1000, 1)
    memory.write8(0x2000, 1)
    expect(remapped).toEqual([1])
    expect(memory.flagsOf(1) & PageFlag.READ_CACHED).toBe(0)
  })

  test('a page whose sharers are gone is written where it lies', () => {
    const memory = small()
    memory.write8(0x1000, 1)
    const frame = memory.readPage(1)
    memory.fork()[Symbol.dispose]()
    memory.write8(0x1000, 2)
    expect(memory.readPage(1)).toBe(frame)
  })
})

describe('translated code', () => {
  test('only a write to a granule with code drops it, and all of the page then', () => {
    const memory = small()
    const dropped: unknown[] = []
    memory.listen({ onCodeWrite: (pfn) => dropped.push([pfn, memory.read8(0x1080)]) })
    memory.markCode(1, 0x80, 0xc1)
    memory.write32(0x107c, 1)
    memory.write32(0x1100, 1)
    expect(dropped).toEqual([])
    memory.write32(0x107d, 0x5500_0000)
    expect(dropped).toEqual([[1, 0]])
    expect(memory.flagsOf(1) & PageFlag.CODE).toBe(0)
    expect(memory.writePage(1)).not.toBe(0)
    memory.markCode(1, 0xff, 0x100)
    memory.prepareWrite(1, 0xc0, 1)
    expect(dropped.slice(1)).toEqual([[1, 0x55]])
  })

  test('on a page that is forked stays known to the parent only', () => {
    const memory = small()
    const dropped: number[] = []
    memory.listen({ onCodeWrite: (pfn) => dropped.push(pfn) })
    memory.markCode(1, 0, 16)
    const child = memory.fork()
    child.write8(0x1000, 1)
    expect(dropped).toEqual([])
    memory.write8(0x1000, 1)
    expect(dropped).toEqual([1])
  })
})

describe('watched pages', () => {
  test('each owner is told before and after, whoever writes', () => {
    const memory = small()
    const seen: unknown[] = []
    const first = memory.watch(1, {
      beforeWrite: (address, length) => seen.push(['before', address, length, memory.read8(address)]),
    })
    const last = memory.watch(1, {
      afterWrite: (address, length) => seen.push(['after', address, length, memory.read8(address)]),
    })
    memory.write8(0x1001, 7)
    memory.dma.write(0xffe, Uint8Array.of(1, 2, 3, 4))
    memory.write64(0x1008, 1, 2)
    expect(seen).toEqual([
      ['before', 0x1001, 1, 0],
      ['after', 0x1001, 1, 7],
      ['before', 0x1000, 2, 0],
      ['after', 0x1000, 2, 3],
      ['before', 0x1008, 8, 0],
      ['after', 0x1008, 8, 1],
    ])
    first()
    memory.write16(0x1001, 9)
    expect(seen.slice(6)).toEqual([['after', 0x1001, 2, 9]])
    last()
    last()
    memory.write32(0x1000, 0)
    expect(seen).toHaveLength(7)
    expect(memory.writePage(1)).not.toBe(0)
  })

  test('stay watched when their range goes and comes back', () => {
    const memory = small()
    const seen: number[] = []
    memory.watch(0x100000, { afterWrite: (address) => seen.push(address) })
    memory.unmap(0x1_0000_0000)
    memory.map({ kind: 'ram', start: 0x1_0000_0000, bytes: 4096 })
    memory.write8(0x1_0000_0005, 1)
    expect(seen).toEqual([0x1_0000_0000, 0x1_0000_0005])
  })
})

describe('dirty logs', () => {
  test('are independent of each other', () => {
    const memory = small()
    const all = memory.openDirtyLog()
    memory.write8(0x1000, 1)
    const low = memory.openDirtyLog(0x2000, 0x2000)
    memory.write8(0x1000, 1)
    memory.write8(0x3fff, 1)
    memory.writeBytes(0x1_0000_0fff, new Uint8Array(2))
    expect(low.take()).toEqual([3])
    expect(low.take()).toEqual([])
    expect(all.take()).toEqual([1, 3, 0x100000, 0x100001])
    memory.write8(0x3000, 1)
    memory.unmapFrame(1)
    expect(all.take()).toEqual([1, 3])
    low.close()
    all.close()
    memory.write8(0x3000, 1)
    expect(memory.writePage(3)).not.toBe(0)
  })
})

describe('state', () => {
  test('is put back exactly, and holds only pages that are not zero', () => {
    const memory = small()
    memory.load(0xf0000, Uint8Array.of(0xea))
    memory.write32(0x1_0000_0ffe, 0xdeadbeef)
    memory.write8(0x5000, 1)
    memory.write8(0x5000, 0)
    const state = memory.save()
    expect([...state.pages]).toEqual([0xf0, 0x100000, 0x100001])
    const other = small()
    other.write8(0x7000, 1)
    other.markCode(0xf0, 0, 1)
    const dropped: number[] = []
    other.listen({ onCodeWrite: (pfn) => dropped.push(pfn) })
    const log = other.openDirtyLog()
    other.restore(state)
    expect(other.save()).toEqual(state)
    expect(dropped).toEqual([0xf0])
    expect(log.take()).toEqual([7, 0xf0, 0x100000, 0x100001])
    other.write8(0xf0000, 0)
    expect(other.read8(0xf0000)).toBe(0xea)
  })

  test('has what was made read-only or writable meanwhile', () => {
    const memory = small()
    memory.setReadOnly(0x2000, 0x1000, true)
    memory.setReadOnly(0xf0000, 0x2000, false)
    memory.write8(0xf1fff, 1)
    const state = memory.save()
    expect(state.reversed).toEqual([2, 0xf0, 0xf1])
    const other = small()
    other.setReadOnly(0x3000, 0x1000, true)
    other.restore(state)
    for (const address of [0x2000, 0x3000, 0xf1fff, 0xf2000]) other.write8(address, 7)
    expect([0x2000, 0x3000, 0xf1fff, 0xf2000].map((address) => other.read8(address))).toEqual([0, 7, 7, 0])
  })

  test('leaves out memory of cards, which may have moved meanwhile', () => {
    const memory = small()
    memory.map({ kind: 'ram', start: 0xe000_0000, bytes: 4096, saved: false })
    memory.write8(0xe000_0000, 1)
    memory.write8(5, 2)
    const state = memory.save()
    expect([state.ranges.length, state.pages]).toEqual([3, [0]])
    memory.moveRange(0xe000_0000, 0xe100_0000)
    memory.write8(5, 3)
    memory.restore(state)
    expect([memory.read8(5), memory.read8(0xe100_0000)]).toEqual([2, 1])
  })

  test('of another layout or version is refused', () => {
    const state = small().save()
    const other = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 4096 }] })
    expect(() => other.restore(state)).toThrow(expect.objectContaining({ code: 'state-mismatch' }))
    expect(() => small().restore({ ...state, version: 1 as 2 })).toThrow(
      expect.objectContaining({ code: 'state-mismatch' }),
    )
  })
})
