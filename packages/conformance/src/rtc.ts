/** The suite of a real-time clock with CMOS memory (Motorola MC146818A data sheet, and its place in a PC AT). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** A clock under test. */
export interface ClockUnderTest {
  /** Index and data: ports 0x70 and 0x71. */
  readonly registers: RegisterFile
}

/** Makes a clock on a bench: its interrupt is `bench.line('irq')`, and `epoch` is the time now, in seconds since 1970. */
export type ClockFactory = (bench: Bench, epoch: number) => ClockUnderTest

interface Subject {
  /** A clock that is set to a time. */
  start(iso: string): {
    readonly bench: Bench
    readonly registers: RegisterFile
    read(index: number): number
    write(index: number, value: number): void
    /** Century, year, month, day, hours, minutes, seconds as they are read. */
    time(): string
    /** Whether the interrupt is asserted. */
    irq(): boolean
  }
}

const second = 1e9
const evening = '2024-02-28T23:59:58Z'

/** Tests for a clock. After power-on it runs, in BCD and 24 hours, its interrupts off. */
export function rtcConformance(make: ClockFactory): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'RTC',
    manual: 'the MC146818A data sheet',
    make: () => ({
      start(iso) {
        const bench = new Bench()
        const { registers } = make(bench, Date.parse(iso) / 1000)
        const read = (index: number) => {
          registers.write(0, 1, index)
          return registers.read(1, 1)
        }
        const write = (index: number, value: number) => {
          registers.write(0, 1, index)
          registers.write(1, 1, value)
        }
        const time = () => [0x32, 9, 8, 7, 4, 2, 0].map((i) => read(i).toString(16).padStart(2, '0')).join(' ')
        return { bench, registers, read, write, time, irq: () => bench.told('irq').at(-1) === true }
      },
    }),
    tests: [...keeping, ...interrupting],
  })
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const keeping: Tests = [
  {
    name: 'it goes with virtual time, over the end of a day, of February, of a century',
    section: 'time, calendar and alarm locations',
    run({ start }, expect) {
      const { bench, time, read } = start(evening)
      expect([time(), read(6)], ['20 24 02 28 23 59 58', 4], 'the date is not that of the start')
      bench.pass(second - 1)
      expect(time(), '20 24 02 28 23 59 58', 'a second is too short')
      bench.pass(second + 1)
      expect([time(), read(6)], ['20 24 02 29 00 00 00', 5], 'midnight is wrong in a leap year')
      bench.pass(86_400 * second)
      expect(time(), '20 24 03 01 00 00 00', 'a day passes wrongly unseen')
      for (const [from, to] of [
        ['1999-12-31', '20 00 01 01'],
        ['2023-02-28', '20 23 03 01'],
        ['2023-04-30', '20 23 05 01'],
      ]) {
        const other = start(`${from}T23:59:59Z`)
        other.bench.pass(second)
        expect(other.time(), `${to} 00 00 00`, `the day after ${from} is wrong`)
      }
    },
  },
  {
    name: 'binary, and twelve hours',
    section: 'register B: DM, 24/12',
    run({ start }, expect) {
      const { bench, read, write } = start(evening)
      write(0x0b, 0x82)
      write(0x0b, 0x80)
      write(4, 0x91)
      write(0x0b, 0x00)
      bench.pass(3 * second)
      expect([read(4), read(7)], [0x12, 0x29], 'after 11 PM it is not 12 AM of the next day')
      write(0x0b, 0x84)
      for (const [index, value] of [
        [0, 59],
        [2, 59],
        [4, 0x8b],
        [7, 9],
      ] as const) {
        write(index, value)
      }
      write(0x0b, 0x04)
      bench.pass(second)
      expect([read(0), read(2), read(4), read(7)], [0, 0, 12, 10], 'binary times are not counted in binary')
    },
  },
  {
    name: 'SET holds the time, the divider goes on',
    section: 'register B: SET',
    run({ start }, expect) {
      const { bench, read, write } = start(evening)
      bench.pass(second / 2)
      write(0x0b, 0x82)
      bench.pass(4.75 * second)
      expect([read(0), read(0x0a) & 0x80], [0x58, 0], 'the time changes while it is being set')
      write(0, 0x10)
      write(0x0b, 0x02)
      bench.pass(0.75 * second)
      expect(read(0), 0x11, 'the second that was set does not end with the divider’s')
    },
  },
  {
    name: 'half a second after the divider starts the first second is over',
    section: 'divider stages; register A: DV',
    run({ start }, expect) {
      const { bench, read, write } = start(evening)
      write(0x0a, 0x70)
      bench.pass(10.3 * second)
      expect(read(0), 0x58, 'time passes while the divider is held')
      write(0x0a, 0x26)
      bench.pass(0.49 * second)
      expect(read(0), 0x58, 'the first second is too short')
      bench.pass(0.02 * second)
      expect(read(0), 0x59, 'the first second is too long')
    },
  },
  {
    name: 'an update in progress is told before the time changes',
    section: 'update cycle: 244 µs and 1984 µs',
    run({ start }, expect) {
      const { bench, read } = start(evening)
      expect(read(0x0a) & 0x80, 0, 'an update is told of that is far')
      bench.pass(second - 2_300_000)
      expect(read(0x0a) & 0x80, 0, 'an update is told of too soon')
      bench.pass(200_000)
      expect([read(0x0a) & 0x80, read(0)], [0x80, 0x58], 'who looks for an update to wait for sees none')
      bench.pass(2_100_000)
      expect([read(0x0a) & 0x80, read(0)], [0, 0x59], 'the update does not end with the second')
    },
  },
  {
    name: 'memory keeps what it is given; registers C and D are read only',
    section: 'address map',
    run({ start }, expect) {
      const { read, write } = start(evening)
      // 0x32 is the century.
      const bytes = Array.from({ length: 0x72 }, (_, i) => i + 0x0e).filter((index) => index !== 0x32)
      for (const index of bytes) write(index, index ^ 0x55)
      expect(
        bytes.map(read),
        bytes.map((index) => index ^ 0x55),
        'what firmware remembers is lost',
      )
      write(0x0c, 0xff)
      write(0x0d, 0x00)
      expect([read(0x0c), read(0x0d)], [0, 0x80], 'read-only registers are written, or the battery is flat')
    },
  },
]

