/** Disks in memory. */
import type { BlockDevice } from './block-device.ts'
import { zeroStore } from './byte-store.ts'
import { Overlay, type OverlayOptions } from './overlay.ts'
import { rawImage } from './raw-image.ts'

/**
 * A disk of `bytes` zeros that takes memory only where it was written, and saves what was written. Throws a
 * `VmexitError` `block-size` if that is not whole sectors of 512 bytes.
 */
export function sparseDisk(bytes: number, options: OverlayOptions = {}): Overlay {
  return new Overlay(rawImage(zeroStore(bytes)), options)
}

/**
 * A disk over bytes of yours, which are written in place and not saved; or an empty one of so many bytes, which is a
 * {@link sparseDisk}. Throws a `VmexitError` `block-size` if that is not whole sectors of 512 bytes.
 */
export function memoryDisk(bytes: number): Overlay
export function memoryDisk(bytes: Uint8Array): BlockDevice
export function memoryDisk(bytes: Uint8Array | number): BlockDevice {
  return typeof bytes === 'number' ? sparseDisk(bytes) : rawImage(bytes)
}
