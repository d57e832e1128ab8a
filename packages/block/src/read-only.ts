/** A device that is not to be changed. */
import type { BlockDevice } from './block-device.ts'
import { checkAccess } from './block-device.ts'

/** `device`, whose `write` throws a `VmexitError` `block-read-only`. */
export function readOnly(device: BlockDevice): BlockDevice {
  const wrapper: BlockDevice = {
    sectorBytes: device.sectorBytes,
    sectors: device.sectors,
    readOnly: true,
    read: (sector, into) => device.read(sector, into),
    write: (sector, from) => checkAccess('the disk', wrapper, 'write', sector, from.length),
    flush() {},
  }
  return wrapper
}
