/**
 * `@vmexit/overlayfs`: a copy-on-write union of file systems.
 *
 * @packageDocumentation
 */

export type { Chunks } from './chunks.ts'
export type { Entries } from './entries.ts'
export type { Layer, Lower, OverlayDirectory, OverlayFile, OverlayInode, PendingCopy, Place } from './inode.ts'
export { OverlayFs } from './overlay.ts'
export { OverlayError, type OverlayOptions } from './union.ts'
