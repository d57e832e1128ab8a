/** The power and reset switch, as chips and firmware tables reach it. */

/** What can be asked of the switch: a reset of the machine, or power off. */
export type PowerAction = 'reset' | 'off'

/**
 * The switch of a machine: the capability `power`. A keyboard controller's reset line, port 0xcf9, ACPI's sleep
 * register and the like press it; the machine stops at the next instruction boundary and says which.
 */
export class Power {
  #pressed: PowerAction | undefined
  readonly #listeners = new Set<() => void>()

  /** Presses the switch. Off wins over a reset at the same moment. */
  request(action: PowerAction): void {
    if (this.#pressed !== 'off') this.#pressed = action
    for (const listener of this.#listeners) listener()
  }

  /** For the run loop: what was asked since the last call. */
  take(): PowerAction | undefined {
    const pressed = this.#pressed
    this.#pressed = undefined
    return pressed
  }

  /** Calls `listener` at each request, until the returned object is disposed. */
  onRequest(listener: () => void): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }
}
