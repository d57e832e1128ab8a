/** `vmexit boot --detach`: the same PCs in a host process. */
import { basename } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { start } from '../hosted/index.ts'
import type { BootFlags } from './flags.ts'
import { dashed } from './pc-options.ts'

/** What tells something here, at the end. */
const ofThisTerminal = ['json', 'stats', 'verbose'] as const

/** Starts it, and returns its ID once it runs. Throws what `boot` throws before it runs. */
export async function detach(guest: string | undefined, flags: BootFlags): Promise<string> {
  const given = ofThisTerminal.filter((flag) => flags[flag] !== undefined).map((flag) => `--${dashed(flag)}`)
  if (given.length > 0) {
    throw new VmexitError('boot-options', {
      problem: `${given.join(', ')} tells something in this terminal, which a PC that runs in the background has left`,
      remedy: 'leave it out, and ask with `vmexit stats --json`',
    })
  }
  const { name, ...options } = flags
  const { found, leaveAlone } = await start({ kind: 'vm', name, what: describe(guest, flags), options })
  leaveAlone()
  return found.instance.id
}

/** `linux-686 (vtx, nested-paging)`, `2 VMs of linux-686 (vtx)`. */
function describe(guest: string | undefined, flags: BootFlags): string {
  const { kernel, multiboot, rom, bios, disk, cd, technique, mmu, vms } = flags
  const booted = guest ?? basename(kernel ?? multiboot ?? rom ?? disk?.[0] ?? cd ?? bios ?? 'floppy')
  return `${vms === undefined ? '' : `${vms} VMs of `}${booted} (${[technique, mmu].filter(Boolean).join(', ')})`
}
