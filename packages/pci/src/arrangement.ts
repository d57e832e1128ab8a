/**
 * Which windows answer. Where a guest puts several at one address, it is the first by device, function and base address
 * register, whatever came first in time: a machine that was saved then goes on as it would have.
 */
import type { Window } from './windows.ts'

/** The windows of a bus. */
export class Arrangement {
  #windows: readonly Window[] = []
  #contested = false

  /** Takes all windows there are, the first one first. */
  take(windows: readonly Window[]): void {
    this.#windows = windows
    this.settle()
  }

  /** Puts every window where it is to be: called when one has been moved, opened or closed. */
  settle(): void {
    const contested = this.#overlapping()
    if (contested || this.#contested) for (const window of this.#windows) window.withdraw()
    this.#contested = contested
    for (const window of this.#windows) window.place()
  }

  #overlapping(): boolean {
    const open = this.#windows.filter(({ address }) => address !== undefined)
    return open.some((a, i) => open.slice(i + 1).some((b) => overlap(a, b)))
  }
}

function overlap(a: Window, b: Window): boolean {
  return a.space === b.space && a.address! < b.address! + b.size && b.address! < a.address! + a.size
}
