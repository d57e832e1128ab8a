/**
 * Random operations against a naive model. What would break for a user: a byte lost or leaked between forks, an engine
 * storing through a stale translation, a translation of overwritten code left alive, a written page missing from a log.
 */
import { describe, expect, test } from 'vitest'
import type { DirtyLog } from './dirty-log.ts'
import { FramePool } from './frame-pool.ts'
import { GuestMemory } from './guest-memory.ts'
import { HostMemory } from './host-memory.ts'
import type { MemoryRange } from './page-map.ts'

const PAGES = 12
const ROM_PAGE = 5
const HOLE_PAGE = 8
const RANGES: MemoryRange[] = [
  { kind: 'ram', start: 0, bytes: ROM_PAGE * 4096 },
  { kind: 'rom', start: ROM_PAGE * 4096, bytes: 4096 },
  { kind: 'ram', start: (ROM_PAGE + 1) * 4096, bytes: (HOLE_PAGE - ROM_PAGE - 1) * 4096 },
  { kind: 'ram', start: (HOLE_PAGE + 1) * 4096, bytes: (PAGES - HOLE_PAGE - 1) * 4096 },
]

function generator(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

/** One memory, its model, and an engine that caches whatever it may. */
class Subject {
  readonly memory: GuestMemory
  readonly bytes: Map<number, number>
  readonly reads = new Map<number, number>()
  readonly writes = new Map<number, number>()
  /** Bytes translated, as addresses. */
  readonly code = new Set<number>()
  readonly watched = new Map<number, { stop: () => void; before: number; after: number }>()
  readonly dirty: { log: DirtyLog; pages: Set<number> }[] = []

  constructor(memory: GuestMemory, bytes: Map<number, number>) {
    this.memory = memory
    this.bytes = bytes
    memory.listen({
      onWriteRestricted: (pfn) => this.writes.delete(pfn),
      onAllWriteRestricted: () => this.writes.clear(),
      onRemapped: (pfn) => {
        this.reads.delete(pfn)
        this.writes.delete(pfn)
      },
      onCodeWrite: (pfn) => {
        for (let offset = 0; offset < 4096; offset++) this.code.delete(pfn * 4096 + offset)
      },
    })
  }

  /** The model's side of a write; then checks that no code remains translated under it. */
  wrote(address: number, values: number[]): void {
    values.forEach((value, index) => {
      const page = (address + index) >>> 12
      if (page === ROM_PAGE || page === HOLE_PAGE || page >= PAGES) return
      this.bytes.set(address + index, value)
      for (const { pages } of this.dirty) pages.add(page)
      if (this.code.has(address + index)) throw new Error(`code at ${address + index} survived a write`)
    })
  }

  check(random: (below: number) => number): void {
    for (const [pfn, host] of this.reads)
      if (this.memory.readPage(pfn) !== host) throw new Error(`stale read of page ${pfn}`)
    for (const [pfn, host] of this.writes)
      if (this.memory.writePage(pfn) !== host) throw new Error(`stale write to page ${pfn}`)
    const page = random(PAGES)
    const start = page * 4096 + random(4096 - 64)
    const actual = new Uint8Array(64)
    this.memory.readBytes(start, actual)
    const expected = actual.map((_, index) => (page === HOLE_PAGE ? 0xff : (this.bytes.get(start + index) ?? 0)))
    if (actual.some((byte, index) => byte !== expected[index])) expect(actual).toEqual(expected)
  }
}

const little = (value: number, length: number): number[] =>
  Array.from({ length }, (_, index) => Math.floor(value / 2 ** (8 * index)) & 0xff)

function step(subject: Subject, random: (below: number) => number): void {
  const { memory } = subject
  const address = random(PAGES * 4096 - 16)
  const pfn = address >>> 12
  const offset = address & 4095
  const value = random(2 ** 32)
  switch (random(16)) {
    case 0:
      memory.write8(address, value)
      subject.wrote(address, little(value, 1))
      break
    case 1:
      memory.write16(address, value)
      subject.wrote(address, little(value, 2))
      break
    case 2:
      memory.write32(address, value)
      subject.wrote(address, little(value, 4))
      break
    case 3:
      memory.write64(address, value, ~value)
      subject.wrote(address, [...little(value, 4), ...little(~value >>> 0, 4)])
      break
    case 4: {
      const values = Array.from({ length: 1 + random(9000) }, () => random(256)).slice(0, PAGES * 4096 - address)
      memory.writeBytes(address, Uint8Array.from(values))
      subject.wrote(address, values)
      break
    }
    case 5: {
      const values = little(value, 4)
      const whole = [pfn, (address + 3) >>> 12].every((page) => page !== ROM_PAGE && page !== HOLE_PAGE)
      expect(memory.dma.write(address, Uint8Array.from(values))).toBe(whole)
      if (whole) subject.wrote(address, values)
      break
    }
    case 6:
    case 7: {
      // An engine's store: plain if it may, prepared if it must, by address where neither serves.
      const plain = subject.writes.get(pfn)
      const at = plain === undefined ? memory.prepareWrite(pfn, offset, 1) : plain + offset
      if (at === 0) memory.write8(address, value)
      else memory.host.u8[at] = value
      subject.wrote(address, little(value, 1))
      if (memory.writePage(pfn) !== 0) {
        subject.writes.set(pfn, memory.writePage(pfn))
        memory.noteWriteCached(pfn)
      }
      break
    }
    case 8:
      if (memory.readPage(pfn) !== 0) {
        subject.reads.set(pfn, memory.readPage(pfn))
        memory.noteReadCached(pfn)
      }
      break
    case 9: {
      const end = Math.min(4096, offset + 1 + random(40))
      if (memory.markCode(pfn, offset, end)) for (let at = offset; at < end; at++) subject.code.add(pfn * 4096 + at)
      break
    }
    case 10: {
      const watched = subject.watched.get(pfn)
      if (watched !== undefined) {
        watched.stop()
        subject.watched.delete(pfn)
      } else if (pfn !== HOLE_PAGE) {
        const watcher = { stop: () => {}, before: 0, after: 0 }
        watcher.stop = memory.watch(pfn, {
          beforeWrite: (at, length) => {
            expect([at >>> 12, (at + length - 1) >>> 12]).toEqual([pfn, pfn])
            watcher.before++
          },
          afterWrite: () => watcher.after++,
        })
        subject.watched.set(pfn, watcher)
      }
      break
    }
    case 11:
      if (subject.dirty.length < 3) subject.dirty.push({ log: memory.openDirtyLog(), pages: new Set() })
      else subject.dirty.splice(random(3), 1)[0].log.close()
      break
    case 12:
      for (const { log, pages } of subject.dirty) {
        const taken = log.take()
        expect(taken).toEqual(expect.arrayContaining([...pages]))
        pages.clear()
      }
      break
    case 13:
      if (pfn !== HOLE_PAGE && random(4) === 0) {
        if (memory.readPage(pfn) !== memory.pool.zeroFrame) for (const { pages } of subject.dirty) pages.add(pfn)
        memory.unmapFrame(pfn)
        for (let at = pfn * 4096; at < (pfn + 1) * 4096; at++) subject.bytes.delete(at)
      }
      break
    case 14: {
      const state = memory.save()
      if (random(2) === 0) memory.restore(state)
      break
    }
    case 15:
      memory.host.reserve(4096 * random(64) + 1, 'something else')
      break
  }
  for (const watcher of subject.watched.values())
    if (watcher.before !== watcher.after) throw new Error('before without after')
}

describe.each([1, 2, 3, 4, 5, 6, 7, 8])('seed %i', (seed) => {
  test('memory and its forks behave as their models', () => {
    const random = generator(seed * 2654435761)
    const host = new HostMemory({
      initialBytes: 65536,
      growthBytes: 65536,
      backing: seed % 2 === 0 ? 'auto' : 'arraybuffer',
    })
    const pool = new FramePool({ host, chunkFrames: 4 })
    const subjects = [new Subject(new GuestMemory({ pool, ranges: RANGES }), new Map())]
    for (let count = 0; count < 1500; count++) {
      const subject = subjects[random(subjects.length)]
      step(subject, random)
      if (random(40) === 0 && subjects.length < 4)
        subjects.push(new Subject(subject.memory.fork(), new Map(subject.bytes)))
      if (random(80) === 0 && subjects.length > 1)
        subjects.splice(random(subjects.length), 1)[0].memory[Symbol.dispose]()
      for (const each of subjects) each.check(random)
    }
    for (const { memory } of subjects) memory[Symbol.dispose]()
    expect(pool.inUse).toBe(0)
  })
})
