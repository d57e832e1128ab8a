import { Bus, Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { Uart16550, type Uart16550Options } from './uart16550.ts'

const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7]
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

describe('registers', () => {
  test('the divisor lies behind DLAB, the scratch register keeps what it is given', () => {
    const { out, read } = setUp()
    out(LCR, 0x80)
    out(0, 0x34)
    out(1, 0x12)
    expect([read(0), read(1), read(LCR)]).toEqual([0x34, 0x12, 0x80])
    out(LCR, 0x03)
    out(SCR, 0xa5)
    out(IER, 0xff)
    expect([read(SCR), read(IER), read(MCR)]).toEqual([0xa5, 0x0f, 0x0b])
  })

  test('the FIFO bits tell a 16550A from what came before', () => {
    const { out, read } = setUp()
    expect(read(IIR)).toBe(0x01)
    out(FCR, 0x01)
    expect(read(IIR)).toBe(0xc1)
    out(FCR, 0x00)
    expect(read(IIR)).toBe(0x01)
  })
})

describe('transmitting', () => {
  test('at once, and the guest is told that there is room again', () => {
    const { out, read, wire, sent } = setUp()
    out(IER, 0x02)
    expect([wire.level, read(IIR), wire.level]).toEqual([true, 0x02, false])
    out(THR, 0x48)
    expect([sent(), read(LSR), wire.level, read(IIR), read(IIR)]).toEqual(['H', 0x60, true, 0x02, 0x01])
  })

  test('a shorter character loses its upper bits', () => {
    const { out, sent } = setUp()
    out(LCR, 0x02)
    out(THR, 0xc1)
    expect(sent()).toBe('A')
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

  test('what is below the trigger level is told after four character times', () => {
    const { clock, out, read, receive, wire } = setUp()
    out(FCR, 0xc1)
    out(IER, 0x01)
    receive('ab')
    clock.advanceTo(4 * character - 1)
    expect([wire.level, read(IIR)]).toEqual([false, 0xc1])
    clock.advanceTo(4 * character)
    expect([wire.level, read(IIR)]).toEqual([true, 0xcc])
    expect([read(RBR), wire.level]).toEqual([0x61, false])
    clock.advanceTo(8 * character)
    expect([wire.level, read(RBR), wire.level]).toEqual([true, 0x62, false])
    clock.advanceTo(100 * character)
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

  test('clearing the FIFO', () => {
    const { clock, out, read, receive, wire } = setUp()
    out(FCR, 0x81)
    out(IER, 0x01)
    receive('abc')
    out(FCR, 0x83)
    clock.advanceTo(100 * character)
    expect([read(LSR), wire.level]).toEqual([0x60, false])
  })
})

describe('line status', () => {
  test('a break is a zero with errors, and the errors come with their character', () => {
    const { uart, out, read, receive, wire } = setUp()
    out(FCR, 0x01)
    out(IER, 0x05)
    receive('a')
    uart.receiveBreak()
    expect([read(IIR), read(LSR)]).toEqual([0xc4, 0xe1])
    read(RBR)
    expect([read(IIR), read(LSR), read(IIR)]).toEqual([0xc6, 0xf9, 0xc4])
    expect([read(LSR), read(RBR), wire.level]).toEqual([0x61, 0, false])
  })

  test('overruns happen in loopback: a FIFO keeps the old, a register the new', () => {
    const { out, read } = setUp()
    out(MCR, 0x1b)
    out(THR, 0x31, 0x32)
    expect([read(LSR), read(LSR), read(RBR)]).toEqual([0x63, 0x61, 0x32])
    out(FCR, 0x01)
    for (let i = 0; i < 17; i++) out(THR, i)
    expect(read(LSR)).toBe(0x63)
    for (let i = 0; i < 16; i++) expect(read(RBR)).toBe(i)
    expect(read(LSR)).toBe(0x60)
  })
})

describe('modem lines', () => {
  test('changes are told once, that of RI when it goes off', () => {
    const { uart, out, read, wire } = setUp()
    expect(read(MSR)).toBe(0xb0)
    out(IER, 0x08)
    uart.setModemLines({ cts: false, dsr: true, ri: true, dcd: true })
    expect([wire.level, read(IIR), read(MSR), wire.level, read(MSR)]).toEqual([true, 0x00, 0xe1, false, 0xe0])
    uart.setModemLines({ cts: false, dsr: false, ri: false, dcd: false })
    expect([read(MSR), read(MSR)]).toEqual([0x0e, 0])
  })

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

  test('breaks are told to the other side', () => {
    const { out, events } = setUp()
    out(LCR, 0x43)
    out(LCR, 0x03)
    expect(events).toEqual(['break', 'break ends'])
  })

  test('OUT2 lets the interrupt through', () => {
    const { out, wire } = setUp()
    out(IER, 0x02)
    out(MCR, 0x03)
    expect(wire.level).toBe(false)
    out(MCR, 0x0b)
    expect(wire.level).toBe(true)
  })
})

describe('loopback', () => {
  test('outputs are inputs, and the other side hears nothing', () => {
    const { out, read, sent, events } = setUp()
    out(MCR, 0x1a)
    expect(read(MSR) & 0xf0).toBe(0x90)
    out(MCR, 0x15)
    expect(read(MSR) & 0xf0).toBe(0x60)
    out(THR, 0x5a)
    out(LCR, 0x43)
    expect([read(LSR) & 1, sent(), events.includes('break')]).toEqual([1, '', false])
  })

  test('what the other side sends waits until it is over', () => {
    const { out, read, receive } = setUp()
    out(MCR, 0x1b)
    receive('z')
    expect(read(LSR)).toBe(0x60)
    out(MCR, 0x0b)
    expect(read(RBR)).toBe(0x7a)
  })
})

test('interrupts come in order of priority', () => {
  const { uart, out, read, receive } = setUp()
  read(MSR)
  uart.receiveBreak()
  receive('a')
  uart.setModemLines({ cts: false, dsr: true, ri: false, dcd: true })
  out(IER, 0x0f)
  expect(read(IIR)).toBe(0x06)
  read(LSR)
  expect(read(IIR)).toBe(0x04)
  read(RBR)
  read(RBR)
  expect(read(IIR)).toBe(0x02)
  expect(read(IIR)).toBe(0x00)
  read(MSR)
  expect(read(IIR)).toBe(0x01)
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
