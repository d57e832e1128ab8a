import { expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { pic } from '../pic/part.ts'
import { pmTimerFrequency } from './power-management.ts'
import { acpiPower } from './power-part.ts'
import { resetPort } from './reset-port.ts'

const [STS, EN, CNT, TMR] = [0x600, 0x602, 0x604, 0x608]
const second = 1e9

async function setUp() {
  const power = acpiPower()
  const m = await idleMachine([pic(), power, resetPort()])
  const { machine, out } = m
  for (const [port, base, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(port, 0x11)
    out(port + 1, base, cascade, 1)
  }
  out(0x4d1, 0x02)
  const ports = machine.get('ports')
  const out16 = (port: number, value: number) => ports.write(port, 2, value)
  return { ...m, out16, api: machine.of(power) }
}

test('the PM timer counts at 3.579545 MHz and wraps at 24 bits', async () => {
  const { in32, in16, in8, pass } = await setUp()
  expect(in32(TMR)).toBe(0)
  pass(second)
  expect(in32(TMR)).toBe(pmTimerFrequency)
  expect([in16(TMR), in8(TMR + 2)]).toEqual([pmTimerFrequency & 0xffff, pmTimerFrequency >> 16])
  pass(4 * second)
  expect(in32(TMR)).toBe((5 * pmTimerFrequency) % 2 ** 24)
})

test('its top bit changing is an interrupt, if the operating system has taken the hardware', async () => {
  const { out, out16, in16, pass, vectors, machine } = await setUp()
  out16(EN, 0x0001)
  const half = Math.ceil((2 ** 23 * second) / pmTimerFrequency)
  pass(half - 1)
  expect([in16(STS), in16(EN)]).toEqual([0, 1])
  pass(1)
  expect([in16(STS), machine.get('clock').deadline, vectors()]).toEqual([1, Number.POSITIVE_INFINITY, []])
  out(0xb2, 0xf1)
  expect([in16(CNT), vectors()]).toEqual([1, [0x29]])
  out16(STS, 0xffff)
  expect(in16(STS)).toBe(0)
  out(0xa0, 0x20)
  out(0x20, 0x20)
  expect(vectors()).toEqual([])
  pass(half)
  expect(vectors()).toEqual([0x29])
  out(0xb2, 0xf0)
  expect(in16(CNT)).toBe(0)
})

test('the power button', async () => {
  const { out, out16, in16, pass, vectors, api } = await setUp()
  out(0xb2, 0xf1)
  out16(EN, 0x0100)
  api.pressPowerButton()
  pass(1)
  expect([in16(STS), vectors()]).toEqual([0x100, [0x29]])
  out16(STS, 0x0001)
  expect(in16(STS)).toBe(0x100)
  out16(STS, 0x0100)
  expect(in16(STS)).toBe(0)
})

test('soft-off powers off; other sleeping states are not there', async () => {
  const { machine, out, out16, in16 } = await setUp()
  out16(CNT, 0x2000 | (3 << 10))
  expect([machine.runSlice().reason, in16(CNT)]).toEqual(['idle', 3 << 10])
  out16(CNT, 0x2000)
  expect(machine.runSlice().reason).toBe('off')
  out(CNT + 1, 0x20)
  expect(machine.runSlice().reason).toBe('off')
})

test('the reset port resets when bit 2 is set', async () => {
  const { machine, out, in8 } = await setUp()
  out(0xcf9, 0x02)
  expect(machine.runSlice().reason).toBe('idle')
  out(0xcf9, 0x06)
  expect([machine.runSlice().reason, in8(0xcf9)]).toEqual(['reset', 0x06])
  out(0xcf9, 0x06)
  expect(machine.runSlice().reason).toBe('idle')
  out(0xcf9, 0x00)
  out(0xcf9, 0x04)
  expect(machine.runSlice().reason).toBe('reset')
})

test('saved before an interrupt of the timer, it goes on elsewhere', async () => {
  const [here, there] = [await setUp(), await setUp()]
  here.out(0xb2, 0xf1)
  here.out16(EN, 0x0101)
  here.out(0xcf9, 0x02)
  here.pass(second)
  there.machine.restore(JSON.parse(JSON.stringify(here.machine.save())))
  for (const { pass } of [here, there]) pass(2 * second)
  expect(there.machine.save()).toEqual(here.machine.save())
  expect([there.vectors(), there.in8(0xcf9)]).toEqual([[0x29], 2])
  there.machine.reset()
  expect([there.in16(CNT), there.in16(EN), there.in8(0xcf9)]).toEqual([0, 0, 0])
})
