import { type BlockDevice, memoryDisk } from '@vmexit/block'
import { BusMasters, Clock, VmexitError } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { idleMachine } from '../../test/idle-machine.ts'
import { DmaPair } from '../dma/pair.ts'
import { dma } from '../dma/part.ts'
import { pic } from '../pic/part.ts'
import { FloppyDrive } from './drive.ts'
import { type FloppyDriveType, floppyDriveFor } from './formats.ts'
import { I82077 } from './i82077.ts'
import { floppy } from './part.ts'

const [DOR, MSR, FIFO, DIR] = [2, 4, 5, 7]
const ms = 1e6
const turn = 200 * ms

/** A disk whose sectors begin with their number. */
function disk(kibibytes: number, { readOnly = false, bad = -1 } = {}): BlockDevice {
  const bytes = new Uint8Array(kibibytes * 1024)
  for (let sector = 0; sector < 2 * kibibytes; sector++)
    new DataView(bytes.buffer).setUint16(512 * sector, sector, true)
  const inner = memoryDisk(bytes)
  const check = (sector: number) => {
    if (sector === bad) throw new VmexitError('block-io', { problem: 'a bad sector', remedy: 'none' })
  }
  return {
    sectorBytes: 512,
    sectors: inner.sectors,
    readOnly,
    read: (sector, into) => (check(sector), inner.read(sector, into)),
    write: (sector, from) => (check(sector), inner.write(sector, from)),
    flush() {},
  }
}

/** A controller with disks in drives A and B, out of reset, motors on, its reset's interrupt served. */
function setUp(...disks: (BlockDevice | undefined)[]) {
  return setUpDrives(disks.map((each) => ({ disk: each, type: each ? floppyDriveFor(each) : '1.44M' })))
}

function setUpDrives(drives: readonly { readonly disk: BlockDevice | undefined; readonly type: FloppyDriveType }[]) {
  const clock = new Clock()
  const memory = new Uint8Array(0x1_0000)
  const masters = new BusMasters()
  masters.connect({
    memory: {
      read: (address, into) => (into.set(memory.subarray(address, address + into.length)), true),
      write: (address, from) => (memory.set(from, address), true),
    },
  })
  const pair = new DmaPair({ memory: masters.create(1, 'dma'), configured: true })
  const wire = {
    level: false,
    rises: 0,
    set: (level: boolean) => void ((wire.rises += level ? 1 : 0), (wire.level = level)),
  }
  const made = drives.map(({ disk, type }) => {
    const drive = new FloppyDrive(type, clock)
    if (disk !== undefined) drive.insert(disk)
    return drive
  })
  const chip = new I82077({ clock, line: wire, dma: pair.channel(2, 'floppy'), drives: made })
  const { registers } = chip.regions
  const out = (offset: number, value: number) => registers.write(offset, 1, value)
  const in8 = (offset: number) => registers.read(offset, 1)
  const command = (...bytes: number[]) => bytes.forEach((byte) => void out(FIFO, byte))
  const results = () => {
    const bytes: number[] = []
    while ((in8(MSR) & 0xd0) === 0xd0 && bytes.length < 16) bytes.push(in8(FIFO))
    return bytes
  }
  const pass = (time: number) => clock.advanceTo(clock.now + time)
  /** Lets time pass until the interrupt comes, two seconds at most. */
  const wait = () => {
    for (let i = 0; i < 2000 && !wire.level; i++) pass(ms)
    return wire.level
  }
  const sense = () => (command(0x08), results())
  const channel2 = (mode: number, bytes: number) => {
    const low = pair.low.regions.registers
    low.write(0x0a, 1, 6)
    low.write(0x0c, 1, 0)
    low.write(0x0b, 1, mode | 2)
    for (const [offset, value] of [
      [4, 0x00],
      [4, 0x10],
      [5, (bytes - 1) & 0xff],
      [5, (bytes - 1) >> 8],
    ]) {
      low.write(offset!, 1, value!)
    }
    low.write(0x0a, 1, 2)
  }
  out(DIR, 0)
  out(DOR, 0x3c)
  pass(ms)
  for (let i = 0; i < 4; i++) sense()
  command(0x03, 0xdf, 0x02)
  return { clock, chip, drives: made, memory, pair, wire, out, in8, command, results, pass, wait, sense, channel2 }
}

