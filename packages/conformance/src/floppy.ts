/** The suite of a floppy disk controller (Intel 82077AA data sheet, order number 290166) with a 1.44M drive. */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type SuiteDisk, suiteDisk } from './disk.ts'
import { type ConformanceTest, defineSuite, type TestDefinition } from './suite.ts'

/** A controller under test. Drive 0 is a 1.44M drive with the suite's disk in it. */
export interface FloppyUnderTest {
  /** The eight ports from 0x3f0 on. */
  readonly registers: RegisterFile
  /** The DMA controller of its channel, 2, which is open: ports 0x00–0x0f. Its page registers are 0. */
  readonly dma: RegisterFile
}

interface Subject {
  readonly bench: Bench
  readonly disk: SuiteDisk & { readonly bytes: Uint8Array }
  out(register: number, value: number): void
  read(register: number): number
  /** Writes a command. */
  command(...bytes: number[]): void
  /** Reads a result phase. */
  results(): number[]
  /** Lets time pass until the interrupt comes, three seconds at most. Returns whether it did. */
  wait(): boolean
  sense(): number[]
  /** Sets the DMA channel up: `write` is to memory, at 0x1000. */
  channel(direction: 'write' | 'read', bytes: number): void
  irq(): boolean
}

const [DOR, MSR, FIFO, DIR] = [2, 4, 5, 7]
const ms = 1e6

/** Tests for a controller whose interrupt is `bench.line('irq')` and whose memory is `bench.master`. */
export function floppyConformance(
  make: (bench: Bench, disk: SuiteDisk) => FloppyUnderTest,
): readonly ConformanceTest[] {
  const suite = (readOnly: boolean, tests: readonly TestDefinition<Subject>[]) =>
    defineSuite<Subject>({
      name: 'floppy controller',
      manual: 'the 82077AA data sheet',
      make: () => subjectOf(make, readOnly),
      tests,
    })
  return [...suite(false, [...control, ...heads, ...data]), ...suite(true, protection)]
}

function subjectOf(make: (bench: Bench, disk: SuiteDisk) => FloppyUnderTest, readOnly: boolean): Subject {
  const bench = new Bench()
  const disk = suiteDisk(readOnly)
  const { registers, dma } = make(bench, disk)
  const out = (register: number, value: number) => registers.write(register, 1, value)
  const read = (register: number) => registers.read(register, 1)
  const irq = () => bench.told('irq').at(-1) === true
  const command = (...bytes: number[]) => {
    for (const byte of bytes) out(FIFO, byte)
  }
  const results = () => {
    const bytes: number[] = []
    while ((read(MSR) & 0xd0) === 0xd0 && bytes.length < 16) bytes.push(read(FIFO))
    return bytes
  }
  const sense = () => {
    command(0x08)
    return results()
  }
  out(DIR, 0)
  out(DOR, 0x00)
  out(DOR, 0x1c)
  bench.pass(ms)
  for (let drive = 0; drive < 4; drive++) sense()
  command(0x03, 0xdf, 0x02)
  return {
    bench,
    disk,
    out,
    read,
    command,
    results,
    wait() {
      for (let time = 0; time < 3000 && !irq(); time++) bench.pass(ms)
      return irq()
    },
    sense,
    channel(direction, bytes) {
      const port = (register: number, value: number) => dma.write(register, 1, value)
      port(0x0a, 6)
      port(0x0c, 0)
      port(0x0b, (direction === 'write' ? 0x44 : 0x48) | 2)
      for (const byte of [0x00, 0x10]) port(4, byte)
      for (const byte of [(bytes - 1) & 0xff, (bytes - 1) >> 8]) port(5, byte)
      port(0x0a, 2)
    },
    irq,
  }
}

const word = (bytes: Uint8Array, at: number) => bytes[at]! | (bytes[at + 1]! << 8)

type Tests = readonly TestDefinition<Subject>[]

