/** The lines that the programs print for whoever looks at their console (`programs/lib/program.h`, `programs/init.c`). */

/** What a line says. Programs print `begin`, `middle` and `end`; init prints `exit` behind each, and `done` at last. */
export type Marker =
  | { readonly kind: 'begin'; readonly program: string; readonly count: number }
  | { readonly kind: 'middle'; readonly program: string }
  | {
      readonly kind: 'end'
      readonly program: string
      /** Eight hexadecimal digits. */
      readonly checksum: string
    }
  | {
      readonly kind: 'exit'
      readonly program: string
      /** The exit code; 128 and the signal that ended it; 127 if there is no such program. */
      readonly status: number
    }
  | { readonly kind: 'done' }

/** Characters of a line that are looked at. */
const LINE = 128
const NEWLINE = 0x0a

/**
 * Finds the markers in what a console prints, in pieces of any size. Each is told of when the newline behind it comes,
 * before any later byte is looked at: fed byte by byte, at the moment when the guest sends the newline.
 */
export class MarkerReader {
  readonly #onMarker: (marker: Marker) => void
  #line = ''

  constructor(onMarker: (marker: Marker) => void) {
    this.#onMarker = onMarker
  }

  /** Takes what the console printed next. */
  feed(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== NEWLINE) {
        if (this.#line.length < LINE) this.#line += String.fromCharCode(byte)
        continue
      }
      const marker = parse(this.#line)
      this.#line = ''
      if (marker !== undefined) this.#onMarker(marker)
    }
  }
}

/** What a line says, if it is a marker. Terminals put a carriage return before the newline, programs spaces. */
function parse(line: string): Marker | undefined {
  const [, kind, program, value] = line.match(/^@@([a-z]+)(?: (\S+))?(?: (\S+))?\s*$/) ?? []
  if (program === undefined) return kind === 'done' ? { kind } : undefined
  if (value === undefined) return kind === 'middle' ? { kind, program } : undefined
  if (kind === 'end') return /^[0-9a-f]{8}$/.test(value) ? { kind, program, checksum: value } : undefined
  if (!/^[0-9]{1,10}$/.test(value)) return undefined
  if (kind === 'begin') return { kind, program, count: Number(value) }
  return kind === 'exit' ? { kind, program, status: Number(value) } : undefined
}