const word = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8)

describe('reset', () => {
  test('ends with an interrupt that four SENSE INTERRUPT STATUS tell of', () => {
    const { out, in8, pass, wire, sense } = setUp(disk(1440))
    out(DOR, 0x00)
    expect([in8(MSR), wire.level]).toEqual([0, false])
    out(DOR, 0x0c)
    expect(in8(MSR)).toBe(0x80)
    pass(ms)
    expect([wire.level, sense(), sense(), sense(), sense(), wire.level, sense()]).toEqual([
      true,
      [0xc0, 0],
      [0xc1, 0],
      [0xc2, 0],
      [0xc3, 0],
      false,
      [0x80],
    ])
  })

  test('is not told of where polling is turned off in time, or the interrupt is not let through', () => {
    const { out, pass, wire, command, sense } = setUp(disk(1440))
    out(DOR, 0x00)
    out(DOR, 0x0c)
    command(0x13, 0x00, 0x10, 0x00)
    pass(ms)
    expect([wire.level, sense()]).toEqual([false, [0x80]])
    out(MSR, 0x80)
    out(DOR, 0x04)
    pass(ms)
    expect(wire.level).toBe(false)
    out(DOR, 0x0c)
    expect(wire.level).toBe(true)
  })

  test('keeps what SPECIFY, LOCK and PERPENDICULAR MODE say is kept', () => {
    const { out, command, results } = setUp(disk(1440))
    command(0x13, 0x00, 0x57, 0x20)
    command(0x12, 0x8f)
    command(0x94)
    expect(results()).toEqual([0x10])
    out(MSR, 0x80)
    command(0x0e)
    expect(results()).toEqual([0, 0, 0, 0, 0xdf, 0x02, 0, 0x8c, 0x07, 0x20])
    command(0x14)
    expect(results()).toEqual([0x00])
    out(MSR, 0x80)
    command(0x0e)
    expect(results().slice(7)).toEqual([0x0c, 0x20, 0])
  })
})

describe('heads', () => {
  test('RECALIBRATE and SEEK take their time, and are told of by SENSE INTERRUPT STATUS', () => {
    const { in8, command, pass, wire, sense } = setUp(disk(1440))
    command(0x0f, 0x00, 10)
    expect([in8(MSR), wire.level]).toEqual([0x81, false])
    pass(30 * ms - 1)
    expect(wire.level).toBe(false)
    pass(1)
    expect([wire.level, sense(), in8(MSR), wire.level]).toEqual([true, [0x20, 10], 0x80, false])
    command(0x07, 0x00)
    pass(30 * ms)
    expect(sense()).toEqual([0x20, 0])
  })

  test('relative seeks go in and out', () => {
    const { command, wait, sense, drives } = setUp(disk(1440))
    command(0xcf, 0x00, 5)
    wait()
    expect([sense(), drives[0]!.position]).toEqual([[0x20, 5], 5])
    command(0x8f, 0x00, 3)
    wait()
    expect([sense(), drives[0]!.position]).toEqual([[0x20, 2], 2])
  })

  test('RECALIBRATE of a drive that is not there, or of heads too far in, fails', () => {
    const { command, wait, sense } = setUp(disk(1440))
    command(0x07, 0x03)
    wait()
    expect(sense()).toEqual([0x73, 0])
    command(0xcf, 0x00, 83)
    wait()
    sense()
    command(0x07, 0x00)
    wait()
    expect(sense()).toEqual([0x70, 0])
    command(0x07, 0x00)
    wait()
    expect(sense()).toEqual([0x20, 0])
  })

  test('SENSE DRIVE STATUS tells of track 0 and write protection', () => {
    const { command, results, wait, sense } = setUp(disk(1440), disk(720, { readOnly: true }))
    command(0x04, 0x00)
    expect(results()).toEqual([0x38])
    command(0x0f, 0x01, 1)
    wait()
    sense()
    command(0x04, 0x05)
    expect(results()).toEqual([0x6d])
  })

  test('the disk change line falls when the heads move over a disk', () => {
    const { in8, command, wait, sense, drives } = setUp(disk(1440))
    expect(in8(DIR)).toBe(0x80)
    command(0x07, 0x00)
    wait()
    sense()
    expect(in8(DIR)).toBe(0x80)
    command(0x0f, 0x00, 1)
    wait()
    expect(in8(DIR)).toBe(0)
    drives[0]!.eject()
    sense()
    command(0x0f, 0x00, 2)
    wait()
    expect(in8(DIR)).toBe(0x80)
  })
})

