import { createMachine, type MachineParts } from '@vmexit/core'
import { expect, test } from 'vitest'
import { dice, lamp, log, noMemory, out, toyCpu, toyPic, wait } from './index.ts'

const throwing = () => toyCpu([out(0x241, 1), wait, log(0x240)])

async function setUp(seed = 1) {
  const [cpu, cup, light] = [throwing(), dice({ seed }), lamp()]
  const machine = await createMachine({ memory: noMemory(), cpu, devices: [toyPic(), cup, light] })
  return { machine, cpu: machine.of(cpu).cpu, cup: machine.of(cup), light: machine.of(light) }
}

test('the guest throws the dice and is woken when they rest', async () => {
  const { machine, cpu, light } = await setUp()
  machine.runSlice({ instructions: 2 })
  expect([light.lit(), cpu.log]).toEqual([true, []])
  machine.runSlice({ instructions: 1 })
  expect(light.lit()).toBe(false)
  expect(cpu.log).toHaveLength(1)
  expect(cpu.log[0]).toBeGreaterThanOrEqual(2)
  expect(cpu.log[0]).toBeLessThanOrEqual(12)
  expect(machine.get('clock').now).toBe(800_000_001)
})

test('equal machines throw equally, other seeds otherwise', async () => {
  const throws = async (seed: number) => {
    const { machine, cpu } = await setUp(seed)
    machine.runSlice({ instructions: 60 })
    return cpu.log
  }
  expect(await throws(7)).toEqual(await throws(7))
  expect(await throws(7)).not.toEqual(await throws(8))
})

test('saved while the dice roll, a machine goes on elsewhere as it would have here', async () => {
  const here = await setUp()
  here.machine.runSlice({ instructions: 10 })
  expect(here.light.lit()).toBe(true)
  const state = JSON.parse(JSON.stringify(here.machine.save()))

  const there = await setUp(99)
  there.machine.restore(state)
  expect(there.light.lit()).toBe(true)
  here.cpu.log.length = 0
  for (const { machine } of [here, there]) machine.runSlice({ instructions: 20 })
  expect(there.cpu.log).toEqual(here.cpu.log)
  expect(there.machine.save()).toEqual(here.machine.save())
})

test('shaking comes in through the gate, so a run with it can be replayed', async () => {
  const live = await setUp()
  const recorded = live.machine.get('input').record()
  for (const strength of [0x1234, 0x77, 0xabcdef]) {
    live.machine.runSlice({ instructions: 7 })
    live.cup.shake(strength)
  }
  live.machine.runSlice({ instructions: 30 })

  const replayed = await setUp()
  replayed.machine.get('input').replay(recorded)
  replayed.machine.runSlice({ instructions: 51 })
  expect(replayed.cpu.log).toEqual(live.cpu.log)
})

test('what does not fit is refused in our own words', async () => {
  const wrong: object = { memory: noMemory(), cpu: throwing(), devices: [lamp()] }
  await expect(createMachine(wrong as MachineParts)).rejects.toMatchObject({
    problems: ["✗ lamp needs 'dice': add dice() of @vmexit-examples/own-device to devices"],
  })
})

test('two pairs of dice on the same ports: both are named', async () => {
  const twice: object = { memory: noMemory(), cpu: throwing(), devices: [toyPic(), dice(), dice()] }
  await expect(createMachine(twice as MachineParts)).rejects.toMatchObject({
    problems: ["✗ dice gives 'dice', which dice gives too: keep one of them"],
  })
})
