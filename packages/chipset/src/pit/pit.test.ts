import { Bus, Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { Counter } from './counter.ts'
import { I8254, pitFrequency } from './i8254.ts'
import { SystemPort } from './system-port.ts'

/** A counter with a control word and a count, and a strip of its output, a character for each pulse. */
function counter(mode: number, count: number, { bcd = false } = {}) {
  const c = new Counter(() => {})
  c.setControl(0x10 | (mode << 1) | (bcd ? 1 : 0))
  c.write(count)
  const strip = (pulses: number) => {
    let out = ''
    for (let i = 0; i < pulses; i++) {
      c.advance(1)
      out += c.out ? '-' : '_'
    }
    return out
  }
  return { c, strip }
}

describe('the figures of the datasheet', () => {
  test('mode 1: a new count waits for the next trigger', () => {
    const { c, strip } = counter(1, 2)
    c.setGate(false)
    c.setGate(true)
    strip(1)
    c.write(4)
    expect(strip(3)).toBe('_--')
    c.setGate(false)
    c.setGate(true)
    expect(strip(5)).toBe('____-')
  })

  test('mode 3: the count goes down by two', () => {
    const { c, strip } = counter(3, 8)
    strip(2)
    expect(c.read()).toBe(6)
    strip(3)
    expect([c.out, c.read()]).toEqual([false, 8])
    const odd = counter(3, 5)
    expect([1, 2, 3, 4].map(() => (odd.strip(1), odd.c.read()))).toEqual([4, 2, 0, 4])
  })

  test('mode 3: a low gate makes the output high', () => {
    const { c, strip } = counter(3, 4)
    strip(3)
    c.setGate(false)
    expect(c.out).toBe(true)
    c.setGate(true)
    expect(strip(4)).toBe('--__')
  })
})

test('many pulses at once are as many single ones', () => {
  let seed = 12345
  const random = (n: number) => (seed = (Math.imul(seed, 1103515245) + 12345) >>> 0) % n
  for (let round = 0; round < 300; round++) {
    const mode = random(6)
    const [a, b] = [counter(mode, 2 + random(9)).c, new Counter(() => {})]
    b.restore(a.save())
    for (let step = 0; step < 20; step++) {
      const action = random(4)
      const value = 2 + random(9)
      for (const c of [a, b]) {
        if (action === 0) c.setGate(!c.gate)
        if (action === 1) c.write(value)
      }
      const pulses = random(40)
      a.advance(pulses)
      for (let i = 0; i < pulses; i++) b.advance(1)
      expect(a.save()).toEqual(b.save())
    }
  }
})

/** A chip at offsets 0–3 of a bus, counter 0 wired. */
function chip(clock = new Clock()) {
  const edges: [number, boolean][] = []
  const pit = new I8254({ clock, outputs: [{ set: (level) => void edges.push([clock.now, level]) }] })
  const port = new SystemPort(pit, clock)
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  ports.claim('pit', 0x40, pit.regions.registers)
  ports.claim('port', 0x61, port.regions.registers)
  const out = (p: number, ...values: number[]) => {
    for (const value of values) ports.write(p, 1, value)
  }
  const read = (p: number) => ports.read(p, 1)
  return { clock, pit, port, edges, out, read }
}

/** The first tick at which so many pulses are done. */
const ticks = (pulses: number) => Math.ceil((pulses * 1e9) / pitFrequency)

describe('the chip', () => {
  test('counter 0 makes edges at their exact times', () => {
    const { clock, edges, out } = chip()
    out(0x43, 0x34)
    out(0x40, 100, 0)
    edges.length = 0
    clock.advanceTo(ticks(301))
    expect(edges).toEqual([
      [ticks(100), false],
      [ticks(101), true],
      [ticks(200), false],
      [ticks(201), true],
      [ticks(300), false],
      [ticks(301), true],
    ])
  })

  test('a thousand years of a counter that nobody listens to cost nothing', () => {
    const { clock, out, read } = chip()
    out(0x43, 0xb6)
    out(0x61, 1)
    out(0x42, 0x34, 0x12)
    clock.advanceTo(1e15)
    expect(clock.deadline).toBe(Number.POSITIVE_INFINITY)
    out(0x43, 0x80)
    expect(read(0x42) | (read(0x42) << 8)).toBeLessThanOrEqual(0x1234)
  })

  test('read-back: status first, then the count, for all counters asked for', () => {
    const { clock, out, read } = chip()
    out(0x43, 0x34)
    out(0x40, 0x00, 0x10)
    out(0x43, 0xc2)
    expect(read(0x40)).toBe(0x80 | 0x40 | 0x34)
    clock.advanceTo(ticks(1))
    // The count that came with the status is still latched.
    expect([read(0x40), read(0x40)]).toEqual([0, 0])
    out(0x43, 0xe2)
    expect(read(0x40)).toBe(0x80 | 0x34)
    out(0x43, 0xd2)
    expect([read(0x40), read(0x40)]).toEqual([0x00, 0x10])
    out(0x43, 0xee)
    out(0x43, 0xee)
    expect([read(0x41), read(0x42), read(0x40)]).toEqual([0x70, 0x70, 0xb4])
  })

  test('port 0x61: the gate of counter 2, its output, and the refresh', () => {
    const { clock, out, read } = chip()
    out(0x43, 0xb0)
    out(0x42, 10, 0)
    clock.advanceTo(ticks(50))
    expect(read(0x61) & 0x2f).toBe(0)
    out(0x61, 0x01)
    clock.advanceTo(ticks(59))
    expect(read(0x61) & 0x21).toBe(0x01)
    clock.advanceTo(ticks(60))
    expect(read(0x61) & 0x21).toBe(0x21)
    let toggles = 0
    for (let at = 60, last = read(0x61) & 0x10; at < 60 + 180; at++) {
      clock.advanceTo(ticks(at))
      if ((read(0x61) & 0x10) !== last) [last, toggles] = [last ^ 0x10, toggles + 1]
    }
    expect(toggles).toBe(10)
    out(0x61, 0xfe)
    expect(read(0x61) & 0xcf).toBe(0x0e)
  })

  test('saved in the middle of a period, it goes on elsewhere', () => {
    const here = chip()
    here.out(0x43, 0x36)
    here.out(0x40, 99, 0)
    here.out(0x43, 0xb6)
    here.out(0x42, 7)
    here.clock.advanceTo(ticks(1234))
    const [state, port] = JSON.parse(JSON.stringify([here.pit.save(), here.port.save()]))
    const there = chip()
    there.clock.restore(here.clock.save())
    there.pit.restore(state)
    there.port.restore(port)
    for (const { out, edges, clock } of [here, there]) {
      edges.length = 0
      out(0x42, 0)
      out(0x61, 3)
      clock.advanceTo(ticks(3000))
    }
    expect(there.edges).toEqual(here.edges)
    expect(there.pit.save()).toEqual(here.pit.save())
    expect(there.read(0x61)).toBe(here.read(0x61))
  })

  test('reset stops it', () => {
    const { clock, pit, port, edges, out } = chip()
    out(0x43, 0x34)
    out(0x40, 100, 0)
    pit.reset()
    port.reset()
    edges.length = 0
    clock.advanceTo(1e9)
    expect(edges).toEqual([])
  })
})
