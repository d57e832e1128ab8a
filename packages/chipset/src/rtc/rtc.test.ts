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

  test('an idle century is one look', () => {
    const { clock, time } = setUp('2000-01-01T00:00:00Z')
    clock.advanceTo(36_525 * 86_400 * second)
    expect(time()).toBe('21 00 01 01 00 00 00')
  })
})

describe('interrupts', () => {
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
})

describe('memory', () => {
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