describe('data', () => {
  test('READ DATA brings sectors into memory by DMA, and says where it stopped', () => {
    const { memory, command, results, wait, channel2 } = setUp(disk(1440))
    channel2(0x44, 3 * 512)
    command(0xe6, 0x00, 0, 0, 17, 2, 18, 0x1b, 0xff)
    expect(wait()).toBe(true)
    // The last sectors of head 0, and the first of head 1.
    expect([word(memory, 0x1000), word(memory, 0x1200), word(memory, 0x1400)]).toEqual([16, 17, 18])
    expect(results()).toEqual([0x04, 0, 0, 0, 1, 2, 2])
  })

  test.each([
    [0x66, 5, 18, [0, 0, 6, 2]],
    [0x66, 18, 18, [1, 0, 1, 2]],
    [0xe6, 18, 18, [0, 1, 1, 2]],
  ])('the result of %s after sector %i of %i is %s', (opcode, sector, last, id) => {
    const { command, results, wait, channel2 } = setUp(disk(1440))
    channel2(0x44, 512)
    command(opcode, 0x00, 0, 0, sector, 2, last, 0x1b, 0xff)
    wait()
    expect(results().slice(3)).toEqual(id)
  })

  test('a sector comes when it comes by: at most a turn later', () => {
    const { clock, command, results, wait, channel2 } = setUp(disk(1440))
    clock.advanceTo(10 * turn)
    channel2(0x44, 512)
    command(0x66, 0x00, 0, 0, 9, 2, 18, 0x1b, 0xff)
    wait()
    expect([results()[1], clock.now]).toEqual([0, 10 * turn + turn / 2])
    command(0x66, 0x00, 0, 0, 9, 2, 18, 0x1b, 0xff)
    wait()
    expect(clock.now).toBe(11 * turn + turn / 2)
  })

  test('WRITE DATA, and what the count leaves of a sector is zeros', () => {
    const image = disk(1440)
    const { memory, command, results, wait, channel2 } = setUp(image)
    memory.fill(0xaa, 0x1000, 0x2000)
    channel2(0x48, 600)
    command(0x45, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff)
    wait()
    expect(results()).toEqual([0, 0, 0, 0, 0, 4, 2])
    const data = new Uint8Array(1024)
    image.read(1, data)
    expect([data[0], data[599], data[600], data[1023]]).toEqual([0xaa, 0xaa, 0, 0])
  })

  test('without DMA bytes go through the FIFO, with an interrupt for each sector', () => {
    const image = disk(1440)
    const { in8, out, command, results, wait, wire } = setUp(image)
    command(0x03, 0xdf, 0x03)
    command(0x66, 0x00, 0, 0, 1, 2, 2, 0x1b, 0xff)
    const read: number[] = []
    for (let sector = 0; sector < 2; sector++) {
      expect([wait(), in8(MSR)]).toEqual([true, 0xf0])
      for (let i = 0; i < 512; i++) read.push(in8(FIFO))
      if (sector === 0) expect([in8(MSR), wire.level]).toEqual([0x30, false])
    }
    // Without a terminal count the end of the cylinder is reached.
    expect([read[0], read[512], wait(), results()]).toEqual([0, 1, true, [0x40, 0x80, 0, 1, 0, 1, 2]])
    command(0x45, 0x00, 0, 0, 7, 2, 7, 0x1b, 0xff)
    expect([wait(), in8(MSR)]).toEqual([true, 0xb0])
    for (let i = 0; i < 512; i++) out(FIFO, i)
    wait()
    results()
    const data = new Uint8Array(512)
    image.read(6, data)
    expect([data[1], data[511]]).toEqual([1, 255])
  })

  test('READ TRACK begins at the index and takes sectors as they come', () => {
    const { memory, command, results, wait, channel2 } = setUp(disk(1440))
    channel2(0x44, 0x4000)
    command(0x42, 0x04, 0, 1, 1, 2, 18, 0x1b, 0xff)
    wait()
    expect(results()).toEqual([0x04, 0, 0, 0, 1, 19, 2])
    expect([word(memory, 0x1000), word(memory, 0x1000 + 17 * 512)]).toEqual([18, 35])
  })

  test('READ ID tells which sector is there', () => {
    const { clock, command, results, wait } = setUp(disk(1440))
    clock.advanceTo(10 * turn)
    command(0x4a, 0x04)
    wait()
    expect(results()).toEqual([0x04, 0, 0, 0, 1, 2, 2])
  })

  test('FORMAT TRACK fills a track', () => {
    const image = disk(1440)
    const { memory, command, results, wait, channel2 } = setUp(image)
    for (let i = 0; i < 18; i++) memory.set([0, 1, i + 1, 2], 0x1000 + 4 * i)
    channel2(0x48, 72)
    command(0x4d, 0x04, 2, 18, 0x54, 0xf6)
    wait()
    expect(results().slice(0, 3)).toEqual([0x04, 0, 0])
    const data = new Uint8Array(512)
    for (const [sector, byte] of [
      [18, 0xf6],
      [35, 0xf6],
      [36, 36],
    ]) {
      image.read(sector!, data)
      expect(data[0]).toBe(byte)
    }
  })

  test('VERIFY goes over so many sectors, or up to the last, and moves nothing', () => {
    const { memory, command, results, wait } = setUp(disk(1440, { bad: 5 }))
    command(0x56, 0x80, 0, 0, 1, 2, 18, 0x1b, 4)
    wait()
    expect(results()).toEqual([0, 0, 0, 0, 0, 5, 2])
    command(0x56, 0x00, 0, 0, 7, 2, 18, 0x1b, 0xff)
    wait()
    expect(results()).toEqual([0, 0, 0, 1, 0, 1, 2])
    command(0x56, 0x80, 0, 0, 17, 2, 18, 0x1b, 4)
    wait()
    expect(results().slice(0, 3)).toEqual([0x40, 0x80, 0])
    command(0x56, 0x00, 0, 0, 5, 2, 18, 0x1b, 0xff)
    wait()
    expect([results(), memory.some((byte) => byte !== 0)]).toEqual([[0x40, 0x20, 0x20, 0, 0, 6, 2], false])
  })

  test('READ DELETED DATA finds sectors that are not deleted: it stops after one, or skips all', () => {
    const { memory, command, results, wait, channel2 } = setUp(disk(1440))
    channel2(0x44, 1024)
    command(0x4c, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff)
    wait()
    expect([results(), word(memory, 0x1000)]).toEqual([[0, 0, 0x40, 0, 0, 3, 2], 1])
    command(0x6c, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff)
    wait()
    expect(results().slice(0, 3)).toEqual([0x40, 0x80, 0x40])
  })

  test('implied seeks move the heads first', () => {
    const { memory, command, results, wait, channel2, drives } = setUp(disk(1440))
    command(0x13, 0x00, 0x40, 0x00)
    channel2(0x44, 512)
    command(0x66, 0x00, 20, 0, 1, 2, 18, 0x1b, 0xff)
    wait()
    expect([results()[0], word(memory, 0x1000), drives[0]!.position]).toEqual([0, 20 * 36, 20])
  })
})

