/** The suite of a 16550A UART (National Semiconductor PC16550D data sheet) behind the OUT2 gate of a PC. */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** The modem lines that the other side drives. */
export interface ModemInputs {
  readonly cts: boolean
  readonly dsr: boolean
  readonly ri: boolean
  readonly dcd: boolean
}

/** A UART under test, and the other side of its line. */
export interface UartUnderTest {
  /** Eight registers. */
  readonly registers: RegisterFile
  /** Characters from the other side; they may arrive at once. */
  receive(bytes: Uint8Array): void
  /** A break from the other side. */
  receiveBreak(): void
  /** Drives CTS, DSR, RI and DCD; CTS, DSR and DCD are on at first. */
  setModemLines(lines: ModemInputs): void
}

interface Subject {
  readonly bench: Bench
  readonly uart: UartUnderTest
  out(register: number, ...values: number[]): void
  read(register: number): number
  /** Text from the other side, with the time that it takes. */
  receive(text: string): void
  /** What the guest has sent so far. */
  sent(): string
  irq(): boolean
}

const [RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR] = [0, 1, 2, 3, 4, 5, 6, 7]
const [THR, FCR] = [0, 2]

/** Nanoseconds of a character of 10 bits at 115,200 baud. */
const character = Math.ceil(1e10 / 115_200)

/**
 * Tests for a UART that `make` makes. Its interrupt is `bench.line('irq')`, what it sends goes to `bench.callback('sent')`
 * as bytes, breaks to `bench.callback('break')`, and `{ dtr, rts }` to `bench.callback('modem')`.
 */
export function uartConformance(make: (bench: Bench) => UartUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: '16550A',
    manual: 'the PC16550D data sheet',
    make() {
      const bench = new Bench()
      const uart = make(bench)
      const out = (register: number, ...values: number[]) => {
        for (const value of values) uart.registers.write(register, 1, value)
      }
      // 115,200 baud, 8N1, interrupts through.
      out(LCR, 0x83)
      out(0, 1)
      out(1, 0)
      out(LCR, 0x03)
      out(MCR, 0x0b)
      bench.events.length = 0
      return {
        bench,
        uart,
        out,
        read: (register) => uart.registers.read(register, 1),
        receive(text) {
          uart.receive(Uint8Array.from(text, (c) => c.charCodeAt(0)))
          bench.pass((text.length + 1) * character)
        },
        sent: () => String.fromCharCode(...bench.told('sent').flatMap((bytes) => bytes as number[])),
        irq: () => bench.told('irq').at(-1) === true,
      }
    },
    tests: [...registers, ...transmitting, ...receiving, ...modem],
  })
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const registers: Tests = [
  {
    name: 'the divisor lies behind DLAB, the scratch register keeps what it is given',
    section: '8.1 and 8.10',
    run({ out, read }, expect) {
      out(LCR, 0x80)
      out(0, 0x34)
      out(1, 0x12)
      expect([read(0), read(1), read(LCR)], [0x34, 0x12, 0x80], 'the divisor cannot be read back')
      out(LCR, 0x03)
      out(SCR, 0xa5)
      out(IER, 0xff)
      expect([read(SCR), read(IER), read(MCR)], [0xa5, 0x0f, 0x0b], 'no UART is found by its scratch register')
    },
  },
  {
    name: 'the FIFO bits tell a 16550A from what came before',
    section: '8.5',
    run({ out, read }, expect) {
      expect(read(IIR), 0x01, 'an interrupt is told of that nobody asked for')
      out(FCR, 0x01)
      expect(read(IIR), 0xc1, 'the driver does not find the FIFO')
      out(FCR, 0x00)
      expect(read(IIR), 0x01, 'the FIFO cannot be turned off')
    },
  },
  {
    name: 'OUT2 lets the interrupt through',
    section: '8.6, and the PC’s wiring',
    run({ out, irq }, expect) {
      out(IER, 0x02)
      out(MCR, 0x03)
      expect(irq(), false, 'an interrupt comes though OUT2 is off')
      out(MCR, 0x0b)
      expect(irq(), true, 'an interrupt that waited for OUT2 is lost')
    },
  },
  {
    name: 'interrupts come in order of priority',
    section: '8.5, table IV',
    run({ uart, bench, out, read, receive }, expect) {
      read(MSR)
      uart.receiveBreak()
      bench.pass(2 * character)
      receive('')
      uart.setModemLines({ cts: false, dsr: true, ri: false, dcd: true })
      out(IER, 0x0f)
      const causes = [read(IIR), read(LSR) & 0x10, read(IIR), read(RBR), read(IIR), read(IIR), read(MSR) & 1, read(IIR)]
      expect(causes, [0x06, 0x10, 0x04, 0, 0x02, 0x00, 1, 0x01], 'the driver handles causes in the wrong order')
    },
  },
]

