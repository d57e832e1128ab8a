import { expect, test } from 'vitest'
import { codeOf, MIB, pc } from '../test/machine.ts'
import { rom } from './rom.ts'

/** A ROM of `kib` whose reset vector jumps to F000:0000, where `code` is. */
function image(kib: number, code: readonly number[] = [0xf4]): Uint8Array {
  const bytes = new Uint8Array(kib * 1024).fill(0xff)
  bytes.set(code, bytes.length - 0x1_0000)
  bytes.set([0xea, 0, 0, 0, 0xf0], bytes.length - 16)
  return bytes
}

test.each([64, 128, 256, 512, 4096, 16384])('firmware of %i KiB runs from below 4 GiB, and then below 1 MiB', (kib) => {
  const { boot, cpu, memory } = pc(2)
  boot(rom({ image: image(kib) }))
  expect([cpu.state.segBase(1), cpu.state.ip]).toEqual([0xffff_0000, 0xfff0])
  cpu.run(10)
  expect([cpu.halted, cpu.state.segBase(1), cpu.state.ip]).toEqual([true, 0xf_0000, 1])
  expect(memory.read8(2 ** 32 - kib * 1024)).toBe(kib === 64 ? 0xf4 : 0xff)
  expect(memory.read8(MIB - 128 * 1024)).toBe(kib === 64 ? 0 : 0xff)
})

test('the guest cannot write it, until a bridge lets it, and after a reset it is whole again', () => {
  const { boot, memory } = pc(2)
  const decided = boot(rom({ image: image(128) }))
  const write = () => {
    for (const address of [0xffff_0000, 0xf_0000, 0xc_0000]) memory.write8(address, 0x42)
    return [0xffff_0000, 0xf_0000, 0xc_0000].map((address) => memory.read8(address))
  }
  expect(write()).toEqual([0xf4, 0xf4, 0])
  memory.setReadOnly(0xc_0000, 0x4_0000, false)
  expect(write()).toEqual([0xf4, 0x42, 0x42])
  boot(() => decided)
  expect(write()).toEqual([0xf4, 0xf4, 0])
  expect(memory.ranges.filter(({ kind }) => kind === 'rom').length).toBe(1)
})

test('ROMs of adapters are where firmware looks for them', () => {
  const { boot, memory } = pc(2)
  const bytes = Uint8Array.of(0x55, 0xaa, 1)
  boot(rom({ image: image(128), optionRoms: [0xc_0000, 0xc_8000].map((address) => ({ address, bytes })) }))
  expect([memory.read16(0xc_0000), memory.read16(0xc_8000)]).toEqual([0xaa55, 0xaa55])
})

const option = (address: number, bytes = Uint8Array.of(0x55, 0xaa)) =>
  rom({ image: image(128), optionRoms: [{ address, bytes }] })
test.each([
  ['an empty ROM', rom({ image: new Uint8Array(0) })],
  ['one of 32 KiB', rom({ image: image(64).subarray(0x8000) })],
  ['one that is cut off', rom({ image: image(128).subarray(0, 100_000) })],
  ['one of 32 MiB', rom({ image: image(32768) })],
  ['one with nothing at its end', rom({ image: new Uint8Array(0x1_0000).fill(0xff) })],
  ['a ROM of an adapter in RAM', option(0x8_0000)],
  [
    'one over the firmware',
    option(
      0xd_f800,
      Uint8Array.from({ length: 4096 }, (_, i) => [0x55, 0xaa][i] ?? 0),
    ),
  ],
  ['one between two steps', option(0xc_0400)],
  ['one that is none', option(0xc_0000, Uint8Array.of(1))],
] as const)('%s is refused', (_, loader) => {
  expect(codeOf(() => pc(2).boot(loader))).toBe('rom-image')
})
