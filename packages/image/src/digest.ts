/** Digests: what content is called (OCI image specification, "Descriptors", "Digests"). */
import { ImageError, quoted } from './errors.ts'

/** How a digest is made: the two that the specification registers. */
export type DigestAlgorithm = 'sha256' | 'sha512'

/** `sha256:` and 64 hexadecimal digits in lower case, or `sha512:` and 128. */
export type Digest = `${DigestAlgorithm}:${string}`

const FORM = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/

/** Whether a text is a digest that can be checked. */
export function isDigest(text: string): text is Digest {
  return FORM.test(text)
}

/** A text as a digest. @throws ImageError `image-digest`. */
export function parseDigest(text: string): Digest {
  if (isDigest(text)) return text
  throw new ImageError('image-digest', `${quoted(text)} is no digest`, 'give sha256: and 64 digits in lower case')
}

/** The two parts of a digest. */
export function partsOf(digest: Digest): { readonly algorithm: DigestAlgorithm; readonly hex: string } {
  const colon = digest.indexOf(':')
  return { algorithm: digest.slice(0, colon) as DigestAlgorithm, hex: digest.slice(colon + 1) }
}

/** The first digits, as they are shown to people. */
export function shortDigest(digest: Digest): string {
  return partsOf(digest).hex.slice(0, 12)
}
