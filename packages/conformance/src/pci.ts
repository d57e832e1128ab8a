/** The suite of a PCI function's configuration space (PCI Local Bus Specification 3.0, chapter 6). */
import type { Width } from '@vmexit/core'
import { type ConformanceTest, defineSuite, type TestDefinition } from './suite.ts'

/** The configuration space of a function under test, a type 0 header, as firmware finds it after a reset. */
export interface PciFunctionUnderTest {
  /** Reads 1, 2 or 4 bytes at an offset that is a multiple of as many. */
  read(offset: number, width: Width): number
  write(offset: number, width: Width, value: number): void
}

interface Subject extends PciFunctionUnderTest {
  /** Offsets of the capabilities, by ID; undefined for a list that has no end. */
  capabilities(): ReadonlyMap<number, number> | undefined
}

const [COMMAND, STATUS, CAPABILITIES, LINE, PIN] = [0x04, 0x06, 0x34, 0x3c, 0x3d]
const bars = [0x10, 0x14, 0x18, 0x1c, 0x20, 0x24]
const ones = 0xffff_ffff
const messageSignalled = 5

/** Tests for a function that `make` makes. It need not have windows, capabilities or an interrupt. */
export function pciFunctionConformance(make: () => PciFunctionUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'PCI function',
    manual: 'PCI Local Bus Specification 3.0',
    make() {
      const subject = make()
      const read = (offset: number, width: Width) => subject.read(offset, width) >>> 0
      return {
        read,
        write: (offset, width, value) => subject.write(offset, width, value),
        capabilities() {
          const found = new Map<number, number>()
          if (!(read(STATUS, 2) & 0x10)) return found
          let at = read(CAPABILITIES, 1)
          for (let i = 0; i < 48 && at !== 0; i++) {
            found.set(read(at & 0xfc, 1), at)
            at = read((at & 0xfc) + 1, 1)
          }
          return at === 0 ? found : undefined
        },
      }
    },
    tests: [...header, ...windows, ...lists],
  })
}

const isPowerOfTwo = (value: number): boolean => value > 0 && (value & (value - 1)) === 0

type Tests = readonly TestDefinition<Subject>[]

const header: Tests = [
  {
    name: 'what a function is cannot be written',
    section: '6.2.1',
    run({ read, write }, expect) {
      const fixed = [0x00, 0x08, 0x2c]
      const before = fixed.map((offset) => read(offset, 4))
      expect(before[0]! % 0x1_0000 !== 0xffff, true, 'a scan of the bus finds nothing')
      for (const value of [ones, 0]) {
        for (const offset of fixed) write(offset, 4, value)
        const after = fixed.map((offset) => read(offset, 4))
        expect(after, before, 'a scan of the bus finds another device')
      }
      const type = read(0x0e, 1)
      write(0x0e, 1, type ^ 0xff)
      expect([read(0x0e, 1), type & 0x7f], [type, 0], 'the header type changes, or is none of a device')
    },
  },
  {
    name: 'bytes, words and double words are the same registers',
    section: '3.2.2.3.4',
    run({ read }, expect) {
      for (let offset = 0; offset < 0x100; offset += 4) {
        const whole = read(offset, 4)
        const bytes = [0, 1, 2, 3].map((i) => read(offset + i, 1))
        const words = [0, 2].map((i) => read(offset + i, 2))
        const joined = [
          bytes.reduce((sum, byte, i) => sum + byte * 256 ** i, 0),
          words.reduce((sum, word, i) => sum + word * 65_536 ** i, 0),
        ]
        expect(joined, [whole, whole], `the register at ${offset} depends on how it is read`)
      }
    },
  },
  {
    name: 'the command register keeps what it has, reserved bits are 0',
    section: '6.2.2',
    run({ read, write }, expect) {
      const before = read(COMMAND, 2)
      write(COMMAND, 2, 0xffff)
      const all = read(COMMAND, 2)
      expect(all & 0xf800, 0, 'reserved bits of the command register are set')
      write(COMMAND, 2, 0)
      const none = read(COMMAND, 2)
      write(COMMAND, 2, all)
      expect(read(COMMAND, 2), all, 'the command register forgets')
      expect([all & none, none & ~all], [none, 0], 'bits of the command register are turned around')
      write(COMMAND, 2, before)
    },
  },
  {
    name: 'a byte that is written changes no other',
    section: '6.1: byte enables',
    run({ read, write }, expect) {
      write(COMMAND, 1, 0x06)
      const command = read(COMMAND, 1)
      write(COMMAND + 1, 1, 0)
      expect(read(COMMAND, 1), command, 'the lower byte of the command register goes with the upper one')
      write(0x0c, 1, 0x10)
      const line = read(0x0c, 1)
      write(LINE, 1, 0x0b)
      expect(read(0x0c, 1), line, 'writing the interrupt line changes the cache line size')
    },
  },
  {
    name: 'writing zeros to status changes nothing, writing ones sets nothing',
    section: '6.2.3',
    run({ read, write }, expect) {
      const before = read(STATUS, 2)
      write(STATUS, 2, 0)
      expect(read(STATUS, 2), before, 'a driver that writes back zeros clears errors')
      write(STATUS, 2, 0xffff)
      expect(read(STATUS, 2) & ~before, 0, 'status bits can be set by software')
    },
  },
  {
    name: 'the interrupt line is kept for drivers, the pin is what it is',
    section: '6.2.4',
    run({ read, write }, expect) {
      const pin = read(PIN, 1)
      write(PIN, 1, pin ^ 7)
      expect([read(PIN, 1), pin <= 4], [pin, true], 'the interrupt pin changes')
      if (pin === 0) return
      for (const line of [0x00, 0x0b, 0xff]) {
        write(LINE, 1, line)
        expect(read(LINE, 1), line, 'the driver finds another interrupt than firmware wrote')
      }
    },
  },
]

