import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import {
  loadableSegments,
  MachineType,
  readDynamic,
  readElf,
  readInterpreter,
  readNotes,
  readSymbols,
} from './index.ts'

/** Made by the Makefile beside them. */
const read = (name: string) => readElf(readFileSync(join(import.meta.dirname, '../test/binaries', name)))

test('a static i386 program, as gcc and ld make it', () => {
  const elf = read('static32')
  expect([elf.bits, elf.machine, elf.type]).toEqual([32, MachineType.i386, 2])
  expect(loadableSegments(elf).map(({ virtualAddress }) => virtualAddress >> 12n)).toEqual([0x8048n, 0x8049n])
  const symbols = readSymbols(elf)
  expect(symbols.find(({ name }) => name === '_start')?.value).toBe(elf.entry)
  expect(symbols.find(({ name }) => name === 'room')?.size).toBe(5000n)
  const found = elf.sections.find(({ name }) => name === '.rodata')
  expect(new TextDecoder().decode(found!.bytes)).toBe('hello\n')
  expect([readInterpreter(elf), readDynamic(elf)]).toEqual([undefined, undefined])
  expect(readNotes(elf)).toMatchObject([{ owner: 'vmexit', type: 1, description: { length: 4 } }])
})

test('dynamic programs of both classes', () => {
  const small = read('dynamic32')
  expect(readInterpreter(small)).toBe('/lib/ld-linux.so.2')
  expect(readDynamic(small)).toMatchObject({ needed: ['libc.so.6'], runPath: '/opt/lib' })
  const large = read('dynamic64')
  expect([large.bits, large.machine, large.type]).toEqual([64, MachineType.x86_64, 3])
  expect(readInterpreter(large)).toBe('/lib64/ld-linux-x86-64.so.2')
  expect(readDynamic(large)?.needed).toEqual(['libc.so.6', 'libm.so.6'])
})

test('an object file', () => {
  const elf = read('object64')
  expect([elf.type, elf.segments.length]).toEqual([1, 0])
  expect(loadableSegments(elf)).toEqual([])
  expect(readNotes(elf)).toMatchObject([{ owner: 'vmexit' }])
  expect(readSymbols(elf).map(({ name }) => name)).toContain('_start')
})
