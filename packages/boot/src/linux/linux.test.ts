import { pcRanges } from '@vmexit/memory'
import { Gpr, Layout } from '@vmexit/x86'
import { describe, expect, test } from 'vitest'
import { bzImage, type WantedKernel } from '../../test/bz-image.ts'
import { codeOf, MIB, pc, textAt } from '../../test/machine.ts'
import { describeBoot } from '../describe.ts'
import type { BootImage } from '../image.ts'
import { type LinuxOptions, linux } from './linux.ts'

const load = (kernel: WantedKernel, options: Partial<LinuxOptions> = {}, mib = 32): BootImage =>
  linux({ kernel: bzImage(kernel), ...options })({ ranges: pcRanges({ ram: mib * MIB }) })
const piece = (image: BootImage, name: string) => image.pieces.find((candidate) => candidate.name === name)
const zeroPage = (image: BootImage) => {
  const { bytes } = piece(image, 'zero page')!
  return new DataView(bytes.buffer, bytes.byteOffset)
}

describe('a kernel that looks around', () => {
  // mov eax,ds; mov [700h],eax; mov [704h],esi; mov eax,[esi+228h]; mov [708h],eax; mov ds,[esi-…]: reload from the GDT
  const code = Uint8Array.from(
    '8cd8 a300070000 893504070000 8b8628020000 a308070000 b918000000 8ed9 8ed1 f4'
      .replaceAll(' ', '')
      .match(/../g)!
      .map((digits) => Number.parseInt(digits, 16)),
  )
  test('finds the mode, the zero page and its command line, and again after a reset', () => {
    const { boot, cpu, memory } = pc()
    const image = boot(linux({ kernel: bzImage({ code }), append: 'console=ttyS0 quiet' }))
    expect(image.title).toBe('Linux 6.1.0-test')
    const look = () => {
      expect([Gpr.ax, Gpr.bx, Gpr.cx, Gpr.dx, Gpr.bp, Gpr.di].map((n) => cpu.state.reg32(n))).toEqual([
        0, 0, 0, 0, 0, 0,
      ])
      expect([cpu.state.selector(1), cpu.state.selector(2), cpu.state.get32(Layout.cr0)]).toEqual([0x10, 0x18, 0x11])
      expect(cpu.state.eflags).toBe(2)
      cpu.run(100)
      expect([cpu.halted, memory.read32(0x700)]).toEqual([true, 0x18])
      expect(textAt(memory, memory.read32(0x708))).toBe('console=ttyS0 quiet')
      expect(memory.read32(memory.read32(0x704) + 0x202)).toBe(0x5372_6448)
    }
    look()
    memory.writeBytes(image.entry.mode === 'flat' ? image.entry.eip : 0, new Uint8Array(64))
    memory.write32(0x708, 0)
    boot(() => image)
    look()
  })
})