describe('what goes wrong', () => {
  test.each([
    ['a sector that is not there', [0x66, 0, 0, 0, 19, 2, 19], [0x40, 0x04, 0x00]],
    ['another sector size', [0x66, 0, 0, 0, 1, 3, 18], [0x40, 0x04, 0x00]],
    ['another head in the address mark', [0x66, 0, 0, 1, 1, 2, 18], [0x40, 0x04, 0x00]],
    ['another cylinder', [0x66, 0, 3, 0, 1, 2, 18], [0x40, 0x04, 0x10]],
    ['single density', [0x26, 0, 0, 0, 1, 2, 18], [0x40, 0x01, 0x00]],
    ['a bad sector', [0x66, 0, 0, 0, 6, 2, 18], [0x40, 0x20, 0x20]],
  ])('%s', (_, bytes, status) => {
    const { command, results, wait, channel2 } = setUp(disk(1440, { bad: 5 }))
    channel2(0x44, 512)
    command(...bytes, 0x1b, 0xff)
    expect([wait(), results().slice(0, 3)]).toEqual([true, status])
  })

  test('a data rate that is not the disk’s: no address mark within two turns', () => {
    const { clock, out, command, results, wait } = setUp(disk(1440))
    clock.advanceTo(10 * turn)
    out(DIR, 2)
    command(0x4a, 0x00)
    wait()
    expect([results().slice(0, 3), clock.now]).toEqual([[0x40, 0x01, 0], 12 * turn])
  })

  test('write protection', () => {
    const { command, results, wait } = setUp(disk(1440, { readOnly: true }))
    for (const opcode of [0x45, 0x49]) {
      command(opcode, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff)
      expect([wait(), results().slice(0, 3)]).toEqual([true, [0x40, 0x02, 0]])
    }
    command(0x4d, 0x00, 2, 18, 0x54, 0xf6)
    expect([wait(), results().slice(0, 3)]).toEqual([true, [0x40, 0x02, 0]])
  })

  test('a DMA channel that does not serve is an overrun', () => {
    const { command, results, wait } = setUp(disk(1440))
    for (const opcode of [0x66, 0x45]) {
      command(opcode, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff)
      expect([wait(), results().slice(0, 3)]).toEqual([true, [0x40, 0x10, 0]])
    }
  })

  test('without a disk, or with the motor off, a command does not end until the controller is reset', () => {
    const { out, in8, command, wait, pass, sense } = setUp(disk(1440), undefined)
    for (const [motors, drive] of [
      [0x3c, 1],
      [0x0c, 0],
    ]) {
      out(DOR, motors!)
      command(0x66, drive!, 0, 0, 1, 2, 18, 0x1b, 0xff)
      expect([wait(), in8(MSR)]).toEqual([false, 0x10])
      out(DOR, 0x00)
      out(DOR, 0x3c)
      pass(ms)
      expect([in8(MSR), sense()]).toEqual([0x80, [0xc0, 0]])
    }
  })

  test('codes that are no command', () => {
    const { command, results, wire } = setUp(disk(1440))
    for (const opcode of [0x00, 0x01, 0x18, 0x1f, 0x43, 0x0b, 0xff]) {
      command(opcode)
      expect([results(), wire.level]).toEqual([[0x80], false])
    }
    command(0x10)
    expect(results()).toEqual([0x90])
  })
})

