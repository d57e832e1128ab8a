/** VT-x as a part of a VM. */
import { type Capabilities, definePart, type Need, need, type PartOf, type State } from '@vmexit/core'
import { HostPages, type MmuHost, type MmuStrategy } from '@vmexit/vmm'
import { Cpu, type CpuModel, defaultModel, exitReasonName, portSpaceOf } from '@vmexit/x86'
import { VtxHost } from './host.ts'
import { VtxVcpu } from './vcpu.ts'

/** Options of {@link vtx}. */
export interface VtxOptions {
  /** What the guest finds by CPUID. Default: that of a PC, without VMX. */
  readonly model?: CpuModel
}

/** What `vm.of(part)` gives. */
export interface Vtx {
  readonly cpu: VtxVcpu
  /** The virtual CPU's registers while it is not on the hardware: what loaders start. */
  readonly x86: Cpu
  readonly ept: true
  readonly mmuHost: MmuHost
  save(): State
  restore(state: State): void
  reset(): void
  [Symbol.dispose](): void
}

/** What it needs of the VM. */
export type VtxNeeds = Need<'vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'> | 'ports' | 'clock' | 'counters'
/** What it needs of the machine. */
export type VtxHardware = Need<'vmx', 'use cpu: x86({ vmx: true })'> | 'guestMemory' | 'clock'

/** Guests run on the CPU in VMX non-root operation; the VMM acts on their exits. */
export function vtx(
  options: VtxOptions = {},
): PartOf<'vtx', VtxNeeds, VtxHardware, Pick<Capabilities, 'cpu' | 'x86' | 'ept' | 'mmuHost'>, never, Vtx> {
  return definePart({
    name: 'vtx',
    needs: [need('vmMemory', 'use memory: vmMemory(size) of @vmexit/vmm'), 'ports', 'clock', 'counters'],
    hardware: [need('vmx', 'use cpu: x86({ vmx: true })'), 'guestMemory', 'clock'],
    gives: ['cpu', 'x86', 'ept', 'mmuHost'],
    build({ vmMemory, ports, clock, counters }, hardware): Vtx {
      const host = VtxHost.of(hardware.vmx, hardware.clock, HostPages.of(hardware.guestMemory))
      const model = options.model ?? defaultModel()
      const emulator = new Cpu({
        memory: vmMemory,
        ports: portSpaceOf(ports),
        engine: 'reference',
        model,
        time: () => clock.now,
      })
      let strategy: MmuStrategy | undefined
      const vcpu = new VtxVcpu({ host, emulator, memory: vmMemory, ports, clock, mmu: () => strategy })
      declareCounters(counters, vcpu)
      return {
        cpu: vcpu,
        x86: emulator,
        ept: true,
        mmuHost: {
          attach: (attached) => {
            strategy = attached
          },
          invalidate: (linear) => vcpu.invalidate(linear),
        },
        save: () => vcpu.save(),
        restore: (state) => vcpu.restore(state),
        reset: () => vcpu.reset(),
        [Symbol.dispose]: () => vcpu[Symbol.dispose](),
      }
    },
  })
}

function declareCounters(counters: Capabilities['counters'], { counts }: VtxVcpu): void {
  counters.derive('vm-exits', 'VM exits', () => counts.exits.reduce((sum, count) => sum + count, 0))
  counters.derive('emulated', 'Instructions that the VMM executed for the guest', () => counts.emulated)
  for (const reason of counts.exits.keys()) {
    const name = exitReasonName(reason)
    if (name !== undefined) counters.derive(`vm-exits-${kebab(name)}`, `VM exits: ${name}`, () => counts.exits[reason]!)
  }
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