describe('the zero page', () => {
  test('has the header by its real length, and nothing of the code behind it', () => {
    const page = zeroPage(load({}))
    expect([page.getUint16(0x1fe, true), page.getUint8(0x201), page.getUint8(0x26b)]).toEqual([0xaa55, 0x6a, 0])
    expect([page.getUint8(0x26c), page.getUint8(0x28f), page.getUint8(0x290)]).toEqual([0, 0, 0])
    // Protocol 2.03: a short header, behind which there is code.
    expect(zeroPage(load({ protocol: 0x0203, headerEnd: 0x2e })).getUint32(0x230, true)).toBe(0)
  })

  test('a header that claims to reach into the memory map does not', () => {
    const page = zeroPage(load({ headerEnd: 0xff }))
    expect([page.getUint32(0x290, true), page.getUint32(0x2d0, true)]).toEqual([0, 0])
  })

  test('a random seed is a record of type 9 that the kernel finds', () => {
    const image = load({}, { randomSeed: Uint8Array.of(1, 2, 3, 4) })
    const record = image.pieces.find(({ name }) => name === 'random seed')!
    expect(zeroPage(image).getUint32(0x250, true)).toBe(record.address)
    expect([...record.bytes]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 9, 0, 0, 0, 4, 0, 0, 0, 1, 2, 3, 4])
    // Protocol 2.08 knows no such records.
    expect(
      load({ protocol: 0x0208 }, { randomSeed: new Uint8Array(4) }).pieces.some(({ name }) => name === 'random seed'),
    ).toBe(false)
  })

  test('names the loader, the heap, where the kernel is, and no initrd', () => {
    const page = zeroPage(load({}))
    expect([page.getUint8(0x210), page.getUint8(0x211), page.getUint32(0x214, true)]).toEqual([0xff, 0x81, 0x100_0000])
    expect([page.getUint16(0x1fa, true), page.getUint16(0x224, true)]).toEqual([0xffff, 0xde00])
    expect([page.getUint32(0x218, true), page.getUint32(0x21c, true)]).toEqual([0, 0])
  })

  test('has a memory map without firmware, tables and what is reserved', () => {
    const image = load(
      {},
      {
        tables: [
          { address: 0xf_0000, bytes: new TextEncoder().encode('RSD PTR ............') },
          { address: 0x1f0_0000, bytes: new TextEncoder().encode('FACP') },
          { address: 0x1f0_1000, bytes: new TextEncoder().encode('FACS') },
        ],
        reserved: [{ start: 0xfec0_0000, bytes: 0x1000 }],
      },
      5 * 1024,
    )
    expect(image.memoryMap).toEqual([
      { start: 0, bytes: 0x9_fc00, kind: 'usable' },
      { start: 0x9_fc00, bytes: 0x400, kind: 'reserved' },
      { start: 0xf_0000, bytes: 0x1_0000, kind: 'reserved' },
      { start: 0x10_0000, bytes: 0x1e0_0000, kind: 'usable' },
      { start: 0x1f0_0000, bytes: 0x1000, kind: 'acpi' },
      { start: 0x1f0_1000, bytes: 0x1000, kind: 'nvs' },
      { start: 0x1f0_2000, bytes: 0xc000_0000 - 0x1f0_2000, kind: 'usable' },
      { start: 0xfec0_0000, bytes: 0x1000, kind: 'reserved' },
      { start: 2 ** 32, bytes: 2 * 2 ** 30, kind: 'usable' },
    ])
    const page = zeroPage(image)
    expect([page.getUint8(0x1e8), page.getUint32(0x70, true), page.getUint32(0x1e0, true)]).toEqual([
      9, 0xf_0000, 0x7800,
    ])
    const entry = (i: number) => [0, 8].map((at) => Number(page.getBigUint64(0x2d0 + i * 20 + at, true)))
    expect([entry(8), page.getUint32(0x2d0 + 8 * 20 + 16, true)]).toEqual([[2 ** 32, 2 * 2 ** 30], 1])
    expect([4, 5].map((i) => page.getUint32(0x2d0 + i * 20 + 16, true))).toEqual([3, 4])
  })

  test('says what screen there is', () => {
    const text = zeroPage(load({}, { screen: { kind: 'text' } }))
    expect([text.getUint8(6), text.getUint8(7), text.getUint8(14), text.getUint8(15)]).toEqual([3, 80, 25, 1])
    const lfb = {
      kind: 'framebuffer',
      address: 0xe000_0000,
      width: 1024,
      height: 768,
      stride: 4096,
      depth: 32,
    } as const
    const graphics = zeroPage(load({}, { screen: lfb }))
    expect([graphics.getUint8(15), graphics.getUint16(0x12, true), graphics.getUint32(0x18, true)]).toEqual([
      0x23, 1024, 0xe000_0000,
    ])
    expect([graphics.getUint32(0x1c, true), graphics.getUint16(0x26, true)]).toEqual([48, 0x1008])
    expect(zeroPage(load({})).getUint8(15)).toBe(0)
  })
})

