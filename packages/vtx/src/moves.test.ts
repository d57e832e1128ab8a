import { guest, raw } from '@vmexit/boot'
import { createMachine, createVm } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { shadowPaging } from '@vmexit/shadow-paging'
import { vmMemory } from '@vmexit/vmm'
import { x86 } from '@vmexit/x86'
import { describe, expect, it } from 'vitest'
import { vtx } from './part.ts'

const DEVICE = 0xf000_0000
const RESULTS = 0x5000
const SEEDS = 16

/** The same numbers each time: a linear congruential generator. */
function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
const dword = (value: number): number[] => [value & 255, (value >> 8) & 255, (value >> 16) & 255, (value >>> 24) & 255]

/** Opcodes with a ModRM byte, their immediate's bytes behind it. */
const FORMS: readonly (readonly [opcode: number[], immediate: number])[] = [
  [[0x88], 0],
  [[0x89], 0],
  [[0x66, 0x89], 0],
  [[0x8a], 0],
  [[0x8b], 0],
  [[0x66, 0x8b], 0],
  [[0xc6], 1],
  [[0xc7], 4],
  [[0x66, 0xc7], 2],
]

/** Registers but EBX, ESI, EDI and ESP take what the device says; EDI and EBX point at it, ESI is an index. */
function move(below: (n: number) => number): number[] {
  const at = below(8) === 0 ? 0xffd + below(3) : below(0x1f00)
  const choice = below(FORMS.length + 2)
  if (choice >= FORMS.length) {
    // MOV between the accumulator and an absolute address.
    const opcode = [[0xa0], [0xa1], [0x66, 0xa1], [0xa2], [0xa3], [0x66, 0xa3]][below(6)]!
    return [...opcode, ...dword(DEVICE + at)]
  }
  const [opcode, immediate] = FORMS[choice]!
  // Not BL and BH, which are EBX's.
  const byte = opcode[0] === 0x88 || opcode[0] === 0x8a
  const register = immediate > 0 ? 0 : [0, 1, 2, byte ? 4 : 5][below(4)]!
  const constant = Array.from({ length: immediate }, () => below(256))
  // [ebx+disp32], or [edi+esi*2+disp32].
  const operand = below(2) ? [0x83 | (register << 3)] : [0x84 | (register << 3), 0x77]
  const prefix = below(6) === 0 ? [0x3e] : []
  return [...prefix, ...opcode, ...operand, ...dword(at), ...constant]
}

/** CR4.PSE, and a directory at 6000h of large pages: the first of memory, and one for the device, neither of them accessed. */
const paging: readonly number[] = [
  ...[0xc7, 5, ...dword(0x6000), ...dword(0x83)],
  ...[0xc7, 5, ...dword(0x6000 + (DEVICE >>> 22) * 4), ...dword(DEVICE | 0x83)],
  ...[0x0f, 0x20, 0xe0, 0x0c, 0x10, 0x0f, 0x22, 0xe0, 0xb8, ...dword(0x6000), 0x0f, 0x22, 0xd8],
  ...[0x0f, 0x20, 0xc0, 0x0d, ...dword(0x8000_0000), 0x0f, 0x22, 0xc0],
]
/** The device's entry, with its flags, to the results: mov eax,[entry]; mov [results+40],eax. */
const flags: readonly number[] = [0xa1, ...dword(0x6000 + (DEVICE >>> 22) * 4), 0xa3, ...dword(RESULTS + 40)]

function program(seed: number, pages: boolean): number[] {
  const below = numbers(seed)
  const setUp = [0xbb, ...dword(DEVICE), 0xbf, ...dword(DEVICE - 2 * 16), 0xbe, ...dword(16)]
  const moves = Array.from({ length: 24 }, () => [...move(below), ...(pages ? flags : [])])
  // pushfd; pop eax comes last: arithmetic flags, and no RF.
  const show = [0, 1, 2, 3, 5, 6, 7].flatMap((reg, n) => [0x89, 5 | (reg << 3), ...dword(RESULTS + 4 * n)])
  const last = [0x9c, 0x58, 0xa3, ...dword(RESULTS + 36), 0xf4]
  return [0xbc, ...dword(0x8000), ...(pages ? paging : []), ...setUp, ...moves.flat(), ...show, ...last]
}

