import { createMachine, createVm, type Part, type VmProblems } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { x86 } from '@vmexit/x86'
import { expectTypeOf, test } from 'vitest'
import { type SoftwareEmulationPart, softwareEmulation } from './index.ts'

declare const mmu: Part<{ name: 'shadow-paging'; gives: 'mmu' }>
const machine = await createMachine({ memory: ram('1 MiB'), cpu: x86() })

test('it stands on a machine whatever its CPU can do', () => {
  createVm(machine, { memory: ram('1 MiB'), execution: softwareEmulation() })
  createVm(machine, { memory: ram('1 MiB'), execution: softwareEmulation({ engine: 'reference' }) })
})

test('an MMU strategy beside it is an error that says what to do', () => {
  // @ts-expect-error ✗ software-emulation conflicts with 'mmu'
  createVm(machine, { memory: ram('1 MiB'), execution: softwareEmulation(), mmu })
  expectTypeOf<
    VmProblems<{ memory: ReturnType<typeof ram>; execution: SoftwareEmulationPart; mmu: typeof mmu }, 'cpu'>
  >().toEqualTypeOf<"✗ software-emulation conflicts with 'mmu' of shadow-paging: leave mmu out: the VMM walks the guest’s tables itself">()
})

test('without memory it says which', () => {
  // @ts-expect-error ✗ software-emulation needs 'guestMemory'
  createVm(machine, { execution: softwareEmulation() })
  expectTypeOf<
    VmProblems<{ execution: SoftwareEmulationPart }, 'cpu'>
  >().toEqualTypeOf<"✗ software-emulation needs 'guestMemory': use memory: ram(size) of @vmexit/memory">()
})

test('it is no CPU of a machine, and does not translate', () => {
  // @ts-expect-error ✗ software-emulation stands on a machine: use it in createVm(machine, …)
  createMachine({ memory: ram('1 MiB'), cpu: softwareEmulation() })
  // @ts-expect-error the JIT is no interpreter
  softwareEmulation({ engine: 'jit' })
})
