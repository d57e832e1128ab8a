import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MIB, pc } from '../../test/machine.ts'
import { type MultibootOptions, multiboot } from './multiboot.ts'

/** Kernels made by the Makefile beside them: they print what they are told. */
const read = (name: string) => readFileSync(join(import.meta.dirname, '../../test/multiboot', name))
const text = (value: string) => new TextEncoder().encode(value)

function run(name: string, options: Partial<MultibootOptions> = {}, times = 1): string[] {
  const { boot, cpu, text: printed } = pc(16)
  const loader = multiboot({ kernel: read(name), ...options })
  for (let n = 0; n < times; n++) {
    boot(loader)
    while (!cpu.halted) expect(cpu.run(100_000).reason).not.toBe('shutdown')
  }
  return printed().split('\n')
}

const memoryMap = [
  ...['map 00000000', '  bytes 0009fc00', '  kind 00000001'],
  ...['map 0009fc00', '  bytes 00000400', '  kind 00000002'],
  ...['map 000f0000', '  bytes 00010000', '  kind 00000002'],
  ...['map 00100000', '  bytes 00f00000', '  kind 00000001'],
]

test('a kernel of gcc finds its command line, modules, memory map and section headers, as it does after a reset', () => {
  const modules = [
    { bytes: text('first'), cmdline: 'one a=b' },
    { bytes: text('x'.repeat(5000)), cmdline: 'two' },
    { bytes: new Uint8Array(0) },
  ]
  const lines = [
    ...['magic 2badb002', 'flags 0000026d', 'lower 0000027f', 'upper 00003c00', 'eflags 00000000', 'bss 00000000'],
    ...['data 600df00d', 'kernel root=/dev/ram', 'one a=b at page offset 00000000', 'first'],
    ...['two at page offset 00000000', 'x'.repeat(5000), ' at page offset 00000000', ''],
    ...[...memoryMap, '.text at 00100000', 'vmexit'],
  ]
  const printed = run('kernel32', { cmdline: 'kernel root=/dev/ram', modules }, 2)
  expect(printed).toEqual([...lines, ...lines, ''])
})

test('a kernel without ELF header is loaded by the addresses in its Multiboot header', () => {
  expect(run('raw')).toEqual([
    ...['magic 2badb002', 'flags 00000245', 'lower 0000027f', 'upper 00003c00', 'eflags 00000000', 'bss 00000000'],
    ...['data 600df00d', '', ...memoryMap, 'vmexit', ''],
  ])
})

test('a kernel that wants a screen is told of the one there is', () => {
  expect(run('video', { screen: { kind: 'text' } }).slice(-4)).toEqual([
    ...['screen 000b8000', '  columns 00000050', '  type 00000002', ''],
  ])
  const screen = {
    kind: 'framebuffer',
    address: 0xfd00_0000,
    width: 640,
    height: 480,
    stride: 2560,
    depth: 32,
  } as const
  expect(run('video', { screen }).slice(-4)).toEqual([
    ...['screen fd000000', '  columns 00000280', '  type 00000001', ''],
  ])
})

test('symbols are loaded behind the kernel for it to look at', () => {
  const kernel = read('kernel32')
  const image = pc(16).boot(multiboot({ kernel }))
  const symbols = image.pieces.find(({ name }) => name === 'section .symtab')!
  expect(symbols.address).toBeGreaterThanOrEqual(MIB)
  expect(symbols.bytes.length % 16).toBe(0)
  expect(kernel).toEqual(read('kernel32'))
})
