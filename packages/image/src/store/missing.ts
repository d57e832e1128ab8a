/** Content that is not there. */
import type { Digest } from '../digest.ts'
import { ImageError } from '../errors.ts'

/** For a store whose content has been removed by hand, or an image that names what it does not hold. */
export function missing(digest: Digest): ImageError {
  return new ImageError('image-digest', `there is no content ${digest}`, 'get the image again: part of it is missing')
}
