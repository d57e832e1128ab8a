/** The INTR pin of a CPU, as the controller that drives it sees it. */
import type { InterruptSource } from '@vmexit/core'

/** A pin that a controller drives and a CPU watches. */
export class IntrPin implements InterruptSource {
  readonly #acknowledge: () => number
  readonly #setEnabled: (enabled: boolean) => void
  readonly #watchers = new Set<(pending: boolean) => void>()
  #pending = false

  /** `acknowledge` is the controller's answer to the interrupt-acknowledge cycle, `setEnabled` to the CPU's enable. */
  constructor(acknowledge: () => number, setEnabled: (enabled: boolean) => void = () => {}) {
    this.#acknowledge = acknowledge
    this.#setEnabled = setEnabled
  }

  setEnabled(enabled: boolean): void {
    this.#setEnabled(enabled)
  }

  get pending(): boolean {
    return this.#pending
  }

  acknowledge(): number {
    return this.#acknowledge()
  }

  watch(changed: (pending: boolean) => void): Disposable {
    this.#watchers.add(changed)
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) }
  }

  /** For the controller. */
  set(pending: boolean): void {
    if (pending === this.#pending) return
    this.#pending = pending
    for (const changed of this.#watchers) changed(pending)
  }
}
