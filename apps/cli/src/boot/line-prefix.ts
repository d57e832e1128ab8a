/** Lines of several, told apart: each whole line has a name before it. */

/** Bytes of a line that are kept until it ends; a longer one is broken. */
const longest = 4096
const newline = 0x0a
const carriageReturn = 0x0d

export class LinePrefix {
  readonly #prefix: Uint8Array
  #line: number[] = []

  constructor(name: string) {
    this.#prefix = new TextEncoder().encode(`${name} | `)
  }

  /** The lines that are whole now. */
  lines(bytes: Uint8Array): Uint8Array {
    const out: number[] = []
    for (const byte of bytes) {
      if (byte !== newline) this.#line.push(byte)
      if (byte === newline || this.#line.length === longest) this.#end(out)
    }
    return Uint8Array.from(out)
  }

  /** What is left of a line that never ended. */
  rest(): Uint8Array {
    const out: number[] = []
    if (this.#line.length > 0) this.#end(out)
    return Uint8Array.from(out)
  }

  #end(out: number[]): void {
    // A serial console ends lines by both.
    if (this.#line.at(-1) === carriageReturn) this.#line.pop()
    out.push(...this.#prefix, ...this.#line, newline)
    this.#line = []
  }
}
