/**
 * What a layer says of the layers below it, in its two forms: names in an archive (OCI image layer specification, "Whiteouts"), and what
 * Linux's overlayfs finds in an upper directory (its documentation, "whiteouts and opaque directories").
 */
import { type ByteString, toByteString } from '@vmexit/vfs'

/** In an archive: before the name of what is gone, and alone for a directory that hides all below. */
export const WHITEOUT_PREFIX: ByteString = '.wh.'
export const OPAQUE_NAME: ByteString = '.wh..wh..opq'

/** In a tree: the attribute and value of an opaque directory. What is gone is a character device 0:0. */
export const OPAQUE_ATTRIBUTE: ByteString = 'trusted.overlay.opaque'
export const OPAQUE_VALUE: Uint8Array = Uint8Array.of('y'.charCodeAt(0))

/** Attributes in which an overlay keeps notes of its own: they are no part of the files. */
export function isOverlayAttribute(name: ByteString): boolean {
  return name.startsWith(toByteString('trusted.overlay.')) || name.startsWith(toByteString('user.overlay.'))
}
