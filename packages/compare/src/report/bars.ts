/**
 * Bars as inline SVG, of any width: a row of a table has one, so that charts are read, copied and spoken as tables. Lengths are shares
 * of the whole width, from 0 to 1.
 */
import { html, type Markup } from './markup.ts'

/** A piece of a bar. */
export interface Segment {
  /** Number of its colour, as the legend has it. */
  readonly colour: number
  readonly from: number
  readonly to: number
  /** For whoever points at it. */
  readonly title: string
}

/** Units of a bar's width in its own coordinates. */
const WIDTH = 1000
const HEIGHT = 16
/** So that what is tiny is seen. */
const LEAST = 3

const unit = (share: number): number => Math.round(Math.min(1, Math.max(0, share)) * WIDTH * 10) / 10

/** A bar of segments; `marks` are thin lines across. `label` says all of it in words. */
export function bar(segments: readonly Segment[], label: string, marks: readonly number[] = []): Markup {
  const lines = marks.map(
    (at) => html`<line x1="${unit(at)}" x2="${unit(at)}" y1="0" y2="${HEIGHT}" vector-effect="non-scaling-stroke"/>`,
  )
  const pieces = segments.map(({ colour, from, to, title }) => {
    const x = unit(from)
    const width = Math.max(LEAST, Math.round((unit(to) - x) * 10) / 10)
    return html`<rect class="c${colour}" x="${Math.min(x, WIDTH - width)}" width="${width}" y="2" height="${HEIGHT - 4}"><title>${title}</title></rect>`
  })
  return html`<svg class="bar" role="img" aria-label="${label}" viewBox="0 0 ${WIDTH} ${HEIGHT}" preserveAspectRatio="none">${lines}${pieces}</svg>`
}

/** Segments behind each other, of lengths in units of `most`. Lengths that are 0 have none. */
export function stacked(
  parts: readonly { readonly colour: number; readonly length: number; readonly title: string }[],
  most: number,
): readonly Segment[] {
  let at = 0
  return parts
    .filter(({ length }) => length > 0)
    .map(({ colour, length, title }) => {
      const from = at
      at += length / most
      return { colour, from, to: at, title }
    })
}

/** What the colours of a chart stand for, from colour `first` on. */
export function legend(names: readonly string[], first = 0): Markup {
  const entries = names.map(
    (name, n) =>
      html`<li><svg class="key" viewBox="0 0 10 10" aria-hidden="true"><rect class="c${first + n}" width="10" height="10"/></svg>${name}</li>`,
  )
  return html`<ul class="legend">${entries}</ul>`
}
