import { describe, expect, test } from 'vitest'
import { codeOf, MIB, pc, textAt } from '../../test/machine.ts'
import { smallElf } from '../../test/small-elf.ts'
import { linux } from './linux.ts'

describe('an ELF vmlinux', () => {
  // mov [700h],esi; hlt
  const code = Uint8Array.of(0x89, 0x35, 0, 7, 0, 0, 0xf4)

  test('begins at its physical entry, with a zero page as a bzImage has', () => {
    const { boot, cpu, memory } = pc()
    memory.write32(0x40_0100, 0xdead)
    const kernel = smallElf({ entry: 0x40_0000, virtual: 0xc040_0000, physical: 0x40_0000, code, memoryBytes: 0x3000 })
    const image = boot(linux({ kernel, append: 'quiet', initrd: new Uint8Array(100) }))
    cpu.run(10)
    const page = memory.read32(0x700)
    expect([memory.read32(page + 0x202), memory.read16(page + 0x206)]).toEqual([0x5372_6448, 0x020c])
    expect(textAt(memory, memory.read32(page + 0x228))).toBe('quiet')
    expect(memory.read32(page + 0x218)).toBe(32 * MIB - 0x1000)
    expect([memory.read8(page + 0x210), memory.read8(page + 0x211), memory.read8(page + 0x1e8)]).toEqual([
      0xff, 0x81, 4,
    ])
    expect(memory.read32(0x40_0100)).toBe(0)
    expect(image.title).toBe('Linux (vmlinux)')
  })

  test('may give its entry by the virtual address', () => {
    const { boot } = pc()
    const kernel = smallElf({ entry: 0xc040_0002, virtual: 0xc040_0000, physical: 0x40_0000, code })
    expect(boot(linux({ kernel })).entry).toMatchObject({ eip: 0x40_0002 })
  })

  test.each([
    ['of another machine', { machine: 40 }, 'kernel-unsupported'],
    ['of 64 bits', { bits: 64 }, 'kernel-unsupported'],
    ['that is an object file', { type: 1 }, 'kernel-unsupported'],
    ['that begins nowhere', { entry: 0x1234 }, 'kernel-unsupported'],
    ['that lies below 1 MiB', { entry: 0x1000, physical: 0x1000 }, 'memory-too-small'],
    ['larger than memory', { memoryBytes: 33 * MIB }, 'memory-too-small'],
    ['that is truncated', { fileBytes: 0x1000, memoryBytes: 0x1000 }, 'elf-truncated'],
  ] as const)('%s is refused', (_, wanted, code) => {
    const kernel = smallElf({ entry: 0x40_0000, physical: 0x40_0000, ...wanted })
    expect(codeOf(() => pc().boot(linux({ kernel })))).toBe(code)
  })

  test('of another machine says which', () => {
    const kernel = smallElf({ machine: 183, entry: 0x40_0000, physical: 0x40_0000 })
    expect(() => pc().boot(linux({ kernel }))).toThrow(
      'an ELF file of 32 bits for aarch64: give one of 32 bits for i386',
    )
  })
})
