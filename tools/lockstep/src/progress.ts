/** One line on a terminal that says how far it is. Elsewhere nothing. */
export class Progress {
  #shown = false
  #last = 0

  /** Replaces the line, a few times a second at the most. */
  show(words: string): void {
    if (!process.stderr.isTTY || performance.now() - this.#last < 200) return
    this.#last = performance.now()
    this.#shown = true
    process.stderr.write(`\r\x1b[K${words}`)
  }

  /** Clears the line, so that something else can be printed. */
  clear(): void {
    if (this.#shown) process.stderr.write('\r\x1b[K')
    this.#shown = false
  }
}
