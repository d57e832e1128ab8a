/** Timers by CPU time end when they are due, however a process spends that time. */
import { expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

const SIGPROF = 27
const READ = 3
const SETITIMER = 104
const NANOSLEEP = 162
const GETPID = 20

/** ITIMER_PROF after 2 µs; 1 ms of sleep. */
const INPUT = new Uint8Array(Int32Array.of(0, 0, 0, 2, 0, 1_000_000).buffer)
const SLEEP: Call = [NANOSLEEP, SCRATCH + 16, 0]

it.each([
  ['without a pause', [GETPID]],
  ['sleeping after every few instructions', SLEEP],
])('SIGPROF comes to a process that runs %s', (_how, call) => {
  let now = 0
  let calls = 0
  const { status, wrong } = run({
    files: {
      '/p': programOf([
        mapScratch,
        [READ, 0, SCRATCH, INPUT.length],
        [SETITIMER, 2, SCRATCH, 0],
        ...Array.from({ length: 1000 }, () => call),
      ]),
    },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    input: INPUT,
    observe: (number, _answer, task) => {
      if (number !== call[0]) return
      calls++
      now = task.ticks
    },
  })
  expect(wrong).toEqual([])
  expect(status).toBe(SIGPROF)
  expect(calls).toBeGreaterThan(100)
  expect(now).toBeLessThan(2_500)
})
