/** How far a pull or a load is, on a terminal's standard error. */
import type { ImageProgress } from '@vmexit/image'

const DOING = { wait: 'waiting for', read: 'reading', download: 'fetching', upload: 'pushing', unpack: 'unpacking' }

/** One line that is written over, from a while on. Without a terminal nothing is shown but whom is waited for. */
export class Progress {
  readonly #begun = performance.now()
  readonly #isTerminal: boolean = process.stderr.isTTY === true
  #shown = 0

  readonly report = ({ step, what, done, total }: ImageProgress): void => {
    if (step === 'wait') {
      this.clear()
      process.stderr.write(`vmexit: ${what} is changing the images, waiting\n`)
      return
    }
    const now = performance.now()
    if (!this.#isTerminal || now - this.#begun < 500 || now - this.#shown < 100) return
    this.#shown = now
    const size = total === undefined ? megabytes(done) : `${megabytes(done)} of ${megabytes(total)}`
    process.stderr.write(`\r\x1b[K${DOING[step]} ${what.slice(0, 19)}: ${size}`)
  }

  clear(): void {
    if (this.#shown > 0) process.stderr.write('\r\x1b[K')
    this.#shown = 0
  }
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}
