/** Setting CLOCK_REALTIME: what follows it, and what does not. */
import { expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { run } from '../../test/run.ts'
import type { LinuxKernel } from '../kernel.ts'
import { Timer } from './timers.ts'

const [EINVAL, ECANCELED] = [-22, -125]
const TIMER_CREATE = 259
const TIMER_SETTIME = 260
const CLOCK_SETTIME = 264
const CLOCK_GETTIME = 265
const CLOCK_NANOSLEEP = 267
const TIMERFD_CREATE = 322
const TIMERFD_SETTIME = 325
const READ = 3
const EPOCH = 1_700_000_000
const DAY = 86_400

/** Words that the program finds at `SCRATCH`, each time two of them. */
const TIMES = {
  tomorrow: [EPOCH + DAY, 5],
  later: [EPOCH + DAY + 100, 0],
  never: [0, 0],
  first: [0, 1],
  half: [0, 500_000_000],
  dayAndHalf: [EPOCH + DAY, 500_000_000],
}
const words = Object.values(TIMES).flat()
const at = (name: keyof typeof TIMES): number => SCRATCH + Object.keys(TIMES).indexOf(name) * 8
const ROOM = SCRATCH + 0x100
/** `struct itimerspec` of one end. */
const SPEC = SCRATCH + 0x200
/** One every second. */
const PERIODIC = SCRATCH + 0x210
const INPUT = new Uint8Array(0x220)
INPUT.set(new Uint8Array(Int32Array.from(words).buffer))
new Int32Array(INPUT.buffer).set([0, 0, EPOCH + DAY - 10, 0, 1, 0, EPOCH + 10, 0], 0x200 / 4)

function trace(calls: readonly Call[], prepare: (kernel: LinuxKernel) => void = () => {}) {
  const steps: { number: number; answer: number | undefined; now: number; count?: number }[] = []
  let kernel: LinuxKernel | undefined
  const { wrong, status } = run({
    files: { '/p': programOf([mapScratch, [READ, 0, SCRATCH, INPUT.length], ...calls]) },
    args: ['/p'],
    engine: 'interpreter',
    memory: '64 MiB',
    input: INPUT,
    prepare: (made) => {
      kernel = made
      prepare(made)
    },
    observe: (number, answer, { kernel: { now, memory } }) =>
      steps.push({ number, answer, now, ...(number === READ && answer === 8 && { count: memory.get32(ROOM) }) }),
  })
  expect(wrong).toEqual([])
  return { steps: steps.slice(2), kernel: kernel!, status }
}
const set: Call = [CLOCK_SETTIME, 0, at('tomorrow')]

it('is what it was set to, and goes on', () => {
  const { steps, kernel } = trace([set, [CLOCK_GETTIME, 0, ROOM]])
  expect(steps.slice(0, 2).map(({ answer }) => answer)).toEqual([0, 0])
  expect(kernel.time.seconds).toBe(EPOCH + DAY)
  expect(kernel.time.nanoseconds).toBeGreaterThan(5)
  expect(kernel.time.nanoseconds).toBeLessThan(1000)
  expect(kernel.now).toBeLessThan(1e6)
})

it('is not set to a time before the start of the machine', () => {
  const { steps } = trace([
    [CLOCK_NANOSLEEP, 1, 0, at('half'), 0],
    [CLOCK_SETTIME, 0, at('first')],
  ])
  expect(steps[1]!.answer).toBe(EINVAL)
})

it('ends at once a sleep until a time that is past by then, and a timer', () => {
  const { steps } = trace([
    [TIMERFD_CREATE, 0, 0],
    [TIMERFD_SETTIME, 3, 1, SPEC, 0],
    [TIMERFD_CREATE, 1, 0],
    [TIMERFD_SETTIME, 4, 0, SPEC, 0],
    set,
    [READ, 3, ROOM, 8],
    [CLOCK_NANOSLEEP, 0, 1, at('later'), 0],
  ])
  const [, , , , , read, sleep] = steps
  expect(read!.answer).toBe(8)
  expect(read!.now).toBeLessThan(1e6)
  expect(sleep!.now).toBeGreaterThan(99.9e9)
  expect(sleep!.now).toBeLessThan(101e9)
})

it('wakes a task that sleeps until a time of that clock, which is past by then', () => {
  const { steps } = trace([[CLOCK_NANOSLEEP, 0, 1, at('later'), 0]], (kernel) => {
    kernel.timers.set(new Timer(() => kernel.time.set(EPOCH + DAY, 0)), 1e9)
    kernel.timers.set(new Timer(() => kernel.time.set(EPOCH + DAY + 99, 0)), 2e9)
  })
  expect(steps[0]!.answer).toBe(0)
  expect(steps[0]!.now).toBeGreaterThanOrEqual(3e9)
  expect(steps[0]!.now).toBeLessThan(3.001e9)
})

it('lets a task sleep until the time that it has asked for, whatever its memory says meanwhile', () => {
  const { steps } = trace([[CLOCK_NANOSLEEP, 0, 1, at('later'), 0]], (kernel) => {
    const overwrite = (): void => {
      kernel.memory.set32(at('later'), 0)
      kernel.time.set(EPOCH + DAY, 0)
    }
    kernel.timers.set(new Timer(overwrite), 1e9)
  })
  expect(steps[0]!.answer).toBe(0)
  expect(steps[0]!.now).toBeGreaterThanOrEqual(101e9)
  expect(steps[0]!.now).toBeLessThan(101.001e9)
})

it('lets a timer with a period count all ends that it is set past', () => {
  const { steps } = trace([
    [TIMERFD_CREATE, 0, 0],
    [TIMERFD_SETTIME, 3, 1, PERIODIC, 0],
    [CLOCK_SETTIME, 0, at('dayAndHalf')],
    [READ, 3, ROOM, 8],
    [READ, 3, ROOM, 8],
  ])
  const [first, second] = steps.slice(3)
  expect(first!.count).toBe(DAY - 10 + 1)
  expect(second!.count).toBe(1)
  // Half a second later it ends again: its phase is what it was.
  expect(second!.now).toBeGreaterThan(0.49e9)
  expect(second!.now).toBeLessThan(0.501e9)
})

it('cancels the reading of a timer that says so, once', () => {
  const { steps } = trace([
    [TIMERFD_CREATE, 0, 0x800],
    [TIMERFD_SETTIME, 3, 3, SPEC, 0],
    [CLOCK_SETTIME, 0, at('tomorrow')],
    [READ, 3, ROOM, 8],
    [READ, 3, ROOM, 8],
  ])
  expect(steps.slice(3, 5).map(({ answer }) => answer)).toEqual([ECANCELED, -11])
})

it('ends timers of timer_create whose absolute time is past by then, and no others', () => {
  const calls = (flags: number): Call[] => [
    [TIMER_CREATE, 0, 0, ROOM],
    [TIMER_SETTIME, 0, flags, SPEC, 0],
    set,
    [CLOCK_NANOSLEEP, 1, 0, at('half'), 0],
  ]
  const SIGALRM = 14
  expect(trace(calls(1)).status).toBe(SIGALRM)
  expect(trace(calls(0)).status).toBe(0)
})
