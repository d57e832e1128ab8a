/** The suite of an ATA disk on a channel (ATA/ATAPI-6; Programming Interface for Bus Master IDE Controller 1.0). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type SuiteDisk, suiteDisk } from './disk.ts'
import { type ConformanceTest, defineSuite, type TestDefinition } from './suite.ts'

/** A channel under test: the suite's disk is device 0, device 1 is not there. */
export interface AtaChannelUnderTest {
  /** The command block: eight ports from 0x1f0 on. The data register takes 16 bits. */
  readonly command: RegisterFile
  /** The control block's one register: port 0x3f6. */
  readonly control: RegisterFile
  /** The bus master's eight registers; its tests are left out where there is none. */
  readonly busMaster?: RegisterFile
}

interface Subject {
  readonly bench: Bench
  readonly disk: SuiteDisk & { readonly bytes: Uint8Array }
  readonly channel: AtaChannelUnderTest
  out(register: number, value: number): void
  read(register: number): number
  /** Writes the 28-bit address, the count and the command. */
  command(code: number, lba?: number, count?: number): void
  /** Lets time pass while the drive is busy, and tells the status. */
  wait(): number
  readWords(count: number): number[]
  writeWords(words: readonly number[]): void
  identity(): number[]
  irq(): boolean
}

const [ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS] = [1, 2, 3, 4, 5, 6, 7]
const [BSY, DRDY, DRQ, ERR] = [0x80, 0x40, 0x08, 0x01]
const ms = 1e6

/** Tests for a channel whose interrupt is `bench.line('irq')` and whose bus master is `bench.master`. */
export function ataConformance(
  make: (bench: Bench, disk: SuiteDisk) => AtaChannelUnderTest,
): readonly ConformanceTest[] {
  const mastered = make(new Bench(), suiteDisk()).busMaster !== undefined
  return defineSuite<Subject>({
    name: 'ATA disk',
    manual: 'ATA/ATAPI-6',
    make: () => subjectOf(make),
    tests: [...presence, ...pio, ...trouble, ...(mastered ? dma : [])],
  })
}

function subjectOf(make: (bench: Bench, disk: SuiteDisk) => AtaChannelUnderTest): Subject {
  const bench = new Bench()
  const disk = suiteDisk()
  const channel = make(bench, disk)
  const out = (register: number, value: number) => channel.command.write(register, 1, value)
  const read = (register: number) => channel.command.read(register, 1)
  const wait = () => {
    for (let time = 0; time < 5000 && channel.control.read(0, 1) & BSY; time++) bench.pass(ms)
    return channel.control.read(0, 1)
  }
  const command = (code: number, lba = 0, count = 1) => {
    out(DEVICE, 0xe0 | (lba >> 24))
    out(COUNT, count)
    for (const [i, register] of [LOW, MID, HIGH].entries()) out(register, (lba >> (8 * i)) & 0xff)
    out(STATUS, code)
  }
  const readWords = (count: number) => Array.from({ length: count }, () => channel.command.read(0, 2))
  return {
    bench,
    disk,
    channel,
    out,
    read,
    command,
    wait,
    readWords,
    writeWords(words) {
      for (const word of words) channel.command.write(0, 2, word)
    },
    identity() {
      command(0xec)
      wait()
      const words = readWords(256)
      read(STATUS)
      return words
    },
    irq: () => bench.told('irq').at(-1) === true,
  }
}

type Tests = readonly TestDefinition<Subject>[]

const presence: Tests = [
  {
    name: 'IDENTIFY DEVICE tells size and addresses, with an interrupt that reading status ends',
    section: '8.15; 5.2.9, INTRQ',
    run({ command, wait, irq, read, readWords, channel }, expect) {
      command(0xec)
      expect(wait() & (BSY | DRDY | DRQ | ERR), DRDY | DRQ, 'there is no disk')
      expect([irq(), channel.control.read(0, 1) & DRQ, irq()], [true, DRQ, true], 'alternate status ends the interrupt')
      read(STATUS)
      expect(irq(), false, 'reading status does not end the interrupt')
      const words = readWords(256)
      expect(wait() & (BSY | DRQ | ERR), 0, 'the disk has more to say')
      expect([words[60]! + words[61]! * 65_536, words[49]! & 0x200], [2880, 0x200], 'the disk has another size')
    },
  },
  {
    name: 'a software reset leaves the signature of a disk',
    section: '9.1; 9.12',
    run({ channel, bench, read, wait, out }, expect) {
      out(COUNT, 0x55)
      channel.control.write(0, 1, 0x04)
      bench.pass(ms)
      expect(read(STATUS) & BSY, BSY, 'the disk is not held in reset')
      channel.control.write(0, 1, 0x00)
      wait()
      const signature = [ERROR, COUNT, LOW, MID, HIGH].map(read)
      expect(signature, [1, 1, 1, 0, 0], 'after a reset the driver finds something else')
      expect(read(STATUS) & (BSY | DRDY | DRQ | ERR), DRDY, 'after a reset the disk is not ready')
    },
  },
  {
    name: 'EXECUTE DEVICE DIAGNOSTIC finds nothing wrong',
    section: '8.9',
    run({ command, wait, read }, expect) {
      command(0x90)
      wait()
      expect([ERROR, COUNT, LOW, MID, HIGH].map(read), [1, 1, 1, 0, 0], 'the disk is said to be broken')
    },
  },
  {
    name: 'a device that is not there does not answer',
    section: '9.16: single device configurations',
    run({ out, read, bench, wait, irq }, expect) {
      out(DEVICE, 0xf0)
      bench.pass(ms)
      expect(read(STATUS) & (BSY | DRDY | DRQ | ERR), 0, 'a second disk is found that is none')
      out(STATUS, 0xec)
      bench.pass(10 * ms)
      expect([read(STATUS) & DRQ, irq()], [0, false], 'a second disk identifies itself')
      out(DEVICE, 0xe0)
      expect(wait() & (BSY | DRDY), DRDY, 'the first disk is gone')
    },
  },
]

