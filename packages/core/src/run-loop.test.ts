import { describe, expect, test } from 'vitest'
import { again, FakeCpu, halt, type Instruction, nop, stopFor } from '../test/fake-cpu.ts'
import { Clock } from './clock.ts'
import { Counters } from './counters.ts'
import { InputGate } from './input-gate.ts'
import type { InterruptSource } from './interrupts.ts'
import { Power } from './power.ts'
import { RunLoop } from './run-loop.ts'

/** One interrupt pin that can be raised. */
function pin(): InterruptSource & { raise(vector: number): void } {
  const vectors: number[] = []
  return {
    raise: (vector) => void vectors.push(vector),
    get pending() {
      return vectors.length > 0
    },
    acknowledge: () => vectors.shift() ?? 0xff,
    watch: () => ({ [Symbol.dispose]() {} }),
  }
}

function setUp(programs: Instruction[][], quantum = 100) {
  const cpus = programs.map((program, id) => new FakeCpu(program, id))
  const pins = cpus.map((cpu) => {
    const source = pin()
    cpu.connect(source)
    return source
  })
  const parts = {
    cpus,
    clock: new Clock(),
    input: new InputGate(),
    power: new Power(),
    counters: new Counters(),
    quantum,
  }
  return { ...parts, pins, loop: new RunLoop(parts) }
}

describe('one CPU', () => {
  test('runs exactly as many instructions as asked', () => {
    const { loop, cpus, clock } = setUp([[nop, again]])
    expect(loop.runSlice({ instructions: 1001 })).toMatchObject({ reason: 'instructions', retired: 1001, now: 1001 })
    expect([cpus[0]!.retired, clock.now]).toEqual([1001, 1001])
  })

  test('a timer is called at exactly its instruction', () => {
    const { loop, cpus, clock } = setUp([[nop, again]])
    const at: number[] = []
    for (const time of [1, 77, 78, 5000]) clock.at(time, () => at.push(cpus[0]!.retired))
    loop.runSlice({ instructions: 5000 })
    expect(at).toEqual([1, 77, 78, 5000])
  })

  test('a timer set by a device in the middle of a run stops the run in time', () => {
    const at: number[] = []
    const { loop, clock, cpus } = setUp([
      [nop, nop, (cpu) => clock.after(4, () => at.push(cpu.retired)), nop, nop, nop, nop, nop, nop, again],
    ])
    loop.runSlice({ instructions: 10 })
    expect([at, cpus[0]!.retired]).toEqual([[6], 10])
  })

  test('a limit between two ticks is the later one: no CPU runs a fraction of an instruction', () => {
    const busy = setUp([[nop, again]])
    expect(busy.loop.runSlice({ until: 10.25 })).toMatchObject({ reason: 'time', retired: 11, now: 11 })
    const waiting = setUp([[halt]])
    waiting.clock.at(1000, () => {})
    expect(waiting.loop.runSlice({ until: 10.25 })).toMatchObject({ reason: 'time', now: 11 })
    expect(waiting.loop.idleTicks).toBe(10)
  })

  test('while it waits, time goes to the next timer at no cost in instructions', () => {
    const { loop, clock, pins, counters, cpus } = setUp([[nop, halt, again]])
    const tick = (now: number) => {
      pins[0]!.raise(0x20)
      clock.at(now + 1_000_000, tick)
    }
    clock.at(1_000_000, tick)
    const stop = loop.runSlice({ until: 3_500_000 })
    expect(stop).toMatchObject({ reason: 'time', now: 3_500_000, retired: 11 })
    expect(cpus[0]!.taken.map(([vector]) => vector)).toEqual([0x20, 0x20, 0x20])
    expect(counters.snapshot()).toEqual({ 'idle-ticks': 3_500_000 - 11, instructions: 11 })
  })

  test('halted for good, it is idle at once, whatever the timers', () => {
    const { loop, clock, cpus } = setUp([[nop, halt]])
    clock.at(1000, () => {})
    cpus[0]!.wakeable = false
    expect(loop.runSlice()).toMatchObject({ reason: 'idle', retired: 2, now: 2 })
  })

  test('it says why it stopped', () => {
    expect(setUp([[halt]]).loop.runSlice()).toMatchObject({ reason: 'idle', retired: 1 })
    expect(setUp([[nop]]).loop.runSlice()).toMatchObject({ reason: 'shutdown', cpu: { id: 0 } })
    const { loop, cpus } = setUp([[stopFor('page-fault' as 'halt'), nop, again]])
    expect(loop.runSlice()).toMatchObject({ reason: 'exit', exit: { reason: 'page-fault' }, retired: 1 })
    expect(loop.runSlice({ instructions: 2 }).reason).toBe('instructions')
    expect(cpus[0]!.retired).toBe(3)
  })

  test('the power switch stops it after the instruction that pressed it', () => {
    const machine = setUp([[nop, () => machine.power.request('reset'), nop, again]])
    expect(machine.loop.runSlice({ instructions: 100 })).toMatchObject({ reason: 'reset', retired: 2 })
    expect(machine.loop.runSlice({ instructions: 2 })).toMatchObject({ reason: 'instructions', retired: 2 })
    machine.power.request('off')
    machine.power.request('reset')
    expect(machine.loop.runSlice()).toMatchObject({ reason: 'off', retired: 0 })
  })

  test('one that never retires anything is stuck, not endless', () => {
    const { loop, cpus } = setUp([[nop]])
    cpus[0]!.run = () => ({ reason: 'budget' })
    expect(loop.runSlice()).toMatchObject({ reason: 'stuck', retired: 0 })
  })

  test('one that does not keep to its budget is refused', () => {
    const { loop, cpus, clock } = setUp([[nop]])
    cpus[0]!.run = () => {
      cpus[0]!.retired += 12
      return { reason: 'budget' }
    }
    clock.at(10, () => {})
    expect(() => loop.runSlice()).toThrow('CPU 0 retired 12 instructions of a budget of 10')
  })

  test('a device can neither run nor save the machine that runs it', () => {
    const machine = setUp([[() => void machine.loop.runSlice()]])
    expect(() => machine.loop.runSlice()).toThrow('the machine is run by a device while it runs: set a timer')
    const other = setUp([[() => void other.loop.save()]])
    expect(() => other.loop.runSlice()).toThrow('the machine is saved by a device while it runs')
  })
})

