/**
 * `@vmexit/overlayfs`: a copy-on-write union of file systems.
 *
 * @packageDocumentation
 */

export type { Layer, Lower, OverlayDirectory, OverlayFile, OverlayInode, Place } from './inode.ts'
export { OverlayFs } from './overlay.ts'
export { OverlayError, type OverlayOptions } from './union.ts'