describe('places', () => {
  const address = (image: BootImage, name = 'kernel') => piece(image, name)?.address
  test.each([
    ['a relocatable kernel, where it likes', {}, 0x100_0000],
    ['one that likes no place of its own', { preferredAddress: 0n, alignment: 0x1000 }, 0x10_0000],
    ['one that likes an address that is not aligned', { preferredAddress: 0x120_0001n }, 0x140_0000],
    ['one that cannot be relocated', { relocatable: 0, preferredAddress: 0x40_0000n }, 0x10_0000],
    ['one that does not say', { protocol: 0x0209 }, 0x10_0000],
    ['one of protocol 2.02', { protocol: 0x0202, headerEnd: 0x2a }, 0x10_0000],
  ] as const)('%s', (_, kernel, expected) => {
    const image = load(kernel)
    expect(address(image)).toBe(expected)
    expect(image.entry).toMatchObject({ mode: 'flat', eip: expected })
  })

  test.each([
    ['at the end of memory', {}, 32, 32 * MIB - 0x2000],
    ['no higher than the kernel allows', { ramdiskMaximum: 0x1ff_0fff - 0x10_0000 }, 32, 0x1ef_1000 - 0x2000],
    ['below 3.5 GiB for a kernel of protocol 2.02', { protocol: 0x0202, headerEnd: 0x2a }, 2048, 0x3800_0000 - 0x2000],
    ['below a kernel that needs all above it', { initSize: 0xf0_0000 }, 31, 0x100_0000 - 0x2000],
  ] as const)('the initrd is %s', (_, kernel, mib, expected) => {
    const image = load(kernel, { initrd: new Uint8Array(0x1801) }, mib)
    expect(address(image, 'initrd')).toBe(expected)
    expect([zeroPage(image).getUint32(0x218, true), zeroPage(image).getUint32(0x21c, true)]).toEqual([expected, 0x1801])
  })

  test('the last bytes of a protected-mode part that is rounded up may be missing, and a signature behind it is left out', () => {
    const code = new Uint8Array(40)
    expect(piece(load({ code, systemSize: 3 }), 'kernel')?.bytes.length).toBe(40)
    expect(piece(load({ code, systemSize: 2 }), 'kernel')?.bytes.length).toBe(32)
  })
})

describe('refuses', () => {
  const cut = (length: number) => () =>
    linux({ kernel: bzImage().subarray(0, length) })({ ranges: pcRanges({ ram: 2 ** 25 }) })
  const bytes =
    (...values: number[]) =>
    () =>
      linux({ kernel: Uint8Array.from({ length: 4096 }, (_, i) => values[i] ?? 0) })({
        ranges: pcRanges({ ram: 2 ** 25 }),
      })
  test.each([
    ['an empty file', cut(0), 'kernel-unknown'],
    ['a file that ends before the header', cut(0x200), 'kernel-unknown'],
    ['a kernel cut off in its setup', cut(1000), 'kernel-truncated'],
    ['a kernel without a protected-mode part', cut(2560), 'kernel-truncated'],
    ['half a kernel', () => load({ systemSize: 0x1000 }), 'kernel-truncated'],
    ['a compressed file', bytes(0x1f, 0x8b), 'kernel-unknown'],
    ['a damaged vmlinux', bytes(0x7f, 0x45, 0x4c, 0x46, 1, 1, 1), 'elf-format'],
    ['an old protocol', () => load({ protocol: 0x0201 }), 'kernel-unsupported'],
    ['a zImage', () => load({ loadFlags: 0 }), 'kernel-unsupported'],
    ['a kernel of 64 bits', () => load({ extendedLoadFlags: 1 }), 'kernel-unsupported'],
    ['an alignment to 3', () => load({ alignment: 3 }), 'kernel-unsupported'],
    [
      'a command line that is too long',
      () => load({ commandLineSize: 10 }, { append: '12345678901' }),
      'command-line-too-long',
    ],
    [
      'a command line of a megabyte',
      () => load({ commandLineSize: 2 ** 31 }, { append: 'x'.repeat(MIB) }),
      'command-line-too-long',
    ],
    ['too little memory for the kernel', () => load({}, {}, 19), 'memory-too-small'],
    ['a kernel that wants 4 GiB', () => load({ initSize: 2 ** 32 - 1 }), 'memory-too-small'],
    ['a kernel beyond 4 GiB', () => load({ preferredAddress: 2n ** 40n }), 'memory-too-small'],
    ['an initrd larger than memory', () => load({}, { initrd: new Uint8Array(30 * MIB) }), 'initrd-too-large'],
    [
      'an initrd where the kernel allows none',
      () => load({ ramdiskMaximum: 0xfff }, { initrd: new Uint8Array(9) }),
      'initrd-too-large',
    ],
    ['a table in the air', () => load({}, { tables: [{ address: 2 ** 31, bytes: new Uint8Array(9) }] }), 'boot-table'],
    [
      'a table over another',
      () => load({}, { tables: [0, 8].map((n) => ({ address: 0xf0000 + n, bytes: new Uint8Array(9) })) }),
      'boot-table',
    ],
    [
      '64 KiB of memory',
      () => linux({ kernel: bzImage() })({ ranges: [{ kind: 'ram', start: 0, bytes: 65536 }] }),
      'memory-too-small',
    ],
  ] as const)('%s', (_, act, code) => {
    expect(codeOf(act)).toBe(code)
  })

  test('and says what to do', () => {
    const initrd = new Uint8Array(12 * MIB)
    const small = 'the kernel needs RAM from 0x1000000 to 0x1400000, and not all of that is free RAM'
    expect(() => load({}, {}, 19)).toThrow(`${small}: give the machine at least 20 MiB, in one piece`)
    expect(() => load({}, { initrd }, 19)).toThrow(`${small}: give the machine at least 32 MiB, in one piece`)
    expect(() => load({}, {}, 20)).not.toThrow()
    expect(() => load({ initSize: 0x280_0000 }, { initrd: new Uint8Array(16 * MIB) }, 56)).toThrow(
      'the initrd of 16 MiB does not fit beside the kernel below 0x80000000: give the machine at least 72 MiB, in one piece',
    )
    expect(() => load({ initSize: 0x280_0000 }, { initrd: new Uint8Array(16 * MIB) }, 72)).not.toThrow()
    expect(() => load({ ramdiskMaximum: 0x1ff_ffff }, { initrd: new Uint8Array(16 * MIB) }, 256)).toThrow(
      'a smaller initrd',
    )
    expect(() => bytes(0x1f, 0x8b)()).toThrow('it is compressed by gzip, 4096 bytes: give a vmlinuz')
  })
})

