import { type BlockDevice, memoryDisk, Overlay, readOnly } from '@vmexit/block'
import { describe, expect, test } from 'vitest'
import { bit, ideMachine, port } from '../../test/ide-machine.ts'
import type { ide } from './part.ts'

/** Bytes that differ from sector to sector. */
function pattern(sectors: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: sectors * 512 }, (_, i) => (i * 3 + (i >> 9) * 11 + seed) & 0xff)
}

const image = pattern(1000)

/** A disk of a hundred thousand sectors, of which the first thousand have a pattern. */
async function setUp(device?: BlockDevice) {
  const disk = device ?? memoryDisk(100_000 * 512)
  if (device === undefined) disk.write(0, image)
  const m = await ideMachine({ primary: { master: { disk, serial: 'S123', model: 'Model of a disk' } } })
  const contents = (sector: number, count: number) => {
    const into = new Uint8Array(count * 512)
    disk.read(sector, into)
    return into
  }
  const words = () => {
    m.command(0xec)
    const bytes = m.readData(512)
    return new Uint16Array(bytes.buffer)
  }
  return { ...m, disk, contents, words }
}

const done = bit.ready | 0x10

describe('a disk says what it is', () => {
  test('size, name, geometry, modes, in words that sum to zero', async () => {
    const { command, readData, in8, interrupts } = await setUp()
    command(0xec)
    expect(interrupts()).toEqual([0x76])
    expect(in8(port.status)).toBe(done | bit.data)
    const bytes = readData(512)
    expect(in8(port.status)).toBe(done)
    expect(interrupts()).toEqual([])
    const words = new Uint16Array(bytes.buffer)
    const text = (word: number, count: number) =>
      String.fromCharCode(...Array.from({ length: count }, (_, i) => bytes[2 * word + (i ^ 1)]!))
    expect([text(10, 20), text(27, 40).trimEnd()]).toEqual(['S123'.padEnd(20), 'Model of a disk'])
    expect([words[1], words[3], words[6]]).toEqual([99, 16, 63])
    expect([words[60]! + words[61]! * 65536, words[100]! + words[101]! * 65536]).toEqual([100_000, 100_000])
    expect(words[49]! & 0x300).toBe(0x300)
    expect([words[63], words[88], words[83]! & 0x0400]).toEqual([0x0407, 0x003f, 0x0400])
    expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
  })

  test('what is set shows', async () => {
    const { words, command, in8 } = await setUp()
    command(0xc6, { count: 16 })
    command(0xef, { features: 0x03, count: 0x45 })
    command(0xef, { features: 0x82 })
    command(0xef, { features: 0x55 })
    expect(in8(port.status)).toBe(done)
    const after = words()
    expect([after[59], after[63], after[88], after[85]! & 0x60]).toEqual([0x0110, 0x0007, 0x203f, 0])
    for (const [features, count] of [
      [3, 0x46],
      [3, 0x23],
      [3, 0x0d],
      [3, 0x80],
      [3, 2],
      [0x05, 1],
      [0xfe, 0],
    ] as const) {
      command(0xef, { features, count })
      expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 4])
    }
    expect(words()[88]).toBe(0x203f)
  })
})

