/** The suite of two 8259As as a PC has them (Intel 8259A data sheet, order number 231468; 82371AB for ELCR). */
import { type Line, pulse as pulseLine, type RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** A pair under test. */
export interface PicPairUnderTest {
  /** The master's two registers: ports 0x20 and 0x21. */
  readonly master: RegisterFile
  /** The slave's two registers: ports 0xa0 and 0xa1. */
  readonly slave: RegisterFile
  /** The edge/level control registers, ports 0x4d0 and 0x4d1; tests of them are left out where there are none. */
  readonly elcr?: readonly [master: RegisterFile, slave: RegisterFile]
  /** The wire into input 0–15, other than 2. Asked for once each. */
  line(input: number): Line
  /** The level of INT. */
  readonly pending: boolean
  /** The acknowledge cycle: the vector. */
  acknowledge(): number
}

interface Subject {
  readonly pair: PicPairUnderTest
  /** Initialises both: vectors 0x08 and 0x70. */
  init(words?: { readonly icw1?: number; readonly master4?: number; readonly slave4?: number }): void
  /** Writes to a register: 0 and 1 are the master's, 2 and 3 the slave's. */
  out(register: number, ...values: number[]): void
  read(register: number): number
  irr(chip: 0 | 2): number
  isr(chip: 0 | 2): number
  set(input: number, level?: boolean): void
  pulse(input: number): void
  /** Ends an interrupt: a non-specific EOI to both chips. */
  end(): void
}

/** Tests for a pair that `make` makes; nothing on the bench is needed by most. */
export function picConformance(make: (bench: Bench) => PicPairUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: '8259 pair',
    manual: 'the 8259A data sheet',
    make: () => subjectOf(make(new Bench())),
    tests: [...requests, ...priorities, ...modes, ...(make(new Bench()).elcr === undefined ? [] : levels)],
  })
}