test('a damaged kernel is refused, or what is loaded is in RAM: 5,000 times', () => {
  let seed = 4711
  const random = (below: number) => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const ranges = pcRanges({ ram: 48 * MIB })
  const original = bzImage({ code: new Uint8Array(1000) })
  const codes = new Set<string>()
  for (let round = 0; round < 5000; round++) {
    const kernel = original.slice(0, random(4) === 0 ? random(original.length) : original.length)
    for (let n = 0; n <= random(3); n++) kernel[0x1f1 + random(0x80)] = random(2) === 0 ? random(256) : 0xff
    const code = codeOf(() => {
      const image = linux({ kernel, initrd: new Uint8Array(5000), append: 'quiet' })({ ranges })
      for (const { address, bytes } of image.pieces) {
        const inside = [...ranges, ...image.ranges].some((range) => {
          return range.start <= address && address + bytes.length <= range.start + range.bytes
        })
        expect(inside).toBe(true)
      }
    })
    codes.add(code)
  }
  expect([...codes].sort()).toEqual([
    'initrd-too-large',
    'kernel-truncated',
    'kernel-unknown',
    'kernel-unsupported',
    'memory-too-small',
    'nothing',
  ])
})

test('what was decided can be read', () => {
  expect(describeBoot(load({ code: new Uint8Array(5000) }, { initrd: new Uint8Array(MIB), append: 'quiet' }))).toBe(
    [
      'Linux 6.1.0-test',
      'in memory:',
      '  0000000400–00000004ff       256 B  BIOS data area',
      '  0000010000–0000010fff       4 KiB  zero page',
      '  0000011000–000001101f        32 B  descriptor table',
      '  0000020000–0000020005         6 B  command line',
      '  000009fc00–000009ffff       1 KiB  extended BIOS data area',
      '  00000c0000–00000fffff     256 KiB  option ROMs and firmware',
      '  0001000000–0001001387       5 KiB  kernel',
      '  0001f00000–0001ffffff       1 MiB  initrd',
      'memory map:',
      '  0000000000–000009fbff     639 KiB  usable',
      '  000009fc00–000009ffff       1 KiB  reserved',
      '  00000f0000–00000fffff      64 KiB  reserved',
      '  0000100000–0001ffffff      31 MiB  usable',
      'starts in flat protected mode at 0x1000000',
      '',
    ].join('\n'),
  )
})