describe('sectors through the data port', () => {
  test.each([1, 2, 4] as const)('are read in items of %s, an interrupt for each', async (width) => {
    const { command, readData, in8, interrupts } = await setUp()
    command(0x20, { lba: 7, count: 3 })
    for (let sector = 0; sector < 3; sector++) {
      expect(interrupts()).toEqual([0x76])
      expect(in8(port.status)).toBe(done | bit.data)
      expect(readData(512, width)).toEqual(image.slice((7 + sector) * 512, (8 + sector) * 512))
    }
    expect(in8(port.status)).toBe(done)
    expect(interrupts()).toEqual([])
  })

  test.each([2, 4] as const)('are written in items of %s, an interrupt after each', async (width) => {
    const { command, writeData, in8, interrupts, contents } = await setUp()
    command(0x30, { lba: 2000, count: 2 })
    expect([in8(port.status), interrupts()]).toEqual([done | bit.data, []])
    writeData(pattern(1, 1), width)
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done | bit.data])
    writeData(pattern(1, 2), width)
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done])
    expect(contents(2000, 1)).toEqual(pattern(1, 1))
    expect(contents(2001, 1)).toEqual(pattern(1, 2))
    expect(contents(2002, 1)).toEqual(new Uint8Array(512))
  })

  test('a count of 0 is 256 sectors', async () => {
    const { command, readData, in8 } = await setUp()
    command(0x20, { lba: 100, count: 0 })
    expect(readData(256 * 512, 4)).toEqual(image.slice(100 * 512, 356 * 512))
    expect(in8(port.status)).toBe(done)
  })

  test('in blocks of several sectors there is an interrupt for each block', async () => {
    const { command, readData, writeData, interrupts, in8, contents } = await setUp()
    command(0xc4, { count: 5 })
    expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 4])
    command(0xc6, { count: 4 })
    interrupts()
    command(0xc4, { lba: 3, count: 6 })
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done | bit.data])
    expect(readData(2048)).toEqual(image.slice(3 * 512, 7 * 512))
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done | bit.data])
    expect(readData(1024)).toEqual(image.slice(7 * 512, 9 * 512))
    expect([interrupts(), in8(port.status)]).toEqual([[], done])
    command(0xc5, { lba: 3000, count: 5 })
    writeData(pattern(4, 9))
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done | bit.data])
    writeData(pattern(1, 8))
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done])
    expect(contents(3000, 4)).toEqual(pattern(4, 9))
    for (const count of [3, 32, 255]) {
      command(0xc6, { count })
      expect(in8(port.error)).toBe(4)
    }
    command(0xc6, { count: 0 })
    command(0xc4)
    expect(in8(port.error)).toBe(4)
  })

  test('with interrupts off there are none, and the alternate status does not acknowledge', async () => {
    const { out, in8, command, interrupts } = await setUp()
    out(port.control, 2)
    command(0xec)
    expect(interrupts()).toEqual([])
    out(port.control, 0)
    expect(in8(port.control)).toBe(done | bit.data)
    expect(interrupts()).toEqual([0x76])
  })
})

describe('addresses', () => {
  test('of 48 bits, with counts of 16', async () => {
    const { command48, readData, in8, out, disk } = await setUp(memoryDisk(2 ** 41))
    const lba = 2 ** 31 + 0x12_3456
    disk.write(lba, pattern(300))
    command48(0x24, { lba, count: 300 })
    expect(readData(300 * 512, 4)).toEqual(pattern(300))
    expect(in8(port.status)).toBe(done)
    // What was written shows again, the bytes before behind HOB, which the next write takes back.
    const registers = () => [port.count, port.low, port.mid, port.high].map(in8)
    expect(registers()).toEqual([300 & 0xff, 0x56, 0x34, 0x12])
    out(port.control, 0x80)
    expect(registers()).toEqual([1, 0x80, 0, 0])
    out(port.low, 9)
    expect(registers()).toEqual([300 & 0xff, 9, 0x34, 0x12])
  })

  test('a disk beyond 28 bits says so in both places', async () => {
    const { words } = await setUp(memoryDisk(2 ** 41))
    const w = words()
    expect([w[60]! + w[61]! * 65536, [100, 101, 102, 103].map((i) => w[i])]).toEqual([0x0fff_ffff, [0, 0, 1, 0]])
    expect([w[1], w[3], w[6]]).toEqual([16383, 16, 63])
  })

  test('of cylinder, head and sector, as they were set', async () => {
    const { out, in8, readData, command, words } = await setUp()
    const chs = (cylinder: number, head: number, sector: number) => {
      out(port.device, 0xa0 | head)
      out(port.count, 1)
      out(port.low, sector)
      out(port.mid, cylinder & 0xff)
      out(port.high, cylinder >> 8)
      out(port.status, 0x20)
    }
    chs(0, 2, 5)
    expect(readData(512)).toEqual(image.slice((2 * 63 + 4) * 512, (2 * 63 + 5) * 512))
    out(port.device, 0xa7)
    out(port.count, 20)
    out(port.status, 0x91)
    expect(in8(port.status)).toBe(done)
    const after = words()
    expect([after[54], after[55], after[56], after[57]! + after[58]! * 65536]).toEqual([625, 8, 20, 100_000])
    expect([after[1], after[3], after[6]]).toEqual([99, 16, 63])
    chs(3, 2, 5)
    expect(readData(512)).toEqual(image.slice(524 * 512, 525 * 512))
    for (const [cylinder, head, sector] of [
      [0, 0, 0],
      [0, 8, 1],
      [0, 0, 21],
      [625, 0, 1],
    ] as const) {
      chs(cylinder, head, sector)
      expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 0x10])
    }
    out(port.count, 0)
    out(port.status, 0x91)
    expect(in8(port.error)).toBe(4)
    command(0x20)
    readData(512)
    expect(in8(port.status)).toBe(done)
  })

  test.each([
    ['the end', 0x20, 100_000, 1],
    ['over the end', 0x20, 99_999, 2],
    ['the end, to write', 0x30, 100_000, 1],
    ['the end, by DMA', 0xc8, 99_999, 0],
    ['the end, to verify', 0x40, 99_999, 2],
    ['the end, to seek', 0x70, 100_000, 1],
  ])('behind %s there is nothing', async (_, code, lba, count) => {
    const { command, in8, interrupts } = await setUp()
    command(code, { lba, count })
    expect([interrupts(), in8(port.status), in8(port.error)]).toEqual([[0x76], done | bit.error, 0x10])
  })

  test('a 48-bit command wants an LBA', async () => {
    const { out, in8, command48 } = await setUp()
    out(port.device, 0)
    out(port.status, 0x24)
    expect(in8(port.error)).toBe(0x10)
    command48(0x24, { lba: 2 ** 40 })
    expect(in8(port.error)).toBe(0x10)
  })
})

