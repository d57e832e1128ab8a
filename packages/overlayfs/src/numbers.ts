/**
 * Inode numbers of an overlay, as `xino` of Linux makes them: the number that the layer's file system has, with the file
 * system in the bits above. So a number needs no memory and is the same each time; with one file system for all layers
 * it is the layer's own.
 */
import type { Inode } from '@vmexit/vfs'

/** Numbers of a file system below this keep their bits: 2⁴³, with 2¹⁰ file systems above. */
export const numberRoom: number = 2 ** 43
/** What is larger is given numbers from here on, which no file system's own numbers reach. */
const firstGiven = numberRoom * 1023

/** The numbers of one overlay. */
export class Numbers {
  readonly #given = new Map<string, number>()
  /** Numbers of files that have been copied up, by the upper layer's: those that they had before. */
  readonly #kept = new Map<number, number>()

  /**
   * The number of what file system `device` of the overlay has under `ino`. The upper layer's is 0: what has been copied
   * up keeps its number from before.
   */
  of(device: number, ino: number): number {
    const kept = device === 0 && this.#kept.size > 0 ? this.#kept.get(ino) : undefined
    if (kept !== undefined) return kept
    if (ino < numberRoom && device < 1023) return device * numberRoom + ino
    const key = `${device} ${ino}`
    let number = this.#given.get(key)
    if (number === undefined) this.#given.set(key, (number = firstGiven + this.#given.size))
    return number
  }

  /** A file has been copied up to `upper` and keeps its number. */
  keep(upper: Inode, number: number): void {
    this.#kept.set(upper.ino, number)
  }

  /** An inode of the upper layer is no more. */
  forget(upper: Inode): void {
    if (this.#kept.size > 0) this.#kept.delete(upper.ino)
  }
}
