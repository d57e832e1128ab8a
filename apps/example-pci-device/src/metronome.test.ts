import { Clock, type Line } from '@vmexit/core'
import { expect, test } from 'vitest'
import { Metronome } from './metronome.ts'

function setUp() {
  const clock = new Clock()
  const levels: boolean[] = []
  const line: Line = { set: (level) => void levels.push(level) }
  const metronome = new Metronome({ clock, line })
  const { read, write } = metronome.regions.registers
  return { clock, levels, metronome, read, write }
}

test('it beats, and holds its interrupt until the beat is acknowledged', () => {
  const { clock, levels, read, write } = setUp()
  write(4, 4, 1000)
  clock.advanceTo(clock.ticks(3_500_000))
  expect([read(0, 4), read(8, 4), levels.at(-1)]).toEqual([3, 1, true])
  write(8, 4, 1)
  expect([read(8, 4), levels.at(-1)]).toEqual([0, false])
  write(4, 4, 0)
  clock.advanceTo(clock.ticks(9_000_000))
  expect(read(0, 4)).toBe(3)
})

test('restored, it beats on at the same moments', () => {
  const a = setUp()
  a.write(4, 4, 1000)
  a.clock.advanceTo(a.clock.ticks(1_500_000))
  const b = setUp()
  b.clock.advanceTo(a.clock.now)
  b.metronome.restore(a.metronome.save())
  for (const { clock } of [a, b]) clock.advanceTo(clock.ticks(2_000_000))
  for (const { read, levels } of [a, b]) expect([read(0, 4), read(4, 4), levels.at(-1)]).toEqual([2, 1000, true])
})
