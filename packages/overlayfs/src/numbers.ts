/**
 * Inode numbers of an overlay, which tell its file systems apart as `xino` of Linux does: the number that a layer's file system has times
 * their count, and which one it is. So a number needs no memory and is the same each time; with one file system for all layers it is the
 * layer's own. (With the file system in high bits numbers were no small integers to the engine, and look-ups a tenth slower.)
 */
import type { Inode } from '@vmexit/vfs'

/** Numbers that are made so stay below this. */
const END = 2 ** 52

/** The numbers of one overlay. */
export class Numbers {
  readonly #fileSystems: number
  readonly #given = new Map<string, number>()
  /** Numbers of files that have been copied up, by the upper layer's: those that they had before. */
  readonly #kept = new Map<number, number>()

  /** Of layers on so many file systems. */
  constructor(fileSystems: number) {
    this.#fileSystems = fileSystems
  }

  /**
   * The number of what file system `device` of the overlay has under `ino`. The upper layer's is 0: what has been copied
   * up keeps its number from before.
   */
  of(device: number, ino: number): number {
    const kept = device === 0 && this.#kept.size > 0 ? this.#kept.get(ino) : undefined
    if (kept !== undefined) return kept
    const made = ino * this.#fileSystems + device
    if (made < END) return made
    const key = `${device} ${ino}`
    let number = this.#given.get(key)
    if (number === undefined) this.#given.set(key, (number = END + this.#given.size))
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
