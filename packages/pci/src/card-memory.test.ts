import type { GuestMemory } from '@vmexit/memory'
import { expect, test } from 'vitest'
import { type Board, board, filled } from '../test/board.ts'
import type { CardMemory } from './card-memory.ts'

const identity = { vendorId: 0x1234, deviceId: 0x1111, classCode: 0x03_0000 }
const SIZE = 0x10_0000

/** A card with memory behind a wide window, put at `at` and enabled. */
function videoCard(made: Board = board(), at = 0xe000_0000) {
  const vram = made.bus.createMemory('video memory', SIZE)
  const fn = made.bus.add({
    ...identity,
    name: 'vga',
    bars: [{ index: 0, space: 'memory', prefetchable: true, wide: true, memory: vram }],
  })
  const place = (base: number) => {
    made.put(3, 0x10, base % 2 ** 32)
    made.put(3, 0x14, Math.floor(base / 2 ** 32))
  }
  place(at)
  made.put(3, 4, 2, 2)
  return { ...made, vram, fn, place }
}

const mapped = (memory: GuestMemory) => memory.ranges.filter(({ saved }) => saved === false).map(({ start }) => start)

test('the CPU sees it as RAM where its window is, the card by offset', () => {
  const { memory, vram } = videoCard()
  memory.write32(0xe000_0ffe, 0xdeadbeef)
  expect([vram.read(0xffe, 4), vram.read(0xfff, 2), vram.read(0x1001, 1)]).toEqual([0xdeadbeef, 0xadbe, 0xde])
  vram.write(SIZE - 4, 4, 0x0403_0201)
  vram.write(SIZE - 2, 2, 0x0605)
  vram.write(SIZE - 1, 1, 7)
  expect(memory.read32(0xe00f_fffc)).toBe(0x0705_0201)
  vram.writeBytes(5, Uint8Array.of(1, 2))
  const bytes = new Uint8Array(3)
  vram.readBytes(5, bytes)
  expect([[...bytes], memory.readPage(0xe0000) !== 0, memory.read8(0xe010_0000)]).toEqual([[1, 2, 0], true, 0xff])
})

test('contents stay through moves, above 4 GiB too, and while nobody sees them', () => {
  const { memory, vram, place, put } = videoCard()
  memory.write32(0xe000_0000, 0x1234_5678)
  place(0xf000_0000)
  expect([memory.read32(0xf000_0000), memory.read32(0xe000_0000)]).toEqual([0x1234_5678, 0xffff_ffff])
  place(0x12_f000_0000)
  expect([memory.read32(0x12_f000_0000), mapped(memory)]).toEqual([0x1234_5678, [0x12_f000_0000]])
  put(3, 4, 0, 2)
  vram.write(4, 1, 9)
  expect([mapped(memory), vram.mappedAt, vram.read(0, 4)]).toEqual([[], undefined, 0x1234_5678])
  put(3, 4, 2, 2)
  expect([memory.read8(0x12_f000_0004), vram.mappedAt]).toEqual([9, 0x12_f000_0000])
})

test('over RAM it is not seen, beside RAM it is seen over the bus', () => {
  const { memory, vram, place } = videoCard()
  vram.write(0, 1, 7)
  memory.write8(0, 5)
  place(0)
  expect([memory.read8(0), vram.mappedAt]).toEqual([5, undefined])
  memory.map({ kind: 'ram', start: 0xe100_8000, bytes: 0x1000 })
  place(0xe100_0000)
  memory.write16(0xe100_0001, 0x0908)
  memory.write8(0xe100_8000, 1)
  expect([vram.mappedAt, vram.read(0, 4), memory.read32(0xe100_0000)]).toEqual([undefined, 0x09_0807, 0x09_0807])
  expect(vram.read(0x8000, 1)).toBe(0)
})

test('above what memory can be mapped at it is seen over the bus', () => {
  const { memory, vram, place } = videoCard()
  place(2 ** 44)
  memory.write32(2 ** 44 + SIZE - 4, 0x0102_0304)
  expect([vram.mappedAt, vram.read(SIZE - 4, 4)]).toEqual([undefined, 0x0102_0304])
  place(2 ** 60)
  place(0xe000_0000)
  expect(memory.read32(0xe000_0000 + SIZE - 4)).toBe(0x0102_0304)
})

test('of registers and memory at one address the first on the bus answers', () => {
  const made = board()
  const { bus, put, memory } = made
  bus.add({
    ...identity,
    name: 'nic',
    at: { device: 2 },
    bars: [{ index: 0, space: 'memory', registers: filled(0x1000, 0x11) }],
  })
  const { vram, place } = videoCard(made)
  vram.write(0x2000, 1, 5)
  expect(memory.read8(0xe000_2000)).toBe(5)
  put(2, 0x10, 0xe000_2000)
  put(2, 4, 2, 2)
  expect([memory.read8(0xe000_2000), memory.read8(0xe000_0000), vram.mappedAt]).toEqual([0x11, 0xff, undefined])
  place(0xf000_0000)
  expect([memory.read8(0xe000_2000), vram.mappedAt]).toEqual([0x11, 0xf000_0000])
  place(0xe000_0000)
  put(2, 4, 0, 2)
  expect([memory.read8(0xe000_2000), vram.mappedAt]).toEqual([5, 0xe000_0000])
})

test('is saved by its card, wherever it is seen, and the memory of the machine without it', () => {
  const from = videoCard()
  from.memory.write8(0xe000_5001, 1)
  from.vram.write(SIZE - 1, 1, 2)
  from.memory.write8(0x3000, 3)
  const state = { memory: from.memory.save(), fn: from.fn.save(), vram: from.vram.save() }
  expect([state.memory.ranges.length, state.vram.pages]).toEqual([1, [5, 255]])
  const to = videoCard(board(), 0xf000_0000)
  to.vram.write(0x7000, 1, 9)
  to.memory.restore(state.memory)
  to.fn.restore(state.fn)
  to.vram.restore(state.vram)
  expect([to.memory.read8(0xe000_5001), to.vram.read(SIZE - 1, 1), to.vram.read(0x7000, 1)]).toEqual([1, 2, 0])
  expect([to.vram.save(), to.memory.save(), to.vram.mappedAt]).toEqual([state.vram, state.memory, 0xe000_0000])
  expect(() => to.vram.restore(state.fn as never)).toThrow('this is not a saved state of video memory')
})

test('on a board without RAM the bus does it all', () => {
  const { vram, mmio, put } = videoCard(board({ memory: undefined as never }))
  mmio.write(0xe000_0ffe, 4, 0x0102_0304)
  expect([vram.read(0xffe, 4), mmio.read(0xe000_0fff, 2)]).toEqual([0x0102_0304, 0x0203])
  put(3, 4, 0, 2)
  expect([mmio.read(0xe000_0ffe, 1), vram.read(0xffe, 1)]).toEqual([0xff, 4])
})

test('a CPU that caches translations is told when it moves', () => {
  const { memory, place } = videoCard()
  const remapped: number[] = []
  memory.write8(0xe000_3000, 1)
  memory.noteWriteCached(0xe0003)
  memory.listen({ onRemapped: (pfn) => remapped.push(pfn) })
  place(0xf000_0000)
  expect(remapped).toContain(0xe0003)
})

test('a size that is none is refused', () => {
  const { bus } = board()
  const make =
    (bytes: number): (() => CardMemory) =>
    () =>
      bus.createMemory('vram', bytes)
  expect(make(1000)).toThrow('vram 0x0–0x3e7 cannot be mapped')
  expect(make(0)).toThrow(expect.objectContaining({ code: 'range-invalid' }))
})
