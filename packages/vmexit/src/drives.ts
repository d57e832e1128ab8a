/** Drives on their cables. */
import type { FloppyOptions, IdeDriveOptions, IdeOptions } from '@vmexit/chipset'
import { VmexitError } from '@vmexit/core'
import type { PcHardware } from './options.ts'

/** Two channels of two drives. */
const places = 4

/**
 * Disks in their order from the primary master on; the CD drive is the secondary master where that is free, else the
 * first free place. Throws a {@link VmexitError} `pc-drives` if there are too many.
 */
export function cables({ disks = [], cd }: Pick<PcHardware, 'disks' | 'cd'>): IdeOptions {
  const drives: (IdeDriveOptions | undefined)[] = disks.map((disk) => ({ disk }))
  if (cd !== undefined) drives[Math.max(2, drives.length)] = { cd: cd === 'empty' ? undefined : cd }
  if (drives.length > places) {
    throw new VmexitError('pc-drives', {
      problem: `${drives.length} drives are to be connected to the two IDE channels`,
      remedy: `leave some out: they take ${places}, the CD drive included`,
    })
  }
  const [a, b, c, d] = drives
  const cable = (master?: IdeDriveOptions, slave?: IdeDriveOptions) => ({
    ...(master && { master }),
    ...(slave && { slave }),
  })
  return { primary: cable(a, b), secondary: cable(c, d) }
}

/** Floppy drives A and B. Throws a {@link VmexitError} `pc-drives` if there are more. */
export function floppyDrives({ floppies = [] }: Pick<PcHardware, 'floppies'>): FloppyOptions {
  if (floppies.length > 2) {
    throw new VmexitError('pc-drives', {
      problem: `${floppies.length} floppy drives are to be connected to the one controller`,
      remedy: 'leave some out: firmware and kernels know A and B',
    })
  }
  const [a, b] = floppies.map((disk) => ({ disk }))
  return { ...(a && { a }), ...(b && { b }) }
}
