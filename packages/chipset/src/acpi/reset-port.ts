/** The reset control register at port 0xcf9 (82371AB datasheet, 4.3.3). */
import { checkState, definePart, type Part, type State } from '@vmexit/core'
import { byteRegisters } from '../registers.ts'

/** A saved reset port. */
export type ResetPortState = State & { readonly version: 1; readonly value: number }

/** What `machine.of(resetPort)` is. */
export interface ResetPortApi {
  reset(): void
  save(): ResetPortState
  restore(state: ResetPortState): void
}

/** Bit 1 chooses a hard reset, which is what both are here; bit 2 going from 0 to 1 makes it. */
const resetCpu = 0x04

/**
 * The port whose bit 2 resets the machine: what a FADT names as reset register. It lies among the ports of PCI's
 * configuration address: `pci()` of `@vmexit/pci` has the register itself, so leave this out beside it.
 */
export function resetPort({ port = 0xcf9 }: { readonly port?: number } = {}): Part<{
  name: 'reset-port'
  needs: 'ports' | 'power'
  api: ResetPortApi
}> {
  return definePart({
    name: 'reset-port',
    needs: ['ports', 'power'],
    build({ ports, power }, _, { name }): ResetPortApi {
      let value = 0
      const write = (_: number, written: number) => {
        const reset = written & ~value & resetCpu
        value = written & 0x06
        if (reset) power.request('reset')
      }
      ports.claim(
        name,
        port,
        byteRegisters(1, () => value, write),
      )
      const save = (): ResetPortState => ({ version: 1, value })
      return {
        reset: () => void (value = 0),
        save,
        restore: (state) => void (value = checkState(name, state, save()).value),
      }
    },
  })
}
