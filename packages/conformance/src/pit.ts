/** The suite of an interval timer (Intel 8254 data sheet, order number 231164). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** A timer under test, clocked with 1,193,182 Hz by the bench's clock. */
export interface TimerUnderTest {
  /** Four registers: three counters and the control word. */
  readonly registers: RegisterFile
  /** The level of a counter's OUT now. */
  out(counter: number): boolean
  setGate(counter: number, level: boolean): void
}

/** CLK pulses a second. */
const frequency = 1_193_182

interface Subject {
  readonly bench: Bench
  readonly timer: TimerUnderTest
  write(register: number, ...values: number[]): void
  read(register: number): number
  /** Lets so many CLK pulses go by, and tells OUT of counter 0 after each: `-` is high. */
  strip(pulses: number): string
  /** Sets counter 0 up: mode and count, low byte only. */
  set(mode: number, count: number): void
  /** The gate of counter 0 falls and rises. */
  trigger(): void
  /** The time at which so many pulses have gone by since the start. */
  at(pulses: number): number
}

/** Tests for a timer that `make` makes. OUT of counter 0 is to be `bench.line('out 0')`, with its edges at their times. */
export function timerConformance(make: (bench: Bench) => TimerUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: '8254',
    manual: 'the 8254 data sheet',
    make() {
      const bench = new Bench()
      const timer = make(bench)
      const at = (pulses: number) => Math.ceil((pulses * 1e9) / frequency)
      let gone = 0
      const write = (register: number, ...values: number[]) => {
        for (const value of values) timer.registers.write(register, 1, value)
      }
      return {
        bench,
        timer,
        write,
        read: (register) => timer.registers.read(register, 1),
        strip(pulses) {
          let strip = ''
          for (let i = 0; i < pulses; i++) {
            bench.clock.advanceTo(at(++gone))
            strip += timer.out(0) ? '-' : '_'
          }
          return strip
        },
        set: (mode, count) => write(3, 0x10 | (mode << 1)) ?? write(0, count),
        trigger() {
          timer.setGate(0, false)
          timer.setGate(0, true)
        },
        at,
      }
    },
    tests: [...figures, ...reading],
  })
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const figures: Tests = [
  {
    name: 'mode 0: low until the count is over, one pulse later than the count',
    section: 'mode 0, figure 15',
    run({ set, timer, strip, read }, expect) {
      set(0, 4)
      expect(timer.out(0), false, 'the interrupt is there before the time has begun')
      expect([strip(7), read(0)], ['____---', 0xfe], 'the interrupt comes at the wrong time')
    },
  },
  {
    name: 'mode 0: a low gate holds the count',
    section: 'mode 0',
    run({ set, timer, strip, read }, expect) {
      set(0, 4)
      strip(2)
      timer.setGate(0, false)
      expect([strip(3), read(0)], ['___', 3], 'the count goes on while the gate is low')
      timer.setGate(0, true)
      expect(strip(4), '__--', 'the count does not go on from where it was')
    },
  },
  {
    name: 'mode 0: the first of two bytes stops the count, the second starts it anew',
    section: 'mode 0',
    run({ timer, write, strip }, expect) {
      write(3, 0x30)
      write(0, 3, 0)
      strip(10)
      expect(timer.out(0), true, 'the interrupt does not come')
      write(0, 5)
      expect([timer.out(0), strip(20)], [false, '_'.repeat(20)], 'half a count counts')
      write(0, 0)
      expect(strip(6), '_____-', 'the new count does not start')
    },
  },
  {
    name: 'mode 1: a one-shot that the gate starts and starts again',
    section: 'mode 1, figure 16',
    run({ set, timer, strip, trigger }, expect) {
      set(1, 3)
      expect([timer.out(0), strip(5)], [true, '-----'], 'it starts without a trigger')
      trigger()
      expect(strip(6), '___---', 'the pulse has the wrong length')
      trigger()
      strip(2)
      trigger()
      expect(strip(5), '___--', 'a second trigger does not make the pulse longer')
    },
  },
  {
    name: 'mode 2: low for the last pulse of each period',
    section: 'mode 2, figure 17',
    run({ set, timer, strip }, expect) {
      set(2, 3)
      expect([timer.out(0), strip(10)], [true, '--_--_--_-'], 'the clock runs at the wrong rate')
    },
  },
  {
    name: 'mode 2: a low gate makes the output high and starts the period anew',
    section: 'mode 2',
    run({ set, timer, strip }, expect) {
      set(2, 4)
      strip(4)
      timer.setGate(0, false)
      expect([timer.out(0), strip(3)], [true, '---'], 'it counts while the gate is low')
      timer.setGate(0, true)
      expect(strip(5), '---_-', 'the gate does not start the period anew')
    },
  },
  {
    name: 'mode 2: a new count is used from the next period',
    section: 'mode 2',
    run({ set, strip, write }, expect) {
      set(2, 4)
      strip(2)
      write(0, 5)
      expect(strip(9), '-_----_--', 'the period changes in its middle')
    },
  },
  {
    name: 'mode 3: half high and half low; of an odd count the greater half is high',
    section: 'mode 3, figure 18',
    run({ set, strip }, expect) {
      set(3, 4)
      expect(strip(10), '--__--__--', 'the square wave is none')
      set(3, 5)
      expect(strip(12), '---__---__--', 'an odd count has the wrong period')
    },
  },
  {
    name: 'mode 3: the count goes down by two',
    section: 'mode 3',
    run({ set, strip, read, timer }, expect) {
      set(3, 8)
      strip(2)
      expect(read(0), 6, 'who measures time with mode 3 measures half of it')
      strip(3)
      expect([timer.out(0), read(0)], [false, 8], 'the second half does not begin with the whole count')
    },
  },
  {
    name: 'mode 4: a strobe of one pulse, once',
    section: 'mode 4, figure 19',
    run({ set, timer, strip, write }, expect) {
      set(4, 3)
      expect([timer.out(0), strip(8)], [true, '---_----'], 'the strobe is not one pulse after the count')
      write(0, 2)
      expect(strip(5), '--_--', 'a new count makes no strobe')
    },
  },
  {
    name: 'mode 5: a strobe that the gate starts',
    section: 'mode 5, figure 20',
    run({ set, strip, trigger, timer }, expect) {
      set(5, 3)
      expect(strip(6), '------', 'it starts without a trigger')
      trigger()
      timer.setGate(0, false)
      expect(strip(6), '---_--', 'the strobe is not one pulse after the count')
    },
  },
  {
    name: '0 is the greatest count: 65,536, or 10,000 in BCD',
    section: 'programming the 8254',
    run({ bench, write, timer, at }, expect) {
      for (const [control, greatest, before] of [
        [0x30, 65_536, 0],
        [0x31, 10_000, 70_000],
      ] as const) {
        bench.clock.advanceTo(at(before))
        write(3, control)
        write(0, 0, 0)
        bench.clock.advanceTo(at(before + greatest))
        expect(timer.out(0), false, 'a count of 0 is over too soon')
        bench.clock.advanceTo(at(before + greatest + 1))
        expect(timer.out(0), true, 'a count of 0 is never over')
      }
    },
  },
]

