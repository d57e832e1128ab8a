import { type BlockDevice, cdImage } from '@vmexit/block'
import { describe, expect, test } from 'vitest'
import { bit, bus, ideMachine, memoryAt, port } from '../../test/ide-machine.ts'

const sectors = 500
const image = Uint8Array.from({ length: sectors * 2048 }, (_, i) => (i * 5 + (i >> 11) * 17) & 0xff)

const done = bit.ready | 0x10
const testUnitReady = [0x00]
const read10 = (sector: number, count: number) => [0x28, 0, ...be32(sector), 0, count >> 8, count & 0xff]
const be32 = (value: number) => [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff)
const be = (bytes: Uint8Array, at: number, count: number) =>
  bytes.subarray(at, at + count).reduce((sum, byte) => sum * 256 + byte, 0)

/** A CD drive that has told of its power-on, unless it is to be fresh; null is no medium. */
async function setUp({ medium = cdImage(image) as BlockDevice | null, fresh = false } = {}) {
  const m = await ideMachine({
    primary: { master: { cd: medium ?? undefined, serial: 'C1', model: 'Maker CD drive' } },
  })
  /** Sends a packet and returns its answer, or throws. */
  const ask = (...bytes: number[]) => {
    m.packet(bytes)
    const answer = m.answer()
    if (m.in8(port.status) & bit.error) throw new Error(`sense key ${m.in8(port.error) >> 4}`)
    return answer
  }
  /** Sends a packet that fails; returns sense key, code, qualifier. */
  const fail = (...bytes: number[]) => {
    m.packet(bytes)
    m.answer()
    const [status, error, count] = [m.in8(port.status), m.in8(port.error), m.in8(port.count)]
    const sense = ask(0x03, 0, 0, 0, 18)
    expect([status, error, count]).toEqual([done | bit.error, (sense[2]! << 4) | 4, 3])
    return [sense[2], sense[12], sense[13]]
  }
  if (!fresh) fail(...testUnitReady)
  m.interrupts()
  return { ...m, ask, fail, drive: m.api.cd('primary', 'master') }
}

describe('a drive says what it is', () => {
  test('by its signature, when it is asked as a disk', async () => {
    const { in8, command, out } = await setUp()
    out(port.control, 4, 0)
    const signature = () => [port.status, port.error, port.count, port.low, port.mid, port.high].map(in8)
    expect(signature()).toEqual([0, 1, 1, 1, 0x14, 0xeb])
    for (const code of [0xec, 0x20]) {
      command(code)
      expect(signature()).toEqual([done | bit.error, 4, 1, 1, 0x14, 0xeb])
    }
  })

  test('by IDENTIFY PACKET DEVICE', async () => {
    const { command, readData, in8, interrupts } = await setUp()
    command(0xa1)
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done | bit.data])
    const bytes = readData(512)
    expect([interrupts(), in8(port.status)]).toEqual([[], done])
    const words = new Uint16Array(bytes.buffer)
    expect([words[0], words[49]! & 0x300]).toEqual([0x85c0, 0x300])
    expect(bytes.reduce((sum, byte) => sum + byte, 0) & 0xff).toBe(0)
  })

  test('by INQUIRY', async () => {
    const { ask, fail } = await setUp()
    const bytes = ask(0x12, 0, 0, 0, 96)
    expect([...bytes.subarray(0, 8)]).toEqual([5, 0x80, 0, 0x21, 31, 0, 0, 0])
    expect(String.fromCharCode(...bytes.subarray(8))).toBe('Maker   CD drive        1.0 ')
    expect(ask(0x12, 0, 0, 0, 5).length).toBe(5)
    expect(ask(0x12, 0, 0, 0, 0).length).toBe(0)
    expect(fail(0x12, 1, 0x80, 0, 96)).toEqual([5, 0x24, 0])
  })

  test('by GET CONFIGURATION: a CD, or a DVD if it is larger than a CD, or nothing', async () => {
    const large: BlockDevice = { ...cdImage(image), sectors: 2_000_000 }
    const profile = async (medium: BlockDevice | null) =>
      be((await setUp({ medium })).ask(0x46, 0, 0, 0, 0, 0, 0, 1, 0), 6, 2)
    expect([await profile(cdImage(image)), await profile(large), await profile(null)]).toEqual([8, 0x10, 0])
    const { ask, fail } = await setUp()
    const numbers = (kind: number, from: number) => {
      const bytes = ask(0x46, kind, 0, from, 0, 0, 0, 1, 0)
      expect(be(bytes, 0, 4)).toBe(bytes.length - 4)
      const found: number[] = []
      for (let at = 8; at < bytes.length; at += 4 + bytes[at + 3]!) found.push(be(bytes, at, 2))
      return found
    }
    expect(numbers(0, 0)).toEqual([0, 1, 3, 0x10, 0x1e, 0x1f, 0x100])
    expect(numbers(1, 3)).toEqual([3, 0x10, 0x1e, 0x100])
    expect([numbers(2, 0x1e), numbers(2, 0x77)]).toEqual([[0x1e], []])
    expect(fail(0x46, 3)).toEqual([5, 0x24, 0])
  })

  test('by MODE SENSE of six and ten bytes', async () => {
    const { ask, fail } = await setUp()
    const ten = ask(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255)
    expect([be(ten, 0, 2), ten[8], ten[9], ten.length]).toEqual([28, 0x2a, 20, 30])
    const six = ask(0x1a, 0, 0x2a, 0, 255)
    expect([six[0], six.subarray(4)]).toEqual([six.length - 1, ten.subarray(8)])
    const all = ask(0x5a, 0, 0x3f, 0, 0, 0, 0, 1, 0)
    expect(be(all, 0, 2)).toBe(all.length - 2)
    expect(ask(0x5a, 0, 0x41, 0, 0, 0, 0, 0, 255).subarray(10)).toEqual(new Uint8Array(10))
    expect(fail(0x5a, 0, 0x05, 0, 0, 0, 0, 0, 255)).toEqual([5, 0x24, 0])
    expect(fail(0x1a, 0, 0xea, 0, 255)).toEqual([5, 0x39, 0])
  })
})

