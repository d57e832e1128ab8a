import { describe, expectTypeOf, test } from 'vitest'
import * as p from '../../test/sample-parts.ts'
import type { Cpu } from '../cpu.ts'
import { createMachine, type Machine, type MachineProblems } from './machine.ts'
import { definePart, need, type Part } from './part.ts'
import { createVm, type VmProblems } from './vm.ts'

/** The type of what a sample part's function returns. */
type P<K extends keyof typeof p> = (typeof p)[K] extends () => infer R ? R : never
declare const plainCpu: ReturnType<typeof plain>
declare const vmxCpu: ReturnType<typeof withVmx>
const plain = () => p.x86()
const withVmx = () => p.x86({ vmx: true })
declare const either: boolean
declare const machine: Machine<'cpu' | 'memory'>
declare const vmxMachine: Machine<'cpu' | 'memory' | 'vmx'>

describe('what fits compiles', () => {
  test('machines', () => {
    createMachine({ memory: p.ram(), cpu: p.x86() })
    createMachine({ memory: p.ram(), cpu: p.x86({ vmx: true }), devices: [p.serial(), p.pic(), p.serial(0x2f8)] })
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: [] })
  })

  test('VMs', () => {
    createVm(vmxMachine, { memory: p.ram(), execution: p.vtx(), mmu: p.nestedPaging(), guest: p.linux() })
    createVm(vmxMachine, { memory: p.ram(), execution: p.vtx(), mmu: p.shadowPaging() })
    createVm(machine, { memory: p.ram(), execution: p.paravirt(), mmu: p.directPaging(), guest: p.xenLinux() })
    createVm(machine, { execution: p.native(), devices: [p.pic(), p.serial()], guest: p.linux() })
  })

  test('parts that the compiler knows nothing of are left to run time, and so is what they may give', () => {
    const wide: Part = p.pic()
    const list: Part[] = [p.pic()]
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.serial(), wide] })
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: list })
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: either ? [p.serial(), p.pic()] : list })
  })
})

