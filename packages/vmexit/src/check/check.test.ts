import { definePart } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { busyGuest } from '../../test/busy-guest.ts'
import { createPc, type PcOptions, raw, type VmTechnique } from '../index.ts'
import { checkEquivalence, comparePcs } from './check.ts'

const ways: readonly VmTechnique[] = [
  { technique: 'software-emulation' },
  { technique: 'vtx', mmu: 'nested-paging' },
  { technique: 'vtx', mmu: 'shadow-paging' },
]

const program = (hex: string, mode: 'real' | 'flat' = 'real'): PcOptions => ({
  memory: '2 MiB',
  display: 'none',
  loader: raw({
    image: Uint8Array.from(hex.match(/[0-9a-f]{2}/g)!, (pair) => Number.parseInt(pair, 16)),
    address: 0x7c00,
    mode,
  }),
})

/** mov cx,50; L: add bx,cx; loop L; in al,0e5h; mov bl,al; mov al,0; out 0f4h,al; hlt */
const readsPort = program('b93200 01cb e2fc e4e5 88c3 b000 e6f4 f4')
/** The same with CPUID of leaf 80000002h for IN. */
const readsBrand = program('b93200 01cb e2fc 66b802000080 0fa2 b000 e6f4 f4')

/**
 * mov esp,9800h; gate of vector 20h; lidt; mov [9000h],83h; PSE; mov cr3,9000h; paging on; int 20h; mov al,0; out 0f4h,al; hlt
 * handler: inc ebx; iretd
 */
const stackInDirectory = program(
  `bc00980000 b8567c0000 66a300810000 8cc9 66890d02810000 c70504810000008e0000 0f011d587c0000 c7050090000083000000 b810000000 0f22e0 b800900000 0f22d8 0f20c00d00000080 0f22c0 cd20 b000 e6f4 f4 43cf ff0700800000`,
  'flat',
)

describe.each(ways)('$technique, MMU strategy $mmu', (way) => {
  test.each([100, 1_000_000])('a guest is equal to its end, looked at every %d instructions', async (every) => {
    const found = await checkEquivalence({ ...busyGuest, ...way }, { every })
    expect(found).toMatchObject({ equal: true, stop: 'off', ...way })
    expect(found.divergence).toBeUndefined()
    expect(found.instructions).toBeGreaterThan(5_000)
    expect(found.checkpoints).toBe(Math.ceil(found.instructions / every))
    expect(found.tolerated.staleTranslations).toEqual([])
  })

  test('an event whose delivery stores into a page table is delivered once', async () => {
    const found = await checkEquivalence({ ...stackInDirectory, ...way } as PcOptions & VmTechnique, { every: 1 })
    expect(found.divergence).toBeUndefined()
    expect(found).toMatchObject({ equal: true, stop: 'off', instructions: 20 })
  })

  test('a port that answers differently is named by the instruction that reads it', async () => {
    let reads = 0
    const restless = definePart({
      name: 'restless',
      needs: ['ports'],
      build: ({ ports }) => {
        ports.claim('restless', 0xe5, { size: 1, read: () => reads++ & 0xff, write: () => {} })
        return {}
      },
    })
    const found = await checkEquivalence({ ...readsPort, ...way, devices: [restless] } as PcOptions & VmTechnique)
    expect(found).toMatchObject({ equal: false, stop: 'diverged', instructions: 101 })
    expect(found.divergence).toMatchObject({
      after: 101,
      linear: 0x7c07,
      bytes: [0xe4, 0xe5],
      text: 'in al, 0xe5',
      reason: { kind: 'device-read' },
    })
    expect(found.divergence!.differences.map(({ name }) => name)).toEqual(['eax'])
  })

  test('a CPU that says something else of itself is named by CPUID', async () => {
    await using native = await createPc(readsBrand)
    await using vm = await createPc({ ...readsBrand, ...way } as PcOptions)
    const cpu = vm.system.find('x86')!
    const { cpuid } = cpu.model
    Object.assign(cpu.model, {
      cpuid: (...[core, leaf, subleaf, out]: Parameters<typeof cpuid>) => {
        cpuid.call(cpu.model, core, leaf, subleaf, out)
        out[1]! ^= 0x20
      },
    })
    const found = await comparePcs({ native, vm }, {})
    expect(found.divergence).toMatchObject({ after: 102, text: 'cpuid', reason: { kind: 'identification' } })
  })

  test('a flag that is wrong after an instruction is found there', async () => {
    await using native = await createPc(readsBrand)
    await using vm = await createPc({ ...readsBrand, ...way } as PcOptions)
    const cpu = vm.system.find('cpu')!
    const run = cpu.run.bind(cpu)
    cpu.run = (budget) => {
      const isBefore = cpu.retired <= 60
      const exit = run(budget)
      if (isBefore && cpu.retired > 60) vm.inspectCpu().state.eflags ^= 1
      return exit
    }
    const { divergence } = await comparePcs({ native, vm }, {})
    expect(divergence).toMatchObject({ after: 60, linear: 0x7c05, text: expect.stringContaining('loop') })
    expect(divergence!.differences.map(({ name }) => name)).toEqual(['eflags'])
  })
})
