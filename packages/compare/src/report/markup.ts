/** Markup in which only what was written here is markup: whatever comes from a comparison is text. */

/** Markup, as against text. */
export class Markup {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

type Piece = Markup | string | number | undefined | readonly (Markup | string | number | undefined)[]

function markupOf(piece: Piece): string {
  if (piece === undefined) return ''
  if (piece instanceof Markup) return piece.text
  if (Array.isArray(piece)) return piece.map(markupOf).join('')
  return String(piece).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}

/** A template of markup; what is put in is text unless it is {@link Markup}. Attributes are to stand in double quotes. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.reduce((sum, part, n) => sum + markupOf(pieces[n - 1]) + part))
}
