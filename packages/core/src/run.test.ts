import { describe, expect, test } from 'vitest'
import { again, FakeCpu, halt, type Instruction, nop } from '../test/fake-cpu.ts'
import { Clock } from './clock.ts'
import { Counters } from './counters.ts'
import { InputGate } from './input-gate.ts'
import { Power } from './power.ts'
import { run } from './run.ts'
import { RunLoop } from './run-loop.ts'

function setUp(program: Instruction[]) {
  const cpu = new FakeCpu(program)
  const clock = new Clock()
  const input = new InputGate()
  const loop = new RunLoop({ cpus: [cpu], clock, input, power: new Power(), counters: new Counters(), quantum: 1000 })
  return { cpu, clock, input, loop }
}

describe('run', () => {
  test('runs to the limit in slices, yielding between them', async () => {
    const { loop, cpu } = setUp([nop, again])
    const yields: number[] = []
    const stop = await run(loop, { instructions: 2500, slice: 1000, yieldToHost: (now) => void yields.push(now) })
    expect(stop).toMatchObject({ reason: 'instructions', retired: 2500, now: 2500 })
    expect([yields, cpu.retired]).toEqual([[1000, 2000], 2500])
  })

  test('lets the host serve its own events between slices', async () => {
    const { loop, input } = setUp([nop, again])
    const seen: string[] = []
    input.open<string>('keyboard', (key) => seen.push(key))
    setTimeout(() => input.post('keyboard', 'a'), 1)
    const signal = { aborted: false, addEventListener() {}, removeEventListener() {} }
    const running = run(loop, { slice: 10_000, signal })
    while (seen.length === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    signal.aborted = true
    expect((await running).reason).toBe('aborted')
  })

  test('an aborted run returns, and can be continued', async () => {
    const { loop, cpu } = setUp([nop, again])
    const control = new AbortController()
    let slices = 0
    const stop = await run(loop, {
      slice: 100,
      signal: control.signal,
      yieldToHost: () => {
        if (++slices === 3) control.abort()
      },
    })
    expect(stop).toMatchObject({ reason: 'aborted', retired: 300, now: 300 })
    expect((await run(loop, { instructions: 50 })).retired).toBe(50)
    expect(cpu.retired).toBe(350)
  })

  test('idle, it returns, or waits for an input', async () => {
    const { loop, input, clock } = setUp([halt, halt])
    input.open('keyboard', () => clock.after(5, () => {}))
    expect((await run(loop)).reason).toBe('idle')
    const waiting = run(loop, { idle: 'wait', until: 6 })
    input.post('keyboard', 'a')
    expect(await waiting).toMatchObject({ reason: 'time', now: 6 })
  })

  test('a waiting run can be aborted', async () => {
    const control = new AbortController()
    const waiting = run(setUp([halt]).loop, { idle: 'wait', signal: control.signal })
    control.abort()
    expect((await waiting).reason).toBe('aborted')
  })

  test('a machine that idles from timer to timer yields too', async () => {
    const { loop, clock } = setUp([halt])
    const tick = (now: number) => void clock.at(now + 100_000, tick)
    tick(0)
    let yields = 0
    await run(loop, { until: clock.frequency, yieldToHost: () => void yields++ })
    expect(yields).toBe(9)
  })

  test('asleep, it takes as long as virtual time, and an input wakes it', async () => {
    const { loop, clock, input } = setUp([halt])
    const tick = (now: number) => void clock.at(now + 1_000_000, tick)
    tick(0)
    const start = performance.now()
    await run(loop, { until: 0.15 * clock.frequency, sleep: true })
    expect(performance.now() - start).toBeGreaterThan(95)

    let keys = 0
    input.open('keyboard', () => keys++)
    const control = new AbortController()
    const asleep = run(loop, { idle: 'wait', sleep: true, signal: control.signal })
    const posted = performance.now()
    input.post('keyboard', 'a')
    while (keys === 0) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(performance.now() - posted).toBeLessThan(90)
    control.abort()
    expect((await asleep).reason).toBe('aborted')
  })

  test('paced, virtual time does not run ahead of the clock that is given', async () => {
    const { loop, clock } = setUp([nop, again])
    let now = 0
    const sleeps: number[] = []
    const { setTimeout } = globalThis
    globalThis.setTimeout = ((callback: () => void, milliseconds = 0) => {
      sleeps.push(milliseconds)
      now += milliseconds
      return setTimeout(callback)
    }) as typeof setTimeout
    try {
      await run(loop, { until: 0.05 * clock.frequency, realTime: () => now, slice: 50_000_000 })
    } finally {
      globalThis.setTimeout = setTimeout
    }
    expect(sleeps).toEqual([10, 10, 10, 10, 10])
  })

  test('whoever watches is called after each slice, and may hold the run', async () => {
    const { loop } = setUp([nop, again])
    const slices: number[] = []
    const onSlice = async () => {
      await new Promise((resolve) => setTimeout(resolve))
      slices.push(loop.parts.clock.now)
    }
    await run(loop, { instructions: 25, slice: 10, onSlice })
    expect(slices).toEqual([10, 20, 25])
  })

  test.each([
    ['immediates', ['setImmediate']],
    ['immediates and message channels', ['setImmediate', 'MessageChannel']],
  ])('works on a host without %s', async (_, names) => {
    const there = names.map((name) => Object.getOwnPropertyDescriptor(globalThis, name))
    for (const name of names) Reflect.deleteProperty(globalThis, name)
    try {
      expect((await run(setUp([nop, again]).loop, { instructions: 30, slice: 10 })).retired).toBe(30)
    } finally {
      for (const [i, name] of names.entries()) if (there[i]) Object.defineProperty(globalThis, name, there[i])
    }
  })

  test('a wrong option is refused by name', async () => {
    const { loop } = setUp([nop])
    await expect(run(loop, { slice: 0 })).rejects.toThrow('run is given slice: 0')
    await expect(run(loop, { instructions: 0.5 })).rejects.toThrow('run is given instructions: 0.5')
    await expect(run(loop, { instructions: Number.NaN })).rejects.toThrow('run is given instructions: NaN')
  })
})
