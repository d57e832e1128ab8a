/** The suite of the two 8237As of an AT (Intel 8237A data sheet, order number 231466; IBM PC AT technical reference). */
import type { Line, RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite, type TestDefinition } from './suite.ts'

/** A channel as its device sees it. */
export interface DmaChannelUnderTest {
  /** DREQ. */
  readonly request: Line
  /** Fills `into` from memory as far as the count goes. */
  read(into: Uint8Array): { readonly bytes: number; readonly terminalCount: boolean }
  /** Writes `from` to memory as far as the count goes. */
  write(from: Uint8Array): { readonly bytes: number; readonly terminalCount: boolean }
}

/** Controllers under test. Channel 4 is open for channels 0–3. */
export interface DmaUnderTest {
  /** Channels 0–3: ports 0x00–0x0f. */
  readonly low: RegisterFile
  /** Channels 4–7: ports 0xc0–0xdf. */
  readonly high: RegisterFile
  /** Page registers: ports 0x80–0x8f. */
  readonly pages: RegisterFile
  /** The wires of channel 2 or 5. */
  readonly channels: { readonly 2: DmaChannelUnderTest; readonly 5: DmaChannelUnderTest }
}

interface Subject extends DmaUnderTest {
  readonly bench: Bench
  out(register: number, ...values: number[]): void
  in8(register: number): number
  /** Programs channel 2: mode without the channel, address, bytes. */
  program(mode: number, address: number, bytes: number): void
}

const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i + 1)

/** Tests for controllers whose memory is `bench.master`: 256 KiB. */
export function dmaConformance(make: (bench: Bench) => DmaUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'DMA controllers',
    manual: 'the 8237A data sheet',
    make() {
      const bench = new Bench({ memoryBytes: 0x4_0000 })
      const dma = make(bench)
      const out = (register: number, ...values: number[]) => {
        for (const value of values) dma.low.write(register, 1, value)
      }
      return {
        ...dma,
        bench,
        out,
        in8: (register) => dma.low.read(register, 1),
        program(mode, address, count) {
          out(0x0a, 6)
          out(0x0c, 0)
          out(0x0b, mode | 2)
          out(4, address & 0xff, (address >> 8) & 0xff)
          dma.pages.write(1, 1, address >> 16)
          out(5, (count - 1) & 0xff, (count - 1) >> 8)
          out(0x0a, 2)
        },
      }
    },
    tests,
  })
}

const tests: readonly TestDefinition<Subject>[] = [
  {
    name: 'what the device writes is in memory; the end is told, and masks the channel',
    section: 'write transfer; terminal count',
    run({ bench, in8, program, channels }, expect) {
      program(0x44, 0x1_2345, 6)
      expect(channels[2].write(bytes(4)), { bytes: 4, terminalCount: false }, 'a transfer stops too soon')
      expect([in8(4), in8(4), in8(5), in8(5)], [0x49, 0x23, 1, 0], 'a driver does not see how far it has come')
      expect(channels[2].write(bytes(4)), { bytes: 2, terminalCount: true }, 'a transfer goes over its end')
      expect([...bench.memory.subarray(0x1_2345, 0x1_234c)], [1, 2, 3, 4, 1, 2, 0], 'data are elsewhere in memory')
      expect([in8(8) & 0x0f, in8(8) & 0x0f], [4, 0], 'the end is not told, or told twice')
      expect(channels[2].write(bytes(1)).bytes, 0, 'the channel goes on after its end')
    },
  },
  {
    name: 'what the device reads comes from memory',
    section: 'read transfer',
    run({ bench, program, channels }, expect) {
      bench.memory.set([7, 8, 9], 0x200)
      program(0x48, 0x200, 3)
      const into = new Uint8Array(3)
      expect([channels[2].read(into).terminalCount, [...into]], [true, [7, 8, 9]], 'a device gets something else')
    },
  },
  {
    name: 'addresses wrap within the page',
    section: 'current address register; page registers',
    run({ bench, program, channels }, expect) {
      program(0x44, 0x1_fffe, 4)
      channels[2].write(bytes(4))
      const ends = [0x1_fffe, 0x1_ffff, 0x1_0000, 0x1_0001, 0x2_0000].map((at) => bench.memory[at])
      expect(ends, [1, 2, 3, 4, 0], 'a transfer goes over the end of its page')
    },
  },
  {
    name: 'downwards, and again by itself, if the mode says so',
    section: 'mode register: decrement, autoinitialization',
    run({ bench, in8, program, channels }, expect) {
      program(0x74, 0x102, 3)
      channels[2].write(bytes(3))
      expect([...bench.memory.subarray(0x100, 0x103)], [3, 2, 1], 'addresses do not go down')
      expect([in8(4), in8(4), in8(5), in8(5)], [0x02, 0x01, 2, 0], 'the channel does not start again')
      expect(channels[2].write(bytes(1)).bytes, 1, 'the channel is masked though it starts again')
    },
  },
  {
    name: 'verification counts and moves nothing',
    section: 'verify transfer',
    run({ bench, program, channels }, expect) {
      program(0x40, 0x100, 2)
      expect([channels[2].write(bytes(2)).terminalCount, bench.memory[0x100]], [true, 0], 'verification moves data')
    },
  },
  {
    name: 'masked, disabled or behind a closed channel 4 nobody is served',
    section: 'mask register; command register; cascade mode',
    run({ high, out, program, channels }, expect) {
      const served = () => channels[2].write(bytes(1)).bytes
      program(0x44, 0x100, 16)
      expect(served(), 1, 'a channel that is open does not serve')
      out(0x08, 4)
      expect(served(), 0, 'a controller that is off serves')
      out(0x08, 0)
      out(0x0f, 4)
      expect(served(), 0, 'a masked channel serves')
      out(0x0e, 0)
      high.write(0x14, 1, 4)
      expect(served(), 0, 'channels 0–3 are served though channel 4 is masked')
      high.write(0x14, 1, 0)
      expect(served(), 1, 'a channel that was opened again does not serve')
      out(0x0d, 0)
      expect(served(), 0, 'after a master clear a channel serves')
    },
  },
  {
    name: 'requests are shown',
    section: 'status register',
    run({ in8, channels }, expect) {
      channels[2].request.set(true)
      expect(in8(8), 0x40, 'a request is not shown')
      channels[2].request.set(false)
      expect(in8(8), 0, 'a request is shown that has gone')
    },
  },
  {
    name: 'channels 5–7 move words',
    section: 'PC AT technical reference: DMA controller 2',
    run({ bench, high, pages, channels }, expect) {
      for (const [offset, value] of [
        [0x16, 0x45],
        [0x18, 0],
        [0x04, 0x00],
        [0x04, 0x08],
        [0x06, 3],
        [0x06, 0],
        [0x14, 0x01],
      ] as const) {
        high.write(offset, 1, value)
      }
      pages.write(0x0b, 1, 0x03)
      expect(channels[5].write(bytes(10)), { bytes: 8, terminalCount: true }, 'the count is not one of words')
      const ends = [0x2_0fff, 0x2_1000, 0x2_1007, 0x2_1008].map((at) => bench.memory[at])
      expect(ends, [0, 1, 8, 0], 'the address is not one of words')
    },
  },
]
