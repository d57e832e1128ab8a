/** The machine that every engine runs: the same options each time, so that only the engine differs. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Overlay } from '@vmexit/block'
import { openCd, openDisk } from '@vmexit/block/node'
import { isVmexitError, VmexitError } from '@vmexit/core'
import { createPc, type Pc, type PcBoot, type PcOptions, unpackState } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'

/** What is booted, by the paths of files, so that another process can boot it too. */
export interface GuestFiles {
  readonly kernel?: string | undefined
  readonly initrd?: string | undefined
  readonly append?: string | undefined
  /** A ROM instead of a kernel. */
  readonly rom?: string | undefined
  /** A BIOS instead of a kernel. */
  readonly bios?: string | undefined
  readonly vgaBios?: string | undefined
  /** A disk's contents, on which every machine writes for itself. What it wrote is not part of a saved state. */
  readonly disk?: string | undefined
  readonly cd?: string | undefined
  readonly memory?: string | undefined
  readonly model?: string | undefined
}

/** A guest that can be started any number of times. */
export interface Guest {
  readonly options: PcOptions
  /** Drives for one machine. */
  readonly drives?: () => Pick<PcOptions, 'disks' | 'cd'>
  /** SHA-256 over all that it is made of: what was recorded of another guest is not compared with it. */
  readonly identity: string
}

/** Reads the files. Throws a `VmexitError` `lockstep-options` if there is not one thing to boot. */
export function readGuest(files: GuestFiles): Guest {
  const { kernel, initrd, append, rom, bios, vgaBios, disk, cd, memory, model } = files
  const identity = createHash('sha256').update(JSON.stringify([append, memory, model]))
  const read = (path: string | undefined): Uint8Array | undefined => {
    const bytes = path === undefined ? undefined : readFileSync(path)
    identity.update(`${bytes?.length}:`).update(bytes ?? '')
    return bytes
  }
  const hardware = { memory, model: model as PcOptions['model'] }
  const pieces = {
    kernel: read(kernel),
    initrd: read(initrd),
    rom: read(rom),
    bios: read(bios),
    vgaBios: read(vgaBios),
    disk: read(disk),
    cd: read(cd),
  }
  const drives = () => ({
    ...(disk !== undefined && { disks: [new Overlay(openDisk(disk))] }),
    ...(cd !== undefined && { cd: openCd(cd) }),
  })
  return { options: { ...hardware, ...bootOf(pieces, append) }, drives, identity: identity.digest('hex') }
}

function bootOf(
  { kernel, initrd, rom, bios, vgaBios }: { readonly [name in keyof GuestFiles]?: Uint8Array | undefined },
  append: string | undefined,
): PcBoot {
  if (kernel !== undefined && rom === undefined && bios === undefined) return { kernel, initrd, append }
  if (rom !== undefined && bios === undefined && kernel === undefined) return { rom }
  if (bios !== undefined && kernel === undefined) return { bios, vgaBios }
  throw new VmexitError('lockstep-options', {
    problem: 'there is not one thing to boot',
    remedy: 'give --kernel, --rom or --bios',
  })
}

/** Starts the guest, or goes on from a state that was saved of it. */
export async function startGuest(guest: Guest, engine: Engine, state?: ReturnType<Pc['save']>): Promise<Pc> {
  const pc = await createPc({ ...guest.options, ...guest.drives?.(), engine })
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