describe('formats', () => {
  test.each([
    [160, '360K', 2],
    [180, '360K', 2],
    [320, '360K', 2],
    [360, '360K', 2],
    [720, '720K', 2],
    [1200, '1.2M', 0],
    [1440, '1.44M', 0],
    [1680, '1.44M', 0],
    [2880, '2.88M', 3],
  ] as const)('%i KiB: the last sector is where it belongs', (size, type, rate) => {
    const image = disk(size)
    const { memory, out, command, results, wait, sense, channel2 } = setUp(image)
    expect(floppyDriveFor(image)).toBe(type)
    out(DIR, rate)
    const cylinders = size < 720 ? 40 : 80
    const heads = size < 320 ? 1 : 2
    const sectors = (2 * size) / cylinders / heads
    command(0x0f, 0x00, cylinders - 1)
    wait()
    sense()
    channel2(0x44, 512)
    command(0x46, 4 * (heads - 1), cylinders - 1, heads - 1, sectors, 2, sectors, 0x1b, 0xff)
    wait()
    expect([results().slice(1, 3), word(memory, 0x1000)]).toEqual([[0, 0], 2 * size - 1])
  })

  test('a drive with 80 tracks reads a disk with 40 at every second one, at 300 kbit/s', () => {
    const { memory, out, command, results, wait, sense, channel2 } = setUpDrives([{ disk: disk(360), type: '1.2M' }])
    out(DIR, 1)
    for (const [track, status] of [
      [20, 0],
      [21, 1],
    ]) {
      command(0x0f, 0x00, track!)
      wait()
      sense()
      channel2(0x44, 512)
      command(0x46, 0x00, 10, 0, 1, 2, 9, 0x1b, 0xff)
      wait()
      expect(results()[1]).toBe(status)
    }
    expect(word(memory, 0x1000)).toBe(180)
  })

  test('what no drive could read is refused with the sizes that there are', () => {
    expect(() => floppyDriveFor(disk(1000))).toThrow(/no floppy disk has 2000 sectors .* 1440 KiB \(1.44M\)/)
    const drive = new FloppyDrive('720K', new Clock())
    expect(() => drive.insert(disk(1440))).toThrow(
      /type 720K does not read a disk of 1.44M: make it a drive of type 1.44M or 2.88M/,
    )
  })
})