describe('commands without data', () => {
  test.each([
    [0x10, 'RECALIBRATE'],
    [0x1f, 'RECALIBRATE'],
    [0x40, 'READ VERIFY'],
    [0x70, 'SEEK'],
    [0xe0, 'STANDBY IMMEDIATE'],
    [0xe1, 'IDLE IMMEDIATE'],
    [0xe2, 'STANDBY'],
    [0xe3, 'IDLE'],
    [0xe5, 'CHECK POWER MODE'],
    [0xe6, 'SLEEP'],
    [0xe7, 'FLUSH CACHE'],
    [0xea, 'FLUSH CACHE EXT'],
  ])('%s is done with an interrupt (%s)', async (code) => {
    const { command, in8, interrupts } = await setUp()
    command(code)
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done])
    expect(interrupts()).toEqual([])
  })

  test.each([
    [0x00, 'NOP'],
    [0x08, 'DEVICE RESET'],
    [0xa0, 'PACKET'],
    [0xa1, 'IDENTIFY PACKET DEVICE'],
    [0xb0, 'SMART'],
    [0xf8, 'READ NATIVE MAX ADDRESS'],
    [0xff, 'nothing'],
  ])('%s is aborted (%s)', async (code) => {
    const { command, in8, interrupts } = await setUp()
    command(code)
    expect([interrupts(), in8(port.status), in8(port.error)]).toEqual([[0x76], done | bit.error, 4])
    command(0xe7)
    expect([in8(port.status), in8(port.error)]).toEqual([done, 0])
  })

  test('sectors with 48-bit addresses are verified', async () => {
    const { command48, in8, interrupts } = await setUp()
    command48(0x42, { lba: 99_000, count: 1000 })
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done])
    command48(0x42, { lba: 99_001, count: 1000 })
    expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 0x10])
  })

  test('the power mode is told, and left when sectors are wanted', async () => {
    const { command, in8, readData } = await setUp()
    const power = () => (command(0xe5), in8(port.count))
    expect(power()).toBe(0xff)
    command(0xe0)
    expect(power()).toBe(0)
    command(0xe1)
    expect(power()).toBe(0x80)
    command(0x20)
    readData(512)
    expect(power()).toBe(0xff)
  })

  test('a flush flushes the device; without write cache so does each write', async () => {
    let flushed = 0
    const disk: BlockDevice = { ...memoryless(), flush: () => void flushed++ }
    const { command, writeData } = await setUp(disk)
    command(0xe7)
    expect(flushed).toBe(1)
    command(0x30)
    writeData(new Uint8Array(512))
    expect(flushed).toBe(1)
    command(0xef, { features: 0x82 })
    command(0x30)
    writeData(new Uint8Array(512))
    expect(flushed).toBe(3)
  })
})