describe('sectors', () => {
  test('through the data port, as much at a time as the host takes, with an interrupt each', async () => {
    const { packet, in8, interrupts, readData } = await setUp()
    packet(read10(16, 3), { limit: 4096 })
    const bytes: number[] = []
    for (const expected of [4096, 2048]) {
      expect([interrupts(), in8(port.status), in8(port.count)]).toEqual([[0x76], done | bit.data, 2])
      const count = in8(port.mid) + in8(port.high) * 256
      expect(count).toBe(expected)
      bytes.push(...readData(count))
    }
    expect([interrupts(), in8(port.status), in8(port.count)]).toEqual([[0x76], done, 3])
    expect(Uint8Array.from(bytes)).toEqual(image.slice(16 * 2048, 19 * 2048))
  })

  test('in pieces that end within sectors, and more than fit the buffer', async () => {
    const { packet, answer, in8 } = await setUp()
    for (const limit of [0, 0xfffe, 0xffff, 3000, 3001, 1]) {
      packet(read10(7, 70), { limit })
      expect(answer()).toEqual(image.slice(7 * 2048, 77 * 2048))
      expect(in8(port.status)).toBe(done)
    }
  })

  test('by READ (12) and READ CD', async () => {
    const { ask, fail } = await setUp()
    expect(ask(0xa8, 0, ...be32(9), ...be32(2))).toEqual(image.slice(9 * 2048, 11 * 2048))
    expect(ask(0xbe, 0, ...be32(9), 0, 0, 2, 0x10)).toEqual(image.slice(9 * 2048, 11 * 2048))
    expect(ask(0xbe, 0, ...be32(9), 0, 0, 2, 0)).toEqual(new Uint8Array(0))
    expect(fail(0xbe, 0, ...be32(9), 0, 0, 2, 0xf8)).toEqual([5, 0x24, 0])
  })

  test('by bus master', async () => {
    const { packet, out, in8, pass, describe, memory, interrupts } = await setUp()
    describe([memoryAt.data, 0], [memoryAt.data + 0x1_0000, 0])
    packet(read10(100, 64), { dma: true })
    expect([in8(port.status), interrupts()]).toEqual([done | bit.data, []])
    out(bus.command, 9)
    expect(in8(port.status)).toBe(done | bit.busy)
    pass(50e6)
    expect([in8(bus.status), interrupts(), in8(port.status), in8(port.count)]).toEqual([4, [0x76], done, 3])
    expect(memory.read(memoryAt.data, 0x2_0000)).toEqual(image.slice(100 * 2048, 164 * 2048))
  })

  test('answers by bus master too, and failures without data', async () => {
    const { packet, out, in8, pass, describe, memory } = await setUp()
    describe([memoryAt.data, 8])
    packet([0x25], { dma: true })
    out(bus.command, 9)
    pass(50e6)
    expect(in8(bus.status)).toBe(4)
    expect(memory.read(memoryAt.data, 8)).toEqual(Uint8Array.of(...be32(sectors - 1), ...be32(2048)))
    out(bus.command, 0)
    out(bus.status, 4)
    packet(read10(sectors, 1), { dma: true })
    out(bus.command, 9)
    expect([in8(bus.status), in8(port.status)]).toEqual([5, done | bit.error])
  })

  test('behind the end are none', async () => {
    const { fail, ask } = await setUp()
    expect(fail(...read10(sectors, 1))).toEqual([5, 0x21, 0])
    expect(fail(...read10(sectors - 1, 2))).toEqual([5, 0x21, 0])
    expect(fail(0xa8, 0, ...be32(0xffff_ffff), ...be32(0xffff_ffff))).toEqual([5, 0x21, 0])
    expect(fail(0x2b, 0, ...be32(sectors))).toEqual([5, 0x21, 0])
    expect(ask(0x2b, 0, ...be32(sectors - 1)).length).toBe(0)
    expect(ask(...read10(sectors, 0)).length).toBe(0)
  })

  test('that cannot be read are a medium error', async () => {
    const scratched: BlockDevice = {
      ...{ sectorBytes: 2048, sectors, readOnly: true, write() {}, flush() {} },
      read(sector, into) {
        if (sector + into.length / 2048 > 40) throw new Error('scratched')
        into.fill(1)
      },
    }
    const { fail, ask, packet, answer } = await setUp({ medium: scratched })
    expect(fail(...read10(40, 1))).toEqual([3, 0x11, 0])
    packet(read10(0, 60))
    expect(answer().length).toBe(32 * 2048)
    expect(ask(0x03, 0, 0, 0, 18)[2]).toBe(3)
    expect(ask(0x03, 0, 0, 0, 18)[2]).toBe(0)
    expect(ask(...read10(39, 1)).length).toBe(2048)
  })
})

