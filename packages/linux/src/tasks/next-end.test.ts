/** Timers with short periods: a program must not keep the host busy with them, and counts what it has missed. */
import { expect, it } from 'vitest'
import { nextEnd } from './timers.ts'

it('a timer ends a period later', () => {
  expect(nextEnd(10_000, 5000, 10_000)).toEqual({ next: 15_000, missed: 0 })
})
it('ends that lie in the past are counted, not gone through', () => {
  expect(nextEnd(10_000, 5000, 26_000)).toEqual({ next: 30_000, missed: 3 })
  expect(nextEnd(0, 1, 1e12)).toEqual({ next: 1e12 + 1000, missed: 1e12 + 999 })
})
it('a period of a nanosecond interrupts a program once in a microsecond', () => {
  expect(nextEnd(0, 1, 0)).toEqual({ next: 1000, missed: 999 })
})
