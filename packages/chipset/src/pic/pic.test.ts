import { Bus, VmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { IntrPin } from '../intr-pin.ts'
import { PicPair } from './pair.ts'
import { claimPicPorts } from './part.ts'

/** The pair on a bus, initialised as a PC's firmware does: vectors from 0x08 and 0x70. */
function setUp({ icw1 = 0x11, master4 = 0x01, slave4 = 0x01 } = {}) {
  const pin = new IntrPin(() => pair.acknowledge())
  const pair: PicPair = new PicPair(pin)
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  claimPicPorts(ports, 'pic', pair)
  const out = (port: number, ...values: number[]) => {
    for (const value of values) ports.write(port, 1, value)
  }
  out(0x20, icw1)
  out(0x21, 0x08, 0x04, master4)
  out(0xa0, icw1)
  out(0xa1, 0x70, 0x02, slave4)
  const lines = Array.from({ length: 16 }, (_, i) => (i === 2 ? undefined : pair.line(i)))
  const set = (input: number, level = true) => lines[input]!.set(level)
  const read = (port: number) => ports.read(port, 1)
  const irr = (port: number) => (out(port, 0x0a), read(port))
  const isr = (port: number) => (out(port, 0x0b), read(port))
  return { pair, pin, ports, out, set, read, irr, isr }
}

describe('requests', () => {
  test('ICW1 may make every input a level', () => {
    const { pin, set, out } = setUp({ icw1: 0x19 })
    set(0)
    pin.acknowledge()
    out(0x20, 0x20)
    expect(pin.pending).toBe(true)
  })

  test('several wires on one input are or-ed', () => {
    const { pair, pin, out } = setUp()
    out(0x4d0, 0x20)
    const [a, b] = [pair.line(5), pair.line(5)]
    a.set(true)
    b.set(true)
    a.set(false)
    expect(pin.pending).toBe(true)
    b.set(false)
    expect(pin.pending).toBe(false)
  })

  test('a level that fell before it was acknowledged is a spurious 7', () => {
    const { pair, pin, set, out, isr } = setUp()
    out(0x4d0, 0x08)
    out(0x4d1, 0x10)
    set(3)
    set(3, false)
    expect(pin.pending).toBe(false)
    expect(pin.acknowledge()).toBe(0x0f)
    expect(isr(0x20)).toBe(0)
    set(12)
    set(12, false)
    expect([pin.pending, pair.slave.acknowledge()]).toEqual([false, { input: 7, spurious: true }])
    expect(isr(0xa0)).toBe(0)
  })

  test('masking the slave’s request takes back that of the master', () => {
    const { pin, set, out } = setUp()
    set(12)
    expect(pin.pending).toBe(true)
    out(0xa1, 0x10)
    expect(pin.pending).toBe(false)
    out(0xa1, 0x00)
    expect(pin.acknowledge()).toBe(0x74)
  })

  test('input 2 and numbers beyond are refused', () => {
    const { pair } = setUp()
    for (const input of [2, -1, 16, 1.5]) expect(() => pair.line(input)).toThrow(VmexitError)
    expect(() => pair.line(2)).toThrow('input 2 of the PIC has the second chip on it: use 9')
  })
})

describe('poll', () => {
  test('the next read acknowledges, at either offset', () => {
    const { pin, set, out, read, isr } = setUp()
    set(6)
    out(0x20, 0x0c)
    expect([read(0x20), pin.pending, isr(0x20)]).toEqual([0x86, false, 0x40])
    out(0x20, 0x20)
    set(3)
    out(0x20, 0x0c)
    expect(read(0x21)).toBe(0x83)
    out(0x20, 0x0c)
    expect(read(0x20)).toBe(0)
    expect(read(0x21)).toBe(0)
  })
})

describe('state', () => {
  test('a pair goes on elsewhere as it would have here', () => {
    const here = setUp()
    here.out(0x4d0, 0x20)
    here.out(0x21, 0x40)
    here.set(5)
    here.pin.acknowledge()
    here.set(9)
    const state = JSON.parse(JSON.stringify(here.pair.save()))
    const there = setUp()
    const seen: boolean[] = []
    there.pin.watch((pending) => seen.push(pending))
    there.pair.restore(state)
    // Devices drive their wires again when they are restored: no new edge comes of it.
    there.set(5)
    there.set(9)
    expect(seen).toEqual([true])
    for (const { pin, out } of [here, there]) {
      expect(pin.acknowledge()).toBe(0x71)
      out(0xa0, 0x20)
      out(0x20, 0x20)
      out(0x20, 0x20)
      expect(pin.acknowledge()).toBe(0x0d)
    }
    expect(there.pair.save()).toEqual(here.pair.save())
  })

  test('reset forgets all but the wires', () => {
    const { pair, pin, set, read } = setUp()
    set(1)
    pair.reset()
    expect([pin.pending, read(0x21)]).toEqual([false, 0])
  })

  test('a state of something else is refused', () => {
    expect(() => setUp().pair.restore({ version: 2 } as never)).toThrow('not a saved state of the PIC pair')
  })
})