describe('input', () => {
  test('an answer that comes at once is let in after the instruction that asked', () => {
    const seen: number[] = []
    const { loop, input, cpus } = setUp([[nop, nop, () => input.post('disk', 7), nop, nop, again]])
    input.open('disk', () => seen.push(cpus[0]!.retired))
    loop.runSlice({ instructions: 6 })
    expect(seen).toEqual([3])
  })

  test('a recorded run replays: same interrupts at the same instructions, however it is sliced', () => {
    const program = [nop, nop, halt, nop, again]
    const machine = () => {
      const made = setUp([program])
      made.input.open<number>('keyboard', (vector) => made.pins[0]!.raise(vector))
      const tick = (now: number) => {
        made.pins[0]!.raise(0x20)
        made.clock.at(now + 997, tick)
      }
      made.clock.at(997, tick)
      return made
    }
    const live = machine()
    const log = live.input.record()
    for (const [key, instructions] of [
      [0x21, 10],
      [0x22, 1],
      [0x23, 333],
      [0x24, 50],
    ] as const) {
      live.loop.runSlice({ instructions })
      live.input.post('keyboard', key)
    }
    live.loop.runSlice({ instructions: 500 })
    const total = live.cpus[0]!.retired
    expect(log.length).toBe(4)

    for (const slice of [1, 7, 1000]) {
      const again = machine()
      again.input.replay(log)
      while (again.cpus[0]!.retired < total)
        again.loop.runSlice({ instructions: Math.min(slice, total - again.cpus[0]!.retired) })
      expect(again.cpus[0]!.taken).toEqual(live.cpus[0]!.taken)
      expect(again.counters.snapshot()).toEqual(live.counters.snapshot())
    }
  })
})

describe('several CPUs', () => {
  const turns = (log: number[]): Instruction[] => [(cpu) => void log.push(cpu.id), again]

  test('take turns of a quantum, and one that waits is passed over', () => {
    const log: number[] = []
    const { loop, cpus, pins } = setUp([turns(log), turns(log), turns(log)], 4)
    cpus[1]!.waiting = true
    loop.runSlice({ instructions: 16 })
    expect(log).toEqual([0, 0, 2, 2, 0, 0, 2, 2])
    pins[1]!.raise(0x30)
    log.length = 0
    loop.runSlice({ instructions: 12 })
    expect(log).toEqual([0, 0, 1, 1, 2, 2])
  })

  test('turns do not depend on how the run is sliced, nor on timers', () => {
    const whole: number[] = []
    setUp([turns(whole), turns(whole)], 10).loop.runSlice({ instructions: 1000 })
    const cut: number[] = []
    const { loop, clock } = setUp([turns(cut), turns(cut)], 10)
    const tick = (now: number) => void clock.at(now + 13, tick)
    tick(0)
    for (let left = 1000; left > 0; left -= 7) loop.runSlice({ instructions: Math.min(7, left) })
    expect(cut).toEqual(whole)
  })

  test('time never goes back from one CPU to the next', () => {
    const times: number[] = []
    const stamp: Instruction = () => void times.push(clock.now)
    const { loop, clock } = setUp(
      [
        [stamp, again],
        [stamp, again],
      ],
      3,
    )
    loop.runSlice({ instructions: 200 })
    expect(times).toEqual([...times].sort((a, b) => a - b))
  })

  test('a restored run loop goes on with the turn it had', () => {
    const log: number[] = []
    const first = setUp([turns(log), turns(log)], 10)
    first.loop.runSlice({ instructions: 13 })
    const rest: number[] = []
    const second = setUp([turns(rest), turns(rest)], 10)
    second.loop.restore(first.loop.save())
    for (const cpu of second.cpus) cpu.restore(first.cpus[cpu.id]!.save())
    log.length = 0
    first.loop.runSlice({ instructions: 40 })
    second.loop.runSlice({ instructions: 40 })
    expect(rest).toEqual(log)
  })
})
