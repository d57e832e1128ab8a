import { Bus, Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { Uart16550, type Uart16550Options } from './uart16550.ts'

const [RBR, IER, IIR, LCR, MCR, LSR, MSR] = [0, 1, 2, 3, 4, 5, 6]
const [THR, FCR] = [0, 2]

/** A UART on a bus at 0, set up by its guest for 115,200 baud, 8N1, interrupts through. */
function setUp(options: Partial<Uart16550Options> = {}) {
  const clock = new Clock()
  const wire = { level: false, edges: 0 }
  let sent = ''
  const events: unknown[] = []
  const uart = new Uart16550({
    clock,
    line: {
      set(level) {
        if (level && !wire.level) wire.edges++
        wire.level = level
      },
    },
    onTransmit: (bytes) => (sent += String.fromCharCode(...bytes)),
    onBreak: (active) => events.push(active ? 'break' : 'break ends'),
    onModemControl: (control) => events.push(control),
    onDrain: () => events.push('drain'),
    ...options,
  })
  const bus = new Bus({ name: 'ports', addressBits: 16 })
  bus.claim('uart', 0, uart.regions.registers)
  const out = (offset: number, ...values: number[]) => {
    for (const value of values) bus.write(offset, 1, value)
  }
  const read = (offset: number) => bus.read(offset, 1)
  const receive = (text: string) => uart.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)))
  out(LCR, 0x83)
  out(0, 1)
  out(1, 0)
  out(LCR, 0x03)
  out(MCR, 0x0b)
  events.length = 0
  return { clock, uart, wire, out, read, receive, sent: () => sent, events }
}

/** Nanoseconds of a character of 10 bits at 115,200 baud. */
const character = Math.ceil(1e10 / 115_200)

describe('transmitting', () => {
  test('a long text takes a time in proportion', () => {
    const { uart, read } = setUp()
    uart.receive(new Uint8Array(1 << 20).fill(0x41))
    let count = 0
    for (; read(LSR) & 1; count++) read(RBR)
    expect(count).toBe(1 << 20)
  })

  test('at the speed of the line if asked for', () => {
    const { clock, out, read, wire, sent } = setUp({ paced: true })
    out(FCR, 0x01)
    out(IER, 0x02)
    read(IIR)
    out(THR, ...Array.from('0123456789abcdefghij', (c) => c.charCodeAt(0)))
    // One is on the line, sixteen are in the FIFO, three are lost.
    expect([read(LSR), wire.level, sent()]).toEqual([0, false, ''])
    clock.advanceTo(character - 1)
    expect(sent()).toBe('')
    clock.advanceTo(character)
    expect(sent()).toBe('0')
    clock.advanceTo(16 * character)
    expect([sent(), read(LSR), wire.level]).toEqual(['0123456789abcdef', 0x20, true])
    clock.advanceTo(17 * character)
    expect([sent(), read(LSR)]).toEqual(['0123456789abcdefg', 0x60])
  })

  test('two stop bits, parity and a slower divisor take longer', () => {
    const { clock, out, sent } = setUp({ paced: true })
    out(LCR, 0x8f)
    out(0, 12)
    out(LCR, 0x0f)
    out(THR, 0x41)
    const time = Math.ceil((12e9 * 12) / 115_200)
    clock.advanceTo(time - 1)
    expect(sent()).toBe('')
    clock.advanceTo(time)
    expect(sent()).toBe('A')
  })
})

