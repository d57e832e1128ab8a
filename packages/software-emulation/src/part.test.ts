import { createMachine, createVm, definePart, type Vm } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { Gpr, x86 } from '@vmexit/x86'
import { expect, test } from 'vitest'
import { type EmulationEngine, softwareEmulation } from './index.ts'

/** L: add eax,ecx; loop L; out 10h,al; hlt */
const program = Uint8Array.of(0x01, 0xc8, 0xe2, 0xfc, 0xe6, 0x10, 0xf4)

async function vmOf(engine?: EmulationEngine) {
  const machine = await createMachine({ memory: ram('64 KiB'), cpu: x86() })
  const vm = await createVm(machine, { memory: ram('1 MiB'), execution: softwareEmulation(engine ? { engine } : {}) })
  return { machine, vm }
}

function load(vm: Vm<'guestMemory' | 'x86'>): void {
  vm.get('guestMemory').writeBytes(0x1000, program)
  const cpu = vm.get('x86')
  cpu.startFlat({ eip: 0x1000, gdtBase: 0, gdtLimit: 0xffff, code: 8, data: 16 })
  cpu.state.setReg32(Gpr.cx, 100)
}

test.each([undefined, 'interpreter', 'reference'] as const)(
  'the VMM executes every instruction (%s)',
  async (engine) => {
    const { machine, vm } = await vmOf(engine)
    const written: number[] = []
    vm.get('ports').claim('lamp', 0x10, {
      size: 1,
      read: () => 0,
      write: (_offset, _width, value) => void written.push(value),
    })
    load(vm)
    expect((await vm.run()).reason).toBe('idle')
    expect(written).toEqual([5050 & 0xff])
    expect(vm.get('counters').snapshot()).toMatchObject({ emulated: 202, instructions: 202 })
    expect(machine.get('counters').get('instructions')).toBe(0)
  },
)

test('saved in the middle and restored in another VM, it ends as if nothing had been', async () => {
  const [{ vm: whole }, { vm: first }, { vm: second }] = [await vmOf(), await vmOf(), await vmOf('reference')]
  load(whole)
  whole.runSlice({ instructions: 200 })
  load(first)
  first.runSlice({ instructions: 77 })
  second.restore(structuredClone(first.save()))
  second.runSlice({ instructions: 123 })
  expect(second.get('x86').save()).toEqual(whole.get('x86').save())
  expect(second.get('counters').snapshot()).toEqual(whole.get('counters').snapshot())
  second.reset()
  expect(second.get('x86').state.ip).toBe(0xfff0)
})

test('what the compiler cannot see is refused with the same words', async () => {
  const machine = await createMachine({ memory: ram('64 KiB'), cpu: x86() })
  const translating = softwareEmulation({ engine: 'jit' as never })
  await expect(createVm(machine, { memory: ram('1 MiB'), execution: translating })).rejects.toMatchObject({
    code: 'emulation-engine',
  })
  const mmu = definePart({ name: 'shadow-paging', gives: ['mmu'], build: () => ({ mmu: {} as never }) })
  const parts = { memory: ram('1 MiB'), execution: softwareEmulation(), mmu }
  await expect(createVm(machine, parts as never)).rejects.toThrow(
    "software-emulation conflicts with 'mmu' of shadow-paging: leave mmu out",
  )
})
