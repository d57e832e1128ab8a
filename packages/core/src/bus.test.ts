import { describe, expect, test } from 'vitest'
import { Bus, type UnclaimedAccess } from './bus.ts'
import { Counters } from './counters.ts'
import type { RegisterFile, Width } from './device.ts'

/** Registers that are plain bytes, and a log of the accesses they saw. */
class Bytes implements RegisterFile {
  readonly bytes: Uint8Array
  readonly log: string[] = []
  readonly size: number
  readonly widest: Width
  readonly split: boolean

  constructor(size: number, { widest = 4 as Width, split = false, fill = 0 } = {}) {
    this.size = size
    this.widest = widest
    this.split = split
    this.bytes = new Uint8Array(size).fill(fill)
  }

  read(offset: number, width: Width): number {
    this.log.push(`read${8 * width} ${offset}`)
    return this.bytes.subarray(offset, offset + width).reduceRight((value, byte) => value * 256 + byte, 0)
  }

  write(offset: number, width: Width, value: number): void {
    this.log.push(`write${8 * width} ${offset} ${value}`)
    for (let i = 0; i < width; i++) this.bytes[offset + i] = value >>> (8 * i)
  }
}

const ports = () => new Bus({ name: 'ports', addressBits: 16 })
const mmio = () => new Bus({ name: 'mmio', addressBits: 52 })

describe.each([
  ['ports', ports, 0xff00],
  ['mmio', mmio, 2 ** 51 + 0xfff0],
])('a bus: %s', (name, make, base) => {
  test('an access reaches the registers by their own offset, as one unsigned value', () => {
    const bus = make()
    const chip = new Bytes(8)
    bus.claim('chip', base, chip)
    bus.write(base + 4, 4, -1)
    bus.write(base + 2, 2, 0x12345)
    expect(bus.read(base + 4, 4)).toBe(0xffffffff)
    expect(bus.read(base, 4)).toBe(0x23450000)
    expect(chip.log).toEqual(['write32 4 4294967295', 'write16 2 9029', 'read32 4', 'read32 0'])
  })

  test('nobody there: ones are read, writes are dropped, both are counted and told', () => {
    const counters = new Counters()
    const bus = new Bus({ name, addressBits: name === 'ports' ? 16 : 52, counters })
    const seen: UnclaimedAccess[] = []
    const listening = bus.onUnclaimed((access) => seen.push(access))
    expect([bus.read(base, 1), bus.read(base, 2), bus.read(base, 4)]).toEqual([0xff, 0xffff, 0xffffffff])
    bus.write(base + 1, 2, 0x1ffff)
    listening[Symbol.dispose]()
    bus.write(base + 1, 2, 7)
    expect(seen.slice(2)).toEqual([
      { bus: name, address: base, width: 4 },
      { bus: name, address: base + 1, width: 2, written: 0xffff },
    ])
    expect(counters.snapshot()).toEqual({ [`${name}-unclaimed-reads`]: 3, [`${name}-unclaimed-writes`]: 2 })
  })

  test('an access too wide for its registers is split only if they say so', () => {
    const bus = make()
    const pic = new Bytes(2, { widest: 1, split: true })
    const strict = new Bytes(8, { widest: 2 })
    bus.claim('pic', base, pic)
    bus.claim('strict', base + 16, strict)
    bus.write(base, 2, 0xabcd)
    expect(pic.log).toEqual(['write8 0 205', 'write8 1 171'])
    expect(bus.read(base, 2)).toBe(0xabcd)
    expect(bus.read(base + 16, 4)).toBe(0xffffffff)
    expect(strict.log).toEqual([])
  })

  test('bytes past the end of split registers go to the neighbour, or nowhere', () => {
    const bus = make()
    const low = new Bytes(2, { split: true, fill: 0x11 })
    const high = new Bytes(1, { split: true, fill: 0x22 })
    bus.claim('low', base, low)
    bus.claim('high', base + 2, high)
    expect(bus.read(base, 4)).toBe(0xff221111)
    expect(bus.read(base - 1, 2)).toBe(0x11ff)
    bus.write(base + 1, 4, 0x04030201)
    expect([...low.bytes, ...high.bytes]).toEqual([0x11, 1, 2])
  })

  test('an overlap names both owners, both ranges and the remedy', () => {
    const bus = make()
    bus.claim('com1', base, new Bytes(8))
    const at = (offset: number) => `0x${(base + offset).toString(16)}`
    expect(() => bus.claim('com2', base + 7, new Bytes(2))).toThrow(
      `com2 claims ${name} ${at(7)}–${at(8)}, but com1 has ${at(0)}–${at(7)}: move com2 or com1, or leave one of them out`,
    )
    expect(bus.claims().map((claim) => claim.owner)).toEqual(['com1'])
  })

  test('a range that is not on the bus is refused', () => {
    const bus = make()
    for (const bad of [-1, 0.5, bus.limit - 3, Number.NaN]) {
      expect(() => bus.claim('chip', bad, new Bytes(4))).toThrow(`chip claims 4 addresses from ${bad} on ${name}`)
    }
    bus.claim('top', bus.limit - 4, new Bytes(4))
    expect(bus.read(bus.limit - 2, 4)).toBe(0xffffffff)
  })
})