test.each([0, 2, 40, 150, 220, 320])('saved %i ms into a command, it goes on elsewhere', (time) => {
  const [here, there] = [setUp(disk(1440)), setUp(disk(1440))]
  here.command(0x13, 0x00, 0x40, 0x00)
  here.channel2(0x44, 4 * 512)
  here.command(0xe6, 0x00, 3, 0, 16, 2, 18, 0x1b, 0xff)
  here.pass(time * ms)
  there.clock.restore(here.clock.save())
  there.pair.restore(here.pair.save())
  there.chip.restore(JSON.parse(JSON.stringify(here.chip.save())))
  there.memory.set(here.memory)
  for (const { wait } of [here, there]) wait()
  expect(there.chip.save()).toEqual(here.chip.save())
  expect([there.results(), there.memory]).toEqual([here.results(), here.memory])
})

test('saved with a disk in the drive, it is not restored without one', () => {
  const here = setUp(disk(1440))
  const there = setUp(undefined)
  expect(() => there.chip.restore(here.chip.save())).toThrow(/saved floppy drive has a disk of 2880 sectors/)
})

test('in a machine, a disk is changed while it runs', async () => {
  const part = floppy({ a: { disk: disk(1440) } })
  const { machine, in8, out, vectors, pass } = await idleMachine([pic(), dma({ configured: true }), part])
  for (const [port, base, cascade] of [
    [0x20, 0x08, 4],
    [0xa0, 0x70, 2],
  ]) {
    out(port!, 0x11)
    out(port! + 1, base!, cascade!, 1)
  }
  out(0x3f2, 0x1c)
  pass(ms)
  expect(vectors()).toEqual([0x0e])
  for (let i = 0; i < 4; i++) {
    out(0x3f5, 0x08)
    in8(0x3f5)
    in8(0x3f5)
  }
  out(0x3f5, 0x0f, 0, 1)
  pass(100 * ms)
  expect([in8(0x3f7), in8(0x3f6)]).toEqual([0, 0xff])
  const api = machine.of(part)
  api.insert('a', disk(720))
  pass(ms)
  expect(in8(0x3f7)).toBe(0x80)
  api.eject('a')
  pass(ms)
  out(0x3f5, 0x04, 0)
  expect(in8(0x3f5)).toBe(0x28)
  expect(() => api.insert('b', disk(720))).toThrow(/floppy has no drive 'b'/)
  expect(() => api.insert('a', disk(360))).toThrow(/does not read/)
})
