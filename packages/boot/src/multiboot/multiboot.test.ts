import { expect, test } from 'vitest'
import { codeOf, MIB, pc } from '../../test/machine.ts'
import { smallElf, type WantedElf } from '../../test/small-elf.ts'
import { type MultibootOptions, multiboot } from './multiboot.ts'

/** A header of Multiboot 1 with its checksum. */
function header(flags: number, addresses: readonly number[] = []): number[] {
  const words = [0x1bad_b002, flags, -(0x1bad_b002 + flags), ...addresses]
  return words.flatMap((word) => [0, 8, 16, 24].map((shift) => (word >>> shift) & 0xff))
}

const elf = (flags: number, wanted: WantedElf = {}) => smallElf({ code: Uint8Array.from(header(flags)), ...wanted })
/** The header is at 16; then 100 bytes. */
const flat = (...addresses: number[]) =>
  Uint8Array.from([...new Array(16).fill(0x90), ...header(0x1_0000, addresses), ...new Array(100).fill(0xf4)])
const boot = (kernel: Uint8Array, options: Partial<MultibootOptions> = {}, mib = 8) =>
  pc(mib).boot(multiboot({ kernel, ...options }))

test('the kernel begins with the magic number and the information structure', () => {
  const { boot, cpu, memory } = pc(8)
  boot(multiboot({ kernel: elf(3) }))
  expect(cpu.state.reg32(0) >>> 0).toBe(0x2bad_b002)
  expect(memory.read32((cpu.state.reg32(3) >>> 0) + 4)).toBe(639)
})

test('by addresses, only what they say is loaded, and the rest is zeros', () => {
  const { boot, memory } = pc(8)
  memory.write32(0x20_0078, -1)
  const { entry, pieces } = boot(multiboot({ kernel: flat(0x20_0000 + 8, 0x20_0000, 0x20_0078, 0x20_1000, 0x20_0050) }))
  expect(entry).toMatchObject({ mode: 'flat', eip: 0x20_0050 })
  expect(pieces.find(({ name }) => name === 'kernel')).toMatchObject({ address: 0x20_0000, size: 0x1000 })
  expect([memory.read32(0x20_0008), memory.read8(0x20_0077), memory.read32(0x20_0078)]).toEqual([0x1bad_b002, 0xf4, 0])
})

test('modules lie on pages of their own behind the kernel, and leave it and each other alone', () => {
  const image = boot(elf(1, { memoryBytes: 0x1801 }), {
    modules: [0, 1, 4096, 4097].map((length) => ({ bytes: new Uint8Array(length) })),
  })
  const modules = image.pieces.filter(({ name }) => name.startsWith('module'))
  expect(modules.map(({ address }) => address)).toEqual([0x10_2000, 0x10_3000, 0x10_4000, 0x10_5000])
})

test.each([
  ['no header', () => boot(smallElf()), 'kernel-unknown'],
  ['an empty file', () => boot(new Uint8Array(0)), 'kernel-unknown'],
  [
    'a header with a wrong checksum',
    () => boot(elf(3).map((byte, i, all) => (i === all.length - 1 ? 1 : byte))),
    'kernel-unknown',
  ],
  [
    'a header that is too far',
    () => boot(Uint8Array.from([...new Array(8192).fill(0), ...flat(8, 0, 0, 0, 0)])),
    'kernel-unknown',
  ],
  ['Multiboot 2', () => boot(Uint8Array.of(0xd6, 0x50, 0x52, 0xe8, 0, 0, 0, 0, 0, 0, 0, 0)), 'kernel-unsupported'],
  ['features that nobody knows', () => boot(elf(8)), 'kernel-unsupported'],
  ['a screen where there is none', () => boot(elf(4)), 'kernel-unsupported'],
  ['an ELF file of another machine', () => boot(elf(0, { machine: 8 })), 'kernel-unsupported'],
  ['no ELF file and no addresses', () => boot(Uint8Array.from(header(0))), 'kernel-unknown'],
  [
    'an ELF file of 64 bits',
    () => boot(Uint8Array.from([...smallElf({ bits: 64 }), ...header(0)])),
    'kernel-unsupported',
  ],
  [
    'addresses that end within the file',
    () => boot(Uint8Array.from(header(0x1_0000, [0x10_0000]))),
    'kernel-truncated',
  ],
  ['a load address behind the header', () => boot(flat(0x10_0000, 0x10_0010, 0, 0, 0x10_0020)), 'kernel-unsupported'],
  ['a load address before the file', () => boot(flat(0x10_0100, 0x10_0000, 0, 0, 0x10_0020)), 'kernel-unsupported'],
  ['an end before the beginning', () => boot(flat(0x10_0008, 0x10_0000, 1, 0, 0x10_0020)), 'kernel-unsupported'],
  ['more than the file has', () => boot(flat(0x10_0008, 0x10_0000, 0x10_1000, 0, 0x10_0020)), 'kernel-truncated'],
  ['a BSS that ends before the data', () => boot(flat(0x10_0008, 0x10_0000, 0, 1, 0x10_0020)), 'kernel-unsupported'],
  ['an entry elsewhere', () => boot(flat(0x10_0008, 0x10_0000, 0, 0, 0x20_0000)), 'kernel-unsupported'],
  ['a kernel in the adapters', () => boot(elf(0, { physical: 0xa_0000, entry: 0xa_0000 })), 'memory-too-small'],
  ['a kernel larger than memory', () => boot(elf(0, { memoryBytes: 8 * MIB })), 'memory-too-small'],
  [
    'a module larger than memory',
    () => boot(elf(0), { modules: [{ bytes: new Uint8Array(8 * MIB) }] }),
    'module-too-large',
  ],
] as const)('%s is refused', (_, act, code) => {
  expect(codeOf(act)).toBe(code)
})

test('a kernel may lie in low memory: what it is told lies elsewhere', () => {
  const image = boot(elf(0, { physical: 0x1000, entry: 0x1000, memoryBytes: 0x9_e000 }))
  const info = image.pieces.find(({ name }) => name === 'Multiboot information')!
  expect(info.address).toBeGreaterThanOrEqual(0x9_f000)
})

test('a damaged kernel is refused or loaded: 3,000 times', () => {
  let seed = 99
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const originals = [elf(3), flat(0x10_0008, 0x10_0000, 0, 0x10_1000, 0x10_0020)]
  const target = { ranges: pc(8).memory.ranges }
  for (let round = 0; round < 3000; round++) {
    const kernel = originals[round % 2]!.slice()
    for (let n = 0; n <= random(3); n++) kernel[random(kernel.length)] = random(256)
    codeOf(() => multiboot({ kernel })(target))
  }
})
