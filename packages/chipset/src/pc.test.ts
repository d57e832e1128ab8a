import { expect, test } from 'vitest'
import { idleMachine } from '../test/idle-machine.ts'
import {
  acpiPower,
  apic,
  debugConsole,
  exitPort,
  fwCfg,
  keyboardController,
  pic,
  pit,
  postPort,
  resetPort,
  rtc,
  uart,
} from './index.ts'

/** Every part of the package in one machine, with either interrupt controller. */
async function pc(controller: typeof pic | typeof apic) {
  let text = ''
  const onTransmit = (bytes: Uint8Array) => void (text += String.fromCharCode(...bytes))
  const com1 = uart({ onTransmit })
  const keyboard = keyboardController()
  const m = await idleMachine([
    controller(),
    pit(),
    rtc(),
    com1,
    uart({ port: 0x2f8, irq: 3 }),
    keyboard,
    acpiPower(),
    resetPort(),
    fwCfg(),
    debugConsole({ onText: onTransmit }),
    postPort(),
    exitPort(),
  ])
  const { out } = m
  for (const [port, base, cascade] of [
    [0x20, 0x20, 4],
    [0xa0, 0x28, 2],
  ] as const) {
    out(port, 0x11)
    out(port + 1, base, cascade, 3)
  }
  // 100 ticks a second, interrupts of keyboard and serial port on.
  out(0x43, 0x34)
  out(0x40, 0x9c, 0x2e)
  out(0x64, 0x60)
  out(0x60, 0x47)
  out(0x3fb, 0x03)
  out(0x3fc, 0x0b)
  out(0x3f9, 0x01)
  return { ...m, com1: m.machine.of(com1), keyboard: m.machine.of(keyboard), text: () => text }
}

test.each([
  ['8259As', pic],
  ['APICs', apic],
] as const)('all chips are one PC, with %s', async (_, controller) => {
  const { out, in8, pass, vectors, com1, keyboard, text } = await pc(controller)
  out(0x3f8, 0x6f)
  out(0xe9, 0x6b)
  expect(text()).toBe('ok')
  pass(12e6)
  expect(vectors()).toEqual([0x20])
  com1.receive(Uint8Array.of(0x41))
  keyboard.press('Enter')
  pass(2e6)
  expect(vectors()).toEqual([0x21, 0x24])
  expect([in8(0x3f8), in8(0x60)]).toEqual([0x41, 0x1c])
})

test.each([
  ['8259As', pic],
  ['APICs', apic],
] as const)('a PC with %s is saved and goes on elsewhere, and again', async (_, controller) => {
  const here = await pc(controller)
  here.keyboard.press('KeyQ')
  here.com1.receive(Uint8Array.of(1, 2, 3))
  here.pass(12_345_678)
  const state = JSON.parse(JSON.stringify(here.machine.save()))
  const there = await pc(controller)
  there.pass(55_555_555)
  there.machine.restore(state)
  expect(there.machine.save()).toEqual(state)
  const tail = ({ pass, vectors, in8, machine }: typeof here) => {
    pass(3e6)
    const taken = vectors()
    const got = [in8(0x60), in8(0x3f8), in8(0x40)]
    pass(700e6)
    return [taken, got, vectors(), machine.save()]
  }
  const expected = tail(here)
  expect(tail(there)).toEqual(expected)
  there.machine.restore(state)
  expect(tail(there)).toEqual(expected)
})

test('reset is what it was at first, but for time, memory of the clock and what is on the wires', async () => {
  const { machine, out, in8, vectors, pass } = await pc(pic)
  pass(50e6)
  machine.reset()
  expect([vectors(), in8(0x21), in8(0x61) & 0x0f, in8(0x3f9), in8(0x64)]).toEqual([[], 0, 0, 0, 0x10])
  out(0x70, 0x0d)
  expect(in8(0x71)).toBe(0x80)
})
