import { type BlockDevice, memoryDisk } from '@vmexit/block'
import { describe, expect, test } from 'vitest'
import { bit, bus, ideMachine, memoryAt, port } from '../../test/ide-machine.ts'

function pattern(bytes: number, seed = 0): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, i) => (i * 3 + (i >> 9) * 11 + seed) & 0xff)
}

/** Bits of the bus master's registers. */
const start = { read: 0x09, write: 0x01 } as const
const active = 1
const error = 2
const interrupted = 4

const done = bit.ready | 0x10
const { data } = memoryAt
const readDma = 0xc8
const writeDma = 0xca
/** More than any transfer takes here, in nanoseconds. */
const long = 50e6

const image = pattern(2000 * 512)
const otherImage = pattern(100 * 512, 50)

/** Two channels with a disk of 2000 sectors each; the registers are those of `channel`. */
async function setUp({ channel = 0 as 0 | 1, disk = memoryDisk(image.slice()) as BlockDevice } = {}) {
  const cable = { master: { disk }, slave: { disk: memoryDisk(otherImage.slice()) } }
  const m = await ideMachine({ primary: cable, secondary: cable }, channel)
  const contents = (sector: number, count: number) => {
    const into = new Uint8Array(count * 512)
    disk.read(sector, into)
    return into
  }
  return { ...m, contents, bytes: image }
}

describe('a read', () => {
  test.each([0, 1] as const)(
    'goes to memory after some time, then there is an interrupt (channel %s)',
    async (channel) => {
      const { describe, out, in8, command, pass, interrupts, memory, bytes } = await setUp({ channel })
      describe([data, 4096])
      out(bus.status, error | interrupted)
      out(bus.command, 0x08)
      command(readDma, { lba: 10, count: 8 })
      expect(in8(port.status)).toBe(done | bit.data)
      out(bus.command, start.read)
      expect([in8(port.control), in8(bus.status)]).toEqual([done | bit.busy, active])
      pass(100_000)
      expect([in8(port.control), in8(bus.status), interrupts()]).toEqual([done | bit.busy, active, []])
      pass(long)
      expect([in8(bus.status), interrupts()]).toEqual([interrupted, [0x76 + channel]])
      expect(in8(port.status)).toBe(done)
      expect(memory.read(data, 4096)).toEqual(bytes.slice(10 * 512, 18 * 512))
      out(bus.command, 0)
      out(bus.status, interrupted)
      expect(in8(bus.status)).toBe(0)
    },
  )

  test('the command may come after the start', async () => {
    const { describe, out, in8, command, pass, memory, bytes } = await setUp()
    describe([data, 512])
    out(bus.command, start.read)
    expect(in8(bus.status)).toBe(active)
    pass(long)
    command(readDma, { lba: 3 })
    pass(long)
    expect(in8(bus.status)).toBe(interrupted)
    expect(memory.read(data, 512)).toEqual(bytes.slice(3 * 512, 4 * 512))
  })

  test('is scattered over regions of any even length; 0 is 64 KiB', async () => {
    const { describe, out, in8, command, pass, memory, bytes } = await setUp()
    describe([data, 2], [data + 0x100, 1022], [data + 0x1_0000, 0], [data + 0x4_0000, 0xfffe], [data + 0x8_0000, 2])
    command(readDma, { lba: 100, count: 2 + 256 - 2 })
    out(bus.command, start.read)
    pass(long)
    expect(in8(bus.status)).toBe(interrupted | active)
    expect(memory.read(data, 2)).toEqual(bytes.slice(51200, 51202))
    expect(memory.read(data + 0x100, 1022)).toEqual(bytes.slice(51202, 52224))
    expect(memory.read(data + 0x1_0000, 0x1_0000)).toEqual(bytes.slice(52224, 52224 + 0x1_0000))
    expect(memory.read(data + 0x4_0000, 0xfc00)).toEqual(bytes.slice(117760, 117760 + 0xfc00))
    expect(memory.read(data + 0x4_fc00, 2)).toEqual(Uint8Array.of(0, 0))
  })

  test('odd addresses and counts lose their last bit', async () => {
    const { describe, out, command, pass, memory, bytes } = await setUp()
    describe([data + 1, 257], [data + 0x1000, 256])
    command(readDma)
    out(bus.command, start.read)
    pass(long)
    expect(memory.read(data, 257)).toEqual(Uint8Array.of(...bytes.slice(0, 256), 0))
    expect(memory.read(data + 0x1000, 256)).toEqual(bytes.slice(256, 512))
  })

  test('more than a step takes: 300 sectors, of the slave too', async () => {
    const { describe, out, in8, command, command48, pass, memory, bytes } = await setUp()
    describe([data, 0], [data + 0x1_0000, 0], [data + 0x2_0000, 300 * 512 - 0x2_0000])
    command48(0x25, { lba: 1000, count: 300 })
    out(bus.command, start.read)
    pass(long)
    expect([in8(bus.status), in8(port.status)]).toEqual([interrupted, done])
    expect(memory.read(data, 300 * 512)).toEqual(bytes.slice(512_000, 512_000 + 300 * 512))
    out(bus.command, 0)
    describe([data, 512])
    command(readDma, { lba: 7, slave: true })
    out(bus.command, start.read)
    pass(long)
    expect(memory.read(data, 512)).toEqual(otherImage.slice(7 * 512, 8 * 512))
  })
})