const pio: Tests = [
  {
    name: 'READ SECTOR(S): an interrupt for each sector',
    section: '8.34; 9.5, PIO data-in',
    run({ command, wait, irq, read, readWords }, expect) {
      command(0x20, 1000, 3)
      for (let sector = 1000; sector < 1003; sector++) {
        expect([wait() & (BSY | DRQ | ERR), irq()], [DRQ, true], 'a sector does not come, or without its interrupt')
        read(STATUS)
        expect(readWords(256)[0], sector, 'another sector is read')
      }
      expect([wait() & (BSY | DRQ | ERR), irq()], [0, false], 'there is a sector too many')
    },
  },
  {
    name: 'WRITE SECTOR(S): no interrupt for the first',
    section: '8.69; 9.6, PIO data-out',
    run({ command, wait, irq, read, writeWords, disk }, expect) {
      command(0x30, 2878, 2)
      expect([wait() & (BSY | DRQ | ERR), irq()], [DRQ, false], 'the disk does not take data at once')
      writeWords(new Array<number>(256).fill(0x1234))
      expect([wait() & (BSY | DRQ | ERR), irq()], [DRQ, true], 'the second sector is not asked for')
      read(STATUS)
      writeWords(new Array<number>(256).fill(0x5678))
      expect([wait() & (BSY | DRQ | ERR), irq()], [0, true], 'the end of the writing is not told of')
      read(STATUS)
      const ends = [2877, 2878, 2879].map((sector) => disk.bytes[512 * sector]! | (disk.bytes[512 * sector + 1]! << 8))
      expect(ends, [2877, 0x1234, 0x5678], 'another sector is written')
    },
  },
  {
    name: 'cylinders, heads and sectors as the identity says',
    section: '6.2, 8.34',
    run({ identity, out, wait, readWords, read }, expect) {
      const words = identity()
      const [heads, sectors] = [words[3]!, words[6]!]
      for (const [cylinder, head, sector] of [
        [0, 0, 1],
        [0, 1, 1],
        [1, 1, 2],
      ] as const) {
        out(DEVICE, 0xa0 | head)
        out(COUNT, 1)
        out(LOW, sector)
        out(MID, cylinder)
        out(HIGH, 0)
        out(STATUS, 0x20)
        wait()
        read(STATUS)
        const lba = (cylinder * heads + head) * sectors + sector - 1
        expect(readWords(256)[0], lba, 'old firmware reads another sector')
      }
    },
  },
  {
    name: 'READ MULTIPLE: an interrupt for each block',
    section: '8.32, 8.49',
    run({ bench, command, wait, irq, read, readWords }, expect) {
      command(0xc6, 0, 4)
      expect(wait() & (DRQ | ERR), 0, 'SET MULTIPLE MODE fails')
      read(STATUS)
      bench.events.length = 0
      command(0xc4, 16, 6)
      expect([wait() & DRQ, irq()], [DRQ, true], 'a block does not come')
      read(STATUS)
      const first = readWords(4 * 256)
      expect([wait() & DRQ, irq()], [DRQ, true], 'the second block does not come')
      read(STATUS)
      const rest = readWords(2 * 256)
      expect([wait() & DRQ, first[0], rest[256]], [0, 16, 21], 'blocks have other sectors')
      expect(bench.told('irq').filter((level) => level).length, 2, 'there is an interrupt for each sector')
    },
  },
  {
    name: 'READ SECTOR(S) EXT has 48 bits, if the identity says so',
    section: '6.2.1, 8.35',
    run({ identity, out, wait, read, readWords }, expect) {
      if (!(identity()[83]! & 0x400)) return
      out(DEVICE, 0x40)
      for (const [register, previous, current] of [
        [COUNT, 0, 1],
        [LOW, 0, 2879 & 0xff],
        [MID, 0, 2879 >> 8],
        [HIGH, 0, 0],
      ] as const) {
        out(register, previous)
        out(register, current)
      }
      out(STATUS, 0x24)
      wait()
      read(STATUS)
      expect(readWords(256)[0], 2879, 'another sector is read')
    },
  },
  {
    name: 'nIEN keeps the interrupt back',
    section: '7.8, device control',
    run({ channel, command, wait, irq }, expect) {
      channel.control.write(0, 1, 0x02)
      command(0x20, 5)
      expect([wait() & DRQ, irq()], [DRQ, false], 'an interrupt comes though it was turned off')
      channel.control.write(0, 1, 0x00)
      expect(irq(), true, 'an interrupt that waited is lost')
    },
  },
  {
    name: 'FLUSH CACHE completes',
    section: '8.12',
    run({ command, wait, irq }, expect) {
      command(0xe7)
      expect([wait() & (BSY | DRQ | ERR), irq()], [0, true], 'a file system cannot be unmounted')
    },
  },
]

