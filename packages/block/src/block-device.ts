/** What a drive's contents are to whoever simulates the drive: numbered sectors, read and written whole. */
import { VmexitError } from '@vmexit/core'

/**
 * A disk or a CD. Everything is synchronous; who has contents that must be fetched has them fetched before.
 *
 * `read` and `write` throw a {@link VmexitError}: `block-range` for sectors that do not exist or a buffer that is not
 * whole sectors, `block-read-only`, `block-io` where the host fails, `block-image` where a format is broken. A drive
 * reports it to its guest as a medium error, so any error thrown here is survived.
 */
export interface BlockDevice {
  /** Bytes in a sector: 512 of disks, 2048 of CDs. */
  readonly sectorBytes: 512 | 2048
  /** How many sectors there are. */
  readonly sectors: number
  /** Whether `write` is refused. */
  readonly readOnly: boolean
  /** Fills `into`, whole sectors long, from `sector` on. */
  read(sector: number, into: Uint8Array): void
  /** Writes `from`, whole sectors long, from `sector` on. */
  write(sector: number, from: Uint8Array): void
  /** Returns when all that was written is as durable as the device can make it. */
  flush(): void
}

/**
 * Checks that `bytes` bytes from `sector` on are whole sectors of `device`, called `name`, and that it may be written
 * if that is what is wanted. Throws a {@link VmexitError} `block-range` or `block-read-only`.
 */
export function checkAccess(
  name: string,
  device: BlockDevice,
  access: 'read' | 'write',
  sector: number,
  bytes: number,
): void {
  if (access === 'write' && device.readOnly) {
    throw new VmexitError('block-read-only', {
      problem: `${name} is read-only, and sector ${sector} was to be written`,
      remedy: 'put an overlay over it, or open it writable',
    })
  }
  const count = bytes / device.sectorBytes
  if (Number.isInteger(sector) && Number.isInteger(count) && sector >= 0 && sector + count <= device.sectors) return
  throw new VmexitError('block-range', {
    problem: `${bytes} bytes from sector ${sector} on were to be ${access === 'read' ? 'read from' : 'written to'} ${name}`,
    remedy: `stay within its ${device.sectors} sectors, and use whole sectors of ${device.sectorBytes} bytes`,
  })
}