describe('what is on the disc', () => {
  test('READ CAPACITY', async () => {
    const { ask } = await setUp()
    expect(ask(0x25)).toEqual(Uint8Array.of(...be32(sectors - 1), ...be32(2048)))
  })

  test('the table of contents: one track and the lead-out, in sectors or time', async () => {
    const { ask, fail } = await setUp()
    const toc = (flags: number, format: number, from = 0) => [...ask(0x43, flags, format, 0, 0, 0, from, 1, 0)]
    expect(toc(0, 0)).toEqual([0, 18, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0, 0, 0x14, 0xaa, 0, ...be32(sectors)])
    // 500 sectors and two seconds are 8 seconds and 50 frames.
    expect(toc(2, 0, 0xaa)).toEqual([0, 10, 1, 1, 0, 0x14, 0xaa, 0, 0, 0, 8, 50])
    expect(toc(0, 1)).toEqual([0, 10, 1, 1, 0, 0x14, 1, 0, 0, 0, 0, 0])
    const full = toc(2, 2)
    expect([full.length, full.slice(26, 37)]).toEqual([48, [1, 0x14, 0, 0xa2, 0, 0, 0, 0, 0, 8, 50]])
    // SFF-8020i's place for the format.
    expect([...ask(0x43, 0, 0, 0, 0, 0, 0, 1, 0, 0x40)]).toEqual(toc(0, 1))
    expect(ask(0x43, 0, 0, 0, 0, 0, 0, 0, 4).length).toBe(4)
    expect(fail(0x43, 0, 5, 0, 0, 0, 0, 1, 0)).toEqual([5, 0x24, 0])
    expect(fail(0x43, 0, 0, 0, 0, 0, 2, 1, 0)).toEqual([5, 0x24, 0])
  })

  test('disc, track and mechanism', async () => {
    const { ask } = await setUp()
    const disc = ask(0x51, 0, 0, 0, 0, 0, 0, 0, 34)
    expect([be(disc, 0, 2), disc[2]]).toEqual([32, 0x0e])
    expect(be(ask(0x52, 1, ...be32(1), 0, 0, 36), 24, 4)).toBe(sectors)
    expect(ask(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8).length).toBe(8)
    expect(ask(0xbb, 0, 0xff, 0xff).length).toBe(0)
  })

  test('what is not there is refused', async () => {
    const { fail } = await setUp()
    for (const code of [0x2a, 0x42, 0x55, 0xad, 0xff]) expect(fail(code)).toEqual([5, 0x20, 0])
  })
})

