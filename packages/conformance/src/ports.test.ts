import { debugConsole, exitPort, postPort } from '@vmexit/chipset'
import { Bus, type Part, Power, type RegisterFile } from '@vmexit/core'
import { expect, test } from 'vitest'
import { changed, failures } from '../test/failures.ts'
import type { Bench } from './bench.ts'
import { debugConsoleConformance, exitPortConformance, postPortConformance } from './ports.ts'

/** The registers of a part that claims `size` ports at `port`. */
function portsOf(part: Part, port: number, size: number): RegisterFile {
  const ports = new Bus({ name: 'ports', addressBits: 16 })
  part.build({ ports, power: new Power() } as never, {} as never, { name: part.name })
  return {
    size,
    read: (offset, width) => ports.read(port + offset, width),
    write: (offset, width, value) => ports.write(port + offset, width, value),
  }
}

type Change = (registers: RegisterFile) => RegisterFile
const same: Change = (registers) => registers
const exit =
  (change = same) =>
  (bench: Bench) => ({ registers: change(portsOf(exitPort({ onExit: bench.callback('exit') }), 0xf4, 4)) })
const post =
  (change = same) =>
  (bench: Bench) => {
    const code = bench.callback('code')
    return { registers: change(portsOf(postPort({ onCode: (value) => code(value) }), 0x80, 1)) }
  }
const debug =
  (change = same) =>
  (bench: Bench) => ({ registers: change(portsOf(debugConsole({ onText: bench.callback('text') }), 0xe9, 1)) })

for (const { name, run } of exitPortConformance(exit())) test(name, run)
for (const { name, run } of postPortConformance(post())) test(name, run)
for (const { name, run } of debugConsoleConformance(debug())) test(name, run)

test('what is broken fails', () => {
  const written = (to: (value: number) => number | null) => (registers: RegisterFile) =>
    changed(registers, { write: (_, value) => to(value) })
  const read = (value: number) => (registers: RegisterFile) => changed(registers, { read: () => value })
  expect(failures(exitPortConformance(exit(written((value) => value & 0xff))))).toHaveLength(1)
  expect(failures(exitPortConformance(exit(written(() => null))))).toHaveLength(1)
  const ending: Change = (registers) => ({ ...registers, read: () => (registers.write(0, 1, 0), 0) })
  expect(failures(exitPortConformance(exit(ending)))).toEqual(['reading ends nothing'])
  expect(failures(postPortConformance(post(read(0))))).toEqual(['codes are shown in their order and read back'])
  expect(failures(postPortConformance(post(written((value) => (value < 0x80 ? value : null)))))).toHaveLength(2)
  expect(failures(debugConsoleConformance(debug(read(0xff))))).toEqual(['reading gives 0xe9'])
  expect(failures(debugConsoleConformance(debug(written((value) => value & 0x7f))))).toEqual([
    'a byte that is written is a byte of text',
  ])
})
