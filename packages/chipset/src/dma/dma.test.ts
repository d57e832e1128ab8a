import { BusMasters, isVmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { postPort } from '../debug/post-port.ts'
import { DmaPair } from './pair.ts'
import { dma } from './part.ts'

/** A pair with 256 KiB of memory, channel 4 open. */
function setUp({ configured = true } = {}) {
  const memory = new Uint8Array(0x4_0000)
  const inside = (address: number, length: number) => address + length <= memory.length
  const masters = new BusMasters()
  masters.connect({
    memory: {
      read: (address, into) =>
        inside(address, into.length) && (into.set(memory.subarray(address, address + into.length)), true),
      write: (address, from) => inside(address, from.length) && (memory.set(from, address), true),
    },
  })
  const pair = new DmaPair({ memory: masters.create(1, 'dma'), configured })
  const low = pair.low.regions.registers
  const out = (offset: number, ...values: number[]) => values.forEach((value) => void low.write(offset, 1, value))
  const in8 = (offset: number) => low.read(offset, 1)
  /** Programs channel 2 as a driver does. */
  const program = (mode: number, address: number, bytes: number) => {
    out(0x0a, 6)
    out(0x0c, 0)
    out(0x0b, mode | 2)
    out(4, address & 0xff, (address >> 8) & 0xff)
    pair.pages.write(1, 1, address >> 16)
    out(5, (bytes - 1) & 0xff, (bytes - 1) >> 8)
    out(0x0a, 2)
  }
  return { memory, pair, out, in8, program, channel: pair.channel(2, 'floppy') }
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1)

describe('a channel', () => {
  test('what the device writes is in memory, and the count running out is told and masks the channel', () => {
    const { memory, in8, program, channel } = setUp()
    program(0x44, 0x1_2345, 6)
    expect(channel.write(bytes(4))).toEqual({ bytes: 4, terminalCount: false })
    expect([in8(0x08), in8(4), in8(4), in8(5), in8(5)]).toEqual([0, 0x49, 0x23, 1, 0])
    expect(channel.write(bytes(4))).toEqual({ bytes: 2, terminalCount: true })
    expect([...memory.subarray(0x1_2345, 0x1_234c)]).toEqual([1, 2, 3, 4, 1, 2, 0])
    expect([in8(0x08), in8(0x08), channel.ready]).toEqual([0x04, 0, false])
    expect([in8(5), in8(5)]).toEqual([0xff, 0xff])
    expect(channel.write(bytes(4))).toEqual({ bytes: 0, terminalCount: false })
  })

  test('what the device reads comes from memory', () => {
    const { memory, program, channel } = setUp()
    memory.set([7, 8, 9], 0x200)
    program(0x48, 0x200, 3)
    const into = new Uint8Array(4)
    expect(channel.read(into)).toEqual({ bytes: 3, terminalCount: true })
    expect([...into]).toEqual([7, 8, 9, 0])
  })

  test('addresses wrap within the page: the byte after 0x1ffff is 0x10000', () => {
    const { memory, program, channel } = setUp()
    program(0x44, 0x1_fffe, 4)
    channel.write(bytes(4))
    expect([memory[0x1_fffe], memory[0x1_ffff], memory[0x1_0000], memory[0x1_0001], memory[0x2_0000]]).toEqual([
      1, 2, 3, 4, 0,
    ])
  })

  test('it counts downwards, and starts again by itself, if the mode says so', () => {
    const { memory, in8, program, channel } = setUp()
    program(0x74, 0x102, 3)
    expect(channel.write(bytes(3)).terminalCount).toBe(true)
    expect([...memory.subarray(0x100, 0x103)]).toEqual([3, 2, 1])
    expect([channel.ready, in8(4), in8(4), in8(5), in8(5)]).toEqual([true, 0x02, 0x01, 2, 0])
  })

  test('verification counts and moves nothing; a direction other than the device has in mind neither', () => {
    const { memory, program, channel } = setUp()
    program(0x40, 0x100, 2)
    expect(channel.write(bytes(2)).terminalCount).toBe(true)
    program(0x48, 0x100, 2)
    expect(channel.write(bytes(2)).terminalCount).toBe(true)
    expect([...memory.subarray(0x100, 0x102)]).toEqual([0, 0])
    program(0x44, 0x100, 2)
    const into = new Uint8Array(2)
    channel.read(into)
    expect([...into]).toEqual([0xff, 0xff])
  })

  test('memory that is not there takes nothing and reads as ones', () => {
    const { program, channel } = setUp()
    program(0x44, 0xff_0000, 2)
    expect(channel.write(bytes(2)).terminalCount).toBe(true)
    program(0x48, 0xff_0000, 2)
    const into = new Uint8Array(2)
    channel.read(into)
    expect([...into]).toEqual([0xff, 0xff])
  })
})

describe('the controller', () => {
  test('masked, disabled, in cascade mode or behind a closed channel 4 it serves nobody', () => {
    const { pair, out, program, channel } = setUp()
    program(0x44, 0, 16)
    expect(channel.ready).toBe(true)
    out(0x08, 0x04)
    expect(channel.ready).toBe(false)
    out(0x08, 0x00)
    out(0x0f, 0x04)
    expect(channel.ready).toBe(false)
    out(0x0e, 0)
    pair.high.regions.registers.write(0x14, 1, 0x04)
    expect(channel.ready).toBe(false)
    pair.high.regions.registers.write(0x14, 1, 0x00)
    expect(channel.ready).toBe(true)
    out(0x0d, 0)
    expect(channel.ready).toBe(false)
  })

  test('without firmware channel 4 is closed until the guest opens it', () => {
    const { pair, program, channel } = setUp({ configured: false })
    program(0x44, 0, 16)
    expect(channel.ready).toBe(false)
    pair.high.regions.registers.write(0x16, 1, 0xc0)
    pair.high.regions.registers.write(0x14, 1, 0x00)
    expect(channel.ready).toBe(true)
  })

  test('requests are shown, and the mask can be read', () => {
    const { out, in8, channel } = setUp()
    channel.request.set(true)
    expect(in8(0x08)).toBe(0x40)
    channel.request.set(false)
    out(0x09, 0x05)
    out(0x0f, 0x0a)
    expect([in8(0x08), in8(0x0f), in8(0x0d), in8(0x09)]).toEqual([0x20, 0xfa, 0, 0xff])
  })

  test('a request by software in block mode runs to its end at once', () => {
    const { memory, out, in8, program } = setUp()
    program(0x84, 0x3000, 0x800)
    out(0x09, 0x06)
    expect([in8(0x08), memory[0x2fff], memory[0x3000], memory[0x37ff], memory[0x3800]]).toEqual([4, 0, 0xff, 0xff, 0])
  })

  test('a count of 0xffff words is 128 KiB', () => {
    const { memory, pair } = setUp()
    const channel = pair.channel(5, 'sound')
    const { registers } = pair.high.regions
    for (const [offset, value] of [
      [0x16, 0x45],
      [0x18, 0],
      [0x04, 0x00],
      [0x04, 0x00],
      [0x06, 0xff],
      [0x06, 0xff],
      [0x14, 0x01],
    ]) {
      registers.write(offset!, 1, value!)
    }
    pair.pages.write(0x0b, 1, 0x03)
    const data = new Uint8Array(0x2_0001).fill(0x5a)
    expect(channel.write(data)).toEqual({ bytes: 0x2_0000, terminalCount: true })
    expect([memory[0x1_ffff], memory[0x2_0000], memory[0x3_ffff]]).toEqual([0, 0x5a, 0x5a])
  })

  test('a channel has one owner, and 4 has none', () => {
    const { pair } = setUp()
    for (const [channel, words] of [
      [2, /sound wants DMA channel 2, which floppy has: give sound another channel/],
      [4, /which is none: use one of 0–3 for bytes or 5–7 for words/],
      [8, /none/],
    ] as const) {
      expect(() => pair.channel(channel, 'sound')).toThrow(words)
    }
    try {
      pair.channel(1.5, 'sound')
    } catch (error) {
      expect(isVmexitError(error, 'dma-channel')).toBe(true)
    }
  })

  test('saved in the middle of a transfer, it goes on elsewhere', () => {
    const [here, there] = [setUp(), setUp()]
    here.program(0x44, 0x1_fff0, 0x40)
    here.channel.write(bytes(0x11))
    here.in8(4)
    there.pair.restore(JSON.parse(JSON.stringify(here.pair.save())))
    for (const { channel } of [here, there]) channel.write(bytes(0x2f))
    expect(there.pair.save()).toEqual(here.pair.save())
    expect(there.memory[0x1_0001]).toBe(1)
    there.pair.reset()
    expect([there.in8(0x08), there.in8(0x0f), there.pair.pages.read(1, 1)]).toEqual([0, 0xff, 0])
  })
})

test('in a machine the page registers live beside the diagnostic ports', async () => {
  const { in8, out, machine } = await idleMachine([postPort(), dma()])
  for (let port = 0x80; port < 0x90; port++) out(port, port ^ 0x33)
  for (let port = 0x80; port < 0x90; port++) expect(in8(port)).toBe(port ^ 0x33)
  machine.restore(JSON.parse(JSON.stringify(machine.save())))
  expect(in8(0x81)).toBe(0x81 ^ 0x33)
  machine.reset()
  expect(in8(0x81)).toBe(0)
  const alone = await idleMachine([dma({ diagnosticPorts: true })])
  alone.out(0x80, 0x12)
  expect(alone.in8(0x80)).toBe(0x12)
})