const transmitting: Tests = [
  {
    name: 'what is written is sent, and the guest is told that there is room again',
    section: '8.5, table IV: THR empty',
    run({ bench, out, read, irq, sent }, expect) {
      out(IER, 0x02)
      expect([irq(), read(IIR), irq()], [true, 0x02, false], 'reading IIR does not end the interrupt')
      out(THR, 0x48)
      bench.pass(2 * character)
      expect([sent(), read(LSR) & 0x60], ['H', 0x60], 'a character is not sent')
      expect([irq(), read(IIR), read(IIR)], [true, 0x02, 0x01], 'the driver is not told that there is room')
    },
  },
  {
    name: 'a shorter character loses its upper bits',
    section: '8.2',
    run({ bench, out, sent }, expect) {
      out(LCR, 0x02)
      out(THR, 0xc1)
      bench.pass(2 * character)
      expect(sent(), 'A', 'a line of seven bits carries eight')
    },
  },
  {
    name: 'breaks are told to the other side',
    section: '8.2: break control',
    run({ bench, out }, expect) {
      out(LCR, 0x43)
      out(LCR, 0x03)
      expect(bench.told('break'), [true, false], 'a break does not begin, or does not end')
    },
  },
]

const receiving: Tests = [
  {
    name: 'without the FIFO one character at a time',
    section: '8.4',
    run({ out, read, receive, irq }, expect) {
      out(IER, 0x01)
      receive('a')
      expect([irq(), read(IIR), read(LSR)], [true, 0x04, 0x61], 'a character is not told of')
      expect([read(RBR), irq(), read(LSR)], [0x61, false, 0x60], 'reading does not take the character')
    },
  },
  {
    name: 'the FIFO interrupts from the trigger level on',
    section: '8.4: RCVR trigger',
    run({ out, read, receive, irq }, expect) {
      for (const [fcr, trigger] of [
        [0x01, 1],
        [0x41, 4],
        [0x81, 8],
        [0xc1, 14],
      ] as const) {
        out(IER, 0x01)
        out(FCR, fcr | 2)
        for (let i = 1; i < trigger; i++) receive('x')
        expect(irq() && read(IIR) === 0xc4, false, `the interrupt of trigger level ${trigger} comes too soon`)
        receive('x')
        expect([irq(), read(IIR)], [true, 0xc4], `the interrupt of trigger level ${trigger} does not come`)
        read(RBR)
        expect(read(IIR) & 0x0f, 1, 'below the trigger level the interrupt goes on')
        out(FCR, 0)
      }
    },
  },
  {
    name: 'what is below the trigger level is told after four character times',
    section: '8.8: FIFO timeout interrupts',
    run({ bench, out, read, receive, irq }, expect) {
      out(FCR, 0xc1)
      out(IER, 0x01)
      receive('ab')
      expect(irq(), false, 'the timeout comes at once')
      bench.pass(4 * character)
      expect([irq(), read(IIR)], [true, 0xcc], 'two characters are never told of')
      expect([read(RBR), irq()], [0x61, false], 'reading does not end the timeout')
      bench.pass(4 * character)
      expect([irq(), read(RBR), irq()], [true, 0x62, false], 'the second character is never told of')
    },
  },
  {
    name: 'a break is a zero with errors, which come with their character',
    section: '8.3: BI, FE, bit 7',
    run({ uart, bench, out, read, receive }, expect) {
      out(FCR, 0x01)
      out(IER, 0x05)
      receive('a')
      uart.receiveBreak()
      bench.pass(2 * character)
      expect([read(IIR), read(LSR)], [0xc4, 0xe1], 'an error is told of before its character is the next')
      read(RBR)
      expect([read(IIR), read(LSR) & 0x9f], [0xc6, 0x99], 'the break is not told of')
      expect([read(LSR) & 0x1f, read(RBR), read(LSR) & 1], [1, 0, 0], 'a break is told of twice, or is no zero')
    },
  },
  {
    name: 'overruns: a FIFO keeps the old characters, a register the new one',
    section: '8.3: OE',
    run({ bench, out, read }, expect) {
      // In loopback nothing holds the sender back.
      const send = (byte: number) => {
        out(THR, byte)
        bench.pass(2 * character)
      }
      out(MCR, 0x1b)
      for (const byte of [0x31, 0x32]) send(byte)
      expect([read(LSR) & 3, read(LSR) & 3, read(RBR)], [3, 1, 0x32], 'a lost character is not told of')
      out(FCR, 0x07)
      for (let i = 0; i < 17; i++) send(i)
      const got = Array.from({ length: 16 }, () => read(RBR))
      expect(
        got,
        Array.from({ length: 16 }, (_, i) => i),
        'the FIFO loses what it had',
      )
    },
  },
  {
    name: 'clearing the FIFO',
    section: '8.4',
    run({ bench, out, read, receive, irq }, expect) {
      out(FCR, 0x81)
      out(IER, 0x01)
      receive('abc')
      out(FCR, 0x83)
      bench.pass(100 * character)
      expect([read(LSR), irq()], [0x60, false], 'what was cleared is told of still')
    },
  },
]

