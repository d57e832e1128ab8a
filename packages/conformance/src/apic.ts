/** The suite of an interrupt system with APICs (Intel SDM volume 3, chapter 11; 82093AA data sheet). */
import type { InterruptController, InterruptSource, MsiTarget, RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** An interrupt system under test: for two CPUs, whose APIC IDs are 0 and 1. Input 0 of the ISA is input 2 of the I/O APIC. */
export interface ApicSystemUnderTest extends InterruptController, MsiTarget {
  /** The local APIC's page as a CPU sees it. */
  local(cpu: number): RegisterFile
  /** The I/O APIC's page, with 24 inputs. */
  readonly ioApic: RegisterFile
}

interface Subject {
  readonly bench: Bench
  readonly system: ApicSystemUnderTest
  readonly sources: readonly InterruptSource[]
  read(register: number, cpu?: number): number
  write(register: number, value: number, cpu?: number): void
  /** Sends a message between CPUs. */
  send(command: number, destination?: number, from?: number): void
  /** Writes the redirection entry of an input of the I/O APIC. */
  redirect(input: number, low: number, high?: number): void
  /** The lower half of an entry. */
  entry(input: number): number
  /** Takes the interrupt that is pending and ends it: its vector, 0 if none is. */
  take(cpu?: number): number
}

const [ID, VERSION, TPR, PPR, EOI, LDR, DFR, SVR] = [0x20, 0x30, 0x80, 0xa0, 0xb0, 0xd0, 0xe0, 0xf0]
const [ISR, TMR, IRR, ESR, ICR, ICR2] = [0x100, 0x180, 0x200, 0x280, 0x300, 0x310]
const [TIMER, LINT1, INITIAL, CURRENT, DIVIDE] = [0x320, 0x360, 0x380, 0x390, 0x3e0]

/**
 * Tests for an interrupt system. What its CPUs are told beside vectors goes to `bench.callback('nmi')`, `'smi'`, `'init'`
 * (the number of the CPU) and `'startup'` (number and vector). Its 8259As, if it has any, ask for nothing.
 */
export function apicConformance(make: (bench: Bench) => ApicSystemUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'APIC',
    manual: 'Intel SDM volume 3, chapter 11, and the 82093AA data sheet',
    make: () => subjectOf(make),
    tests: [...local, ...timing, ...messages, ...inputs],
  })
}

function subjectOf(make: (bench: Bench) => ApicSystemUnderTest): Subject {
  const bench = new Bench()
  const system = make(bench)
  const sources = [0, 1].map((cpu) => system.source(cpu))
  const read = (register: number, cpu = 0) => system.local(cpu).read(register, 4) >>> 0
  const write = (register: number, value: number, cpu = 0) => system.local(cpu).write(register, 4, value)
  const io = (index: number, value: number) => {
    system.ioApic.write(0, 4, index)
    system.ioApic.write(0x10, 4, value)
  }
  for (const cpu of [0, 1]) {
    write(SVR, 0x1ff, cpu)
    // LINT0 and LINT1 are shut.
    write(0x350, 0x1_0700, cpu)
    write(LINT1, 0x1_0400, cpu)
  }
  return {
    bench,
    system,
    sources,
    read,
    write,
    send(command, destination = 0, from = 0) {
      write(ICR2, destination * 2 ** 24, from)
      write(ICR, command, from)
    },
    redirect(input, low, high = 0) {
      io(0x11 + 2 * input, high)
      io(0x10 + 2 * input, low)
    },
    entry(input) {
      system.ioApic.write(0, 4, 0x10 + 2 * input)
      return system.ioApic.read(0x10, 4) >>> 0
    },
    take(cpu = 0) {
      const source = sources[cpu]!
      if (!source.pending) return 0
      const vector = source.acknowledge()
      write(EOI, 0, cpu)
      return vector
    },
  }
}

type Tests = Parameters<typeof defineSuite<Subject>>[0]['tests']

