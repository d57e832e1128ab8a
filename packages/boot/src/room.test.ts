import { expect, test } from 'vitest'
import { Room } from './room.ts'

test('neighbours are one stretch; what is taken is not given again', () => {
  const room = new Room([
    { start: 0x2000, bytes: 0x1000 },
    { start: 0x1000, bytes: 0x1000 },
    { start: 0x8000, bytes: 0x800 },
  ])
  expect(room.has(0x1800, 0x1000)).toBe(true)
  room.take(0x1800, 0x100)
  expect([room.has(0x17ff, 2), room.has(0x1900, 0x1700), room.longest]).toEqual([false, true, 0x1700])
  expect(room.lowest(0x800)).toBe(0x1000)
  expect(room.lowest(0x800, { align: 0x1000 })).toBe(0x2000)
  expect(room.highest(0x800, { below: 0x8000, align: 0x100 })).toBe(0x2800)
  expect([room.lowest(0x801), room.highest(0x801), room.highest(0x10, { from: 0x9000 })]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(room.highest(0x10, { from: 0x8000 })).toBe(0x87f0)
})

test('nothing above 4 GiB is given unless it may be', () => {
  const room = new Room([{ start: 2 ** 32 - 0x1000, bytes: 0x10_0000 }])
  expect([room.longest, room.lowest(0x1001), room.highest(0x1000)]).toEqual([0x1000, undefined, 2 ** 32 - 0x1000])
  expect(room.highest(0x1000, { below: 2 ** 33 })).toBe(2 ** 32 + 0xf_e000)
})