describe('receiving', () => {
  test('without the FIFO one character at a time, and none is lost', () => {
    const { out, read, receive, wire, events } = setUp()
    out(IER, 0x01)
    receive('ab')
    expect([wire.level, read(IIR), read(LSR)]).toEqual([true, 0x04, 0x61])
    expect([read(RBR), wire.level, read(RBR), wire.level]).toEqual([0x61, true, 0x62, false])
    expect(events).toEqual(['drain'])
  })

  test.each([
    [0x01, 1],
    [0x41, 4],
    [0x81, 8],
    [0xc1, 14],
  ])('FCR %i interrupts from %i characters on', (fcr, trigger) => {
    const { out, read, receive, wire } = setUp()
    out(FCR, fcr)
    out(IER, 0x01)
    receive('x'.repeat(trigger - 1))
    expect(wire.level).toBe(false)
    receive('x')
    expect([wire.level, read(IIR)]).toEqual([true, 0xc4])
    read(RBR)
    expect(wire.level).toBe(false)
  })

  test('more than the FIFO holds waits until the guest reads', () => {
    const { uart, out, read, receive, events } = setUp()
    out(FCR, 0x01)
    const text = Array.from({ length: 40 }, (_, i) => String.fromCharCode(48 + i)).join('')
    receive(text)
    expect([uart.waiting, events]).toEqual([24, []])
    let got = ''
    while (read(LSR) & 1) got += String.fromCharCode(read(RBR))
    expect([got, events, read(RBR)]).toEqual([text, ['drain'], 0])
  })

  test('at the speed of the line if asked for', () => {
    const { clock, out, read, receive } = setUp({ paced: true })
    out(FCR, 0x01)
    receive('ab')
    clock.advanceTo(character - 1)
    expect(read(LSR) & 1).toBe(0)
    clock.advanceTo(character)
    expect([read(RBR), read(LSR) & 1]).toEqual([0x61, 0])
    clock.advanceTo(2 * character)
    expect(read(RBR)).toBe(0x62)
  })

  test('with flow control only while RTS is on', () => {
    const { out, read, receive } = setUp({ flowControl: true })
    out(MCR, 0x09)
    receive('a')
    expect(read(LSR) & 1).toBe(0)
    out(MCR, 0x0b)
    expect(read(RBR)).toBe(0x61)
  })
})

describe('modem lines', () => {
  test('the other side sees DTR and RTS', () => {
    const { out, events } = setUp()
    out(MCR, 0x0a)
    out(MCR, 0x02)
    out(MCR, 0x13)
    expect(events).toEqual([
      { dtr: false, rts: true },
      { dtr: false, rts: false },
    ])
  })
})

describe('loopback', () => {
  test('what the other side sends waits until it is over', () => {
    const { out, read, receive } = setUp()
    out(MCR, 0x1b)
    receive('z')
    expect(read(LSR)).toBe(0x60)
    out(MCR, 0x0b)
    expect(read(RBR)).toBe(0x7a)
  })
})

test('saved in the middle of everything, it goes on elsewhere', () => {
  const here = setUp({ paced: true })
  here.out(FCR, 0xc1)
  here.out(IER, 0x0f)
  here.receive('hello')
  here.out(THR, 0x31, 0x32, 0x33)
  here.clock.advanceTo(3.5 * character)
  const state = JSON.parse(JSON.stringify(here.uart.save()))
  const there = setUp({ paced: true })
  there.clock.restore(here.clock.save())
  there.uart.restore(state)
  expect(there.wire.level).toBe(here.wire.level)
  const tail = (side: typeof here) => {
    side.clock.advanceTo(20 * character)
    return [side.read(IIR), side.read(LSR), side.read(RBR), side.read(RBR), side.uart.save()]
  }
  expect(tail(there)).toEqual(tail(here))
  expect(here.sent()).toBe('123')
  expect(there.sent()).toBe(here.sent().slice(3))
})

test('reset: as after power-on, and what waits comes then', () => {
  const { uart, wire, out, read, receive } = setUp()
  out(FCR, 0x01)
  out(IER, 0x0f)
  receive('a'.repeat(20))
  uart.reset()
  expect([wire.level, read(IER), read(IIR), read(LCR), read(MCR), read(LSR)]).toEqual([false, 0, 1, 0, 0, 0x61])
})

test('a machine without firmware prints in eight bits from the start, if its UART is configured', () => {
  let sent = ''
  const onTransmit = (bytes: Uint8Array) => void (sent += String.fromCharCode(...bytes))
  const uart = new Uart16550({ clock: new Clock(), line: { set() {} }, onTransmit, configured: true })
  const { registers } = uart.regions
  registers.write(THR, 1, 0x7e)
  expect([sent, registers.read(LCR, 1), registers.read(MCR, 1), registers.read(MSR, 1)]).toEqual(['~', 3, 3, 0xb0])
  registers.write(LCR, 1, 0)
  uart.reset()
  expect(registers.read(LCR, 1)).toBe(3)
})

test('a guest listens once its driver takes interrupts, or when it polls', () => {
  const { out, read, uart } = setUp()
  out(4, 0)
  out(1, 0x0f)
  expect(uart.listening).toBe(false)
  out(4, 0x1b)
  expect(uart.listening).toBe(false)
  out(4, 0x0b)
  expect(uart.listening).toBe(true)
  out(1, 0)
  for (let i = 0; i < 200; i++) {
    read(5)
    if (i % 10 === 0) out(0, 0x41)
  }
  expect(uart.listening).toBe(false)
  for (let i = 0; i < 200; i++) read(5)
  expect(uart.listening).toBe(true)
})
