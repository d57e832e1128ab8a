/**
 * The entries of a directory that is merged from several, or may come to be: read once from the layers, kept up to date
 * from then on. Cookies count up as names come, and stay with them; finding the place to go on from is a binary search.
 */
import { type ByteString, type DirectoryVisitor, FIRST_COOKIE } from '@vmexit/vfs'

interface Entry {
  readonly name: ByteString
  ino: number
  /** `EntryType`. */
  readonly type: number
  readonly cookie: number
  gone: boolean
}

/** The entries of one directory of an overlay. */
export class Entries {
  readonly #byName = new Map<ByteString, Entry>()
  #list: Entry[] = []
  #nextCookie = FIRST_COOKIE

  has(name: ByteString): boolean {
    return this.#byName.has(name)
  }

  /** Adds a name, in the place of one that is there. */
  add(name: ByteString, ino: number, type: number): void {
    this.remove(name)
    const entry = { name, ino, type, cookie: this.#nextCookie++, gone: false }
    this.#byName.set(name, entry)
    this.#list.push(entry)
  }

  /** The inode under a name has another number. */
  renumber(name: ByteString, ino: number): void {
    const entry = this.#byName.get(name)
    if (entry !== undefined) entry.ino = ino
  }

  /** Removes a name, if it is there. */
  remove(name: ByteString): void {
    const entry = this.#byName.get(name)
    if (entry === undefined) return
    this.#byName.delete(name)
    entry.gone = true
    if (this.#list.length > 32 && this.#list.length > 2 * this.#byName.size) {
      this.#list = this.#list.filter(({ gone }) => !gone)
    }
  }

  /** As `FileSystem.readdir`. */
  visit(cookie: number, visitor: DirectoryVisitor): void {
    for (let at = this.#firstAtOrAbove(cookie); at < this.#list.length; at++) {
      const entry = this.#list[at]!
      if (!entry.gone && !visitor.entry(entry.name, entry.ino, entry.type, entry.cookie + 1)) return
    }
  }

  #firstAtOrAbove(cookie: number): number {
    let [low, high] = [0, this.#list.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#list[middle]!.cookie < cookie) low = middle + 1
      else high = middle
    }
    return low
  }
}
