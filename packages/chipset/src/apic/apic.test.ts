import { Clock, type InterruptSource } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { ApicSystem, type ApicSystemOptions } from './apic-system.ts'
import { apic } from './part.ts'

const [ID, EOI, LDR, DFR, SVR] = [0x20, 0xb0, 0xd0, 0xe0, 0xf0]
const [ISR, ESR, ICR, ICR2] = [0x100, 0x280, 0x300, 0x310]
const [TIMER, LINT0, LINT1, ERROR, INITIAL, CURRENT, DIVIDE] = [0x320, 0x350, 0x360, 0x370, 0x380, 0x390, 0x3e0]

/** A system whose local APICs are software-enabled, and its 8259As initialised. */
function setUp(options: Partial<ApicSystemOptions> = {}) {
  const clock = new Clock()
  const signals: unknown[] = []
  let current = 0
  const system = new ApicSystem({
    clock,
    currentCpu: () => current,
    onNmi: (cpu) => signals.push(['nmi', cpu]),
    onSmi: (cpu) => signals.push(['smi', cpu]),
    onInit: (cpu) => signals.push(['init', cpu]),
    onStartup: (cpu, vector) => signals.push(['startup', cpu, vector]),
    ...options,
  })
  const on = <T>(cpu: number, act: () => T): T => {
    current = cpu
    const result = act()
    current = 0
    return result
  }
  const write = (offset: number, value: number, cpu = 0) => on(cpu, () => system.regions.local.write(offset, 4, value))
  const read = (offset: number, cpu = 0) => on(cpu, () => system.regions.local.read(offset, 4) >>> 0)
  const io = system.ioApic.regions.registers
  const redirect = (input: number, low: number, high = 0) => {
    io.write(0, 4, 0x11 + 2 * input)
    io.write(0x10, 4, high)
    io.write(0, 4, 0x10 + 2 * input)
    io.write(0x10, 4, low)
  }
  const entry = (input: number) => (io.write(0, 4, 0x10 + 2 * input), io.read(0x10, 4))
  const sources: InterruptSource[] = system.local.map((_, cpu) => system.source(cpu))
  for (const [cpu] of system.local.entries()) write(SVR, 0x1ff, cpu)
  const { master, slave } = system.pair
  for (const [chip, base, cascade] of [
    [master, 0x20, 4],
    [slave, 0x28, 2],
  ] as const) {
    chip.regions.registers.write(0, 1, 0x11)
    for (const word of [base, cascade, 1]) chip.regions.registers.write(1, 1, word)
  }
  const ipi = (low: number, destination = 0, from = 0) => {
    write(ICR2, destination * 2 ** 24, from)
    write(ICR, low, from)
  }
  return { clock, system, signals, write, read, redirect, entry, sources, source: sources[0]!, ipi }
}

describe('local APIC', () => {
  test('a PC finds it by its registers', () => {
    const { read } = setUp({ cpus: 2 })
    expect([read(ID), read(ID, 1), read(0x30), read(DFR), read(SVR)]).toEqual([
      0, 0x0100_0000, 0x0005_0014, 0xffff_ffff, 0x1ff,
    ])
  })

  test('vectors below 16 are errors, and so are registers that are not there', () => {
    const { read, write, source, ipi } = setUp()
    write(ERROR, 0xfe)
    ipi(0x4_000f)
    expect([read(ESR), source.acknowledge()]).toEqual([0, 0xfe])
    write(ESR, 0)
    expect(read(ESR)).toBe(0x20)
    read(0x40)
    write(ESR, 0)
    expect(read(ESR)).toBe(0x80)
    write(ESR, 0)
    expect(read(ESR)).toBe(0)
  })

  test('software-disabled, entries are masked and nothing fixed is taken', () => {
    const { read, write, source, ipi } = setUp()
    write(LINT1, 0x400)
    write(SVR, 0xff)
    expect([read(LINT1), read(TIMER)]).toEqual([0x1_0400, 0x1_0000])
    write(LINT1, 0x400)
    expect(read(LINT1)).toBe(0x1_0400)
    ipi(0x4_0044)
    expect(source.pending).toBe(false)
  })

  test('globally disabled, its page is not there and the 8259As have the pin', () => {
    const { system, read, source } = setUp({ virtualWire: false })
    system.line(1).set(true)
    expect(source.pending).toBe(false)
    system.local[0]!.setGloballyEnabled(false)
    expect([read(0x30), source.acknowledge()]).toEqual([0xffff_ffff, 0x21])
  })
})