const windows: Tests = [
  {
    name: 'windows tell their size, a power of two, and take an address',
    section: '6.2.5.1',
    run({ read, write }, expect) {
      write(COMMAND, 2, 0)
      for (let i = 0; i < 6; i++) {
        const offset = bars[i]!
        const before = read(offset, 4)
        write(offset, 4, ones)
        const mask = read(offset, 4)
        if (mask === 0) {
          write(offset, 4, 0)
          expect(read(offset, 4), 0, 'a window that is not there has an address')
          continue
        }
        const io = (mask & 1) !== 0
        const kind = io ? 3 : 0xf
        const size = -(mask & ~kind) >>> 0
        expect(
          [mask & kind, io && (mask & 2) !== 0],
          [before & kind, false],
          'a window is of another kind once it was written',
        )
        const wide = !io && (mask & 6) === 4
        // The lower half of a wide window of 4 GiB has no bits that can be written.
        if (!wide || size !== 0) {
          expect(isPowerOfTwo(size), true, 'the size of a window is no power of two')
          expect(size >= (io ? 4 : 16), true, 'a window is too small')
          const address = io ? 0xc000 : 0xc000_0000
          write(offset, 4, address)
          expect(
            (read(offset, 4) & ~kind) >>> 0,
            (address & ~(size - 1) & ~kind) >>> 0,
            'a window is elsewhere than firmware put it',
          )
        }
        write(offset, 4, before)
        expect(read(offset, 4), before, 'a window does not go back to where it was')
        if (wide) i++
      }
    },
  },
  {
    name: 'an expansion ROM tells its size, and is off until it is turned on',
    section: '6.2.5.2',
    run({ read, write }, expect) {
      const before = read(0x30, 4)
      write(0x30, 4, 0xffff_fffe)
      const mask = read(0x30, 4)
      write(0x30, 4, before)
      if (mask === 0) return
      const size = -(mask & 0xffff_f800) >>> 0
      expect([mask & 0x7ff, isPowerOfTwo(size)], [0, true], 'the size of the ROM is no power of two')
      expect(before & 1, 0, 'the ROM is on after a reset')
    },
  },
]

const lists: Tests = [
  {
    name: 'capabilities are a list that ends, beyond the header',
    section: '6.7',
    run({ read, capabilities }, expect) {
      const found = capabilities()
      expect(found !== undefined, true, 'the list of capabilities has no end: drivers hang')
      for (const [id, at] of found!) {
        expect([at >= 0x40, at & 3, id !== 0], [true, 0, true], `capability ${id} is where none can be`)
      }
      expect(
        (read(STATUS, 2) & 0x10) !== 0,
        found!.size > 0,
        'the status register says otherwise whether there is a list',
      )
    },
  },
  {
    name: 'messages: as many as are offered, at an address of double words',
    section: '6.8.1',
    run({ read, write, capabilities }, expect) {
      const at = capabilities()?.get(messageSignalled)
      if (at === undefined) return
      const control = read(at + 2, 2)
      const offered = (control >> 1) & 7
      expect([control & 1, offered <= 5], [0, true], 'messages are on after a reset, or more than 32')
      write(at + 4, 4, ones)
      expect(read(at + 4, 4), 0xffff_fffc, 'the address of messages loses bits')
      const data = at + (control & 0x80 ? 12 : 8)
      write(data, 2, 0x4055)
      expect(read(data, 2), 0x4055, 'the data of messages are something else')
      write(at + 2, 2, (offered << 4) | 1)
      expect(read(at + 2, 2) & 0x71, (offered << 4) | 1, 'messages cannot be turned on')
      expect((read(at + 2, 2) >> 1) & 7, offered, 'software changes how many messages there are')
    },
  },
]