const control: Tests = [
  {
    name: 'the end of a reset is told four times',
    section: '6.2, drive polling',
    run({ out, read, bench, sense, irq }, expect) {
      out(DOR, 0x00)
      expect([read(MSR), irq()], [0, false], 'a controller in reset asks for something')
      out(DOR, 0x1c)
      expect(read(MSR), 0x80, 'a controller takes no commands after its reset')
      bench.pass(ms)
      expect(irq(), true, 'the end of the reset is no interrupt: drivers give up')
      expect(
        [sense(), sense(), sense(), sense()],
        [
          [0xc0, 0],
          [0xc1, 0],
          [0xc2, 0],
          [0xc3, 0],
        ],
        'drives are not told of',
      )
      expect([irq(), sense()], [false, [0x80]], 'there is a fifth interrupt')
    },
  },
  {
    name: 'the DMA gate of the digital output register lets the interrupt through',
    section: '2.1.3',
    run({ out, bench, irq }, expect) {
      out(DOR, 0x00)
      out(DOR, 0x14)
      bench.pass(ms)
      expect(irq(), false, 'the gate is shut and an interrupt comes')
      out(DOR, 0x1c)
      expect(irq(), true, 'an interrupt that waited at the gate is lost')
    },
  },
  {
    name: 'VERSION, CONFIGURE, LOCK and DUMPREG tell an enhanced controller',
    section: '5.2.9, 5.2.10, 5.2.11, 5.2.13',
    run({ command, results, out }, expect) {
      command(0x10)
      expect(results(), [0x90], 'it is taken for a controller of 1981')
      command(0x13, 0x00, 0x57, 0x20)
      command(0x94)
      expect(results(), [0x10], 'LOCK is not acknowledged')
      out(MSR, 0x80)
      command(0x0e)
      expect(results(), [0, 0, 0, 0, 0xdf, 0x02, 0, 0x80, 0x07, 0x20], 'a locked FIFO is forgotten in a reset')
      command(0x14)
      expect(results(), [0x00], 'UNLOCK is not acknowledged')
      out(MSR, 0x80)
      command(0x0e)
      expect(results().slice(7), [0x00, 0x20, 0], 'an unlocked FIFO survives a reset')
    },
  },
  {
    name: 'codes that are no command are told so, without an interrupt',
    section: '5.2.12',
    run({ command, results, irq }, expect) {
      for (const code of [0x00, 0x1f, 0x18]) {
        command(code)
        expect([results(), irq()], [[0x80], false], 'a code that is no command is taken for one')
      }
    },
  },
]

const heads: Tests = [
  {
    name: 'SEEK and RECALIBRATE take their time and are told of',
    section: '5.2.3, 5.2.6; SPECIFY',
    run({ command, read, bench, sense, irq }, expect) {
      command(0x0f, 0x00, 10)
      expect([read(MSR) & 0x9f, irq()], [0x81, false], 'the drive is not busy')
      bench.pass(29 * ms)
      expect(irq(), false, 'ten steps of 3 ms are too fast')
      bench.pass(2 * ms)
      expect([irq(), sense(), read(MSR)], [true, [0x20, 10], 0x80], 'the end of the seek is not told of')
      command(0x07, 0x00)
      bench.pass(31 * ms)
      expect([irq(), sense()], [true, [0x20, 0]], 'the drive does not find track 0')
      command(0x04, 0x00)
    },
  },
  {
    name: 'SENSE DRIVE STATUS tells of track 0',
    section: '5.2.5',
    run({ command, results, wait, sense }, expect) {
      command(0x04, 0x00)
      expect(results()[0]! & 0x10, 0x10, 'heads at track 0 are said not to be')
      command(0x0f, 0x00, 1)
      wait()
      sense()
      command(0x04, 0x04)
      expect(results()[0]! & 0x57, 0x04, 'heads at track 1 are said to be at 0')
    },
  },
  {
    name: 'relative seeks go in and out',
    section: '5.2.7',
    run({ command, wait, sense }, expect) {
      command(0xcf, 0x00, 5)
      expect([wait(), sense()], [true, [0x20, 5]], 'it does not step in')
      command(0x8f, 0x00, 3)
      expect([wait(), sense()], [true, [0x20, 2]], 'it does not step out')
    },
  },
  {
    name: 'RECALIBRATE of a drive that is not there fails',
    section: '5.2.3: equipment check',
    run({ command, wait, sense }, expect) {
      command(0x07, 0x03)
      expect([wait(), sense()], [true, [0x73, 0]], 'a drive that is not there is found')
    },
  },
  {
    name: 'the disk change line falls when the heads step',
    section: '2.1.7',
    run({ read, command, wait, sense }, expect) {
      expect(read(DIR) & 0x80, 0x80, 'a new disk is not noticed')
      command(0x0f, 0x00, 1)
      wait()
      sense()
      expect(read(DIR) & 0x80, 0, 'the disk is a new one for ever')
    },
  },
]

