/** The suite of a VGA adapter (IBM PS/2 Hardware Interface Technical Reference, Video Subsystem). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite, type TestDefinition } from './suite.ts'

/** An adapter under test, as after power-on. */
export interface VgaUnderTest {
  /** Reads a byte from a port, 0x3b4–0x3da. */
  read(port: number): number
  write(port: number, value: number): void
  /** Addresses 0xa0000–0xbffff. */
  readonly window: RegisterFile
}

interface Subject extends VgaUnderTest {
  readonly bench: Bench
  /** Writes registers behind an index port, the lowest index first. */
  set(port: number, registers: Readonly<Record<number, number>>): void
  /** Reads a register behind an index port. */
  get(port: number, index: number): number
  poke(address: number, ...bytes: number[]): void
  peek(address: number): number
  /** Sets the memory up as mode 12h: four planes at 0xa0000. */
  planes(): void
}

const [SEQUENCER, GRAPHICS, CRTC, ATTRIBUTE, STATUS1] = [0x3c4, 0x3ce, 0x3d4, 0x3c0, 0x3da]
const window = 0xa_0000

/** Tests for an adapter that `make` makes. Its clock is the bench's. */
export function vgaConformance(make: (bench: Bench) => VgaUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'VGA',
    manual: 'the PS/2 Hardware Interface Technical Reference, Video Subsystem',
    make() {
      const bench = new Bench()
      const vga = make(bench)
      const read = (port: number) => vga.read(port)
      const write = (port: number, value: number) => vga.write(port, value)
      const set = (port: number, registers: Readonly<Record<number, number>>) => {
        for (const [index, value] of Object.entries(registers)) {
          write(port, Number(index))
          write(port + 1, value)
        }
      }
      write(0x3c2, 0x63)
      return {
        bench,
        read,
        write,
        window: vga.window,
        set,
        get(port, index) {
          write(port, index)
          return read(port + 1)
        },
        poke(address, ...bytes) {
          for (const [i, byte] of bytes.entries()) vga.window.write(address - window + i, 1, byte)
        },
        peek: (address) => vga.window.read(address - window, 1),
        planes() {
          set(SEQUENCER, { 0: 3, 1: 1, 2: 0x0f, 3: 0, 4: 0x06 })
          set(GRAPHICS, { 0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0x05, 7: 0x0f, 8: 0xff })
        },
      }
    },
    tests: [...registers, ...memory],
  })
}

type Tests = readonly TestDefinition<Subject>[]