describe('events', () => {
  const events = (ask: (...bytes: number[]) => Uint8Array) => [...ask(0x4a, 1, 0, 0, 0x10, 0, 0, 0, 8)].slice(2, 6)

  test('power-on is told once, to what asks of the medium', async () => {
    const { ask, fail } = await setUp({ fresh: true })
    expect(ask(0x12, 0, 0, 0, 36).length).toBe(36)
    expect(fail(...testUnitReady)).toEqual([6, 0x29, 0])
    expect(ask(...testUnitReady).length).toBe(0)
  })

  test('REQUEST SENSE takes it too', async () => {
    const { ask } = await setUp({ fresh: true })
    expect([...ask(0x03, 0, 0, 0, 18)].slice(2, 14)).toEqual([6, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x29, 0])
    expect(ask(...testUnitReady).length).toBe(0)
  })

  test('without a medium everything about it says so', async () => {
    const { fail, ask } = await setUp({ medium: null })
    for (const packet of [testUnitReady, [0x25], read10(0, 1), [0x43], [0x51]]) {
      expect(fail(...packet)).toEqual([2, 0x3a, 1])
    }
    expect(events(ask)).toEqual([0x04, 0x10, 0, 0])
  })

  test('another medium is told, and then it is the one that is read', async () => {
    const { drive, ask, fail } = await setUp()
    drive.change(cdImage(new Uint8Array(2048 * 3).fill(9)))
    expect(events(ask)).toEqual([0x04, 0x10, 2, 2])
    expect(events(ask)).toEqual([0x04, 0x10, 0, 2])
    expect(fail(...read10(0, 1))).toEqual([6, 0x28, 0])
    expect(ask(...read10(2, 1))).toEqual(new Uint8Array(2048).fill(9))
    expect(fail(...read10(3, 1))).toEqual([5, 0x21, 0])
    drive.change(undefined)
    expect(fail(...testUnitReady)).toEqual([2, 0x3a, 1])
    expect(events(ask)).toEqual([0x04, 0x10, 3, 0])
    expect(() => drive.change({ ...cdImage(image), sectorBytes: 512 })).toThrow('as cdImage does')
  })

  test('a medium that is changed while it is read fails the read', async () => {
    const { drive, packet, answer, in8, ask } = await setUp()
    packet(read10(0, 100))
    drive.change(undefined)
    expect(answer().length).toBe(32 * 2048)
    expect(in8(port.status)).toBe(done | bit.error)
    expect(ask(0x03, 0, 0, 0, 18)[2]).toBe(2)
  })

  test('the host opens and closes the tray', async () => {
    const { drive, ask, fail } = await setUp()
    ask(0x1b, 0, 0, 0, 2)
    expect([drive.trayOpen, drive.medium?.sectors]).toEqual([true, sectors])
    expect(fail(...testUnitReady)).toEqual([2, 0x3a, 2])
    expect(events(ask)).toEqual([0x04, 0x10, 3, 1])
    expect(ask(0xbd, 0, 0, 0, 0, 0, 0, 0, 0, 8)[1]).toBe(0x10)
    ask(0x1b, 0, 0, 0, 3)
    expect(fail(...testUnitReady)).toEqual([6, 0x28, 0])
    expect(ask(...testUnitReady).length).toBe(0)
    ask(0x1b, 0, 0, 0, 0)
    ask(0x1b, 0, 0, 0, 1)
    expect(drive.trayOpen).toBe(false)
  })

  test('a locked tray stays closed; its button is told to the host', async () => {
    const { drive, ask, fail } = await setUp()
    ask(0x1e, 0, 0, 0, 1)
    expect(drive.locked).toBe(true)
    expect(fail(0x1b, 0, 0, 0, 2)).toEqual([5, 0x53, 2])
    expect(ask(0x5a, 0, 0x2a, 0, 0, 0, 0, 0, 255)[14]! & 2).toBe(2)
    expect([drive.pressEject(), drive.trayOpen]).toEqual([false, false])
    expect(events(ask)).toEqual([0x04, 0x10, 1, 2])
    ask(0x1e, 0, 0, 0, 0)
    expect([drive.pressEject(), drive.trayOpen]).toEqual([true, true])
    expect([drive.pressEject(), drive.trayOpen]).toEqual([true, false])
  })

  test('of other classes there are no events', async () => {
    const { ask, fail } = await setUp()
    expect([...ask(0x4a, 1, 0, 0, 0x02, 0, 0, 0, 8)]).toEqual([0, 2, 0x80, 0x10])
    expect(fail(0x4a, 0, 0, 0, 0x10)).toEqual([5, 0x24, 0])
  })
})

