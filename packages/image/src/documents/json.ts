/** JSON from outside: not too large, not too deep, in UTF-8, and of the form that is asked for. */
import * as v from 'valibot'
import { ImageError, quoted } from '../errors.ts'

/** The most bytes of a document: what registries must take at least (OCI distribution specification, "Pushing Manifests"). */
export const MOST_DOCUMENT_BYTES: number = 4 << 20
/** Deeper than any document is, and shallower than what writing it again could bear. */
const DEEPEST = 64

/** Reads a document. `what` names it in errors. @throws ImageError `image-document`. */
export function readDocument<Document>(
  bytes: Uint8Array,
  schema: v.GenericSchema<unknown, Document>,
  what: string,
): Document {
  const bad = (why: string, cause?: unknown): ImageError =>
    new ImageError('image-document', `${what} ${why}`, 'get the image again, or have it made again', cause)
  if (bytes.length > MOST_DOCUMENT_BYTES)
    throw bad(`has ${bytes.length} bytes, and may have ${MOST_DOCUMENT_BYTES} at most`)
  if (depthOf(bytes) > DEEPEST) throw bad(`is nested more than ${DEEPEST} deep`)
  let value: unknown
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes))
  } catch (cause) {
    throw bad('is no JSON', cause)
  }
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  throw bad(`is wrong at ${quoted(v.getDotPath(issue) ?? 'its top')}: ${quoted(issue.message)}`)
}

/** How deep objects and arrays lie in each other. */
function depthOf(bytes: Uint8Array): number {
  let [depth, deepest, inString] = [0, 0, false]
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]!
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}

/** A document as it is written: the same one gives the same bytes. */
export function writeDocument(document: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(document))
}
