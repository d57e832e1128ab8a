import { expect, test } from 'vitest'
import type { Composition } from './choices.ts'
import { judge } from './judge.ts'

const bare = { memory: ["ram('16 MiB')"], cpu: ['x86({ vmx: true })'], devices: [] }
const vm = { memory: ["vmMemory('4 MiB')"], execution: ['vtx()'], mmu: ['nestedPaging()'] }
const problems = async (composition: Composition) => (await judge(composition)).problems

test('what fits has no problem, a program, and a way to boot it', async () => {
  const { problems, program, way } = await judge({ machine: bare, vm })
  expect([problems, way]).toEqual([[], 'vtx-nested'])
  expect(program).toBe(
    `import { createMachine, createVm } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { vmMemory } from '@vmexit/vmm'
import { vtx } from '@vmexit/vtx'
import { x86 } from '@vmexit/x86'

await using machine = await createMachine({
  memory: ram('16 MiB'),
  cpu: x86({ vmx: true }),
  devices: [],
})
await using vm = await createVm(machine, {
  memory: vmMemory('4 MiB'),
  execution: vtx(),
  mmu: nestedPaging(),
})`.replace('  devices: [],\n', ''),
  )
})

test('what does not fit is said as the registry says it, every problem at once', async () => {
  expect(await problems({ machine: { ...bare, cpu: ['x86()'] }, vm })).toEqual([
    "✗ vtx needs 'vmx' of the machine: use cpu: x86({ vmx: true })",
  ])
  expect(await problems({ machine: bare, vm: { ...vm, execution: ['softwareEmulation()'] } })).toEqual(
    expect.arrayContaining([
      expect.stringContaining('leave mmu out: the VMM walks the guest’s tables itself'),
      expect.stringContaining("nested-paging needs 'ept': use execution: vtx() of @vmexit/vtx"),
    ]),
  )
  expect(await problems({ machine: { ...bare, devices: ['vga()'] }, vm: undefined })).toEqual([
    "✗ vga needs 'pci': add pci() to devices",
  ])
  expect(await problems({ machine: { memory: [], cpu: [], devices: [] }, vm: undefined })).toHaveLength(2)
})