describe('a claim that the guest programs', () => {
  test('moves, and answers only where it is', () => {
    const bus = mmio()
    const bar = bus.claim('nic', 0xf000_0000, new Bytes(0x1000, { fill: 7 }))
    expect(bar.move(0xfe00_0000)).toBe(true)
    expect([bus.read(0xf000_0000, 1), bus.read(0xfe00_0fff, 1)]).toEqual([0xff, 7])
  })

  test('of which nobody knows where yet, it answers once it is put somewhere and enabled', () => {
    const bus = mmio()
    bus.claim('ram', 0, new Bytes(16, { fill: 1 }))
    const bar = bus.claimLater('nic', new Bytes(0x1000, { fill: 7 }))
    expect([bar.answering, bar.move(0xfe00_0000), bus.read(0xfe00_0000, 1)]).toEqual([false, false, 0xff])
    expect([bar.enable(), bus.read(0xfe00_0000, 1), bus.read(0, 1)]).toEqual([true, 7, 1])
  })

  test('disabled it answers nowhere, and moves without answering', () => {
    const bus = mmio()
    const bar = bus.claim('nic', 0x1000, new Bytes(16, { fill: 7 }))
    bar.disable()
    expect(bar.move(0x2000)).toBe(false)
    expect(bus.read(0x2000, 1)).toBe(0xff)
    expect(bar.enable()).toBe(true)
    expect(bus.read(0x2000, 1)).toBe(7)
  })

  test('put where another is, it waits and answers once the other has gone', () => {
    const bus = mmio()
    const first = bus.claim('first', 0x1000, new Bytes(16, { fill: 1 }))
    const second = bus.claim('second', 0x2000, new Bytes(16, { fill: 2 }))
    expect(second.move(0x1008)).toBe(false)
    expect([bus.read(0x1008, 1), bus.read(0x2000, 1)]).toEqual([1, 0xff])
    first.move(0x3000)
    expect([second.answering, bus.read(0x1008, 1), bus.read(0x3000, 1)]).toEqual([true, 2, 1])
  })

  test('off the bus (the all-ones of BAR sizing) it does not answer, and comes back', () => {
    const bus = mmio()
    const bar = bus.claim('nic', 0x1000, new Bytes(0x1000, { fill: 7 }))
    expect(bar.move(2 ** 52 - 1)).toBe(false)
    expect(bar.move(0x1000)).toBe(true)
    expect(bus.read(0x1000, 1)).toBe(7)
  })

  test('a waiting claim that is disabled stays away', () => {
    const bus = ports()
    const first = bus.claim('first', 0x10, new Bytes(1, { fill: 1 }))
    const second = bus.claim('second', 0x20, new Bytes(1, { fill: 2 }))
    second.move(0x10)
    second.disable()
    first[Symbol.dispose]()
    expect(bus.read(0x10, 1)).toBe(0xff)
  })
})