const local: Tests = [
  {
    name: 'each CPU finds its own, of the integrated kind',
    section: '11.4.6, 11.4.8',
    run({ read }, expect) {
      expect([read(ID), read(ID, 1)], [0, 0x0100_0000], 'CPUs have the wrong IDs')
      const version = read(VERSION)
      expect([version & 0xf0, ((version >> 16) & 0xff) >= 3], [0x10, true], 'there is no local APIC')
      expect([read(DFR), read(SVR)], [0xffff_ffff, 0x1ff], 'it is not as after power-on')
    },
  },
  {
    name: 'requests go into service by priority and leave with EOI',
    section: '11.8.3, 11.8.4, 11.8.5',
    run({ sources: [source], read, write, send }, expect) {
      send(0x4_4031)
      send(0x4_4052)
      expect([read(IRR + 0x10), read(IRR + 0x20), source!.pending], [2 ** 17, 2 ** 18, true], 'a request is not seen')
      expect([source!.acknowledge(), source!.pending], [0x52, false], 'the less urgent interrupt goes first')
      expect([read(PPR), read(ISR + 0x20)], [0x50, 2 ** 18], 'the interrupt is not in service')
      send(0x4_4061)
      expect(source!.pending && source!.acknowledge(), 0x61, 'a more urgent interrupt waits')
      write(EOI, 0)
      expect([source!.pending, read(PPR)], [false, 0x50], 'EOI ends the wrong interrupt')
      write(EOI, 0)
      expect([source!.acknowledge(), read(IRR + 0x10)], [0x31, 0], 'what waited is lost')
      write(EOI, 0)
      write(EOI, 0)
      expect([read(PPR), source!.acknowledge()], [0, 0xff], 'without an interrupt it is not the spurious one')
    },
  },
  {
    name: 'the task priority holds back its class and those below',
    section: '11.8.3.1',
    run({ sources: [source], read, write, send, take }, expect) {
      write(TPR, 0x45)
      send(0x4_404f)
      expect([source!.pending, read(PPR)], [false, 0x45], 'the task priority does not hold back its class')
      send(0x4_4050)
      expect(take(), 0x50, 'the task priority holds back what is above it')
      write(TPR, 0x3f)
      expect(take(), 0x4f, 'lowering the task priority lets nothing through')
    },
  },
  {
    name: 'vectors below 16 and registers that are not there are errors',
    section: '11.5.3',
    run({ sources: [source], read, write, send }, expect) {
      send(0x4_400f)
      expect(source!.pending, false, 'an illegal vector is delivered')
      write(ESR, 0)
      expect(read(ESR) & 0x60, 0x20, 'sending an illegal vector is no error')
      write(ESR, 0)
      read(0x40)
      write(ESR, 0)
      expect(read(ESR), 0x80, 'a register that is not there is no error')
      write(ESR, 0)
      expect(read(ESR), 0, 'errors are never over')
    },
  },
  {
    name: 'software-disabled, entries are masked and nothing fixed is taken',
    section: '11.4.7.2',
    run({ sources: [source], read, write, send }, expect) {
      write(LINT1, 0x400)
      write(SVR, 0xff)
      expect(read(LINT1), 0x1_0400, 'an entry is open though the APIC is off')
      write(LINT1, 0x400)
      expect(read(LINT1), 0x1_0400, 'an entry can be opened though the APIC is off')
      send(0x4_4044)
      expect(source!.pending, false, 'an APIC that is off takes interrupts')
    },
  },
]

