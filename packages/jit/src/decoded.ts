/** Instructions decoded of late: what gets hot together lies together, and regions overlap. */
import type { Insn } from '@vmexit/x86-decoder'

/** Instructions kept at the most; then all are forgotten. */
const MOST = 20_000

export class Decoded {
  /** By version of a page, which is another one when the page is written. */
  readonly #pages = new Map<number, Map<number, Insn>>()
  #count = 0

  /** The instruction at that place: `offset` in its page and anything that decoding depends on, as one number. */
  get(version: number, place: number): Insn | undefined {
    return this.#pages.get(version)?.get(place)
  }

  set(version: number, place: number, insn: Insn): void {
    if (++this.#count > MOST) {
      this.#pages.clear()
      this.#count = 1
    }
    let page = this.#pages.get(version)
    if (!page) this.#pages.set(version, (page = new Map()))
    page.set(place, insn)
  }
}
