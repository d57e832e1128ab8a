/** Parts that do next to nothing, with the needs and gifts of real ones. */
import type { InterruptController } from '../src/interrupts.ts'
import type { Memory } from '../src/parts/capabilities.ts'
import { definePart, need, type Part } from '../src/parts/part.ts'
import { again, FakeCpu, type Instruction, nop } from './fake-cpu.ts'

declare module '../src/parts/capabilities.ts' {
  interface Capabilities {
    vmx: { readonly revision: number }
    ept: { readonly levels: number }
    mmu: { readonly name: string }
    hypercalls: { readonly count: number }
    'sensitive-traps': true
    'pv-guest': { readonly entry: number }
  }
}

export const vmx = need('vmx', 'use x86({ vmx: true })')
export const ept = need('ept', 'use execution: vtx()')
export const hypercalls = need('hypercalls', 'use execution: paravirt()')
export const sensitiveTraps = need(
  'sensitive-traps',
  'popf, sgdt and others do not trap on x86: use x86({ sensitiveTraps: true }), or binaryTranslation()',
)
export const pvGuest = need('pv-guest', 'it runs only a modified guest: use guest: xenLinux()')

class Ram implements Memory {
  readonly size: number
  readonly bytes: Uint8Array

  constructor(size: number) {
    this.size = size
    this.bytes = new Uint8Array(size)
  }

  read(address: number, into: Uint8Array): boolean {
    if (address + into.length > this.size) return false
    into.set(this.bytes.subarray(address, address + into.length))
    return true
  }

  write(address: number, from: Uint8Array): boolean {
    if (address + from.length > this.size) return false
    this.bytes.set(from, address)
    return true
  }
}

type RamPart = Part<{ name: 'ram'; gives: 'memory'; api: { memory: Ram } }>
export const ram = (size = 4096): RamPart =>
  definePart({ name: 'ram', gives: ['memory'], build: () => ({ memory: new Ram(size) }) })

type Cpu86 = Part<{ name: 'x86'; gives: 'cpu'; api: { cpu: FakeCpu } }>
type Cpu86Vmx = Part<{ name: 'x86'; gives: 'cpu' | 'vmx'; api: { cpu: FakeCpu; vmx: { revision: number } } }>
type Cpu86Traps = Part<{
  name: 'x86'
  gives: 'cpu' | 'sensitive-traps'
  api: { cpu: FakeCpu; 'sensitive-traps': true }
}>
export function x86(options: { vmx: true }): Cpu86Vmx
export function x86(options: { sensitiveTraps: true }): Cpu86Traps
export function x86(options?: { program?: readonly Instruction[] }): Cpu86
export function x86({
  vmx = false,
  sensitiveTraps = false,
  program = [nop, again] as readonly Instruction[],
} = {}): Part {
  const cpu = () => {
    const cpu = new FakeCpu(program)
    return {
      cpu,
      reset: () => cpu.reset(),
      save: () => cpu.save(),
      restore: (state: ReturnType<FakeCpu['save']>) => cpu.restore(state),
    }
  }
  if (vmx) return definePart({ name: 'x86', gives: ['cpu', 'vmx'], build: () => ({ ...cpu(), vmx: { revision: 1 } }) })
  if (!sensitiveTraps) return definePart({ name: 'x86', gives: ['cpu'], build: cpu })
  const gives = ['cpu', 'sensitive-traps'] as const
  return definePart({ name: 'x86', gives, build: () => ({ ...cpu(), 'sensitive-traps': true as const }) })
}

const controller = (): InterruptController => ({
  inputs: 16,
  line: () => ({ set() {} }),
  source: () => ({ pending: false, acknowledge: () => 0xff, watch: () => ({ [Symbol.dispose]() {} }) }),
})

type PicPart = Part<{ name: 'pic'; needs: 'ports'; gives: 'interrupts'; api: { interrupts: InterruptController } }>
export const pic = (): PicPart =>
  definePart({
    name: 'pic',
    needs: ['ports'],
    gives: ['interrupts'],
    build: () => ({ interrupts: controller() }),
  })

type ApicPart = Part<{ name: 'apic'; gives: 'interrupts'; api: { interrupts: InterruptController } }>
export const apic = (): ApicPart =>
  definePart({ name: 'apic', gives: ['interrupts'], build: () => ({ interrupts: controller() }) })

export type SerialState = { readonly version: 1; readonly value: number }

/** One register of a byte, at any offset. */
export class Serial {
  readonly size = 8
  readonly widest = 1
  value = 0

  read(): number {
    return this.value
  }

  write(_offset: number, _width: number, value: number): void {
    this.value = value
  }

  reset(): void {
    this.value = 0
  }

