import { expect, test } from 'vitest'
import { short, speedBetween } from './figures.ts'

test('counts are short enough for a tile', () => {
  const counts = [0, 950, 1000, 12_345, 999_400, 2_825_320_046, 1.5e12]
  expect(counts.map(short)).toEqual(['0', '950', '1.00 k', '12.3 k', '999 k', '2.83 G', '1.50 T'])
})

test('the speed is that of the time between two reports, in millions of instructions a second', () => {
  const report = (at: number, instructions: number) => ({
    at,
    seconds: 0,
    idleSeconds: 0,
    counts: { instructions },
    machine: undefined,
    exits: [],
  })
  expect(speedBetween(report(1000, 5e6), report(1250, 55e6))).toBe(200)
  expect(speedBetween(report(1000, 5e6), report(1000, 5e6))).toBe(0)
})
