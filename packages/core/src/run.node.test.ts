import { expect, test } from 'vitest'
import { again, FakeCpu, nop } from '../test/fake-cpu.ts'
import { Clock } from './clock.ts'
import { Counters } from './counters.ts'
import { InputGate } from './input-gate.ts'
import { Power } from './power.ts'
import { run } from './run.ts'
import { RunLoop } from './run-loop.ts'

test('keys, signals and files of a Node process are served after every slice', async () => {
  const loop = new RunLoop({
    cpus: [new FakeCpu([nop, again])],
    clock: new Clock(),
    input: new InputGate(),
    power: new Power(),
    counters: new Counters(),
    quantum: 1000,
  })
  let turns = 0
  let next: NodeJS.Immediate
  const turn = () => {
    turns++
    next = setImmediate(turn)
  }
  turn()
  await run(loop, { instructions: 1000, slice: 10 })
  clearImmediate(next!)
  expect(turns).toBeGreaterThan(90)
})