describe('the taskfile', () => {
  test('DEVICE RESET is heard in the middle of a transfer', async () => {
    const m = await ideMachine({ primary: { slave: { cd: cdImage(image) } } })
    const { packet, in8, out } = m
    packet(testUnitReady, { slave: true })
    packet(read10(0, 10), { slave: true })
    expect(in8(port.status)).toBe(done | bit.data)
    out(port.status, 0x08)
    const registers = [port.status, port.error, port.mid, port.high, port.device].map(in8)
    expect(registers).toEqual([0, 1, 0x14, 0xeb, 0x10])
    packet(read10(3, 1), { slave: true })
    expect(m.answer()).toEqual(image.slice(3 * 2048, 4 * 2048))
  })

  test('power commands and features are taken, others are aborted', async () => {
    const { command, in8 } = await setUp()
    for (const code of [0xe0, 0xe1, 0xe2, 0xe3, 0xe6]) {
      command(code)
      expect(in8(port.status)).toBe(done)
    }
    command(0xe5)
    expect([in8(port.status), in8(port.count)]).toEqual([done, 0xff])
    command(0xef, { features: 3, count: 0x42 })
    expect(in8(port.status)).toBe(done)
    for (const code of [0x00, 0xc8, 0x30, 0xe7, 0xef]) {
      command(code)
      expect([in8(port.status), in8(port.error)]).toEqual([done | bit.error, 4])
    }
  })

  test('a packet waits for its last byte', async () => {
    const { command, in8, writeData, interrupts } = await setUp()
    command(0xa0)
    expect([in8(port.status), in8(port.count), interrupts()]).toEqual([done | bit.data, 1, []])
    writeData(new Uint8Array(10))
    expect([in8(port.status), interrupts()]).toEqual([done | bit.data, []])
    writeData(new Uint8Array(2))
    expect([interrupts(), in8(port.status)]).toEqual([[0x76], done])
  })
})

test('a drive is saved in the middle of an answer, with its lock and medium', async () => {
  const here = await setUp()
  here.ask(0x1e, 0, 0, 0, 1)
  here.packet(read10(20, 40), { limit: 5000 })
  const first = here.readData(5000)
  const state = structuredClone(here.machine.save())
  const there = await setUp({ fresh: true })
  there.machine.restore(state)
  const rest = there.answer()
  expect(Uint8Array.of(...first, ...rest)).toEqual(image.slice(20 * 2048, 60 * 2048))
  expect(there.drive.locked).toBe(true)
  const empty = await setUp({ medium: null })
  expect(() => empty.machine.restore(state)).toThrow('had a medium of 500 sectors, and this one has no medium')
})

test('there is a CD drive only where one was put', async () => {
  const { api } = await setUp()
  expect(() => api.cd('primary', 'slave')).toThrow('ide({ primary: { slave: { cd: undefined } } })')
})
