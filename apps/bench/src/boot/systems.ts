/** Boots a system, in this process or in one of its own. */
import { VmexitError } from '@vmexit/core'
import { inOwnProcess } from '../child.ts'
import { engineOf } from '../engines.ts'
import { type Guest, guestOf } from './guest.ts'
import type { BootSystem } from './names.ts'
import type { BootOptions } from './options.ts'
import type { BootRecord } from './timeline.ts'

type Boot = (guest: Guest, bios: string) => Promise<BootRecord>

/** Loads a system's program, and no other's: nobody is to pay for that. */
async function programOf(system: BootSystem): Promise<Boot> {
  const engine = engineOf(system)
  if (engine !== undefined) {
    const { bootVmexit } = await import('./vmexit.ts')
    return (guest) => bootVmexit(engine, guest)
  }
  if (system === 'qemu-tcg') return (await import('./qemu.ts')).bootQemu
  const { bootV86 } = await import('./v86.ts')
  return (guest, bios) => bootV86(system === 'v86', guest, bios)
}

/**
 * Boots in this process; with `load`, only loads what boots.
 * @throws VmexitError `bench-guest` for files that are not there, and for a guest that does not get to its end.
 */
export async function bootHere(system: BootSystem, options: BootOptions): Promise<BootRecord | undefined> {
  const program = await programOf(system)
  if (options.load) return undefined
  const record = await program(guestOf(options), options.bios)
  if ('done' in record.milestones) return record
  throw new VmexitError('bench-guest', {
    problem: `the guest under ${system} ended before it said @@DONE`,
    remedy: 'boot it with `vmexit boot` and look at what it prints',
  })
}

/** Fills `cache` with the compiled program of a system, so that each boot finds it there. */
export async function warm(system: BootSystem, cache: string): Promise<void> {
  await inOwnProcess(`loading ${system}`, ['boot', '--system', system, '--load'], cache)
}

/**
 * Boots in a process of its own.
 * @throws VmexitError `bench-system` if that process fails.
 */
export async function boot(system: BootSystem, options: BootOptions, cache: string): Promise<BootRecord> {
  const { kernel, initrd, append, workloads, bios } = options
  const args = ['boot', '--system', system, '--kernel', kernel, '--initrd', initrd, '--append', append, '--bios', bios]
  if (workloads !== undefined) args.push('--workloads', workloads)
  return JSON.parse(await inOwnProcess(`booting ${system}`, args, cache)) as BootRecord
}