describe('timer', () => {
  test('one-shot: once, when the count has run out', () => {
    const { clock, read, write, source } = setUp()
    write(TIMER, 0x40)
    write(DIVIDE, 0x0b)
    write(INITIAL, 1000)
    clock.advanceTo(4000)
    expect(read(CURRENT)).toBe(600)
    clock.advanceTo(9999)
    expect([read(CURRENT), source.pending]).toEqual([1, false])
    clock.advanceTo(10_000)
    expect([read(CURRENT), source.acknowledge(), clock.deadline]).toEqual([0, 0x40, Number.POSITIVE_INFINITY])
  })

  test.each([
    [0b0000, 2],
    [0b0001, 4],
    [0b0010, 8],
    [0b0011, 16],
    [0b1000, 32],
    [0b1001, 64],
    [0b1010, 128],
    [0b1011, 1],
  ])('divide configuration %i is by %i', (code, divisor) => {
    const { clock, read, write, source } = setUp()
    write(TIMER, 0x40)
    write(DIVIDE, code)
    write(INITIAL, 10)
    expect([read(DIVIDE), clock.deadline]).toEqual([code, 100 * divisor])
    clock.advanceTo(100 * divisor)
    expect(source.pending).toBe(true)
  })

  test('periodic: again and again, and silent while masked', () => {
    const { clock, read, write, source } = setUp()
    write(TIMER, 0x2_0040)
    write(DIVIDE, 0x0b)
    write(INITIAL, 100)
    const times: number[] = []
    while (times.length < 4) {
      clock.advanceTo(clock.deadline)
      if (source.pending) times.push(clock.now)
      source.acknowledge()
      write(EOI, 0)
    }
    expect(times).toEqual([1000, 2000, 3000, 4000])
    write(TIMER, 0x3_0040)
    expect(clock.deadline).toBe(Number.POSITIVE_INFINITY)
    clock.advanceTo(6500)
    expect([read(CURRENT), read(INITIAL)]).toEqual([50, 100])
    write(TIMER, 0x2_0040)
    expect(clock.deadline).toBe(7000)
    write(INITIAL, 0)
    expect([read(CURRENT), clock.deadline]).toEqual([0, Number.POSITIVE_INFINITY])
  })
})

describe('messages between CPUs', () => {
  test('by ID, by logical destination, by shorthand', () => {
    const { write, sources, ipi } = setUp({ cpus: 4 })
    const taken = () =>
      sources.map((source, cpu) => {
        if (!source.pending) return 0
        const vector = source.acknowledge()
        write(EOI, 0, cpu)
        return vector
      })
    for (let cpu = 0; cpu < 4; cpu++) write(LDR, 2 ** (24 + cpu), cpu)
    ipi(0x4041, 2)
    expect(taken()).toEqual([0, 0, 0x41, 0])
    ipi(0x4042, 0xff)
    expect(taken()).toEqual([0x42, 0x42, 0x42, 0x42])
    ipi(0x4843, 0b1010)
    expect(taken()).toEqual([0, 0x43, 0, 0x43])
    ipi(0x4_4044, 0, 1)
    expect(taken()).toEqual([0, 0x44, 0, 0])
    ipi(0x8_4045, 0, 1)
    expect(taken()).toEqual([0x45, 0x45, 0x45, 0x45])
    ipi(0xc_4046, 0, 1)
    expect(taken()).toEqual([0x46, 0, 0x46, 0x46])
    for (let cpu = 0; cpu < 4; cpu++) {
      write(DFR, 0, cpu)
      write(LDR, (((cpu >> 1) << 4) | (1 << (cpu & 1))) * 2 ** 24, cpu)
    }
    ipi(0x4847, 0x13)
    expect(taken()).toEqual([0, 0, 0x47, 0x47])
  })
})

describe('I/O APIC', () => {
  test('its registers', () => {
    const { system, entry, redirect } = setUp()
    const io = system.ioApic.regions.registers
    const reg = (index: number) => (io.write(0, 4, index), io.read(0x10, 4) >>> 0)
    expect([reg(1), reg(0x3f), entry(23), reg(0x40), io.read(0, 4)]).toEqual([0x0017_0011, 0, 0x1_0000, 0, 0x40])
    io.write(0, 4, 0)
    io.write(0x10, 4, 0x0f00_0000)
    redirect(5, 0xffff_ffff, 0x0300_0000)
    expect([reg(0), reg(2), entry(5), reg(0x1b)]).toEqual([0x0f00_0000, 0x0f00_0000, 0x1_afff, 0x0300_0000])
  })

  test('an edge is sent once; on a masked input it is forgotten', () => {
    const { system, write, source, redirect } = setUp({ virtualWire: false })
    const line = system.line(4)
    line.set(true)
    redirect(4, 0x31)
    expect(source.pending).toBe(false)
    line.set(false)
    line.set(true)
    expect(source.acknowledge()).toBe(0x31)
    write(EOI, 0)
    expect(source.pending).toBe(false)
  })

  test('changing to edge and back forgets the remote IRR', () => {
    const { system, source, redirect, entry } = setUp()
    system.line(20).set(true)
    redirect(20, 0x8072)
    source.acknowledge()
    redirect(20, 0x1_0072)
    redirect(20, 0x1_8072)
    expect(entry(20)).toBe(0x1_8072)
  })

  test('entries choose CPUs and modes', () => {
    const { system, sources, signals, redirect } = setUp({ cpus: 2, virtualWire: false })
    redirect(2, 0x30, 0x0100_0000)
    system.line(0).set(true)
    expect([sources[0]!.pending, sources[1]!.acknowledge()]).toEqual([false, 0x30])
    redirect(3, 0x400, 0x0100_0000)
    system.line(3).set(true)
    expect(signals).toEqual([['nmi', 1]])
  })

  test('inputs that are none are refused', () => {
    const { system } = setUp()
    for (const input of [2, 24, -1]) expect(() => system.line(input)).toThrow(`has no input ${input}`)
    expect(() => system.source(1)).toThrow('CPU 1 has no local APIC: there are 1: make the interrupt system for 2 CPUs')
  })
})

