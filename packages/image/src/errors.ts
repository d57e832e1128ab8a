/** What goes wrong with images: one error, whose `code` says of what kind. */
import { type ErrorDetails, VmexitError } from '@vmexit/core'

/**
 * - `image-reference`: a name is none by Docker's rules.
 * - `image-unknown`, `image-ambiguous`: there is no such image here, or more than one.
 * - `image-in-use`: an image has other names, too.
 * - `image-document`: a manifest, an index, a configuration is not what its specification says.
 * - `image-digest`: bytes are not those that their digest or size says, or are missing.
 * - `image-layer`: a layer's archive is damaged, or asks for what cannot be.
 * - `image-archive`: an archive or a folder is no image.
 * - `image-platform`: an image has nothing for the platform that was asked for.
 * - `image-unsupported`: something that is known, and not done here.
 * - `image-quota`: a limit.
 * - `image-registry`: a registry refuses, answers nonsense, or cannot be reached.
 * - `image-store`: the place where images are kept.
 * - `image-commit`: what an overlay has left cannot be a layer.
 */
export type ImageErrorCode =
  | 'image-reference'
  | 'image-unknown'
  | 'image-ambiguous'
  | 'image-in-use'
  | 'image-document'
  | 'image-digest'
  | 'image-layer'
  | 'image-archive'
  | 'image-platform'
  | 'image-unsupported'
  | 'image-quota'
  | 'image-registry'
  | 'image-store'
  | 'image-commit'

/** An error of this package. */
export class ImageError extends VmexitError<ImageErrorCode> {
  constructor(code: ImageErrorCode, problem: string, remedy: string, cause?: unknown) {
    const details: ErrorDetails = cause === undefined ? { problem, remedy } : { problem, remedy, cause }
    super(code, details)
  }
}

const LONGEST = 120

/** Text from outside, for an error: on one line, without control characters, and not all of it if it is long. */
export function quoted(text: string): string {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
  return `'${shown.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)}'`
}
