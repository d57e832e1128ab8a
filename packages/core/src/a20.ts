/** The A20 gate: whether addresses have bit 20, or wrap at 1 MiB as they did on an 8086. */

/** A gate that any of several inputs opens: the capability `a20`. */
export class A20Gate {
  readonly #inputs = new Map<string, boolean>()
  readonly #watchers = new Set<(enabled: boolean) => void>()
  #enabled = false

  /** Whether addresses have bit 20. */
  get enabled(): boolean {
    return this.#enabled
  }

  /** Drives one input. */
  set(input: string, level: boolean): void {
    this.#inputs.set(input, level)
    const enabled = [...this.#inputs.values()].includes(true)
    if (enabled === this.#enabled) return
    this.#enabled = enabled
    for (const changed of this.#watchers) changed(enabled)
  }

  /** Calls `changed` whenever the gate opens or closes, until the returned object is disposed. */
  watch(changed: (enabled: boolean) => void): Disposable {
    this.#watchers.add(changed)
    return { [Symbol.dispose]: () => void this.#watchers.delete(changed) }
  }
}
