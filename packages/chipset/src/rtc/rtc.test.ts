import { Clock } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { pic } from '../pic/part.ts'
import { dayOf } from './calendar.ts'
import { cmosContents } from './cmos.ts'
import { Mc146818 } from './mc146818.ts'
import { rtc } from './part.ts'

const second = 1e9

function setUp(iso = '2024-02-28T23:59:58Z') {
  const clock = new Clock()
  const wire = { level: false }
  const masks: boolean[] = []
  const chip = new Mc146818({
    clock,
    line: { set: (level) => void (wire.level = level) },
    epoch: Date.parse(iso) / 1000,
    onNmiMask: (masked) => masks.push(masked),
  })
  const { registers } = chip.regions
  const read = (index: number) => (registers.write(0, 1, index), registers.read(1, 1))
  const write = (index: number, value: number) => (registers.write(0, 1, index), registers.write(1, 1, value))
  const time = () => [0x32, 9, 8, 7, 4, 2, 0].map((i) => read(i).toString(16).padStart(2, '0')).join(' ')
  return { clock, wire, chip, read, write, time, masks, registers }
}

describe('the calendar', () => {
  test('days are those of the host', () => {
    for (let days = -80_000; days < 80_000; days += 37) {
      const date = new Date(days * 86_400_000)
      expect(dayOf(days)).toEqual({
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        weekday: date.getUTCDay() + 1,
      })
    }
  })
})

describe('time', () => {
  test('it starts at the epoch and goes with virtual time', () => {
    const { clock, time, read } = setUp()
    expect([time(), read(6)]).toEqual(['20 24 02 28 23 59 58', 4])
    clock.advanceTo(second - 1)
    expect(time()).toBe('20 24 02 28 23 59 58')
    clock.advanceTo(2 * second)
    expect([time(), read(6)]).toEqual(['20 24 02 29 00 00 00', 5])
    clock.advanceTo(2 * second + 86_400 * second)
    expect([time(), read(6)]).toEqual(['20 24 03 01 00 00 00', 6])
  })

  test('a century ends', () => {
    const { clock, time } = setUp('1999-12-31T23:59:59Z')
    clock.advanceTo(second)
    expect(time()).toBe('20 00 01 01 00 00 00')
  })

  test('months have their days', () => {
    for (const [from, to] of [
      ['2023-02-28', '20 23 03 01'],
      ['2023-04-30', '20 23 05 01'],
      ['2023-12-31', '20 24 01 01'],
      ['2023-01-31', '20 23 02 01'],
    ]) {
      const { clock, time } = setUp(`${from}T23:59:59Z`)
      clock.advanceTo(second)
      expect(time()).toBe(`${to} 00 00 00`)
    }
  })

  test('binary, and twelve hours', () => {
    const { clock, read, write } = setUp('2024-02-28T23:59:58Z')
    write(0x0b, 0x82)
    write(0x0b, 0x80)
    write(4, 0x91)
    write(0x0b, 0x00)
    clock.advanceTo(3 * second)
    expect([read(4), read(7)]).toEqual([0x12, 0x29])
    write(0x0b, 0x84)
    for (const [index, value] of [0, 2, 4].map((i) => [i, [59, 0, 59, 0, 0x8b][i]!] as const)) write(index, value)
    write(7, 9)
    write(0x0b, 0x04)
    clock.advanceTo(4 * second)
    expect([read(0), read(2), read(4), read(7)]).toEqual([0, 0, 12, 10])
  })

  test('an idle century is one look', () => {
    const { clock, time } = setUp('2000-01-01T00:00:00Z')
    clock.advanceTo(36_525 * 86_400 * second)
    expect(time()).toBe('21 00 01 01 00 00 00')
  })

  test('SET holds the time; the divider goes on', () => {
    const { clock, read, write } = setUp()
    clock.advanceTo(second / 2)
    write(0x0b, 0x82)
    clock.advanceTo(5.25 * second)
    expect([read(0), read(0x0a) & 0x80]).toEqual([0x58, 0])
    write(0, 0x10)
    write(0x0b, 0x02)
    clock.advanceTo(6 * second)
    expect(read(0)).toBe(0x11)
  })

  test('half a second after the divider starts the first second is over', () => {
    const { clock, read, write } = setUp()
    write(0x0a, 0x70)
    clock.advanceTo(10.3 * second)
    expect(read(0)).toBe(0x58)
    write(0x0a, 0x26)
    clock.advanceTo(10.79 * second)
    expect(read(0)).toBe(0x58)
    clock.advanceTo(10.81 * second)
    expect(read(0)).toBe(0x59)
  })

  test('an update in progress is told 2.2 ms before', () => {
    const { clock, read } = setUp()
    expect(read(0x0a)).toBe(0x26)
    clock.advanceTo(second - 2_300_000)
    expect(read(0x0a)).toBe(0x26)
    clock.advanceTo(second - 2_200_000)
    expect([read(0x0a), read(0)]).toEqual([0xa6, 0x58])
    clock.advanceTo(second)
    expect([read(0x0a), read(0)]).toEqual([0x26, 0x59])
  })
})

