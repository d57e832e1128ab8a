import { expect, test } from 'vitest'
import { busyGuest } from '../test/busy-guest.ts'
import { createPc, type PcTechnique, type VmExit } from './index.ts'

async function run(technique: PcTechnique, watch?: (exit: VmExit) => void) {
  await using pc = await createPc({ ...busyGuest, ...technique })
  using _watching = watch && pc.watchExits(watch)
  await pc.run({ idle: 'skip' })
  return { counts: pc.counts, machine: pc.machineCounts }
}

test.each([
  { technique: 'vtx', mmu: 'nested-paging' },
  { technique: 'vtx', mmu: 'shadow-paging' },
] as const)('$mmu: each exit is told once, with its reason, and nothing is counted for it', async (technique) => {
  const seen: Record<string, number> = {}
  let last = 0
  const watched = await run(technique, ({ reason, instructions }) => {
    seen[reason] = (seen[reason] ?? 0) + 1
    expect(instructions).toBeGreaterThanOrEqual(last)
    last = instructions
  })
  expect(watched).toEqual(await run(technique))
  const counted = Object.entries(watched.counts)
    .filter(([name, count]) => name.startsWith('vm-exits-') && count > 0)
    .map(([name, count]) => [name.slice('vm-exits-'.length), count])
  expect(seen).toEqual(Object.fromEntries(counted))
})

test('a guest that owns the machine never leaves', async () => {
  await run({ technique: 'native' }, () => expect.unreachable())
})

test('what is no longer watched is not told', async () => {
  await using pc = await createPc({ ...busyGuest, technique: 'vtx', mmu: 'nested-paging' })
  pc.watchExits(() => expect.unreachable())[Symbol.dispose]()
  await pc.run({ idle: 'skip' })
})