/** A device that swallows all. */
function memoryless(): BlockDevice {
  return { sectorBytes: 512, sectors: 1000, readOnly: false, read: () => {}, write: () => {}, flush: () => {} }
}

describe('a device that fails', () => {
  const fail = () => {
    throw new Error('scratched')
  }

  test('tells of the sector that cannot be read, after those before it', async () => {
    const disk = memoryDisk(image.slice())
    const scratched: BlockDevice = {
      ...memoryless(),
      read(sector, into) {
        if (sector <= 13 && sector + into.length / 512 > 13) fail()
        disk.read(sector, into)
      },
    }
    const { command, readData, in8, interrupts } = await setUp(scratched)
    command(0xc6, { count: 16 })
    interrupts()
    command(0xc4, { lba: 10, count: 8 })
    expect(interrupts()).toEqual([0x76])
    in8(port.status)
    expect(readData(3 * 512)).toEqual(image.slice(10 * 512, 13 * 512))
    expect([interrupts(), in8(port.status), in8(port.error), in8(port.low)]).toEqual([
      [0x76],
      done | bit.error,
      0x40,
      13,
    ])
    command(0x40, { lba: 5, count: 20 })
    expect([in8(port.status), in8(port.error), in8(port.low)]).toEqual([done | bit.error, 0x40, 13])
    command(0x20, { lba: 14 })
    expect(readData(512)).toEqual(image.slice(14 * 512, 15 * 512))
  })

  test('aborts what cannot be written or flushed', async () => {
    const { command, writeData, in8 } = await setUp({ ...memoryless(), write: fail, flush: fail })
    command(0x30, { lba: 77 })
    writeData(new Uint8Array(512))
    expect([in8(port.status), in8(port.error), in8(port.low)]).toEqual([done | bit.error, 4, 77])
    for (const code of [0xe7, 0xea, 0xe0]) {
      command(code)
      expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 4])
    }
  })

  test('a read-only disk aborts writes before it takes data', async () => {
    const { command, in8 } = await setUp(readOnly(memoryDisk(512 * 100)))
    for (const code of [0x30, 0x34, 0xca]) {
      command(code)
      expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 4])
    }
  })
})

describe('resets and the other drive', () => {
  test('a software reset ends what goes on and shows the signature', async () => {
    const { command, out, in8, interrupts, readData } = await setUp()
    command(0x20, { lba: 5, count: 200 })
    readData(100)
    interrupts()
    out(port.control, 4)
    expect([in8(port.status), interrupts()]).toEqual([bit.busy, []])
    out(port.count, 77)
    out(port.status, 0xec)
    out(port.control, 0)
    const registers = [port.status, port.error, port.count, port.low, port.mid, port.high, port.device].map(in8)
    expect(registers).toEqual([done, 1, 1, 1, 0, 0, 0])
    expect(interrupts()).toEqual([])
    command(0x20, { lba: 9 })
    expect(readData(512)).toEqual(image.slice(9 * 512, 10 * 512))
  })

  test('where no drive is, registers are zeros and nothing happens', async () => {
    const { out, in8, command, interrupts } = await setUp()
    command(0xec, { slave: true })
    expect([port.status, port.control, port.count, port.device, port.data].map(in8)).toEqual([0, 0, 0, 0, 0])
    expect(interrupts()).toEqual([])
    out(port.device, 0)
    expect(in8(port.status)).toBe(done)
  })

  test('two disks: each answers for itself, and a self-test is for both', async () => {
    const [a, b] = [memoryDisk(512 * 100), memoryDisk(512 * 200)]
    a.write(3, pattern(1, 1))
    b.write(3, pattern(1, 2))
    const m = await ideMachine({ secondary: { master: { disk: a }, slave: { disk: b } } }, 1)
    const { command, readData, in8, out, interrupts } = m
    command(0x20, { lba: 3, slave: true })
    expect(interrupts()).toEqual([0x77])
    expect(readData(512)).toEqual(pattern(1, 2))
    command(0x20, { lba: 3 })
    expect(readData(512)).toEqual(pattern(1, 1))
    in8(port.status)
    interrupts()
    command(0x20, { lba: 3, slave: true })
    // While data wait, other commands and another selection are not heard.
    out(port.device, 0xe0)
    out(port.status, 0xe7)
    expect(readData(512)).toEqual(pattern(1, 2))
    in8(port.status)
    interrupts()
    out(port.status, 0x90)
    expect([interrupts(), in8(port.device), in8(port.error), in8(port.status)]).toEqual([[0x77], 0, 1, done])
  })

  test('an interrupt of the drive that is not selected waits', async () => {
    const m = await ideMachine({ primary: { master: { disk: memoryDisk(51200) }, slave: { disk: memoryDisk(51200) } } })
    m.out(port.device, 0xf0)
    m.out(port.status, 0xe7)
    m.out(port.device, 0xe0)
    expect(m.in8(port.status)).toBe(done)
    m.interrupts()
    m.out(port.device, 0xf0)
    expect(m.interrupts()).toEqual([0x76])
  })
})

