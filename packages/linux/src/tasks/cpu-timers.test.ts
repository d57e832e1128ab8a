/** Timers by CPU time end when they are due, however a process spends that time. */
import { expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'

const SIGPROF = 27
const FORK = 2
const READ = 3
const SETITIMER = 104
const NANOSLEEP = 162
const GETPID = 20
const YIELD = 158

/** ITIMER_PROF after 2 µs; 1 ms of sleep. */
const INPUT = new Uint8Array(Int32Array.of(0, 0, 0, 2, 0, 1_000_000).buffer)
/** After 3 µs. */
const LATER = INPUT.map((byte, n) => (n === 12 ? 3 : byte))
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

it('are due at the same moment wherever the kernel is stopped meanwhile', () => {
  const moments = (slice: number): string => {
    let seen = ''
    const { wrong, retired } = run({
      files: {
        '/p': programOf([
          mapScratch,
          [READ, 0, SCRATCH, INPUT.length],
          [SETITIMER, 2, SCRATCH, 0],
          [FORK],
          ...Array.from({ length: 1000 }, (_, n): Call => (n % 170 === 0 ? [YIELD] : [GETPID])),
        ]),
      },
      args: ['/p'],
      engine: 'interpreter',
      memory: '64 MiB',
      input: LATER,
      slice,
      observe: (number, _answer, task) => {
        seen += `${task.tid}: ${number} at ${task.kernel.now}\n`
      },
    })
    expect(wrong).toEqual([])
    return `${seen}${retired}`
  }
  const whole = moments(1e6)
  for (const slice of [1, 37, 700, 1009]) expect(moments(slice)).toBe(whole)
})