describe('a write', () => {
  test('goes from memory to the disk when it is done, not before', async () => {
    const { describe, out, in8, command, pass, interrupts, memory, contents, bytes } = await setUp()
    memory.write(data, pattern(1024, 7))
    memory.write(data + 0x1000, pattern(512, 8))
    describe([data, 1024], [data + 0x1000, 512])
    command(writeDma, { lba: 30, count: 3 })
    out(bus.command, start.write)
    expect(contents(30, 3)).toEqual(bytes.slice(30 * 512, 33 * 512))
    pass(long)
    expect([in8(bus.status), interrupts(), in8(port.status)]).toEqual([interrupted, [0x76], done])
    expect(contents(30, 2)).toEqual(pattern(1024, 7))
    expect(contents(32, 1)).toEqual(pattern(512, 8))
    expect(contents(33, 1)).toEqual(bytes.slice(33 * 512, 34 * 512))
  })

  test('with 48-bit addresses', async () => {
    const { describe, out, in8, command48, pass, memory, contents } = await setUp()
    memory.write(data, pattern(0x2_0000, 7))
    describe([data, 0], [data + 0x1_0000, 0])
    command48(0x35, { lba: 500, count: 256 })
    out(bus.command, start.write)
    pass(long)
    expect([in8(bus.status), in8(port.status)]).toEqual([interrupted, done])
    expect(contents(500, 256)).toEqual(pattern(0x2_0000, 7))
  })
})