const reading: Tests = [
  {
    name: 'OUT of counter 0 has its edges at their times',
    section: 'mode 2',
    run({ bench, write, at }, expect) {
      write(3, 0x34)
      write(0, 100, 0)
      bench.events.length = 0
      bench.clock.advanceTo(at(201))
      const wanted = [100, 101, 200, 201].map((pulses, i) => [at(pulses), 'out 0', i % 2 === 1])
      expect(bench.events, wanted, 'timer interrupts come at the wrong times')
    },
  },
  {
    name: 'the latch holds a count while it is read, and is not disturbed',
    section: 'counter latch command',
    run({ bench, write, read, at }, expect) {
      write(3, 0x34)
      write(0, 0x00, 0x10)
      bench.clock.advanceTo(at(11))
      write(3, 0x00)
      bench.clock.advanceTo(at(400))
      write(3, 0x00)
      expect([read(0), read(0)], [0xf6, 0x0f], 'a latched count changes before it is read')
      expect([read(0), read(0)], [0x71, 0x0e], 'the latch is not free after it was read')
    },
  },
  {
    name: 'read-back: status first, then the count, of all counters asked for',
    section: 'read-back command',
    run({ bench, write, read, at }, expect) {
      write(3, 0x34)
      write(0, 0x00, 0x10)
      write(3, 0xe2)
      expect(read(0), 0x80 | 0x40 | 0x34, 'the status before the first pulse is wrong')
      bench.clock.advanceTo(at(1))
      write(3, 0xc2)
      expect([read(0), read(0), read(0)], [0x80 | 0x34, 0x00, 0x10], 'status and count are mixed up')
      write(3, 0xb0)
      write(3, 0xee)
      expect(read(2) & 0x3f, 0x30, 'the status of counter 2 is not latched')
    },
  },
  {
    name: 'one byte is enough where the control word says so',
    section: 'control word format',
    run({ bench, write, read, at }, expect) {
      write(3, 0x20)
      write(0, 0x02)
      bench.clock.advanceTo(at(1 + 0x100))
      expect(read(0), 0x01, 'the upper byte is not written, or not read, alone')
    },
  },
  {
    name: 'a BCD count is read in BCD',
    section: 'programming the 8254',
    run({ bench, write, read, at }, expect) {
      write(3, 0x11)
      write(0, 0x25)
      bench.clock.advanceTo(at(1 + 7))
      expect(read(0), 0x18, 'a BCD counter counts in binary')
      bench.clock.advanceTo(at(1 + 7 + 19))
      expect(read(0), 0x99, 'a BCD counter does not wrap at 9999')
    },
  },
]
