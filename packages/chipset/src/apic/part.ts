/** The interrupt system of a PC with APICs as a part. */
import { type Bus, definePart, type Part } from '@vmexit/core'
import { claimPicPorts } from '../pic/part.ts'
import { ApicSystem, type ApicSystemOptions, type ApicSystemState } from './apic-system.ts'

/** Where PCs have the page of their local APICs. */
export const localApicAddress = 0xfee0_0000

/** Where PCs have their I/O APIC. */
export const ioApicAddress = 0xfec0_0000

/** How the interrupt system is made; see {@link ApicSystemOptions}. */
export type ApicOptions = Omit<ApicSystemOptions, 'clock'>

/** What `machine.of(apic)` is. */
export interface ApicApi {
  readonly interrupts: ApicSystem
  readonly msi: ApicSystem
  reset(): void
  save(): ApicSystemState
  restore(state: ApicSystemState): void
}

/**
 * A local APIC for each CPU, an I/O APIC and the two 8259As in one: what `pic()` is for older PCs. Inputs 0–15 are the ISA
 * interrupts, 16–23 the I/O APIC's own.
 */
export function apic(options: ApicOptions = {}): Part<{
  name: 'apic'
  needs: 'ports' | 'mmio' | 'clock'
  gives: 'interrupts' | 'msi'
  api: ApicApi
}> {
  return definePart({
    name: 'apic',
    needs: ['ports', 'mmio', 'clock'],
    gives: ['interrupts', 'msi'],
    build({ ports, mmio, clock }, _, { name }): ApicApi {
      const system = new ApicSystem({ ...options, clock })
      claimAll(ports, mmio, name, system, options.imcr === true)
      return {
        interrupts: system,
        msi: system,
        reset: () => system.reset(),
        save: () => system.save(),
        restore: (state) => system.restore(state),
      }
    },
  })
}

function claimAll(ports: Bus, mmio: Bus, owner: string, system: ApicSystem, imcr: boolean): void {
  claimPicPorts(ports, owner, system.pair)
  if (imcr) ports.claim(owner, 0x22, system.regions.imcr)
  mmio.claim(owner, localApicAddress, system.regions.local)
  mmio.claim(owner, ioApicAddress, system.ioApic.regions.registers)
}
