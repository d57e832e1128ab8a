import { describe, expect, test } from 'vitest'
import { again, FakeCpu, halt, nop } from '../../test/fake-cpu.ts'
import * as p from '../../test/sample-parts.ts'
import type { Exit } from '../cpu.ts'
import type { InterruptSource } from '../interrupts.ts'
import { createMachine, type Machine, type MachineParts } from './machine.ts'
import { definePart, type Part } from './part.ts'
import { CompositionError } from './problems.ts'
import { createVm, type VmParts } from './vm.ts'

/** Composes parts that the compiler would refuse. */
const problemsOf = async (parts: object): Promise<readonly string[]> => {
  const error = await createMachine(parts as MachineParts).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CompositionError)
  return (error as CompositionError).problems
}
const problemsOfVm = async (machine: Machine, parts: object): Promise<readonly string[]> => {
  const error = await createVm(machine, parts as VmParts).catch((error: unknown) => error)
  expect(error).toBeInstanceOf(CompositionError)
  return (error as CompositionError).problems
}
const bareMachine = () => createMachine({ memory: p.ram(), cpu: p.x86() })

// The same words as in machine.test-d.ts, where the compiler says them.
describe('what does not fit is refused in the words of the compiler', () => {
  test('every problem at once, in the order of the slots', async () => {
    expect(
      await problemsOf({
        memory: p.ram(),
        cpu: p.apic(),
        devices: [p.serial(), p.pic(), p.vtx()],
        mmu: p.shadowPaging(),
      }),
    ).toEqual([
      "✗ apic does not give 'cpu': the slot cpu takes a part that does",
      "✗ a machine has no slot 'mmu': its slots are memory, cpu, devices",
      "✗ pic gives 'interrupts', which apic gives too: keep one of them",
      '✗ vtx stands on a machine: use it in createVm(machine, …)',
    ])
  })

  test('a missing need, with the remedy', async () => {
    expect(await problemsOf({ memory: p.ram(), cpu: p.x86(), devices: [p.serial()] })).toEqual([
      "✗ serial needs 'interrupts': add an interrupt controller to devices",
    ])
    const bus = definePart({ name: 'bus', gives: ['ports'], build: () => ({ ports: null as never }) })
    expect(await problemsOf({ memory: p.ram(), cpu: p.x86(), devices: [bus] })).toEqual([
      "✗ bus gives 'ports', which every machine has: leave it out",
    ])
  })

  test('pairs that mean nothing', async () => {
    const machine = await bareMachine()
    const memory = p.ram()
    expect(await problemsOfVm(machine, { memory, execution: p.binaryTranslation(), mmu: p.nestedPaging() })).toEqual([
      "✗ nested-paging needs 'ept': use execution: vtx()",
    ])
    expect(await problemsOfVm(machine, { memory, execution: p.vtx(), mmu: p.nestedPaging() })).toEqual([
      "✗ vtx needs 'vmx' of the machine: use x86({ vmx: true })",
    ])
    expect(
      await problemsOfVm(machine, { memory, execution: p.paravirt(), mmu: p.directPaging(), guest: p.linux() }),
    ).toEqual(["✗ paravirt needs 'pv-guest': it runs only a modified guest: use guest: xenLinux()"])
    expect(await problemsOfVm(machine, { memory, execution: p.trapAndEmulate() })).toEqual([
      "✗ trap-and-emulate needs 'sensitive-traps' of the machine: " +
        'popf, sgdt and others do not trap on x86: use x86({ sensitiveTraps: true }), or binaryTranslation()',
    ])
    expect(await problemsOfVm(machine, { execution: p.native(), mmu: p.shadowPaging() })).toEqual([
      "✗ native conflicts with 'mmu' of shadow-paging: native uses the paging of the hardware: leave mmu out",
    ])
  })

  test('what only JavaScript can get wrong', async () => {
    const com1 = p.serial()
    expect(await problemsOf({ memory: 64, devices: [com1, com1, p.pic()] })).toEqual([
      "✗ a machine needs a part in its slot 'cpu'",
      '✗ what is in memory is no part: use a function that makes one, or definePart',
      '✗ serial is there twice: make another one for the second place',
    ])
  })

  test('parts that need one another are named in order', async () => {
    const a = definePart({
      name: 'a',
      needs: ['msi'],
      gives: ['interrupts'],
      build: () => ({ interrupts: null as never }),
    })
    const b = definePart({ name: 'b', needs: ['interrupts'], gives: ['msi'], build: () => ({ msi: null as never }) })
    const c = definePart({ name: 'c', needs: ['msi'], build: () => ({}) })
    expect(await problemsOf({ memory: p.ram(), cpu: p.x86(), devices: [c, a, b] })).toEqual([
      '✗ b → a → b need one another: let one of them be told of the other after it is built',
    ])
  })

  test('the error has a code and all the messages in its text', async () => {
    const error = await createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.serial() as Part] }).catch((e) => e)
    expect(error).toMatchObject({ code: 'composition', name: 'CompositionError' })
    expect(error.message).toContain("these parts make no machine: \n✗ serial needs 'interrupts'")
  })
})