const registers: Tests = [
  {
    name: 'registers behind their index keep the bits they have',
    section: 'sequencer, graphics controller',
    run({ set, get }, expect) {
      for (const [port, bits] of [
        [SEQUENCER, [0x03, 0x3d, 0x0f, 0x3f, 0x0e]],
        [GRAPHICS, [0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff]],
      ] as const) {
        for (const [index, mask] of bits.entries()) {
          set(port, { [index]: 0xff })
          expect(get(port, index) & mask, mask, `register ${index} behind ${port} loses bits`)
          set(port, { [index]: 0 })
          expect(get(port, index) & mask, 0, `bits of register ${index} behind ${port} cannot be cleared`)
        }
      }
    },
  },
  {
    name: 'the CRT controller is where the miscellaneous output register says',
    section: 'miscellaneous output register: I/O address select',
    run({ read, write, set, get }, expect) {
      set(CRTC, { 15: 0x5a })
      expect([read(0x3cc) & 1, get(CRTC, 0x0f)], [1, 0x5a], 'there is no CRT controller at 0x3d4')
      write(0x3c2, 0x62)
      expect([read(0x3cc) & 1, get(0x3b4, 0x0f)], [0, 0x5a], 'there is no CRT controller at 0x3b4')
    },
  },
  {
    name: 'timings can be protected',
    section: 'vertical retrace end register: protect',
    run({ set, get }, expect) {
      set(CRTC, { 17: 0x0e })
      set(CRTC, { 0: 0x5f })
      set(CRTC, { 17: 0x8e })
      set(CRTC, { 0: 0x00, 15: 0x77 })
      expect([get(CRTC, 0), get(CRTC, 0x0f)], [0x5f, 0x77], 'protected timings change')
      set(CRTC, { 17: 0x0e })
      set(CRTC, { 0: 0x11 })
      expect(get(CRTC, 0), 0x11, 'timings cannot be changed any more')
    },
  },
  {
    name: 'the attribute controller takes index and data in turn, from a read of status on',
    section: 'attribute controller: address register',
    run({ read, write }, expect) {
      read(STATUS1)
      for (const value of [0x02, 0x15, 0x03, 0x2a]) write(ATTRIBUTE, value)
      read(STATUS1)
      write(ATTRIBUTE, 0x02)
      expect(read(0x3c1), 0x15, 'a colour of the palette is another one')
      read(STATUS1)
      write(ATTRIBUTE, 0x03)
      expect(read(0x3c1), 0x2a, 'index and data are mixed up')
    },
  },
  {
    name: 'colours are written and read in threes, of six bits',
    section: 'digital-to-analog converter',
    run({ read, write }, expect) {
      write(0x3c8, 0x10)
      for (const value of [1, 2, 3, 0x3f, 0x20, 0xff]) write(0x3c9, value)
      write(0x3c7, 0x10)
      const six = Array.from({ length: 6 }, () => read(0x3c9))
      expect(six.slice(0, 5), [1, 2, 3, 0x3f, 0x20], 'colours are others')
      expect(six[5]! & 0x3f, 0x3f, 'a colour loses bits')
      write(0x3c7, 0x11)
      expect([read(0x3c7) & 3, read(0x3c9)], [3, 0x3f], 'the converter does not say that it is being read')
    },
  },
  {
    name: 'the retrace comes and goes',
    section: 'input status register 1: VR',
    run({ bench, read, set }, expect) {
      // 640 by 400 pixels, 70 Hz.
      set(CRTC, { 17: 0x0e })
      set(CRTC, {
        0: 0x5f,
        1: 0x4f,
        2: 0x50,
        3: 0x82,
        4: 0x55,
        5: 0x81,
        6: 0xbf,
        7: 0x1f,
        16: 0x9c,
        17: 0x8e,
        18: 0x8f,
      })
      const seen = new Set<number>()
      for (let time = 0; time < 4000; time++) {
        seen.add(read(STATUS1) & 0x08)
        bench.pass(10_000)
      }
      expect(seen.size, 2, 'a guest that waits for the retrace waits for ever')
    },
  },
]

