/** What images are called in archives and layouts. */
import type { Annotations } from '../documents/documents.ts'
import { ImageError } from '../errors.ts'
import { REF_NAME } from '../images/entries.ts'
import { canonicalName, familiarName, parseReference, type Reference } from '../reference.ts'

/** containerd's and Docker's own annotation, with the whole name; the specification's has the tag alone, or anything. */
const FULL_NAME = 'io.containerd.image.name'

/** The whole name that a layout gives an image; undefined where it gives none that is one. */
export function nameIn(annotations: Annotations | undefined): string | undefined {
  for (const text of [annotations?.[FULL_NAME], annotations?.[REF_NAME]]) {
    // A tag alone is no name: of which repository?
    if (text === undefined || !/[/:]/.test(text)) continue
    try {
      return canonicalName(parseReference(text))
    } catch (error) {
      if (!(error instanceof ImageError)) throw error
    }
  }
  return undefined
}

/** How a name is written into a layout. */
export function annotationsFor(reference: Reference): Annotations {
  return { [FULL_NAME]: canonicalName(reference), [REF_NAME]: reference.tag ?? familiarName(reference) }
}