const trouble: Tests = [
  {
    name: 'addresses beyond the end are errors',
    section: '8.34.6: IDNF',
    run({ command, wait, irq, read }, expect) {
      command(0x20, 2880)
      expect(
        [wait() & (BSY | DRQ | ERR), irq(), read(ERROR) & 0x10],
        [ERR, true, 0x10],
        'there are sectors beyond the end',
      )
    },
  },
  {
    name: 'a transfer over the end gives what there is, then the error',
    section: '8.34.6',
    run({ command, wait, read, readWords }, expect) {
      command(0x20, 2879, 2)
      wait()
      read(STATUS)
      if (read(STATUS) & DRQ) expect(readWords(256)[0], 2879, 'the last sector is something else')
      expect(wait() & (DRQ | ERR), ERR, 'there are sectors beyond the end')
    },
  },
  {
    name: 'codes that are no command are aborted',
    section: '6.7: ABRT',
    run({ command, wait, irq, read }, expect) {
      for (const code of [0x00, 0x80, 0xff]) {
        command(code)
        expect([wait() & (BSY | DRQ | ERR), irq()], [ERR, true], 'a code that is no command is taken for one')
        expect([read(ERROR) & 0x04, read(STATUS) & ERR, irq()], [4, ERR, false], 'the error is not ABRT')
      }
    },
  },
]

/** Sets up two regions for the bus master: 100 bytes that are not together with the rest. */
function describeRegions(bench: Bench, busMaster: RegisterFile): void {
  const memory = new DataView(bench.memory.buffer)
  for (const [at, address, bytes] of [
    [0x100, 0x2000, 100],
    [0x108, 0x3000, 0x8000_0000 + 924],
  ] as const) {
    memory.setUint32(at, address, true)
    memory.setUint32(at + 4, bytes, true)
  }
  busMaster.write(4, 4, 0x100)
  busMaster.write(2, 1, 0x06)
}

const dma: Tests = [
  {
    name: 'READ DMA scatters two sectors into memory',
    section: '8.25; bus master 3.1',
    run({ bench, channel, command, wait, irq, read }, expect) {
      const { busMaster } = channel
      describeRegions(bench, busMaster!)
      command(0xc8, 700, 2)
      busMaster!.write(0, 1, 0x09)
      for (let time = 0; time < 1000 && !irq(); time++) bench.pass(ms)
      expect([wait() & (BSY | DRQ | ERR), irq()], [0, true], 'the end of the transfer is not told of')
      expect(busMaster!.read(2, 1) & 0x07, 0x04, 'the bus master does not say that it is done')
      busMaster!.write(0, 1, 0x08)
      read(STATUS)
      const word = (at: number) => bench.memory[at]! | (bench.memory[at + 1]! << 8)
      expect(
        [word(0x2000), bench.memory[0x2063], bench.memory[0x2064]],
        [700, 0x2a, 0],
        'the first region has something else',
      )
      expect(
        [word(0x3000 + 412), bench.memory[0x3000 + 923], bench.memory[0x3000 + 924]],
        [701, 0x2a, 0],
        'the second region has something else',
      )
    },
  },
  {
    name: 'WRITE DMA gathers two sectors from memory',
    section: '8.65; bus master 3.1',
    run({ bench, channel, command, irq, disk }, expect) {
      const { busMaster } = channel
      bench.memory.fill(0xa1, 0x2000, 0x2064)
      bench.memory.fill(0xa2, 0x3000, 0x3000 + 924)
      describeRegions(bench, busMaster!)
      command(0xca, 10, 2)
      busMaster!.write(0, 1, 0x01)
      for (let time = 0; time < 1000 && !irq(); time++) bench.pass(ms)
      expect([irq(), busMaster!.read(2, 1) & 0x07], [true, 0x04], 'the end of the transfer is not told of')
      const bytes = [5119, 5120, 5219, 5220, 6143, 6144].map((at) => disk.bytes[at])
      expect(bytes, [0x2a, 0xa1, 0xa1, 0xa2, 0xa2, 12], 'something else is written')
    },
  },
]
