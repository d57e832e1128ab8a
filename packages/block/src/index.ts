/**
 * `@vmexit/block`: disk images as devices of sectors: raw, sparse, copy-on-write, qcow2. Files are in `@vmexit/block/node`.
 *
 * @packageDocumentation
 */
export { type BlockDevice, checkAccess } from './block-device.ts'
export { type ByteStore, byteArray, zeroStore } from './byte-store.ts'
export { memoryDisk, sparseDisk } from './memory-disk.ts'
export { Overlay, type OverlayOptions, type OverlayState } from './overlay.ts'
export { isQcow2 } from './qcow2/header.ts'
export { type Qcow2Options, qcow2 } from './qcow2/qcow2.ts'
export { cdImage, type RawImageOptions, rawImage } from './raw-image.ts'
export { readOnly } from './read-only.ts'