describe('what does not fit', () => {
  test('regions smaller than the command: it waits, and goes on with other regions', async () => {
    const { describe, out, in8, command, pass, interrupts, memory, bytes } = await setUp()
    describe([data, 1024])
    command(readDma, { lba: 0, count: 4 })
    out(bus.command, start.read)
    pass(long)
    expect([in8(bus.status), interrupts(), in8(port.status)]).toEqual([0, [], done | bit.data])
    out(bus.command, 0)
    describe([data + 0x1000, 1024])
    out(bus.command, start.read)
    pass(long)
    expect([in8(bus.status), interrupts(), in8(port.status)]).toEqual([interrupted, [0x76], done])
    expect(memory.read(data + 0x1000, 1024)).toEqual(bytes.slice(1024, 2048))
  })

  test('the other direction: nothing moves', async () => {
    const { describe, out, in8, command, pass, memory } = await setUp()
    describe([data, 512])
    command(readDma)
    out(bus.command, start.write)
    pass(long)
    expect([in8(bus.status), in8(port.status)]).toEqual([active, done | bit.data])
    // The direction cannot be changed under way.
    out(bus.command, start.read)
    pass(long)
    expect([in8(bus.command), in8(bus.status)]).toEqual([start.write, active])
    expect(memory.read(data, 512)).toEqual(new Uint8Array(512))
  })

  test.each([
    ['descriptors', 0x10_0000, data],
    ['data', memoryAt.table, 0xfff_fe00],
    ['some of the data', memoryAt.table, 0xf_ff00],
  ])('%s outside of memory: an error, no interrupt, and a reset helps', async (_, table, address) => {
    for (const [code, direction] of [
      [readDma, start.read],
      [writeDma, start.write],
    ] as const) {
      const { describe, out, in8, ports, command, pass, interrupts, contents, bytes } = await setUp()
      describe([address, 512])
      ports.write(bus.table, 4, table)
      command(code, { lba: 5 })
      out(bus.command, direction)
      pass(long)
      expect([in8(bus.status), interrupts(), in8(port.status)]).toEqual([error, [], done | bit.data])
      expect(contents(5, 1)).toEqual(bytes.slice(5 * 512, 6 * 512))
      out(bus.command, 0)
      out(bus.status, error)
      expect(in8(bus.status)).toBe(0)
      out(port.control, 4, 0)
      expect(in8(port.status)).toBe(done)
    }
  })

  test('a list of descriptors without an end ends with the data', async () => {
    const { out, in8, ports, command, pass, memory } = await setUp()
    // Each region has two bytes; the list is the memory, over and over.
    const list = new DataView(new ArrayBuffer(0x1_0000))
    for (let at = 0; at < 0x1_0000; at += 8) {
      list.setUint32(at, data, true)
      list.setUint32(at + 4, 2, true)
    }
    memory.write(0x8_0000, new Uint8Array(list.buffer))
    ports.write(bus.table, 4, 0x8_0000)
    command(readDma, { count: 64 })
    out(bus.command, start.read)
    pass(long)
    // 8192 descriptors of two bytes are 16 KiB; what comes after them are regions of 64 KiB from 0 on.
    expect(in8(port.status)).toBe(done)
    expect(in8(bus.status)).toBe(interrupted | active)
  })

  test('what the device cannot do ends the command before the regions are full', async () => {
    const broken: BlockDevice = {
      ...{ sectorBytes: 512, sectors: 2000, readOnly: false },
      read(sector, into) {
        if (sector + into.length / 512 > 150) throw new Error('scratched')
        into.fill(1)
      },
      write(sector) {
        if (sector > 10) throw new Error('scratched')
      },
      flush() {},
    }
    const { describe, out, in8, command, pass, interrupts } = await setUp({ disk: broken })
    describe([data, 0], [data + 0x1_0000, 0])
    command(readDma, { lba: 20, count: 200 })
    out(bus.command, start.read)
    pass(long)
    expect([in8(bus.status), interrupts()]).toEqual([active | interrupted, [0x76]])
    expect([in8(port.status), in8(port.error), in8(port.low)]).toEqual([done | bit.error, 0x40, 150])
    out(bus.command, 0)
    out(bus.status, interrupted)
    command(writeDma, { lba: 20, count: 2 })
    out(bus.command, start.write)
    pass(long)
    expect([in8(port.status), in8(port.error), in8(port.low)]).toEqual([done | bit.error, 4, 20])
  })
})

describe('stopping', () => {
  test('before the end: nothing more moves, and the drive waits for a reset', async () => {
    const { describe, out, in8, command, pass, memory, interrupts } = await setUp()
    describe([data, 512])
    command(readDma)
    out(bus.command, start.read)
    out(bus.command, 0)
    pass(long)
    expect([in8(bus.status), in8(port.status), interrupts()]).toEqual([0, done | bit.data, []])
    expect(memory.read(data, 512)).toEqual(new Uint8Array(512))
  })

  test('a software reset in the middle: nothing more moves', async () => {
    const { describe, out, in8, command, pass, memory, interrupts } = await setUp()
    describe([data, 512])
    command(readDma)
    out(bus.command, start.read)
    out(port.control, 4, 0)
    pass(long)
    expect([in8(port.status), interrupts()]).toEqual([done, []])
    expect(memory.read(data, 512)).toEqual(new Uint8Array(512))
  })

  test('with bus mastering off it is an error', async () => {
    const { api, describe, out, in8, command, pass } = await setUp()
    api.function.writeConfig(4, 2, 1)
    describe([data, 512])
    command(readDma)
    out(bus.command, start.read)
    pass(long)
    expect(in8(bus.status)).toBe(error)
  })
})

test('registers are read as they were written, in any width', async () => {
  const { ports, out, in8 } = await setUp()
  ports.write(bus.table, 4, 0x1234_5677)
  expect(ports.read(bus.table, 4)).toBe(0x1234_5674)
  ports.write(bus.table + 2, 2, 0xabcd)
  ports.write(bus.table, 1, 0xff)
  expect(ports.read(bus.table, 4)).toBe(0xabcd_56fc)
  out(bus.status, 0xff)
  expect(in8(bus.status)).toBe(0x60)
  out(bus.command, 0xfe)
  expect([in8(bus.command), in8(bus.command + 1), in8(bus.status + 1)]).toEqual([8, 0, 0])
})

