/** The table of descriptors of a process (open(2), dup(2), fcntl(2)). `owner` is the process: closing drops its record locks. */
import { Errno } from '../errno.ts'
import type { OpenFile } from './open-file.ts'

/** Descriptors by number. Shared by threads: CLONE_FILES. */
export class Descriptors {
  readonly #files: (OpenFile | undefined)[] = []
  readonly #closing: boolean[] = []
  /** No number below is free. */
  #low = 0
  /** Tasks that have the table. */
  users = 1

  get(fd: number): OpenFile | undefined {
    return this.#files[fd]
  }

  /** Puts a file under the lowest free number from `from` on: EMFILE beyond `limit`. */
  add(file: OpenFile, closesOnExec: boolean, limit: number, from = 0): number {
    let fd = Math.max(from, this.#low)
    while (this.#files[fd] !== undefined) fd++
    if (fd >= limit) return -Errno.EMFILE
    if (from <= this.#low) this.#low = fd + 1
    this.#files[fd] = file
    this.#closing[fd] = closesOnExec
    return fd
  }

  /** Another file would find a number below `limit`. */
  hasRoom(limit: number): boolean {
    let fd = this.#low
    while (this.#files[fd] !== undefined) fd++
    return fd < limit
  }

  /** Puts a file under a number, in place of what is there. */
  put(owner: object, fd: number, file: OpenFile, closesOnExec: boolean): void {
    const before = this.#files[fd]
    this.#files[fd] = file
    this.#closing[fd] = closesOnExec
    before?.close(owner)
  }

  close(owner: object, fd: number): number {
    const file = this.#files[fd]
    if (file === undefined) return -Errno.EBADF
    this.#files[fd] = undefined
    if (fd < this.#low) this.#low = fd
    file.close(owner)
    return 0
  }

  closesOnExec(fd: number): boolean {
    return this.#closing[fd] ?? false
  }
  setClosesOnExec(fd: number, closes: boolean): void {
    this.#closing[fd] = closes
  }

  /** Numbers in use. */
  *numbers(): Generator<number> {
    for (let fd = 0; fd < this.#files.length; fd++) if (this.#files[fd] !== undefined) yield fd
  }

  fork(): Descriptors {
    const copy = new Descriptors()
    for (let fd = 0; fd < this.#files.length; fd++) {
      const file = this.#files[fd]
      if (file === undefined) continue
      file.references++
      copy.#files[fd] = file
      copy.#closing[fd] = this.#closing[fd]!
    }
    copy.#low = this.#low
    return copy
  }

  /** exec: those that say so are closed. */
  closeForExec(owner: object): void {
    for (const fd of [...this.numbers()]) if (this.#closing[fd]) this.close(owner, fd)
  }

  closeAll(owner: object): void {
    for (const fd of [...this.numbers()]) this.close(owner, fd)
  }
}
