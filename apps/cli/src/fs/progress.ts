/** How far unpacking is, on a terminal's standard error. */

/** One line that is written over, from the first second on. */
export class UnpackProgress {
  readonly #begun = performance.now()
  readonly #isTerminal: boolean = process.stderr.isTTY === true
  #bytes = 0
  #shown = 0

  add(name: string, bytes: number): void {
    this.#bytes += bytes
    const now = performance.now()
    if (!this.#isTerminal || now - this.#begun < 1000 || now - this.#shown < 100) return
    this.#shown = now
    process.stderr.write(`\r\x1b[Kunpacking ${name}: ${(this.#bytes / 1e6).toFixed(0)} MB`)
  }

  clear(): void {
    this.#bytes = 0
    if (this.#shown > 0) process.stderr.write('\r\x1b[K')
  }
}