describe('what does not fit is an error whose text is what we say', () => {
  test('a missing need, with the remedy of whoever needs it or of core', () => {
    // @ts-expect-error ✗ serial needs 'interrupts'
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.serial()] })
    expectTypeOf<
      MachineProblems<{ memory: P<'ram'>; cpu: typeof plainCpu; devices: readonly [P<'serial'>] }>
    >().toEqualTypeOf<"✗ serial needs 'interrupts': add an interrupt controller to devices">()

    // @ts-expect-error ✗ nested-paging needs 'ept'
    createVm(machine, { memory: p.ram(), execution: p.binaryTranslation(), mmu: p.nestedPaging() })
    expectTypeOf<
      VmProblems<{ execution: P<'binaryTranslation'>; mmu: P<'nestedPaging'> }, 'cpu'>
    >().toEqualTypeOf<"✗ nested-paging needs 'ept': use execution: vtx()">()

    // @ts-expect-error ✗ direct-paging needs 'hypercalls'
    createVm(machine, { memory: p.ram(), execution: p.binaryTranslation(), mmu: p.directPaging(), guest: p.linux() })

    // @ts-expect-error ✗ paravirt needs 'pv-guest'
    createVm(machine, { memory: p.ram(), execution: p.paravirt(), mmu: p.directPaging(), guest: p.linux() })
    expectTypeOf<
      VmProblems<{ execution: P<'paravirt'>; guest: P<'linux'> }, 'cpu'>
    >().toEqualTypeOf<"✗ paravirt needs 'pv-guest': it runs only a modified guest: use guest: xenLinux()">()
  })

  test('a need of the machine below', () => {
    // @ts-expect-error ✗ vtx needs 'vmx' of the machine
    createVm(machine, { memory: p.ram(), execution: p.vtx(), mmu: p.nestedPaging() })
    expectTypeOf<
      VmProblems<{ execution: P<'vtx'> }, 'cpu'>
    >().toEqualTypeOf<"✗ vtx needs 'vmx' of the machine: use x86({ vmx: true })">()

    // @ts-expect-error ✗ trap-and-emulate needs 'sensitive-traps' of the machine
    createVm(vmxMachine, { memory: p.ram(), execution: p.trapAndEmulate(), mmu: p.shadowPaging() })

    // @ts-expect-error ✗ vtx stands on a machine
    createMachine({ memory: p.ram(), cpu: p.x86({ vmx: true }), devices: [p.vtx()] })
  })

  test('something given twice: the later one is the wrong one', () => {
    // @ts-expect-error ✗ apic gives 'interrupts', which pic gives too
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.pic(), p.apic()] })
    expectTypeOf<
      MachineProblems<{ memory: P<'ram'>; cpu: typeof plainCpu; devices: readonly [P<'pic'>, P<'apic'>] }>
    >().toEqualTypeOf<"✗ apic gives 'interrupts', which pic gives too: keep one of them">()

    const bus = definePart({ name: 'bus', gives: ['ports'], build: () => ({ ports: null as never }) })
    // @ts-expect-error ✗ bus gives 'ports', which every machine has
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: [bus] })
  })

  test('a conflict', () => {
    // @ts-expect-error ✗ native conflicts with 'mmu' of shadow-paging
    createVm(machine, { execution: p.native(), mmu: p.shadowPaging() })
    expectTypeOf<
      VmProblems<{ execution: P<'native'>; mmu: P<'shadowPaging'> }, 'cpu' | 'memory'>
    >().toEqualTypeOf<"✗ native conflicts with 'mmu' of shadow-paging: native uses the paging of the hardware: leave mmu out">()
  })

  test('a part in the wrong slot, and a slot that is not there', () => {
    // @ts-expect-error ✗ pic does not give 'cpu'
    createMachine({ memory: p.ram(), cpu: p.pic() })
    expectTypeOf<
      MachineProblems<{ memory: P<'ram'>; cpu: P<'pic'> }>
    >().toEqualTypeOf<"✗ pic does not give 'cpu': the slot cpu takes a part that does">()

    // @ts-expect-error ✗ a machine has no slot 'mmu'
    createMachine({ memory: p.ram(), cpu: p.x86(), mmu: p.shadowPaging() })
    expectTypeOf<
      MachineProblems<{ memory: P<'ram'>; cpu: typeof plainCpu; mmu: P<'shadowPaging'> }>
    >().toEqualTypeOf<"✗ a machine has no slot 'mmu': its slots are memory, cpu, devices">()

    // @ts-expect-error memory is obligatory
    createMachine({ cpu: p.x86() })
    // @ts-expect-error 64 is no part
    createMachine({ memory: 64, cpu: p.x86() })
  })

  test('every problem at once', () => {
    expectTypeOf<
      MachineProblems<{ memory: P<'ram'>; cpu: P<'apic'>; devices: readonly [P<'serial'>, P<'pic'>, P<'vtx'>] }>
    >().toEqualTypeOf<
      | "✗ apic does not give 'cpu': the slot cpu takes a part that does"
      | "✗ pic gives 'interrupts', which apic gives too: keep one of them"
      | '✗ vtx stands on a machine: use it in createVm(machine, …)'
    >()
  })

  test('a slot filled with one of two parts counts only for what both give', () => {
    // @ts-expect-error ✗ nested-paging needs 'ept': binary translation does not give it
    createVm(vmxMachine, { execution: either ? p.vtx() : p.binaryTranslation(), mmu: p.nestedPaging() })
    createVm(vmxMachine, {
      memory: p.ram(),
      execution: either ? p.vtx() : p.binaryTranslation(),
      mmu: p.shadowPaging(),
    })
    // @ts-expect-error ✗ vtx needs 'vmx' of the machine: one of the two does
    createVm(machine, { memory: p.ram(), execution: either ? p.vtx() : p.binaryTranslation() })
    expectTypeOf<
      MachineProblems<{
        memory: P<'ram'>
        cpu: typeof plainCpu
        devices: readonly [P<'serial'>, P<'pic'> | P<'linux'>]
      }>
    >().toEqualTypeOf<"✗ serial needs 'interrupts': add an interrupt controller to devices">()
    expectTypeOf<
      MachineProblems<{ devices: readonly [P<'serial'>, P<'pic'>] | readonly [P<'serial'>] }>
    >().toEqualTypeOf<"✗ serial needs 'interrupts': add an interrupt controller to devices">()
    // TypeScript takes this for an array of unknown length, which is left to run time.
    createMachine({ memory: p.ram(), cpu: p.x86(), devices: either ? [p.serial(), p.pic()] : [p.serial()] })
  })
})