const interrupting: Tests = [
  {
    name: 'an interrupt after each update, until register C is read',
    section: 'register C',
    run({ start }, expect) {
      const { bench, read, write, irq } = start(evening)
      write(0x0b, 0x12)
      bench.pass(second - 1)
      expect(irq(), false, 'the interrupt comes too soon')
      bench.pass(1)
      expect([irq(), read(0x0c), irq(), read(0x0c)], [true, 0xd0, false, 0], 'reading register C does not end it')
      bench.pass(second)
      expect(irq(), true, 'there is no second interrupt')
    },
  },
  {
    name: 'periodic interrupts have the rate of register A',
    section: 'table 5, periodic interrupt rate',
    run({ start }, expect) {
      for (const [rate, hz] of [
        [0x01, 256],
        [0x03, 8192],
        [0x06, 1024],
        [0x0d, 8],
        [0x0f, 2],
      ] as const) {
        const { bench, read, write, irq } = start(evening)
        write(0x0a, 0x20 | rate)
        write(0x0b, 0x42)
        read(0x0c)
        let count = 0
        for (let period = 0; period < 8; period++) {
          bench.clock.advanceTo(Math.ceil(((period + 1) * second) / hz))
          if (irq()) count++
          read(0x0c)
        }
        expect(count, 8, `rate ${rate} is not ${hz} interrupts a second`)
      }
    },
  },
  {
    name: 'an alarm at a time, at any minute, and each second',
    section: 'alarm: “don’t care” codes',
    run({ start }, expect) {
      for (const [seconds, minutes, hours, due] of [
        [0x00, 0x00, 0x00, 2],
        [0x01, 0x01, 0xff, 63],
        [0xff, 0xc0, 0xff, 1],
        [0x58, 0x59, 0x23, 86_400],
      ] as const) {
        const { bench, read, write, irq } = start(evening)
        write(1, seconds)
        write(3, minutes)
        write(5, hours)
        write(0x0b, 0x22)
        bench.pass(due * second - 1)
        expect(irq(), false, 'the alarm goes off too soon')
        bench.pass(1)
        expect([irq(), read(0x0c) & 0xa0], [true, 0xa0], 'the alarm does not go off')
      }
    },
  },
  {
    name: 'flags are set without their interrupts',
    section: 'register C',
    run({ start }, expect) {
      const { bench, read, write, irq } = start(evening)
      for (const index of [1, 3, 5]) write(index, 0xff)
      bench.pass(second)
      expect([irq(), read(0x0c), read(0x0c)], [false, 0x70, 0], 'who polls register C waits for ever')
    },
  },
]
