import { expect, test } from 'vitest'
import { describeStatus } from './status.ts'

test('a status is told as Docker tells it, in the largest unit of which there are two', () => {
  const at = Date.parse('2026-01-01T00:00:00Z')
  const up = (seconds: number) =>
    describeStatus({ state: 'running', pid: 1, started: new Date(at).toISOString() }, at + 1000 * seconds)
  expect([0, 1, 59, 119, 120, 7199, 7200, 172_799, 172_800, 1e7].map(up)).toEqual([
    'Up 0 seconds',
    'Up 1 second',
    'Up 59 seconds',
    'Up 119 seconds',
    'Up 2 minutes',
    'Up 119 minutes',
    'Up 2 hours',
    'Up 47 hours',
    'Up 2 days',
    'Up 115 days',
  ])
  // A clock that was put back.
  expect(up(-5)).toBe('Up 0 seconds')
  const exited = { state: 'exited', exitCode: 3, at: new Date(at).toISOString() } as const
  expect(describeStatus(exited, at + 180_000)).toBe('Exited (3) 3 minutes ago')
})