const modem: Tests = [
  {
    name: 'changes of modem lines are told once, that of RI when it goes off',
    section: '8.7',
    run({ uart, out, read, irq }, expect) {
      expect(read(MSR), 0xb0, 'CTS, DSR and DCD are off')
      out(IER, 0x08)
      uart.setModemLines({ cts: false, dsr: true, ri: true, dcd: true })
      expect([irq(), read(IIR), read(MSR), irq(), read(MSR)], [true, 0x00, 0xe1, false, 0xe0], 'CTS is not told of')
      uart.setModemLines({ cts: false, dsr: false, ri: false, dcd: false })
      expect([read(MSR), read(MSR)], [0x0e, 0], 'the end of a ring is not told of')
    },
  },
  {
    name: 'the other side sees DTR and RTS, off in loopback',
    section: '8.6',
    run({ bench, out }, expect) {
      out(MCR, 0x0a)
      out(MCR, 0x02)
      out(MCR, 0x13)
      const told = [
        { dtr: false, rts: true },
        { dtr: false, rts: false },
      ]
      expect(bench.told('modem'), told, 'hardware flow control does not work')
    },
  },
  {
    name: 'loopback: outputs are inputs, and the other side hears nothing',
    section: '8.6: loop',
    run({ bench, out, read, sent }, expect) {
      out(MCR, 0x1a)
      expect(read(MSR) & 0xf0, 0x90, 'RTS and OUT2 do not come back as CTS and DCD: drivers find no UART')
      out(MCR, 0x15)
      expect(read(MSR) & 0xf0, 0x60, 'DTR and OUT1 do not come back as DSR and RI')
      out(THR, 0x5a)
      bench.pass(2 * character)
      expect([read(RBR), sent()], [0x5a, ''], 'what is sent does not come back, or goes out')
    },
  },
]
