/** Figures as SVG files that follow the reader's light or dark: bars, and boxes within boxes. */

/** A bar. */
export interface Bar {
  readonly label: string
  readonly value: number
  /** What stands behind it; the value unless stated. */
  readonly words?: string
  /** One of the colours. */
  readonly colour?: 0 | 1 | 2 | 3
}

/** A box with a title, lines of text, and boxes in it. */
export interface Box {
  readonly title: string
  readonly lines?: readonly string[]
  readonly boxes?: readonly Box[]
  readonly colour?: 0 | 1 | 2 | 3
}

const WIDTH = 720
const ROW = 30
const LABELS = 250
const WORDS = 110

const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
const plain = (text: string) => text.replaceAll('`', '')

const STYLE = `<style>
text { font: 14px system-ui, sans-serif; fill: #1d2733 }
.faint { fill: #5c6773 }
.strong { font-weight: 600 }
.page { fill: #ffffff; stroke: #d9dfe5 }
.track { fill: #eef1f4 }
.c0 { fill: #2f6fb0 } .c1 { fill: #b0541e } .c2 { fill: #0b8a5f } .c3 { fill: #7c4fb0 }
.box { fill-opacity: 0.12; stroke-width: 1.5 }
.b0 { fill: #2f6fb0; stroke: #2f6fb0 } .b1 { fill: #b0541e; stroke: #b0541e } .b2 { fill: #0b8a5f; stroke: #0b8a5f } .b3 { fill: #7c4fb0; stroke: #7c4fb0 }
@media (prefers-color-scheme: dark) {
text { fill: #e3e8ee } .faint { fill: #98a4b1 } .page { fill: #1c232c; stroke: #303a46 } .track { fill: #2a333d }
.c0 { fill: #6cb2f2 } .c1 { fill: #ef9a62 } .c2 { fill: #5ccfa6 } .c3 { fill: #c99af0 }
.b0 { fill: #6cb2f2; stroke: #6cb2f2 } .b1 { fill: #ef9a62; stroke: #ef9a62 } .b2 { fill: #5ccfa6; stroke: #5ccfa6 } .b3 { fill: #c99af0; stroke: #c99af0 }
}
</style>`

function picture(title: string, height: number, inner: string): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" role="img" aria-label="${escaped(title)}">
${STYLE}
<rect class="page" x="0.5" y="0.5" width="${WIDTH - 1}" height="${height - 1}" rx="8"/>
<text class="strong" x="20" y="30">${escaped(title)}</text>
${inner}
</svg>
`
}

/** Bars below each other, on one scale that begins at 0. */
export function bars(title: string, rows: readonly Bar[], note?: string): string {
  const most = Math.max(...rows.map(({ value }) => value), Number.MIN_VALUE)
  const room = WIDTH - LABELS - WORDS - 40
  const lines = rows.map(({ label, value, words = String(value), colour = 0 }, n) => {
    const y = 50 + n * ROW
    const width = value === 0 ? 0 : Math.max(2, Math.round((room * value) / most))
    return [
      `<text x="20" y="${y + 16}">${escaped(plain(label))}</text>`,
      `<rect class="track" x="${LABELS + 20}" y="${y + 4}" width="${room}" height="16"/>`,
      `<rect class="c${colour}" x="${LABELS + 20}" y="${y + 4}" width="${width}" height="16"/>`,
      `<text x="${LABELS + room + 30}" y="${y + 16}">${escaped(words)}</text>`,
    ].join('\n')
  })
  const end = 50 + rows.length * ROW
  const below = note === undefined ? [] : [`<text class="faint" x="20" y="${end + 18}">${escaped(note)}</text>`]
  return picture(title, end + (note === undefined ? 10 : 34), [...lines, ...below].join('\n'))
}

/** Boxes side by side, each around those in it. */
export function boxes(title: string, all: readonly Box[]): string {
  const height = Math.max(...all.map(heightOf))
  const drawn = sideBySide(all, 20, 46, WIDTH - 40, height)
  return picture(title, height + 66, drawn)
}

function heightOf({ lines = [], boxes: inner = [] }: Box): number {
  const within = inner.length === 0 ? 0 : Math.max(...inner.map(heightOf)) + 12
  return 34 + lines.length * 20 + within
}

function sideBySide(all: readonly Box[], x: number, y: number, width: number, height: number): string {
  const each = (width - 12 * (all.length - 1)) / all.length
  return all.map((one, n) => draw(one, Math.round(x + n * (each + 12)), y, Math.round(each), height)).join('\n')
}

function draw(
  { title, lines = [], boxes: inner = [], colour = 0 }: Box,
  x: number,
  y: number,
  width: number,
  height: number,
): string {
  const top = y + 34 + lines.length * 20
  return [
    `<rect class="box b${colour}" x="${x}" y="${y}" width="${width}" height="${height}" rx="6"/>`,
    `<text class="strong" x="${x + 12}" y="${y + 22}">${escaped(title)}</text>`,
    ...lines.map((line, n) => `<text x="${x + 12}" y="${y + 44 + n * 20}">${escaped(line)}</text>`),
    ...(inner.length === 0 ? [] : [sideBySide(inner, x + 10, top, width - 20, height - (top - y) - 10)]),
  ].join('\n')
}