describe('createMachine', () => {
  test('builds each part after what it needs, whatever the order', async () => {
    const com1 = p.serial()
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86(), devices: [com1, p.pic()] })
    expect(machine.parts.map(({ name }) => name)).toEqual(['ram', 'x86', 'pic', 'serial'])
    machine.get('ports').write(0x3f8, 1, 65)
    expect(machine.of(com1).value).toBe(65)
  })

  test('two parts of one name have names of their own, which errors and states use', async () => {
    const [com1, com2] = [p.serial(), p.serial()]
    await expect(createMachine({ memory: p.ram(), cpu: p.x86(), devices: [p.pic(), com1, com2] })).rejects.toThrow(
      'serial#2 claims ports 0x3f8–0x3ff, but serial has 0x3f8–0x3ff',
    )
  })

  test('a part is built anew for each machine', async () => {
    const com1 = p.serial()
    const make = () => createMachine({ memory: p.ram(), cpu: p.x86(), devices: [com1, p.pic()] })
    const [one, other] = [await make(), await make()]
    one.of(com1).value = 1
    expect(other.of(com1).value).toBe(0)
  })

  test('a part may take its time to be built', async () => {
    const slow = definePart({ name: 'slow', gives: ['msi'], build: async () => ({ msi: { deliver: () => true } }) })
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86(), devices: [slow] })
    expect(machine.get('msi').deliver({ address: 0, data: 0 })).toBe(true)
  })

  test('devices reach its memory, and its interrupts reach its CPUs', async () => {
    const sources: number[] = []
    const cpus = [0, 1].map((id) => new FakeCpu([nop, again], id))
    for (const cpu of cpus) cpu.connect = () => void sources.push(cpu.id)
    const two = definePart({ name: 'two', gives: ['cpu', 'cpus'], build: () => ({ cpu: cpus[0]!, cpus }) })
    const memory = p.ram()
    const machine = await createMachine({ memory, cpu: two, devices: [p.apic()] }, { quantum: 10 })
    expect(sources).toEqual([0, 1])
    machine.get('busMasters').create(8, 'nic').write32(16, 7)
    expect(machine.of(memory).memory.bytes[16]).toBe(7)
    machine.runSlice({ instructions: 30 })
    expect(cpus.map((cpu) => cpu.retired)).toEqual([20, 10])
  })

  test('asking for what is not there says what is', async () => {
    const machine = await bareMachine()
    expect(() => (machine as unknown as Machine<'vmx'>).get('vmx')).toThrow(
      "no part here gives 'vmx': add a part that does; there are: ports, mmio, clock, counters, input, busMasters, power, memory, cpu",
    )
    expect(machine.find('vmx')).toBeUndefined()
    expect(() => machine.of(p.serial())).toThrow('this serial is not among the parts: ask for the very part')
  })

  test('what build does not return is missed at once', async () => {
    const liar = definePart({ name: 'liar', gives: ['msi'], build: () => ({ msi: undefined as never }) })
    await expect(createMachine({ memory: p.ram(), cpu: p.x86(), devices: [liar] })).rejects.toThrow(
      "liar says it gives 'msi', but what its build returned has no such property: return { msi: … } from build",
    )
  })

  test('runs, in one slice or in many', async () => {
    const machine = await bareMachine()
    expect(machine.runSlice({ instructions: 10 }).retired).toBe(10)
    expect(await machine.run({ instructions: 10, slice: 3 })).toMatchObject({ reason: 'instructions', retired: 10 })
    expect(machine.get('counters').get('instructions')).toBe(20)
  })
})

describe('save, restore, reset', () => {
  const make = async () => {
    const com1 = p.serial()
    const program = [nop, halt, nop, again]
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86({ program }), devices: [p.pic(), com1] })
    return { machine, com1: machine.of(com1) }
  }

  test('a restored machine has the state, the time and the counts', async () => {
    const one = await make()
    one.machine.runSlice({ until: 500 })
    one.com1.value = 7
    one.machine.get('ports').read(0x80, 1)
    const state = one.machine.save()
    expect(Object.keys(state.parts)).toEqual(['x86', 'serial'])
    const other = await make()
    other.machine.restore(JSON.parse(JSON.stringify(state)))
    expect(other.com1.value).toBe(7)
    expect(other.machine.save()).toEqual(state)
    expect(other.machine.get('counters').get('ports-unclaimed-reads')).toBe(1)
  })

  test('the state of other parts is refused', async () => {
    const { machine } = await make()
    const bare = await bareMachine()
    expect(() => bare.restore(machine.save())).toThrow(
      'the saved state is of the parts x86, serial, but here are x86: compose the same parts',
    )
  })

  test('reset reaches every part; time goes on', async () => {
    const { machine, com1 } = await make()
    machine.runSlice({ instructions: 1 })
    com1.value = 7
    machine.reset()
    expect([com1.value, machine.get('clock').now, machine.runSlice().retired]).toEqual([0, 1, 2])
  })
})