const memory: Tests = [
  {
    name: 'text: characters and attributes are neighbours at 0xb8000',
    section: 'odd/even addressing',
    run({ set, poke, peek }, expect) {
      set(SEQUENCER, { 0: 3, 2: 0x03, 4: 0x02 })
      set(GRAPHICS, { 1: 0, 3: 0, 4: 0, 5: 0x10, 6: 0x0e, 8: 0xff })
      poke(0xb_8000, 0x48, 0x07, 0x69, 0x1f)
      expect(
        [0, 1, 2, 3].map((i) => peek(0xb_8000 + i)),
        [0x48, 0x07, 0x69, 0x1f],
        'text is something else',
      )
      set(SEQUENCER, { 2: 0x01, 4: 0x06 })
      set(GRAPHICS, { 5: 0, 6: 0x04 })
      expect([peek(0xa_0000), peek(0xa_0002)], [0x48, 0x69], 'characters are not in plane 0')
      set(GRAPHICS, { 4: 1 })
      expect([peek(0xa_0000), peek(0xa_0002)], [0x07, 0x1f], 'attributes are not in plane 1')
    },
  },
  {
    name: 'the map mask says which planes are written, read map select which is read',
    section: 'map mask; read map select',
    run({ planes, set, poke, peek }, expect) {
      planes()
      for (const plane of [0, 1, 2, 3]) {
        set(SEQUENCER, { 2: 1 << plane })
        poke(window + 5, 0x11 * (plane + 1))
      }
      const read = [0, 1, 2, 3].map((plane) => {
        set(GRAPHICS, { 4: plane })
        return peek(window + 5)
      })
      expect(read, [0x11, 0x22, 0x33, 0x44], 'colours of a picture are others')
    },
  },
  {
    name: 'the bit mask keeps pixels, set/reset colours them',
    section: 'bit mask; set/reset; enable set/reset',
    run({ planes, set, poke, peek }, expect) {
      planes()
      poke(window, 0xff)
      peek(window)
      set(GRAPHICS, { 0: 0x0a, 1: 0x0f, 8: 0x0f })
      poke(window, 0x00)
      set(GRAPHICS, { 0: 0, 1: 0, 8: 0xff })
      const read = [0, 1, 2, 3].map((plane) => {
        set(GRAPHICS, { 4: plane })
        return peek(window)
      })
      expect(read, [0xf0, 0xff, 0xf0, 0xff], 'pixels beside those that are drawn change')
    },
  },
  {
    name: 'rotation and logical operations',
    section: 'data rotate',
    run({ planes, set, poke, peek }, expect) {
      for (const [operation, result] of [
        [0x00, 0x0f],
        [0x08, 0x0c],
        [0x10, 0xcf],
        [0x18, 0xc3],
      ] as const) {
        planes()
        poke(window, 0xcc)
        peek(window)
        set(GRAPHICS, { 3: operation | 4 })
        poke(window, 0xf0)
        set(GRAPHICS, { 3: 0 })
        expect(peek(window), result, 'a picture is drawn with another operation')
      }
    },
  },
  {
    name: 'write mode 1 copies all planes at once',
    section: 'graphics mode register: write mode',
    run({ planes, set, poke, peek }, expect) {
      planes()
      for (const plane of [0, 1, 2, 3]) {
        set(SEQUENCER, { 2: 1 << plane })
        poke(window, 0x10 + plane)
      }
      set(SEQUENCER, { 2: 0x0f })
      set(GRAPHICS, { 5: 1 })
      peek(window)
      poke(window + 100, 0xff)
      set(GRAPHICS, { 5: 0 })
      const read = [0, 1, 2, 3].map((plane) => {
        set(GRAPHICS, { 4: plane })
        return peek(window + 100)
      })
      expect(read, [0x10, 0x11, 0x12, 0x13], 'scrolling changes the picture')
    },
  },
  {
    name: 'write mode 2 writes a colour, read mode 1 finds it',
    section: 'graphics mode register: write mode, read mode; color compare',
    run({ planes, set, poke, peek }, expect) {
      planes()
      poke(window, 0)
      peek(window)
      set(GRAPHICS, { 5: 2, 8: 0x3c })
      poke(window, 0x05)
      set(GRAPHICS, { 5: 0x08, 2: 0x05, 7: 0x0f, 8: 0xff })
      expect(peek(window), 0x3c, 'pixels of a colour are not found')
      set(GRAPHICS, { 2: 0x04, 7: 0x0e })
      expect(peek(window), 0x3c, 'a plane that does not count counts')
    },
  },
  {
    name: 'write mode 3: the byte is a mask for set/reset',
    section: 'graphics mode register: write mode 3',
    run({ planes, set, poke, peek }, expect) {
      planes()
      poke(window, 0xff)
      peek(window)
      set(GRAPHICS, { 0: 0x00, 5: 3, 8: 0x3f })
      poke(window, 0xf0)
      set(GRAPHICS, { 5: 0, 8: 0xff })
      expect(peek(window), 0xcf, 'text in graphics has holes')
    },
  },
  {
    name: 'chain 4: neighbouring bytes are in neighbouring planes',
    section: 'memory mode register: chain 4',
    run({ planes, set, poke, peek }, expect) {
      planes()
      set(SEQUENCER, { 4: 0x0e })
      poke(window, 1, 2, 3, 4, 5)
      expect(
        [0, 1, 2, 3, 4].map((i) => peek(window + i)),
        [1, 2, 3, 4, 5],
        'a picture of 256 colours is something else',
      )
      set(SEQUENCER, { 4: 0x06 })
      set(GRAPHICS, { 4: 2 })
      expect(peek(window), 3, 'the third pixel is not in plane 2')
    },
  },
  {
    name: 'the window is where the memory map says',
    section: 'miscellaneous register: memory map',
    run({ planes, set, poke, peek }, expect) {
      planes()
      for (const [map, address] of [
        [1, 0xa_0000],
        [2, 0xb_0000],
        [3, 0xb_8000],
      ] as const) {
        set(GRAPHICS, { 6: 1 | (map << 2) })
        poke(address, 0x50 + map)
        expect(peek(address), 0x50 + map, 'a picture is not where it was drawn')
      }
      set(GRAPHICS, { 6: 0x0d })
      poke(0xa_0000, 0x99)
      expect(peek(0xb_8000), 0x53, 'a write beside the window is a write')
    },
  },
]