const timing: Tests = [
  {
    name: 'the timer in one-shot mode: once, when the count has run out',
    section: '11.5.4',
    run({ bench, read, write, take }, expect) {
      write(TIMER, 0x40)
      write(DIVIDE, 0x0b)
      write(INITIAL, 1_000_000)
      bench.clock.advanceTo(1000)
      const slow = 1_000_000 - read(CURRENT)
      expect(slow > 0, true, 'the timer does not count')
      bench.clock.advanceTo(Math.floor((1000 / slow) * 900_000))
      expect([read(CURRENT) > 0, take()], [true, 0], 'the interrupt comes too soon')
      bench.clock.advanceTo(Math.ceil((1000 / slow) * 1_100_000))
      expect([read(CURRENT), take()], [0, 0x40], 'the interrupt does not come')
      bench.clock.advanceTo(Math.ceil((1000 / slow) * 5_000_000))
      expect(take(), 0, 'a one-shot comes twice')
    },
  },
  {
    name: 'the divide configuration',
    section: '11.5.4, figure 11-10',
    run({ bench, read, write }, expect) {
      const counted: number[] = []
      for (const code of [0b1011, 0b0000, 0b0001, 0b0010, 0b0011, 0b1000, 0b1001, 0b1010]) {
        write(DIVIDE, code)
        write(INITIAL, 0xffff_ffff)
        bench.pass(1_280_000)
        counted.push(0xffff_ffff - read(CURRENT))
      }
      const rates = counted.map((count) => Math.round(counted[0]! / count))
      expect(rates, [1, 2, 4, 8, 16, 32, 64, 128], 'the timer divides by something else')
    },
  },
  {
    name: 'the timer in periodic mode: again and again, silent while masked',
    section: '11.5.4',
    run({ bench, read, write, take }, expect) {
      write(TIMER, 0x2_0040)
      write(DIVIDE, 0x0b)
      write(INITIAL, 0xffff_ffff)
      bench.pass(100_000)
      const rate = (0xffff_ffff - read(CURRENT)) / 100_000
      write(INITIAL, Math.round(rate * 10_000))
      let taken = 0
      for (let i = 0; i < 100; i++) {
        bench.pass(1000)
        if (take() === 0x40) taken++
      }
      expect(taken >= 9 && taken <= 11, true, 'ten periods are not ten interrupts')
      write(TIMER, 0x3_0040)
      bench.pass(100_000)
      expect([take(), read(CURRENT) > 0], [0, true], 'a masked timer interrupts, or stops')
      write(INITIAL, 0)
      expect(read(CURRENT), 0, 'an initial count of 0 does not stop the timer')
    },
  },
]

const messages: Tests = [
  {
    name: 'messages by ID, by logical destination, by shorthand',
    section: '11.6.1, 11.6.2',
    run({ write, send, take }, expect) {
      const taken = () => [take(0), take(1)]
      for (const cpu of [0, 1]) write(LDR, 2 ** (24 + cpu), cpu)
      send(0x4041, 1)
      expect(taken(), [0, 0x41], 'a message goes to another CPU')
      send(0x4042, 0xff)
      expect(taken(), [0x42, 0x42], 'a broadcast does not reach all')
      send(0x4843, 0b10)
      expect(taken(), [0, 0x43], 'a logical destination is another one')
      send(0x4_4044, 0, 1)
      expect(taken(), [0, 0x44], '“self” is somebody else')
      send(0x8_4045, 0, 1)
      expect(taken(), [0x45, 0x45], '“all” are not all')
      send(0xc_4046, 0, 1)
      expect(taken(), [0x46, 0], '“all but self” are others')
      for (const cpu of [0, 1]) {
        write(DFR, 0x0fff_ffff, cpu)
        write(LDR, (0x11 + cpu) * 2 ** 24, cpu)
      }
      send(0x4847, 0x12)
      expect(taken(), [0, 0x47], 'in the cluster model the destination is another one')
      send(0x4848, 0x23)
      expect(taken(), [0, 0], 'a message to another cluster is taken')
    },
  },
  {
    name: 'the lowest priority takes what is for one of several',
    section: '11.6.2.4',
    run({ write, send, take }, expect) {
      for (const cpu of [0, 1]) write(LDR, 2 ** (24 + cpu), cpu)
      write(TPR, 0x50, 0)
      write(TPR, 0x20, 1)
      send(0x4961, 0b11)
      expect([take(0), take(1)], [0, 0x61], 'a busy CPU is interrupted, or both are')
    },
  },
  {
    name: 'INIT, startup, NMI and SMI go to the CPU itself',
    section: '11.6.1; 11.4.7.3',
    run({ bench, read, write, send }, expect) {
      write(TPR, 0x77, 1)
      send(0xc500, 1)
      send(0x8500, 1)
      send(0x469a, 1)
      send(0x4400, 1)
      send(0x4200, 1)
      expect([bench.told('init'), bench.told('startup')], [[1], [[1, 0x9a]]], 'the second CPU does not start')
      expect([bench.told('nmi'), bench.told('smi')], [[1], [1]], 'NMI or SMI are not delivered')
      expect([read(TPR, 1), read(SVR, 1), read(ID, 1)], [0, 0xff, 0x0100_0000], 'INIT leaves something of before')
    },
  },
  {
    name: 'message-signalled interrupts',
    section: '11.11',
    run({ system, take }, expect) {
      expect(system.deliver({ address: 0xfee0_1000, data: 0x4055 }), true, 'a message is not taken')
      expect([take(0), take(1)], [0, 0x55], 'a message goes to another CPU')
      expect(system.deliver({ address: 0xfed0_0000, data: 0x55 }), false, 'a message to other memory is taken')
    },
  },
]