  save(): SerialState {
    return { version: 1, value: this.value }
  }

  restore(state: SerialState): void {
    this.value = state.value
  }
}

type SerialPart = Part<{ name: 'serial'; needs: 'ports' | 'interrupts'; api: Serial }>
export const serial = (base = 0x3f8): SerialPart =>
  definePart({
    name: 'serial',
    needs: ['ports', 'interrupts'],
    build({ ports, interrupts }, _, { name }) {
      const chip = new Serial()
      interrupts.line(4).set(false)
      ports.claim(name, base, chip)
      return chip
    },
  })

/** A virtual CPU is a CPU. */
const vcpu = () => ({ cpu: new FakeCpu([nop, again]) })

type Vtx = Part<{
  name: 'vtx'
  hardware: 'cpu' | typeof vmx
  gives: 'cpu' | 'ept'
  api: { cpu: FakeCpu; ept: { levels: number } }
}>
export const vtx = (): Vtx =>
  definePart({
    name: 'vtx',
    hardware: ['cpu', vmx],
    gives: ['cpu', 'ept'],
    build: (_, { vmx }) => ({ ...vcpu(), ept: { levels: 3 + vmx.revision } }),
  })

type BinaryTranslation = Part<{ name: 'binary-translation'; hardware: 'cpu'; gives: 'cpu'; api: { cpu: FakeCpu } }>
export const binaryTranslation = (): BinaryTranslation =>
  definePart({ name: 'binary-translation', hardware: ['cpu'], gives: ['cpu'], build: vcpu })

type TrapAndEmulate = Part<{
  name: 'trap-and-emulate'
  hardware: 'cpu' | typeof sensitiveTraps
  gives: 'cpu'
  api: { cpu: FakeCpu }
}>
export const trapAndEmulate = (): TrapAndEmulate =>
  definePart({ name: 'trap-and-emulate', hardware: ['cpu', sensitiveTraps], gives: ['cpu'], build: vcpu })

type Paravirt = Part<{
  name: 'paravirt'
  hardware: 'cpu'
  needs: typeof pvGuest
  gives: 'cpu' | 'hypercalls'
  api: { cpu: FakeCpu; hypercalls: { count: number } }
}>
export const paravirt = (): Paravirt =>
  definePart({
    name: 'paravirt',
    hardware: ['cpu'],
    needs: [pvGuest],
    gives: ['cpu', 'hypercalls'],
    build: () => ({ ...vcpu(), hypercalls: { count: 0 } }),
  })

const nativeMmu = need('mmu', 'native uses the paging of the hardware: leave mmu out')
type Native = Part<{
  name: 'native'
  hardware: 'cpu' | 'memory'
  gives: 'cpu' | 'memory'
  conflicts: typeof nativeMmu
  api: { cpu: import('../src/cpu.ts').Cpu; memory: Memory }
}>
export const native = (): Native =>
  definePart({
    name: 'native',
    hardware: ['cpu', 'memory'],
    gives: ['cpu', 'memory'],
    conflicts: [nativeMmu],
    build: (_, { cpu, memory }) => ({ cpu, memory }),
  })

type NestedPaging = Part<{ name: 'nested-paging'; needs: typeof ept; gives: 'mmu'; api: { mmu: { name: string } } }>
export const nestedPaging = (): NestedPaging =>
  definePart({
    name: 'nested-paging',
    needs: [ept],
    gives: ['mmu'],
    build: ({ ept }) => ({ mmu: { name: `nested, ${ept.levels} levels` } }),
  })

type ShadowPaging = Part<{ name: 'shadow-paging'; needs: 'memory'; gives: 'mmu'; api: { mmu: { name: string } } }>
export const shadowPaging = (): ShadowPaging =>
  definePart({ name: 'shadow-paging', needs: ['memory'], gives: ['mmu'], build: () => ({ mmu: { name: 'shadow' } }) })

type DirectPaging = Part<{
  name: 'direct-paging'
  needs: typeof hypercalls
  gives: 'mmu'
  api: { mmu: { name: string } }
}>
export const directPaging = (): DirectPaging =>
  definePart({ name: 'direct-paging', needs: [hypercalls], gives: ['mmu'], build: () => ({ mmu: { name: 'direct' } }) })

export const linux = (): Part<{ name: 'linux' }> => definePart({ name: 'linux', build: () => ({}) })

type XenLinux = Part<{ name: 'linux-xen'; gives: 'pv-guest'; api: { 'pv-guest': { entry: number } } }>
export const xenLinux = (): XenLinux =>
  definePart({ name: 'linux-xen', gives: ['pv-guest'], build: () => ({ 'pv-guest': { entry: 0 } }) })