/** What a guest has found and done: its results, and each access of the device with the time of it. */
async function run(image: readonly number[], mmu: 'none' | 'nested' | 'shadow') {
  const loader = guest(raw({ image: Uint8Array.from(image), address: 0x1_0000, mode: 'flat' }))
  const machine = await createMachine({
    memory: ram('12 MiB'),
    cpu: mmu === 'none' ? x86() : x86({ vmx: true }),
    ...(mmu === 'none' ? { devices: [loader] } : {}),
  } as never)
  const vm =
    mmu === 'none'
      ? machine
      : await createVm(
          machine as never,
          {
            memory: vmMemory('8 MiB'),
            execution: vtx(),
            mmu: mmu === 'nested' ? nestedPaging() : shadowPaging(),
            guest: loader,
          } as never,
        )
  const system = vm as unknown as Awaited<
    ReturnType<typeof createMachine<{ memory: ReturnType<typeof ram>; cpu: ReturnType<typeof x86> }>>
  >
  const log: string[] = []
  const clock = system.get('clock')
  system.get('mmio').claim('device', DEVICE, {
    size: 0x2000,
    read(offset, width) {
      log.push(`${clock.now}: read ${width} at ${offset.toString(16)}`)
      return (Math.imul(offset + width, 0x9e37_79b1) >>> 0) % 2 ** (8 * width)
    },
    write: (offset, width, value) => void log.push(`${clock.now}: ${offset.toString(16)} = ${value} (${width})`),
  })
  const stop = await system.run({ instructions: 10_000 })
  const results = new Uint8Array(64)
  system.get('memory').read(RESULTS, results)
  const emulated = system.get('counters').snapshot().emulated ?? 0
  return { found: { reason: stop.reason, retired: stop.retired, log, results: [...results] }, emulated }
}

describe.each(['nested', 'shadow'] as const)('MOVs of a guest at a device, with %s paging', (mmu) => {
  it.each([false, true])('do what they do on the bare machine, with pages: %s', async (pages) => {
    let accesses = 0
    for (let seed = 1; seed <= SEEDS; seed++) {
      const image = program(seed, pages)
      const bare = await run(image, 'none')
      expect(bare.found.log.length).toBeGreaterThanOrEqual(24)
      const virtual = await run(image, mmu)
      expect(virtual.found).toEqual(bare.found)
      accesses += virtual.emulated
    }
    expect(accesses).toBeGreaterThanOrEqual(24 * SEEDS)
  })

  it('trap behind each of them when the guest steps through them, and stop at breakpoints on data', async () => {
    // Vector 1 at 9000h: inc dword [results+44]; pushed EIP to [results+48]; DR6 to [results+52]; iretd.
    const handler = [
      ...[0xff, 5, ...dword(RESULTS + 44), 0x50, 0x8b, 0x44, 0x24, 4, 0xa3, ...dword(RESULTS + 48)],
      ...[0x0f, 0x21, 0xf0, 0xa3, ...dword(RESULTS + 52), 0x31, 0xc0, 0x0f, 0x23, 0xf0, 0x58, 0xcf],
    ]
    const put = handler.flatMap((byte, n) => [0xc6, 5, ...dword(0x9000 + n), byte])
    // IDT at 7000h, its limit and base at 7100h; GDT at 7200h with flat code at 8, limit and base at 7300h.
    const table = [
      ...[0xc7, 5, ...dword(0x7008), ...dword(0x8_9000), 0xc7, 5, ...dword(0x700c), ...dword(0x8e00)],
      ...[0xc7, 5, ...dword(0x7100), ...dword(0x0fff), 0xc7, 5, ...dword(0x7102), ...dword(0x7000)],
      ...[0xc7, 5, ...dword(0x7208), ...dword(0xffff), 0xc7, 5, ...dword(0x720c), ...dword(0x00cf_9b00)],
      ...[0xc7, 5, ...dword(0x7300), ...dword(0x0f), 0xc7, 5, ...dword(0x7302), ...dword(0x7200)],
      ...[0x0f, 1, 0x15, ...dword(0x7300), 0x0f, 1, 0x1d, ...dword(0x7100)],
    ]
    // jmp 8:next
    const begin = [0xbc, ...dword(0x8000), ...put, ...table]
    const jump = [0xea, ...dword(0x1_0000 + begin.length + 7), 8, 0]
    // Single steps: pushfd; or byte [esp+1],1; popfd; then MOVs; pushfd; and byte [esp+1],feh; popfd.
    const steps = [0x9c, 0x80, 0x4c, 0x24, 1, 1, 0x9d, 0xa1, ...dword(DEVICE), 0xa3, ...dword(DEVICE + 4), 0x8a, 0x0d]
    const end = [...dword(DEVICE + 8), 0x9c, 0x80, 0x64, 0x24, 1, 0xfe, 0x9d]
    // DR0 = device+10h, DR7: a breakpoint on reads and writes of 4 bytes; mov eax,[device+10h]; nop.
    const watch = [0xb8, ...dword(DEVICE + 0x10), 0x0f, 0x23, 0xc0, 0xb8, ...dword(0xf_0701), 0x0f, 0x23, 0xf8]
    const image = [...begin, ...jump, ...steps, ...end, ...watch, 0xa1, ...dword(DEVICE + 0x10), 0x90, 0xf4]
    const bare = await run(image, 'none')
    const count = bare.found.results[44]!
    expect(count).toBeGreaterThan(6)
    expect((await run(image, mmu)).found).toEqual(bare.found)
  })
})
