/** Timers that a process sets by the CPU time of another one. */
import { expect, it } from 'vitest'
import { type Call, mapScratch, programOf, SCRATCH } from '../../test/calls.ts'
import { kernelWith } from '../../test/run.ts'
import { checkKernel } from '../check.ts'
import { HostInput } from '../index.ts'
import { Signal } from '../signals/set.ts'
import type { Process } from '../system.ts'

const READ = 3
const GETPID = 20
const PAUSE = 29
const SIGNAL = 48
const TIMER_CREATE = 259
const TIMER_SETTIME = 260
const TIMER_GETTIME = 261
const CLOCK_NANOSLEEP = 267
/** The clock of the first process. */
const CLOCK = (~1 << 3) | 2
const EVENT = SCRATCH + 0x20
const ROOM = SCRATCH + 0x100
const CALLS = 20_000

/** A nanosecond, every nanosecond; a struct sigevent of SIGEV_NONE; 0.1 s. */
const INPUT = new Uint8Array(Int32Array.of(0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 100_000_000).buffer)
const LONG = SCRATCH + 48

/** One process makes many calls, another what is to be tried. Told: how often timers of the first were looked at. */
function watched(
  calls: readonly Call[],
  isWatchedUntil: (kernel: ReturnType<typeof kernelWith>) => boolean = () => false,
) {
  const busy = Array.from({ length: CALLS }, (): Call => [GETPID])
  const kernel = kernelWith(
    { engine: 'interpreter', memory: '64 MiB' },
    {
      '/busy': programOf([mapScratch, ...busy]),
      '/other': programOf([mapScratch, [READ, 0, SCRATCH, INPUT.length], ...calls]),
    },
  )
  const start = (path: string): Process =>
    kernel.spawn({ path, args: [path], env: {}, files: [new HostInput(kernel, INPUT)] })
  const first = start('/busy')
  const other = start('/other')
  let looks = 0
  let due = Number.POSITIVE_INFINITY
  const answers: (number | undefined)[] = []
  const left: number[] = []
  kernel.observer = {
    end: (task, number, _args, answer) => {
      const { cpuTimers } = first
      if (task.process === first) {
        if (cpuTimers !== undefined) due = cpuTimers.dueIn(task)
        return
      }
      answers.push(answer)
      if (number === TIMER_GETTIME) left.push(kernel.memory.get32(ROOM + 12))
      if (cpuTimers === undefined || Object.hasOwn(cpuTimers, 'run')) return
      const run = cpuTimers.run.bind(cpuTimers)
      cpuTimers.run = (of) => {
        looks++
        run(of)
      }
    },
  }
  while (first.status === undefined && !isWatchedUntil(kernel) && kernel.step(1e4) !== 'ended');
  return { kernel, first, other, answers, left, looks: () => looks, due: () => due }
}

it('do not make its turns short, and fire', () => {
  const { answers, looks, kernel } = watched([
    [SIGNAL, Signal.SIGALRM, 1],
    [TIMER_CREATE, CLOCK, 0, ROOM],
    [TIMER_SETTIME, 0, 0, SCRATCH, 0],
    [GETPID],
    [PAUSE],
  ])
  expect(answers.slice(2)).toEqual([0, 0, 0, 2])
  expect(looks()).toBeLessThan(5)
  expect(checkKernel(kernel)).toEqual([])
})

it('that tell nobody are not looked at, and know what is left', () => {
  const { answers, left, due } = watched([
    [TIMER_CREATE, CLOCK, EVENT, ROOM],
    [TIMER_SETTIME, 0, 0, SCRATCH, 0],
    [TIMER_GETTIME, 0, ROOM],
    [TIMER_SETTIME, 0, 0, LONG - 8, 0],
    [TIMER_GETTIME, 0, ROOM],
    [PAUSE],
  ])
  expect(answers.slice(2)).toEqual([0, 0, 0, 0, 0])
  expect(left).toEqual([1, 100_000_000])
  expect(due()).toBe(Number.POSITIVE_INFINITY)
})

it('are not kept when who sleeps by it has been killed', () => {
  const isSleeping = (kernel: ReturnType<typeof kernelWith>): boolean => kernel.callCounts[CLOCK_NANOSLEEP]! > 0
  const { first, other, kernel } = watched([[CLOCK_NANOSLEEP, CLOCK, 0, LONG, 0]], isSleeping)
  expect(first.cpuTimers!.dueIn(first.leader)).toBeLessThanOrEqual(1e8)
  kernel.signal(other, Signal.SIGKILL)
  while (other.status === undefined) kernel.step(1000)
  expect(first.cpuTimers!.dueIn(first.leader)).toBe(Number.POSITIVE_INFINITY)
})