const data: Tests = [
  {
    name: 'READ DATA brings sectors of both heads to memory',
    section: '5.1.1, table 5-6',
    run({ bench, command, results, wait, channel }, expect) {
      channel('write', 3 * 512)
      command(0xe6, 0x00, 0, 0, 17, 2, 18, 0x1b, 0xff)
      expect(wait(), true, 'reading never ends')
      const sectors = [0x1000, 0x1200, 0x1400].map((at) => word(bench.memory, at))
      expect(sectors, [16, 17, 18], 'other sectors are read')
      expect(results().slice(1), [0, 0, 0, 1, 2, 2], 'it is not said where reading stopped')
    },
  },
  {
    name: 'WRITE DATA, and what the count leaves of a sector is zeros',
    section: '5.1.3',
    run({ bench, disk, command, results, wait, channel }, expect) {
      bench.memory.fill(0xaa, 0x1000, 0x2000)
      channel('read', 600)
      command(0x45, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff)
      expect([wait(), results().slice(0, 3)], [true, [0, 0, 0]], 'writing fails')
      const ends = [511, 512, 1111, 1112, 1535, 1536].map((at) => disk.bytes[at])
      expect(ends, [0x2a, 0xaa, 0xaa, 0, 0, 3], 'something else is written')
    },
  },
  {
    name: 'without DMA bytes go through the FIFO',
    section: '5.2.4: non-DMA mode; 6.4',
    run({ read, command, results, wait }, expect) {
      command(0x03, 0xdf, 0x03)
      command(0x66, 0x00, 0, 0, 5, 2, 5, 0x1b, 0xff)
      const got: number[] = []
      for (let time = 0; time < 512 && wait(); time++) {
        while ((read(MSR) & 0xf0) === 0xf0 && got.length < 512) got.push(read(FIFO))
        if (got.length === 512) break
      }
      expect([got.length, got[0]], [512, 4], 'a sector does not come through the FIFO')
      wait()
      expect(
        results().slice(0, 2),
        [0x40, 0x80],
        'nobody said that it was the last, and the end of the track is no error',
      )
    },
  },
  {
    name: 'FORMAT TRACK fills a track',
    section: '5.1.7',
    run({ bench, disk, command, results, wait, channel }, expect) {
      for (let i = 0; i < 18; i++) bench.memory.set([0, 1, i + 1, 2], 0x1000 + 4 * i)
      channel('read', 72)
      command(0x4d, 0x04, 2, 18, 0x54, 0xf6)
      expect([wait(), results().slice(1, 3)], [true, [0, 0]], 'formatting fails')
      const ends = [18 * 512 - 1, 18 * 512, 36 * 512 - 1, 36 * 512].map((at) => disk.bytes[at])
      expect(ends, [0x2a, 0xf6, 0xf6, 36], 'another track is formatted')
    },
  },
  {
    name: 'READ ID tells what track it is',
    section: '5.2.1',
    run({ command, results, wait, sense }, expect) {
      command(0x0f, 0x00, 3)
      wait()
      sense()
      command(0x4a, 0x04)
      expect(wait(), true, 'no address mark is found')
      const [, st1, st2, c, h, r, n] = results()
      expect([st1, st2, c, h, n, r! >= 1 && r! <= 18], [0, 0, 3, 1, 2, true], 'the heads are said to be elsewhere')
    },
  },
  {
    name: 'implied seeks move the heads first',
    section: '5.2.10: EIS',
    run({ bench, command, results, wait, channel }, expect) {
      command(0x13, 0x00, 0x40, 0x00)
      channel('write', 512)
      command(0x66, 0x00, 20, 0, 1, 2, 18, 0x1b, 0xff)
      expect([wait(), results()[1], word(bench.memory, 0x1000)], [true, 0, 720], 'the heads stay where they are')
    },
  },
  {
    name: 'what is not there is an error',
    section: '5.1.1; status registers 1 and 2',
    run({ command, results, wait, out, channel }, expect) {
      for (const [guest, parameters, status] of [
        ['a sector that is not there is read', [0x66, 0, 0, 0, 19, 2, 19], [0x40, 0x04, 0x00]],
        ['the wrong head is read', [0x66, 0, 0, 1, 1, 2, 18], [0x40, 0x04, 0x00]],
        ['the wrong cylinder is read', [0x66, 0, 3, 0, 1, 2, 18], [0x40, 0x04, 0x10]],
      ] as const) {
        channel('write', 512)
        command(...parameters, 0x1b, 0xff)
        expect([wait(), results().slice(0, 3)], [true, status], guest)
      }
      out(DIR, 2)
      command(0x4a, 0x00)
      expect([wait(), results().slice(0, 3)], [true, [0x40, 0x01, 0]], 'a disk is read at the wrong data rate')
    },
  },
  {
    name: 'a DMA channel that is shut is an overrun',
    section: 'status register 1: OR',
    run({ command, results, wait }, expect) {
      command(0x66, 0x00, 0, 0, 1, 2, 18, 0x1b, 0xff)
      expect([wait(), results().slice(0, 2)], [true, [0x40, 0x10]], 'data that nobody took is said to be there')
    },
  },
]

const protection: Tests = [
  {
    name: 'a write-protected disk is not written',
    section: 'status register 1: NW',
    run({ disk, command, results, wait, channel }, expect) {
      channel('read', 512)
      command(0x45, 0x00, 0, 0, 2, 2, 18, 0x1b, 0xff)
      expect([wait(), results().slice(0, 2), disk.bytes[512]], [true, [0x40, 0x02], 1], 'a protected disk is written')
      command(0x04, 0x00)
      expect(results()[0]! & 0x40, 0x40, 'write protection is not seen')
    },
  },
]
