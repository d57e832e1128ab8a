/** The machine that every engine runs: the same options each time, so that only the engine differs. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { createPc, type Pc, type PcOptions, unpackState } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'

/** What is booted, by the paths of files, so that another process can boot it too. */
export interface GuestFiles {
  readonly kernel?: string | undefined
  readonly initrd?: string | undefined
  readonly append?: string | undefined
  /** A ROM instead of a kernel. */
  readonly rom?: string | undefined
  readonly memory?: string | undefined
  readonly model?: string | undefined
}

/** A guest that can be started any number of times. */
export interface Guest {
  readonly options: PcOptions
  /** SHA-256 over all that it is made of: what was recorded of another guest is not compared with it. */
  readonly identity: string
}

/** Reads the files. Throws a `VmexitError` `lockstep-options` if there is nothing to boot. */
export function readGuest(files: GuestFiles): Guest {
  const { kernel, initrd, append, rom, memory, model } = files
  const identity = createHash('sha256').update(JSON.stringify([append, memory, model]))
  const read = (path: string): Uint8Array => {
    const bytes = readFileSync(path)
    identity.update(`${bytes.length}:`).update(bytes)
    return bytes
  }
  const hardware = { memory, model: model as PcOptions['model'] }
  if (rom !== undefined) return { options: { ...hardware, rom: read(rom) }, identity: identity.digest('hex') }
  if (kernel === undefined) {
    throw new VmexitError('lockstep-options', {
      problem: 'there is nothing to boot',
      remedy: 'give --kernel (and --initrd), or --rom',
    })
  }
  const options = { ...hardware, kernel: read(kernel), initrd: initrd === undefined ? undefined : read(initrd), append }
  return { options, identity: identity.digest('hex') }
}

/** Starts the guest, or goes on from a state that was saved of it. */
export async function startGuest(guest: Guest, engine: Engine, state?: ReturnType<Pc['save']>): Promise<Pc> {
  const pc = await createPc({ ...guest.options, engine })
  if (state !== undefined) pc.restore(state)
  return pc
}

/** Reads a saved state. */
export async function readState(path: string): Promise<ReturnType<Pc['save']>> {
  try {
    return (await unpackState(readFileSync(path))) as ReturnType<Pc['save']>
  } catch (error) {
    if (!isVmexitError(error)) throw error
    throw new VmexitError('lockstep-state', { problem: `${path}: ${error.problem}`, remedy: error.remedy })
  }
}