function subjectOf(pair: PicPairUnderTest): Subject {
  const lines = new Map<number, Line>()
  const line = (input: number) => {
    const known = lines.get(input) ?? pair.line(input)
    lines.set(input, known)
    return known
  }
  const chip = (register: number) => (register < 2 ? pair.master : pair.slave)
  const out = (register: number, ...values: number[]) => {
    for (const value of values) chip(register).write(register & 1, 1, value)
  }
  const read = (register: number) => chip(register).read(register & 1, 1)
  const subject: Subject = {
    pair,
    init({ icw1 = 0x11, master4 = 0x01, slave4 = 0x01 } = {}) {
      out(0, icw1)
      out(1, 0x08, 0x04, master4)
      out(2, icw1)
      out(3, 0x70, 0x02, slave4)
    },
    out,
    read,
    irr: (register) => (out(register, 0x0a), read(register)),
    isr: (register) => (out(register, 0x0b), read(register)),
    set: (input, level = true) => line(input).set(level),
    pulse: (input) => pulseLine(line(input)),
    end() {
      out(2, 0x20)
      out(0, 0x20)
    },
  }
  subject.init()
  return subject
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const requests: Tests = [
  {
    name: 'each input has its vector',
    section: 'interrupt sequence',
    run({ pair, set, end }, expect) {
      for (let input = 0; input < 16; input++) {
        if (input === 2) continue
        expect(pair.pending, false, 'INT is high though nobody asks')
        set(input)
        expect(pair.pending, true, `an interrupt on input ${input} does not reach the CPU`)
        const vector = input < 8 ? 0x08 + input : 0x70 + input - 8
        expect(pair.acknowledge(), vector, `input ${input} runs the wrong handler`)
        expect(pair.pending, false, 'INT stays high after the acknowledge')
        if (input < 8) end()
        else {
          end()
          end()
        }
        set(input, false)
      }
    },
  },
  {
    name: 'an edge is one interrupt, however long the wire stays high',
    section: 'edge and level triggered modes',
    run({ pair, set, end, irr, isr }, expect) {
      set(1)
      expect([irr(0), isr(0)], [2, 0], 'the request register does not show the request')
      pair.acknowledge()
      expect([irr(0), isr(0)], [0, 2], 'the in-service register does not show what is served')
      end()
      expect([pair.pending, isr(0)], [false, 0], 'a handler runs again though its device did not ask again')
      set(1, false)
      set(1)
      expect(pair.pending, true, 'the second edge is lost')
    },
  },
  {
    name: 'a pulse is an interrupt, though the wire has fallen',
    section: 'edge and level triggered modes (latched, as in chipsets)',
    run({ pair, pulse, end }, expect) {
      for (const [input, vector] of [
        [3, 0x0b],
        [12, 0x74],
      ] as const) {
        pulse(input)
        expect([pair.pending, pair.acknowledge()], [true, vector], 'an interrupt of a short edge is lost')
        end()
        expect(pair.pending, false, 'one edge is two interrupts')
      }
    },
  },
  {
    name: 'masked inputs wait',
    section: 'OCW1',
    run({ pair, set, out, read }, expect) {
      out(1, 0x02)
      set(1)
      expect([pair.pending, read(1)], [false, 2], 'a masked interrupt reaches the CPU')
      out(1, 0)
      expect(pair.pending, true, 'an interrupt that came while it was masked is lost')
      out(1, 0x02)
      expect(pair.pending, false, 'masking does not take the request back')
    },
  },
  {
    name: 'an acknowledge without a request is a spurious 7',
    section: 'interrupt sequence',
    run({ pair, isr, set, out }, expect) {
      expect(
        [pair.acknowledge(), isr(0)],
        [0x0f, 0],
        'a spurious interrupt is not told as input 7, or stays in service',
      )
      set(9)
      out(3, 0x02)
      expect(pair.pending, false, 'the slave’s masked request is still the master’s')
    },
  },
  {
    name: 'initialisation forgets masks, service and edges, and nothing asks until it is done',
    section: 'initialization sequence',
    run({ pair, set, out, read, isr }, expect) {
      set(1)
      set(4)
      pair.acknowledge()
      out(1, 0xff)
      out(0, 0x11)
      out(1, 0x20, 0x04)
      expect(pair.pending, false, 'an interrupt comes in the middle of the initialisation')
      out(1, 0x01)
      expect([read(1), isr(0), pair.pending], [0, 0, false], 'something of before the initialisation is left')
      set(1, false)
      set(1)
      expect(pair.acknowledge(), 0x21, 'the new vector base is not used')
    },
  },
  {
    name: 'ICW4 is left out if ICW1 says so, and ICW3 of a single chip',
    section: 'initialization sequence',
    run({ set, out, read, pair }, expect) {
      out(0, 0x12)
      out(1, 0x40)
      out(1, 0x80)
      expect(read(1), 0x80, 'a mask is taken for a word of the initialisation')
      set(0)
      expect(pair.acknowledge(), 0x40, 'a single chip does not give its vector')
      set(1)
      expect(pair.pending, false, 'automatic EOI is on though no ICW4 said so')
    },
  },
]

const priorities: Tests = [
  {
    name: 'lower numbers interrupt higher ones, not the other way round',
    section: 'fully nested mode',
    run({ pair, set, end }, expect) {
      set(5)
      pair.acknowledge()
      set(6)
      expect(pair.pending, false, 'a handler is interrupted by what is less urgent')
      set(3)
      expect(pair.pending && pair.acknowledge(), 0x0b, 'a handler holds up what is more urgent')
      end()
      expect(pair.pending, false, 'what waits for input 5 does not wait')
      end()
      expect(pair.pending && pair.acknowledge(), 0x0e, 'what waited is lost')
    },
  },
  {
    name: 'the slave stands between 1 and 3',
    section: 'cascade mode',
    run({ pair, set }, expect) {
      set(3)
      set(8)
      expect(pair.acknowledge(), 0x70, 'input 3 goes before the slave')
      set(1)
      expect(pair.acknowledge(), 0x09, 'input 1 does not go before the slave')
    },
  },
  {
    name: 'a slave interrupts itself only in special fully nested mode',
    section: 'special fully nested mode',
    run({ pair, set, init, end }, expect) {
      for (const [master4, nested] of [
        [0x01, false],
        [0x11, true],
      ] as const) {
        init({ master4 })
        set(12)
        pair.acknowledge()
        set(8)
        expect(pair.pending, nested, `input 8 during 12 is ${nested ? 'held up' : 'let through'}`)
        set(12, false)
        set(8, false)
        end()
        end()
      }
    },
  },
  {
    name: 'a specific EOI ends what it names, a non-specific one the most urgent',
    section: 'end of interrupt',
    run({ pair, set, out, isr }, expect) {
      for (const input of [6, 4, 1]) {
        set(input)
        pair.acknowledge()
      }
      out(0, 0x66)
      expect(isr(0), 0x12, 'a specific EOI ends another interrupt')
      out(0, 0x20)
      expect(isr(0), 0x10, 'a non-specific EOI does not end the most urgent interrupt')
    },
  },
  {
    name: 'rotation: what was served goes last',
    section: 'automatic and specific rotation',
    run({ pair, set, out }, expect) {
      set(4)
      pair.acknowledge()
      out(0, 0xa0)
      set(0)
      set(5)
      expect(pair.acknowledge(), 0x0d, 'rotating EOI does not rotate')
      out(0, 0xe5)
      expect(pair.acknowledge(), 0x08, 'rotating specific EOI does not end, or does not rotate')
    },
  },
  {
    name: 'the lowest priority is set by command',
    section: 'specific rotation',
    run({ pair, set, out }, expect) {
      out(0, 0xc4)
      set(0)
      set(5)
      expect(pair.acknowledge(), 0x0d, 'setting priorities does nothing')
    },
  },
]

const modes: Tests = [
  {
    name: 'special mask mode: what is masked in service holds nobody up',
    section: 'special mask mode',
    run({ pair, set, out, isr }, expect) {
      set(1)
      pair.acknowledge()
      set(5)
      out(1, 0x02)
      expect(pair.pending, false, 'without special mask mode a mask lets others through')
      out(0, 0x68)
      expect(pair.pending && pair.acknowledge(), 0x0d, 'in special mask mode a masked one holds up others')
      out(0, 0x20)
      expect(isr(0), 0x02, 'a non-specific EOI ends what is masked')
      out(0, 0x48)
      out(0, 0x20)
      expect(isr(0), 0, 'special mask mode does not end')
    },
  },
  {
    name: 'automatic EOI: nothing stays in service',
    section: 'automatic end of interrupt mode',
    run({ pair, set, init, isr }, expect) {
      init({ master4: 0x03 })
      set(1)
      set(4)
      expect([pair.acknowledge(), isr(0)], [0x09, 0], 'an interrupt stays in service')
      expect(pair.pending && pair.acknowledge(), 0x0c, 'what waits is not told')
    },
  },
  {
    name: 'automatic EOI can rotate',
    section: 'automatic rotation',
    run({ pair, pulse, set, init, out }, expect) {
      init({ master4: 0x03 })
      out(0, 0x80)
      pulse(1)
      pair.acknowledge()
      set(1)
      set(6)
      expect(pair.acknowledge(), 0x0e, 'rotation in automatic EOI mode does not rotate')
    },
  },
  {
    name: 'a slave with more requests asks again at once',
    section: 'cascade mode',
    run({ pair, set, init, out }, expect) {
      init({ slave4: 0x03 })
      set(9)
      set(10)
      expect(pair.acknowledge(), 0x71, 'the slave’s vector is wrong')
      out(0, 0x20)
      expect(pair.pending && pair.acknowledge(), 0x72, 'the slave’s second request is lost')
    },
  },
  {
    name: 'poll: the next read acknowledges',
    section: 'poll command',
    run({ pair, set, out, read, isr }, expect) {
      set(6)
      out(0, 0x0c)
      expect([read(0), pair.pending, isr(0)], [0x86, false, 0x40], 'a poll does not acknowledge')
      out(0, 0x20)
      out(0, 0x0c)
      expect(read(0) & 0x80, 0, 'a poll tells of a request that is none')
    },
  },
]

const levels: Tests = [
  {
    name: 'a level goes on asking until it falls',
    section: 'edge and level triggered modes; 82371AB, ELCR',
    run({ pair, set, end, irr }, expect) {
      pair.elcr![0].write(0, 1, 0xff)
      pair.elcr![1].write(0, 1, 0xff)
      expect([pair.elcr![0].read(0, 1), pair.elcr![1].read(0, 1)], [0xf8, 0xde], 'inputs that are edges become levels')
      set(11)
      expect([pair.acknowledge(), irr(2)], [0x73, 8], 'a level is forgotten when it is acknowledged')
      end()
      expect(pair.pending && pair.acknowledge(), 0x73, 'a level that is still high does not ask again')
      set(11, false)
      end()
      expect(pair.pending, false, 'a level asks after it has fallen')
    },
  },
  {
    name: 'a level that fell before it was acknowledged is a spurious 7',
    section: 'edge and level triggered modes',
    run({ pair, set, isr }, expect) {
      pair.elcr![0].write(0, 1, 0x08)
      set(3)
      set(3, false)
      expect([pair.pending, pair.acknowledge(), isr(0)], [false, 0x0f, 0], 'a level that is low asks')
    },
  },
]
