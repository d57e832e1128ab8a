/** The suites of the small ports that test programs and firmware talk to: exit, POST codes, debug console. */
import type { RegisterFile } from '@vmexit/core'
import { Bench } from './bench.ts'
import { type ConformanceTest, defineSuite } from './suite.ts'

/** A port under test. */
export interface PortUnderTest {
  readonly registers: RegisterFile
}

interface Subject extends PortUnderTest {
  readonly bench: Bench
}

const subject = (make: (bench: Bench) => PortUnderTest) => (): Subject => {
  const bench = new Bench()
  return { bench, registers: make(bench).registers }
}

/** Tests for a port that ends a run. The exit code goes to `bench.callback('exit')`. */
export function exitPortConformance(make: (bench: Bench) => PortUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'exit port',
    manual: 'QEMU’s isa-debug-exit',
    make: subject(make),
    tests: [
      {
        name: 'a value that is written ends the run with twice the value and one',
        run({ bench, registers }, expect) {
          for (const [width, value, code] of [
            [1, 0, 1],
            [1, 0x10, 0x21],
            [4, 0x1234, 0x2469],
            [2, 0xffff, 0x1_ffff],
          ] as const) {
            registers.write(0, width, value)
            expect(bench.told('exit').at(-1), code, 'a test program ends with another code')
          }
        },
      },
      {
        name: 'reading ends nothing',
        run({ bench, registers }, expect) {
          for (let offset = 0; offset < registers.size; offset++) registers.read(offset, 1)
          expect(bench.told('exit'), [], 'who looks for the port ends the run')
        },
      },
    ],
  })
}

/** Tests for a diagnostic port. Codes go to `bench.callback('code')`. */
export function postPortConformance(make: (bench: Bench) => PortUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'POST port',
    manual: 'IBM PC AT technical reference, manufacturing test port',
    make: subject(make),
    tests: [
      {
        name: 'codes are shown in their order and read back',
        run({ bench, registers }, expect) {
          for (const code of [0x01, 0x55, 0xaa, 0x55]) {
            registers.write(0, 1, code)
            expect(registers.read(0, 1), code, 'the latch that it is in chipsets does not hold')
          }
          expect(bench.told('code'), [0x01, 0x55, 0xaa, 0x55], 'a code is not shown')
        },
      },
      {
        name: 'every code can be shown',
        run({ bench, registers }, expect) {
          const codes = Array.from({ length: 256 }, (_, code) => code)
          for (const code of codes) registers.write(0, 1, code)
          expect(bench.told('code'), codes, 'a code is shown as another')
        },
      },
    ],
  })
}

/** Tests for a debug console. What is written goes to `bench.callback('text')` as bytes. */
export function debugConsoleConformance(make: (bench: Bench) => PortUnderTest): readonly ConformanceTest[] {
  return defineSuite<Subject>({
    name: 'debug console',
    manual: 'the debug port 0xe9 of Bochs and QEMU',
    make: subject(make),
    tests: [
      {
        name: 'a byte that is written is a byte of text',
        run({ bench, registers }, expect) {
          const bytes = Array.from({ length: 256 }, (_, byte) => byte)
          for (const byte of bytes) registers.write(0, 1, byte)
          const text = bench.told('text').flatMap((each) => each as number[])
          expect(text, bytes, 'what is printed is something else')
        },
      },
      {
        name: 'reading gives 0xe9',
        run({ registers }, expect) {
          registers.write(0, 1, 0x41)
          expect(registers.read(0, 1), 0xe9, 'firmware does not know that somebody listens')
        },
      },
    ],
  })
}
