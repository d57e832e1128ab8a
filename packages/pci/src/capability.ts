/** Capabilities: structures in configuration space, chained from the pointer at 0x34 (PCI 3.0, 6.7). */
import { VmexitError } from '@vmexit/core'
import type { ConfigRegister, ConfigSpace } from './config-space.ts'

/** One capability. */
export interface Capability {
  /** Such as 0x05 for message-signalled interrupts, 0x09 for what the vendor defines. */
  readonly id: number
  /** Length with the two bytes of ID and pointer. */
  readonly bytes: number
  /** Its registers from offset 2 on, relative to its start. */
  readonly registers: readonly ConfigRegister[]
}

/** Where the specification puts the first one, and devices their own registers. */
const first = 0x40

/**
 * Adds capabilities where no other registers are, in their order. Throws a {@link VmexitError} `pci-register` if there
 * is no room.
 */
export function addCapabilities(config: ConfigSpace, owner: string, capabilities: readonly Capability[]): void {
  const places: number[] = []
  for (const { id, bytes, registers } of capabilities) {
    const at = config.findFree(first, bytes)
    if (at === undefined) {
      throw new VmexitError('pci-register', {
        problem: `${owner} has no ${bytes} bytes left for capability ${id}`,
        remedy: 'leave a gap between its own registers from 0x40 on',
      })
    }
    places.push(at)
    config.add({ name: `capability ${id} at ${at}`, offset: at, bytes: 1, value: id })
    for (const register of registers) config.add({ ...register, offset: at + register.offset })
  }
  for (const [i, at] of places.entries()) {
    config.add({ name: `pointer at ${at}`, offset: at + 1, bytes: 1, value: places[i + 1] ?? 0 })
  }
  if (places.length > 0) config.add({ name: 'capabilities', offset: 0x34, bytes: 1, value: places[0]! })
}