describe('disposing', () => {
  const watched = (log: string[], name: string, key: 'asyncDispose' | 'dispose'): Part =>
    definePart({
      name,
      build: () => ({ [Symbol[key]]: () => void log.push(name) }) as unknown as Disposable,
    })

  test('parts go in reverse order, VMs before the machine they are on', async () => {
    const log: string[] = []
    {
      await using machine = await createMachine({
        memory: p.ram(),
        cpu: p.x86(),
        devices: [watched(log, 'a', 'asyncDispose'), watched(log, 'b', 'dispose')],
      })
      const vm = await createVm(machine, { execution: p.native(), devices: [watched(log, 'v', 'dispose')] })
      expect(machine.vms).toEqual([vm])
    }
    expect(log).toEqual(['v', 'b', 'a'])
  })

  test('at once only where every part can', async () => {
    const log: string[] = []
    const devices = [watched(log, 'disk', 'asyncDispose'), watched(log, 'b', 'dispose')]
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86(), devices })
    expect(() => machine[Symbol.dispose]()).toThrow('disk cannot be disposed at once: write `await using`')
    expect(log).toEqual([])
    await machine[Symbol.asyncDispose]()
    await machine[Symbol.asyncDispose]()
    expect(log).toEqual(['b', 'disk'])
  })

  test('a VM disposed before its machine is forgotten by it', async () => {
    const log: string[] = []
    const machine = await bareMachine()
    const make = () => createVm(machine, { execution: p.native(), devices: [watched(log, 'v', 'dispose')] })
    const [one, other] = [await make(), await make()]
    one[Symbol.dispose]()
    one[Symbol.dispose]()
    expect([machine.vms, log]).toEqual([[other], ['v']])
    machine[Symbol.dispose]()
    expect([machine.vms, log]).toEqual([[], ['v', 'v']])
  })

  test('if a part fails to build, what was built is given back', async () => {
    const log: string[] = []
    const broken = definePart({
      name: 'broken',
      build: () => {
        throw new Error('no such file')
      },
    })
    await expect(
      createMachine({ memory: p.ram(), cpu: p.x86(), devices: [watched(log, 'a', 'dispose'), broken] }),
    ).rejects.toThrow('no such file')
    expect(log).toEqual(['a'])
  })

  test('one part that fails does not keep the others', async () => {
    const log: string[] = []
    const bad = (name: string) =>
      definePart({
        name,
        build: () => ({
          [Symbol.dispose]() {
            throw new Error(name)
          },
        }),
      })
    const machine = await createMachine({
      memory: p.ram(),
      cpu: p.x86(),
      devices: [watched(log, 'a', 'dispose'), bad('x'), bad('y')],
    })
    await expect(machine[Symbol.asyncDispose]()).rejects.toThrow('2 parts failed to be disposed')
    expect(log).toEqual(['a'])
  })
})

describe('createVm', () => {
  test('the same chip on the VM’s own buses, the strategy on the machine’s CPU', async () => {
    const machine = await createMachine({ memory: p.ram(), cpu: p.x86({ vmx: true }), devices: [p.pic(), p.serial()] })
    const com1 = p.serial()
    const vm = await createVm(machine, {
      memory: p.ram(64),
      execution: p.vtx(),
      mmu: p.nestedPaging(),
      devices: [com1, p.pic()],
      guest: p.linux(),
    })
    expect([vm.machine, vm.get('memory').size, vm.get('mmu').name]).toEqual([machine, 64, 'nested, 4 levels'])
    vm.get('ports').write(0x3f8, 1, 5)
    expect([vm.of(com1).value, machine.get('ports').read(0x3f8, 1)]).toEqual([5, 0])
    vm.runSlice({ instructions: 100 })
    expect([vm.get('clock').now, machine.get('clock').now]).toEqual([100, 0])
  })

  test('a CPU is told of interrupts of its own system only', async () => {
    const connected: InterruptSource[] = []
    class Watched extends FakeCpu {
      override connect(source: InterruptSource): void {
        connected.push(source)
      }
      override run(budget: number): Exit {
        return super.run(budget)
      }
    }
    const cpu = definePart({ name: 'cpu', gives: ['cpu'], build: () => ({ cpu: new Watched([halt]) }) })
    await createMachine({ memory: p.ram(), cpu })
    expect(connected).toEqual([])
    await createMachine({ memory: p.ram(), cpu, devices: [p.apic()] })
    expect(connected.length).toBe(1)
  })
})
