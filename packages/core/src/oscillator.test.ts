import { expect, test } from 'vitest'
import { Oscillator } from './oscillator.ts'

test.each([1_193_182, 32_768, 3_579_545, 14_318_180, 100_000_000, 2_660_000_000, 1])(
  '%i Hz: the tick of a cycle is the first at which the counter has it',
  (hz) => {
    const oscillator = new Oscillator(1e9, hz)
    for (const cycle of [0, 1, 2, 3, 65_535, 65_536, 1_193_181, 123_456_789, 4_000_000_007]) {
      const time = oscillator.timeOf(cycle)
      if (time > Number.MAX_SAFE_INTEGER) continue
      expect(oscillator.cycles(time)).toBeGreaterThanOrEqual(cycle)
      if (time > 0) expect(oscillator.cycles(time - 1)).toBeLessThan(cycle)
    }
  },
)

test('a second is hz cycles, also after a month', () => {
  const oscillator = new Oscillator(1e9, 1_193_182)
  const month = 30 * 24 * 3600
  expect(oscillator.cycles(month * 1e9)).toBe(month * 1_193_182)
  expect(oscillator.timeOf(month * 1_193_182)).toBe(month * 1e9)
})

test('a ratio too fine to be exact is refused', () => {
  expect(() => new Oscillator(1e9, 2_659_999_999)).toThrow('cannot be counted exactly')
  expect(() => new Oscillator(1e9, 0)).toThrow('use a whole number of hertz')
  expect(() => new Oscillator(1e9, 1.5)).toThrow('use a whole number of hertz')
})
