/** What a system call costs a guest with page-table isolation: its loads of CR3, and its reads, where tables are shadowed. */
import { expect, test } from 'vitest'
import { isolatingGuest } from '../test/isolating-guest.ts'
import { checkEquivalence, createPc, type PcOptions, type VmTechnique } from './index.ts'

const ENGINES = ['jit', 'interpreter', 'reference'] as const

/** Exits of one system call: all, and those by control registers. */
async function exitsPerCall(way: VmTechnique, reads: boolean, engine: (typeof ENGINES)[number]) {
  const exits = async (calls: number): Promise<Record<string, number>> => {
    await using pc = await createPc({ ...isolatingGuest(calls, reads), ...way, engine } as PcOptions)
    const stop = await pc.run()
    expect(stop).toMatchObject({ reason: 'off', exitCode: 1 })
    expect(pc.inspectCpu().state.reg32(3)).toBe(calls)
    return { ...pc.counts }
  }
  const [once, twice] = [await exits(500), await exits(1000)]
  const slope = (name: string): number => ((twice[name] ?? 0) - (once[name] ?? 0)) / 500
  return { all: slope('vm-exits'), control: slope('vm-exits-cr-access') }
}

test.each(ENGINES)('under shadow paging each load of CR3 exits, and each read: 2 and 4 a call (%s)', async (engine) => {
  const shadow = { technique: 'vtx', mmu: 'shadow-paging' } as const
  expect(await exitsPerCall(shadow, false, engine)).toEqual({ all: 2, control: 2 })
  expect(await exitsPerCall(shadow, true, engine)).toEqual({ all: 4, control: 4 })
})

test.each(ENGINES)('under nested paging none does (%s)', async (engine) => {
  const nested = { technique: 'vtx', mmu: 'nested-paging' } as const
  for (const reads of [false, true]) expect(await exitsPerCall(nested, reads, engine)).toEqual({ all: 0, control: 0 })
})

test.each([false, true])(
  'it is the same guest to the instruction, also where its stack is met first by a system call (%s)',
  async (reads) => {
    const guest = { ...isolatingGuest(20, reads), technique: 'vtx', mmu: 'shadow-paging' } as PcOptions & VmTechnique
    const found = await checkEquivalence(guest, { every: 1 })
    expect(found.divergence).toBeUndefined()
    expect(found).toMatchObject({ equal: true, stop: 'off' })
  },
)