describe('interrupts', () => {
  test('after each update, until register C is read', () => {
    const { clock, wire, read, write } = setUp()
    write(0x0b, 0x12)
    clock.advanceTo(second - 1)
    expect(wire.level).toBe(false)
    clock.advanceTo(second)
    expect([wire.level, read(0x0c), wire.level, read(0x0c)]).toEqual([true, 0xd0, false, 0])
    clock.advanceTo(2 * second)
    expect(wire.level).toBe(true)
    write(0x0b, 0x92)
    expect([wire.level, read(0x0b)]).toEqual([false, 0x82])
  })

  test.each([
    [6, 1024],
    [15, 2],
    [3, 8192],
    [1, 256],
    [2, 128],
  ])('the rate %i is %i a second', (rate, hertz) => {
    const { clock, wire, read, write } = setUp()
    write(0x0a, 0x20 | rate)
    write(0x0b, 0x42)
    let count = 0
    while (clock.deadline <= second) {
      clock.advanceTo(clock.deadline)
      if (wire.level) count++
      expect(read(0x0c)).toBe(0xc0 | (clock.now === second ? 0x10 : 0))
    }
    expect(count).toBe(hertz)
  })

  test('nothing is set on the clock while nothing is enabled, or while the last one was not read', () => {
    const { clock, write, read } = setUp()
    expect(clock.deadline).toBe(Number.POSITIVE_INFINITY)
    write(0x0b, 0x42)
    clock.advanceTo(second)
    expect(clock.deadline).toBe(Number.POSITIVE_INFINITY)
    read(0x0c)
    expect(clock.deadline).toBeLessThan(2 * second)
  })

  test('an alarm at a time, at any minute, and each second', () => {
    for (const [alarm, due] of [
      [[0x00, 0x00, 0x00], 2],
      [[0x01, 0x01, 0xff], 63],
      [[0xff, 0xc0, 0xff], 1],
      [[0x58, 0x59, 0x23], 86_400],
    ] as const) {
      const { clock, wire, read, write } = setUp()
      for (const [i, value] of alarm.entries()) write(1 + 2 * i, value)
      write(0x0b, 0x22)
      clock.advanceTo(due * second - 1)
      expect(wire.level).toBe(false)
      clock.advanceTo(due * second)
      expect([wire.level, read(0x0c)]).toEqual([true, 0xf0])
    }
  })

  test('flags are set without their interrupts', () => {
    const { clock, wire, read, write } = setUp()
    write(1, 0xff)
    write(3, 0xff)
    write(5, 0xff)
    clock.advanceTo(second)
    expect([wire.level, read(0x0c), read(0x0d)]).toEqual([false, 0x70, 0x80])
  })
})

describe('memory', () => {
  test('bytes keep what they are given; registers C and D are read only', () => {
    const { read, write } = setUp()
    for (let i = 0x0e; i < 0x80; i++) write(i, i ^ 0x55)
    for (let i = 0x0e; i < 0x80; i++) if (i !== 0x32) expect(read(i)).toBe(i ^ 0x55)
    write(0x0c, 0xff)
    write(0x0d, 0x00)
    expect([read(0x0c), read(0x0d)]).toEqual([0, 0x80])
  })

  test('bit 7 of the index masks NMI', () => {
    const { chip, masks, registers } = setUp()
    registers.write(0, 1, 0x8f)
    expect([chip.nmiMasked, masks, registers.read(0, 1)]).toEqual([true, [true], 0xff])
    chip.reset()
    expect(masks).toEqual([true, false])
  })

  test('firmware finds the RAM, the drives and the boot order', () => {
    const MiB = 2 ** 20
    const bytes = cmosContents({ ram: 5120 * MiB, floppies: ['1.44M'], bootOrder: ['cdrom', 'disk'], cpus: 4 })
    const word = (index: number) => bytes.get(index)! | (bytes.get(index + 1)! << 8)
    expect([word(0x15), word(0x17), word(0x30), word(0x34)]).toEqual([640, 0xffff, 0xffff, (3072 - 16) * 16])
    expect([word(0x5b) | (bytes.get(0x5d)! << 16), bytes.get(0x5f)]).toEqual([2048 * 16, 3])
    expect([bytes.get(0x10), bytes.get(0x14), bytes.get(0x3d), bytes.get(0x38)]).toEqual([0x40, 0x07, 0x23, 0x01])
    const small = cmosContents({ ram: 8 * MiB })
    expect([small.get(0x17), small.get(0x18), small.get(0x34), small.get(0x10)]).toEqual([0, 0x1c, 0, 0])
    let sum = 0
    for (let i = 0x10; i <= 0x2d; i++) sum += small.get(i) ?? 0
    expect((small.get(0x2e)! << 8) | small.get(0x2f)!).toBe(sum)
  })
})

test('in a machine it is told of the memory, and interrupts with IRQ 8', async () => {
  const { out, in8, pass, vectors, machine } = await idleMachine([pic(), rtc({ epoch: 0 })], { memory: 63 << 20 })
  for (const [port, base, cascade] of [
    [0x20, 0x08, 4],
    [0xa0, 0x70, 2],
  ]) {
    out(port!, 0x11)
    out(port! + 1, base!, cascade!, 1)
  }
  const read = (index: number) => (out(0x70, index), in8(0x71))
  expect([read(0x34), read(9), read(0x32)]).toEqual([(47 * 16) & 0xff, 0x70, 0x19])
  out(0x70, 0x0b)
  out(0x71, 0x12)
  pass(second)
  expect(vectors()).toEqual([0x70])
  const state = JSON.parse(JSON.stringify(machine.save()))
  pass(10 * second)
  machine.restore(state)
  expect([read(0), read(0x0c), read(0x0c)]).toEqual([1, 0xd0 | 0x40, 0])
})

test('saved between two interrupts, it goes on elsewhere', () => {
  const here = setUp()
  here.write(0x0b, 0x72)
  here.clock.advanceTo(1.5 * second)
  here.read(0x0c)
  const state = JSON.parse(JSON.stringify(here.chip.save()))
  const there = setUp('1990-01-01T00:00:00Z')
  there.clock.restore(here.clock.save())
  there.chip.restore(state)
  for (const { clock } of [here, there]) clock.advanceTo(3 * second)
  expect(there.chip.save()).toEqual(here.chip.save())
  expect([there.wire.level, there.time()]).toEqual([true, here.time()])
})
