/** What a guest prints on its serial port, line by line. */

const NEWLINE = '\n'.charCodeAt(0)
const RETURN = '\r'.charCodeAt(0)

/** Calls `take` with each line at its end. */
export class Lines {
  readonly #take: (line: string) => void
  #line = ''

  constructor(take: (line: string) => void) {
    this.#take = take
  }

  feed(bytes: Iterable<number>): void {
    for (const byte of bytes) {
      if (byte === NEWLINE) {
        const line = this.#line
        this.#line = ''
        this.#take(line)
      } else if (byte !== RETURN) this.#line += String.fromCharCode(byte)
    }
  }
}