test('a machine is saved in the middle of a transfer, and goes on elsewhere', async () => {
  const here = await setUp()
  here.describe([data, 0], [data + 0x1_0000, 0])
  here.command(readDma, { lba: 50, count: 256 })
  here.out(bus.command, start.read)
  here.pass(3e6)
  expect(here.in8(bus.status)).toBe(active)
  const moved = here.memory.read(data, 0x1_0000)
  expect(moved).toEqual(here.bytes.slice(25_600, 25_600 + 0x1_0000))
  const there = await setUp()
  // The memory of these tests is not saved.
  there.describe([data, 0], [data + 0x1_0000, 0])
  there.machine.restore(structuredClone(here.machine.save()))
  expect([there.in8(port.control), there.in8(bus.status)]).toEqual([done | bit.busy, active])
  there.pass(long)
  expect([there.in8(bus.status), there.interrupts(), there.in8(port.status)]).toEqual([interrupted, [0x76], done])
  expect(there.memory.read(data + 0x1_0000, 0x1_0000)).toEqual(here.bytes.slice(25_600 + 0x1_0000, 25_600 + 0x2_0000))
  here.pass(long)
  expect(here.machine.get('clock').now).toBe(there.machine.get('clock').now)
})

/** Numbers from a seed: xorshift. */
function random(seed: number): (below: number) => number {
  let x = seed
  return (below) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
}

test('a guest that writes anything anywhere gets answers, and nothing breaks', async () => {
  const disk = memoryDisk(image.slice())
  for (const seed of [1, 2, 3, 4]) {
    const next = random(seed * 0x9e37_79b9)
    const m = await ideMachine({
      primary: { master: { disk }, slave: { cd: seed & 1 ? cdOf(500) : undefined } },
      secondary: { slave: { cd: cdOf(700) } },
    })
    const registers = [0x1f0, 0x1f1, 0x1f2, 0x1f3, 0x1f4, 0x1f5, 0x1f6, 0x1f7, 0x3f6]
    const codes = [0xec, 0x20, 0xc4, 0xc8, 0xca, 0x25, 0x35, 0x30, 0xc6, 0xa0, 0xa1, 0x08, 0x90, 0xef, 0xa0, 0xa0]
    const packets = [0x00, 0x03, 0x12, 0x1a, 0x1b, 0x1e, 0x25, 0x28, 0x43, 0x46, 0x4a, 0x51, 0x5a, 0xa8, 0xbd, 0xbe]
    for (let i = 0; i < 6000; i++) {
      const channel = next(4) === 0 ? 0x80 : 0
      const width = ([1, 2, 4] as const)[next(3)]!
      const where = next(5) === 0 ? 0xc000 + next(16) : registers[next(9)]! - channel
      const what = next(20)
      if (what < 8) m.ports.write(where, width, next(2 ** 32))
      else if (what < 12) m.ports.read(where, width)
      else if (what < 14) m.ports.write(0x1f7 - channel, 1, codes[next(codes.length)]!)
      else if (what < 16) for (let n = next(600); n > 0; n--) m.ports.read(0x1f0 - channel, width)
      else if (what < 17) m.ports.write(0x3f6 - channel, 1, [0, 0, 4, 2, 0x80][next(5)]!)
      else if (what < 18) m.ports.write(0xc000 + (channel >> 4), 1, [0, 1, 8, 9][next(4)]!)
      else if (what < 19) {
        m.ports.write(0x1f7 - channel, 1, 0xa0)
        m.ports.write(0x1f0 - channel, 4, (packets[next(16)]! | (next(2 ** 24) << 8)) >>> 0)
        m.ports.write(0x1f0 - channel, 4, next(256))
        m.ports.write(0x1f0 - channel, 4, next(2 ** 32))
      } else m.pass(next(1_000_000))
      m.vectors()
    }
    m.pass(long)
    m.machine.restore(structuredClone(m.machine.save()))
    m.out(port.control, 4, 0)
    m.command(0x20, { lba: 1999 })
    expect(m.in8(port.status)).toBe(done | bit.data)
  }
})

function cdOf(sectors: number): BlockDevice {
  return { sectorBytes: 2048, sectors, readOnly: true, read: (_, into) => void into.fill(7), write() {}, flush() {} }
}
