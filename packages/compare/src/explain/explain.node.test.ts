/** One event, step by step: the same each time, its sums what a repetition of a comparison has, its reads what was counted. */
import { pentium4 } from '@vmexit/core'
import { readTeachingKernel } from '@vmexit/guests/node'
import { expect, test } from 'vitest'
import {
  chosen,
  type EventKind,
  type Explanation,
  explainEvent,
  explanationText,
  techniques,
  workloads,
} from '../index.ts'

const kernel = { name: 'teaching', image: readTeachingKernel('teaching') }
function explain(name: string, under: string, what?: EventKind, engine?: 'interpreter'): Promise<Explanation> {
  const [workload] = chosen('workload', workloads, [name])
  const [technique] = chosen('technique', techniques, [under])
  return explainEvent({ workload: workload!, technique: technique!, kernel, profile: pentium4, what, engine })
}
const floors = ({ steps }: Explanation) => steps.map(({ floor }) => floor)

test('a system call goes from the program to its kernel and back, and the VMM is not asked', async () => {
  const [native, nested] = [await explain('syscall', 'native'), await explain('syscall', 'vtx-nested')]
  expect(floors(native)).toEqual(['program', 'kernel', 'program'])
  // INT 80h and the instruction behind it are the program's; 107 are the kernel's, as a bare process is charged for.
  expect(native.events).toMatchObject({ instructions: 109, 'system-calls': 1 })
  expect(native.steps[1]!.events).toEqual({ instructions: 107 })
  expect(floors(nested)).toEqual(floors(native))
  expect(nested.cycles).toBe(native.cycles)
})

test('the kernel outside of the machine is charged for the same call, and so is a container', async () => {
  for (const under of ['process', 'container']) {
    const { steps, events } = await explain('syscall', under)
    expect(steps.slice(0, 2).map(({ floor }) => floor)).toEqual(['program', 'host kernel'])
    expect(steps[1]!.charges).toEqual({ 'kernel-instructions': { count: 107, each: 1 } })
    expect(events).toMatchObject({ 'system-calls': 1, 'plain-calls': 1 })
  }
})

test('a port access leaves to the VMM; a fault walks both stages, and each reference is shown with its entry', async () => {
  expect(floors(await explain('in', 'vtx-nested-2m'))).toEqual(['program', 'vmm', 'program'])
  const fault = await explain('pgfault', 'vtx-nested')
  const reads = fault.steps.flatMap((step) => step.reads)
  const { 'walk-references': own, 'second-stage-references': second } = fault.events
  expect(reads).toHaveLength(own! + second!)
  expect(reads.filter(({ format }) => format === 'EPT')).toHaveLength(second!)
  // The program's page is not present: its entry says so.
  expect(reads.at(-1)).toMatchObject({ format: '32-bit' })
  expect((reads.at(-1)!.low & 1) === 0).toBe(true)
})

test('a store to a page table is found by its number under each technique, and two engines agree', async () => {
  const [shadow, native] = [await explain('ptemod', 'vtx-shadow'), await explain('ptemod', 'native')]
  expect(shadow.events).toMatchObject({ 'traced-writes': 1, 'vm-exits': 1 })
  const stores = [shadow, native].map(({ steps }) => steps.find(({ floor }) => floor === 'kernel')!)
  expect([stores[0]!.what, stores[0]!.at]).toEqual([stores[1]!.what, stores[1]!.at])
  expect(native.steps.every(({ floor }) => floor === 'kernel')).toBe(true)
  expect(await explain('ptemod', 'vtx-shadow', undefined, 'interpreter')).toEqual(shadow)
  for (const line of explanationText(shadow).split('\n')) expect(line.length).toBeLessThanOrEqual(100)
})

test('what a workload does not do, and what cannot be traced, is said', async () => {
  await expect(explain('cpuid', 'process', 'io')).rejects.toMatchObject({ code: 'explain-event' })
  await expect(explain('syscall', 'guest-container')).rejects.toMatchObject({ code: 'explain-technique' })
})