describe('what is composed is typed', () => {
  test('get gives what some part gives, and nothing else', async () => {
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86({ vmx: true }), devices: [p.pic()] })
    expectTypeOf(machine.get('cpu')).toEqualTypeOf<Cpu>()
    expectTypeOf(machine.get('vmx').revision).toEqualTypeOf<number>()
    machine.get('clock').now
    // @ts-expect-error no part gives it
    machine.get('ept')
    expectTypeOf(machine.find('ept')).toEqualTypeOf<{ readonly levels: number } | undefined>()
  })

  test('of gives what the very part returned', async () => {
    const com1 = p.serial()
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.pic(), com1] })
    expectTypeOf(machine.of(com1)).toEqualTypeOf<p.Serial>()
  })

  test('a machine that has more is a machine that has less, not the other way round', () => {
    expectTypeOf(vmxMachine).toExtend<Machine<'cpu'>>()
    expectTypeOf(vmxMachine).toExtend<Machine>()
    expectTypeOf(machine).not.toExtend<Machine<'vmx'>>()
    expectTypeOf<ReturnType<typeof createMachine<{ memory: P<'ram'>; cpu: typeof vmxCpu }>>>().resolves.toExtend<
      Machine<'vmx'>
    >()
  })
})

describe('definePart', () => {
  test('build is given exactly what was named', () => {
    definePart({
      name: 'a',
      needs: ['ports', p.ept],
      hardware: ['vmx'],
      build(services, hardware) {
        expectTypeOf<keyof typeof services>().toEqualTypeOf<'ports' | 'ept'>()
        expectTypeOf<keyof typeof hardware>().toEqualTypeOf<'vmx'>()
        return {}
      },
    })
  })

  test('what is promised must be returned', () => {
    // @ts-expect-error ept is missing
    definePart({ name: 'a', gives: ['ept'], build: () => ({}) })
    // @ts-expect-error no such capability
    definePart({ name: 'a', gives: ['nonsense'], build: () => ({}) })
    // @ts-expect-error save does not return a state
    definePart({ name: 'a', build: () => ({ save: () => 3 }) })
    // @ts-expect-error no such capability
    need('nonsense', 'do this')
  })

  test('an annotation that hides a need or promises more does not fit', () => {
    const part = definePart({ name: 'a', needs: ['ports'], gives: ['ept'], build: () => ({ ept: { levels: 4 } }) })
    expectTypeOf(part).toExtend<Part>()
    expectTypeOf(part).toExtend<Part<{ name: 'a'; needs: 'ports'; gives: 'ept' }>>()
    expectTypeOf(part).not.toExtend<Part<{ name: 'a'; gives: 'ept' }>>()
    expectTypeOf(part).not.toExtend<Part<{ name: 'a'; needs: 'ports'; gives: 'ept' | 'vmx' }>>()
    expectTypeOf(part).not.toExtend<Part<{ name: 'b'; needs: 'ports'; gives: 'ept' }>>()
  })
})
