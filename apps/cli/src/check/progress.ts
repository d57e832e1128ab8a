/** How far a check is, on a terminal's standard error. */
import type { CheckProgress } from '@vmexit/vmexit'

/** One line that is written over. Nothing where standard error is no terminal. */
export class Progress {
  readonly #begun = performance.now()
  readonly #isTerminal = process.stderr.isTTY === true

  show({ phase, instructions, different }: CheckProgress): void {
    if (!this.#isTerminal) return
    const seconds = ((performance.now() - this.#begun) / 1000).toFixed(0)
    const words =
      phase === 'compare' || different === undefined
        ? `equal up to ${figure(instructions)} instructions`
        : `they come apart between ${figure(instructions)} and ${figure(different)} instructions`
    process.stderr.write(`\r\x1b[K${words} (${seconds} s)`)
  }

  clear(): void {
    if (this.#isTerminal) process.stderr.write('\r\x1b[K')
  }
}

/** With thousands apart. */
export const figure = (value: number): string => value.toLocaleString('en-US')