const inputs: Tests = [
  {
    name: 'the I/O APIC’s registers',
    section: '82093AA, 3.2',
    run({ system, entry, redirect }, expect) {
      const register = (index: number) => {
        system.ioApic.write(0, 4, index)
        return system.ioApic.read(0x10, 4) >>> 0
      }
      expect(
        [register(1) & 0xff_00ff, entry(23), system.ioApic.read(0, 4)],
        [0x0017_0011, 0x1_0000, 0x3e],
        'there is no I/O APIC',
      )
      redirect(5, 0xffff_ffff, 0x0300_0000)
      expect([entry(5), register(0x1b)], [0x1_afff, 0x0300_0000], 'read-only bits of an entry are written')
    },
  },
  {
    name: 'an edge is sent once, to the CPU that the entry names',
    section: '82093AA, 3.2.4',
    run({ system, take, redirect }, expect) {
      redirect(2, 0x30, 0x0100_0000)
      const line = system.line(0)
      line.set(true)
      expect([take(0), take(1), take(1)], [0, 0x30, 0], 'an edge is lost, goes elsewhere, or comes twice')
      line.set(false)
      line.set(true)
      expect(take(1), 0x30, 'a second edge is lost')
    },
  },
  {
    name: 'a level is sent again after each EOI until it falls',
    section: '82093AA, 3.2.4: remote IRR',
    run({ system, sources: [source], read, write, redirect, entry }, expect) {
      const line = system.line(17)
      line.set(true)
      redirect(17, 0xa072)
      expect([entry(17) & 0x4000, read(TMR + 0x30)], [0x4000, 2 ** 18], 'a level is not known as one')
      expect([source!.acknowledge(), source!.pending], [0x72, false], 'a level comes twice before EOI')
      write(EOI, 0)
      expect(source!.pending && source!.acknowledge(), 0x72, 'a level that is still there does not ask again')
      line.set(false)
      write(EOI, 0)
      expect([source!.pending, entry(17)], [false, 0xa072], 'a level asks after it has fallen')
    },
  },
  {
    name: 'a masked level waits',
    section: '82093AA, 3.2.4: interrupt mask',
    run({ system, take, redirect }, expect) {
      redirect(20, 0x1_8072)
      system.line(20).set(true)
      expect(take(), 0, 'a masked input interrupts')
      redirect(20, 0x8072)
      expect(take(), 0x72, 'what came while it was masked is lost')
    },
  },
]