describe('the part', () => {
  test('refuses what is no disk, with what to do', async () => {
    const cd: BlockDevice = { ...memoryless(), sectorBytes: 2048 }
    await expect(ideMachine({ primary: { master: { disk: cd } } })).rejects.toThrow('make it { cd: … }')
    await expect(ideMachine({ primary: { master: { disk: memoryDisk(0) } } })).rejects.toThrow('one sector at least')
    await expect(ideMachine({ primary: { master: { cd: memoryless() } } })).rejects.toThrow('as cdImage does')
  })

  test('its channels answer while the timing registers say so', async () => {
    const { api, in8, ports } = await setUp()
    expect(in8(port.status)).toBe(done)
    api.function.writeConfig(0x40, 2, 0)
    expect([in8(port.status), ports.read(port.control, 1)]).toEqual([0xff, 0xff])
    api.function.writeConfig(0x40, 2, 0x8000)
    expect(in8(port.status)).toBe(done)
    const off = await ideMachine({ decode: false, primary: { master: { disk: memoryDisk(512) } } })
    expect(off.in8(port.status)).toBe(0xff)
    off.api.function.writeConfig(0x40, 4, 0x8000_8000)
    expect(off.in8(port.status)).toBe(done)
  })

  test('a machine is saved in the middle of a transfer, and goes on elsewhere with its overlay', async () => {
    const make = () => new Overlay(readOnly(memoryDisk(image)))
    const here = await setUp(make())
    here.command(0xc6, { count: 8 })
    here.command(0xc5, { lba: 20, count: 16 })
    here.writeData(pattern(8, 100))
    here.writeData(pattern(1, 101))
    const state = structuredClone(here.machine.save())
    const overlay = make()
    const there = await setUp(overlay)
    there.machine.restore(state)
    there.writeData(pattern(7, 102))
    expect(there.in8(port.status)).toBe(done)
    expect(there.contents(20, 8)).toEqual(pattern(8, 100))
    expect(there.contents(28, 1)).toEqual(pattern(1, 101))
    expect(there.contents(29, 7)).toEqual(pattern(7, 102))
    expect(there.interrupts()).toEqual([0x76])
    expect(image).toEqual(pattern(1000))
  })

  test('a state goes back onto drives of the same kind and size', async () => {
    const state = (await setUp(memoryDisk(image.slice()))).machine.save()
    const mismatch = expect.objectContaining({ code: 'state-mismatch' })
    const onto = async (...options: Parameters<typeof ide>) => (await ideMachine(...(options as [never]))).machine
    const other = await onto({ primary: { master: { disk: memoryDisk(pattern(999)) } } })
    expect(() => other.restore(state)).toThrow('1000 sectors, this one 999')
    for (const primary of [{}, { master: { cd: undefined } }, { master: { disk: memoryDisk(512_000) } }]) {
      const machine = await onto({ primary })
      expect(() => machine.restore(state)).toThrow(mismatch)
    }
  })
})