describe('the 8259As behind it', () => {
  test('virtual wire: through LINT0 as ExtINT', () => {
    const { system, write, source, read } = setUp()
    expect(read(LINT0)).toBe(0x700)
    system.line(1).set(true)
    expect([source.acknowledge(), source.pending, read(ISR + 0x10)]).toEqual([0x21, false, 0])
    write(LINT0, 0x1_0700)
    system.line(0).set(true)
    expect(source.pending).toBe(false)
  })

  test('after reset LINT0 is open, as firmware leaves it', () => {
    const { system, source, read } = setUp()
    system.reset()
    expect(read(LINT0)).toBe(0x700)
    const { registers } = system.pair.master.regions
    registers.write(0, 1, 0x13)
    registers.write(1, 1, 0x08)
    registers.write(1, 1, 0x01)
    system.line(1).set(true)
    expect(source.acknowledge()).toBe(0x09)
  })

  test('through input 0 of the I/O APIC as ExtINT', () => {
    const { system, source, redirect } = setUp({ virtualWire: false })
    system.line(1).set(true)
    expect(source.pending).toBe(false)
    redirect(0, 0x700)
    expect(source.acknowledge()).toBe(0x21)
  })

  test('LINT0 may be a vector or an NMI', () => {
    const { system, write, source, signals } = setUp()
    write(LINT0, 0x400)
    system.line(1).set(true)
    expect([signals, source.pending]).toEqual([[['nmi', 0]], false])
  })

  test('the IMCR chooses between PIC mode and APICs', () => {
    const { system, source } = setUp({ imcr: true, virtualWire: false })
    const { imcr } = system.regions
    system.line(1).set(true)
    expect(source.pending).toBe(true)
    imcr.write(0, 1, 0x70)
    imcr.write(1, 1, 1)
    expect([imcr.read(1, 1), source.pending]).toEqual([1, false])
    imcr.write(1, 1, 0)
    expect(source.acknowledge()).toBe(0x21)
  })

  test('NMI is LINT1', () => {
    const { system, write, signals } = setUp({ cpus: 2 })
    write(LINT1, 0x400, 1)
    system.nmi.set(true)
    expect(signals).toEqual([['nmi', 1]])
  })
})

test('message-signalled interrupts', () => {
  const { system, sources } = setUp({ cpus: 2 })
  expect(system.deliver({ address: 0xfee0_1000, data: 0x4055 })).toBe(true)
  expect([sources[0]!.pending, sources[1]!.acknowledge()]).toEqual([false, 0x55])
  expect(system.deliver({ address: 0xfed0_0000, data: 0x55 })).toBe(false)
})

test('saved with everything under way, it goes on elsewhere', () => {
  const here = setUp({ cpus: 2 })
  here.write(TIMER, 0x2_0040)
  here.write(INITIAL, 1000)
  here.redirect(17, 0xa072, 0x0100_0000)
  const line = here.system.line(17)
  line.set(true)
  here.sources[1]!.acknowledge()
  here.system.line(1).set(true)
  here.clock.advanceTo(12_345)
  const state = JSON.parse(JSON.stringify(here.system.save()))
  const there = setUp({ cpus: 2 })
  there.clock.restore(here.clock.save())
  there.system.restore(state)
  const otherLine = there.system.line(17)
  otherLine.set(true)
  const tail = ({ clock, write, sources, read, system }: typeof here) => {
    clock.advanceTo(20_000)
    write(EOI, 0, 1)
    return [sources.map((source) => source.acknowledge()), read(CURRENT), system.save()]
  }
  expect(tail(there)).toEqual(tail(here))
})

test('as a part it answers where PCs have it', async () => {
  const part = apic({ imcr: true })
  const { machine, in8 } = await idleMachine([part])
  const mmio = machine.get('mmio')
  expect([mmio.read(0xfee0_0030, 4), in8(0x21), in8(0x22)]).toEqual([0x0005_0014, 0, 0])
  mmio.write(0xfec0_0000, 4, 1)
  expect(mmio.read(0xfec0_0010, 4)).toBe(0x0017_0011)
  mmio.write(0xfee0_00f0, 4, 0x1ff)
  const master = machine.get('busMasters').create(8, 'card')
  expect(master.signal({ address: 0xfee0_0000, data: 0x61 })).toBe(true)
  expect(machine.of(part).interrupts.source(0).acknowledge()).toBe(0x61)
  machine.reset()
  expect(mmio.read(0xfee0_00f0, 4)).toBe(0xff)
})
