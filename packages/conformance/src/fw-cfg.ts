/** The suite of fw_cfg (QEMU, docs/specs/fw_cfg.rst). */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** An interface under test. */
export interface FwCfgUnderTest {
  /** Selector and data: ports 0x510 and 0x511. */
  readonly registers: RegisterFile
  /** The DMA address register: ports 0x514–0x51b. */
  readonly dma: RegisterFile
  /** Adds a file. */
  addFile(name: string, data: Uint8Array): void
}

interface Subject {
  readonly bench: Bench
  readonly config: FwCfgUnderTest
  select(key: number): void
  bytes(count: number): number[]
  /** Runs a DMA command: what its control word is then. */
  command(control: number, length: number, address: number): number
  /** The key of a file, by the directory. */
  keyOf(name: string): number
}

const directory = 0x19
const contents = Uint8Array.from({ length: 300 }, (_, i) => i % 251)

/** Tests for an interface whose bus master is `bench.master`. */
export function fwCfgConformance(make: (bench: Bench) => FwCfgUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'fw_cfg',
    manual: 'the fw_cfg specification',
    make() {
      const bench = new Bench()
      const config = make(bench)
      config.addFile('opt/test', contents)
      config.addFile('opt/other', Uint8Array.of(9))
      const select = (key: number) => config.registers.write(0, 2, key)
      const bytes = (count: number) => Array.from({ length: count }, () => config.registers.read(1, 1))
      const number = (count: number) => bytes(count).reduce((sum, byte) => sum * 256 + byte, 0)
      const memory = new DataView(bench.memory.buffer)
      return {
        bench,
        config,
        select,
        bytes,
        command(control, length, address) {
          memory.setUint32(0x1000, control)
          memory.setUint32(0x1004, length)
          memory.setUint32(0x1008, 0)
          memory.setUint32(0x100c, address)
          config.dma.write(4, 4, 0x0010_0000)
          return memory.getUint32(0x1000)
        },
        keyOf(name) {
          select(directory)
          for (let left = Math.min(number(4), 100); left > 0; left--) {
            number(4)
            const key = number(2)
            number(2)
            const found = String.fromCharCode(...bytes(56)).replace(/\0+$/, '')
            if (found === name) return key
          }
          return 0
        },
      }
    },
    tests: [
      {
        name: 'firmware finds the signature, and that DMA is there',
        section: 'signature; revision and feature bitmap',
        run({ select, bytes, config }, expect) {
          select(0)
          expect(String.fromCharCode(...bytes(4)), 'QEMU', 'firmware finds no fw_cfg')
          select(1)
          expect(bytes(4), [3, 0, 0, 0], 'firmware does not know what fw_cfg can do')
          const signature = [0, 1, 2, 3, 4, 5, 6, 7].map((offset) => config.dma.read(offset, 1))
          expect(String.fromCharCode(...signature), 'QEMU CFG', 'firmware finds no DMA interface')
        },
      },
      {
        name: 'files are found by the directory, and read from their beginning each time',
        section: 'file directory',
        run({ keyOf, select, bytes }, expect) {
          const key = keyOf('opt/test')
          expect(key >= 0x20, true, 'a file is not in the directory')
          for (let time = 0; time < 2; time++) {
            select(key)
            expect(bytes(300), [...contents], 'a file is something else')
          }
          expect(bytes(3), [0, 0, 0], 'after its end a file goes on')
          select(keyOf('opt/other'))
          expect(bytes(2), [9, 0], 'the second file is something else')
        },
      },
      {
        name: 'keys of nothing read as zeros',
        section: 'selector register',
        run({ select, bytes }, expect) {
          for (const key of [0x7777, 0x3fff, 0xffff]) {
            select(key)
            expect(bytes(4), [0, 0, 0, 0], 'what is not there has contents')
          }
        },
      },
      {
        name: 'DMA selects, reads and skips, as far as it is told',
        section: 'guest-side DMA interface',
        run({ bench, keyOf, command }, expect) {
          const key = keyOf('opt/test')
          expect(command(key * 0x1_0000 + 0x0a, 100, 0x2000), 0, 'a command does not end, or fails')
          expect(
            [...bench.memory.subarray(0x2000, 0x2065)],
            [...contents.subarray(0, 100), 0],
            'a file is not in memory',
          )
          expect([command(4, 10, 0), command(2, 200, 0x3000)], [0, 0], 'a command does not end, or fails')
          const wanted = [...contents.subarray(110, 300), ...new Array<number>(10).fill(0)]
          expect([...bench.memory.subarray(0x3000, 0x30c8)], wanted, 'skipping skips something else')
        },
      },
      {
        name: 'writing, and memory that is not there, are errors',
        section: 'guest-side DMA interface: error bit',
        run({ keyOf, command, select, bytes }, expect) {
          const key = keyOf('opt/test')
          expect(command(key * 0x1_0000 + 0x18, 4, 0x2000), 1, 'a write that is not done is no error')
          expect(command(key * 0x1_0000 + 0x0a, 4, 0x7000_0000), 1, 'memory that is not there takes a file')
          select(key)
          expect(bytes(4), [...contents.subarray(0, 4)], 'a file was written')
        },
      },
      {
        name: 'the upper half of the address is used once',
        section: 'DMA address register',
        run({ bench, config, keyOf, command }, expect) {
          const key = keyOf('opt/test')
          config.dma.write(0, 4, 0x0100_0000)
          const control = key * 0x1_0000 + 0x0a
          expect(command(control, 4, 0x2000), control, 'a command at another address is run')
          expect(command(control, 4, 0x2000), 0, 'the upper half of the address stays')
          expect(bench.memory[0x2001], 1, 'a command after it reads nothing')
        },
      },
    ],
  })
}
