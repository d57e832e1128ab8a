/**
 * The entries of a directory of memfs under offsets that stay, which memfs has not: it hands out whole lists.
 *
 * Each link gets the next number when it is first seen. Links that memfs adds or takes away meanwhile are noticed by the
 * directory's mtime; the others keep their numbers.
 */
import { type DirectoryVisitor, FIRST_COOKIE } from '../file-system.ts'
import type { ByteString } from '../names.ts'
import { fromMemfs } from './names.ts'
import type { Link } from './parts.ts'

interface Entry {
  readonly name: ByteString
  readonly link: Link
  readonly offset: number
}

/** The listing of one directory. */
export class Listing {
  #entries: Entry[] = []
  #offsets = new Map<Link, number>()
  #next = FIRST_COOKIE
  #listedAt: Date | undefined = undefined

  /** The file system has changed the directory: what is listed is to be looked at again. */
  changed(): void {
    this.#listedAt = undefined
  }

  /** Shows entries from a cookie on; see `FileSystem.readdir`. The cookie after an entry is its offset and 1. */
  visit(directory: Link, cookie: number, visitor: DirectoryVisitor): void {
    const { mtime } = directory.getNode()
    if (this.#listedAt !== mtime) this.#list(directory)
    this.#listedAt = mtime
    for (let at = this.#firstAtOrAbove(cookie); at < this.#entries.length; at++) {
      const { name, link, offset } = this.#entries[at]!
      const node = link.getNode()
      if (!visitor.entry(name, node.ino, (node.mode >>> 12) & 15, offset + 1)) return
    }
  }

  #list(directory: Link): void {
    const offsets = new Map<Link, number>()
    this.#entries = []
    for (const [text, link] of directory.children) {
      if (link === undefined || text === '.' || text === '..') continue
      const name = fromMemfs(text)
      if (name === undefined) continue
      const offset = this.#offsets.get(link) ?? this.#next++
      offsets.set(link, offset)
      this.#entries.push({ name, link, offset })
    }
    this.#offsets = offsets
    // memfs lists in the order of making, except for names whose file has been replaced.
    if (this.#entries.some(({ offset }, at) => at > 0 && offset < this.#entries[at - 1]!.offset)) {
      this.#entries.sort((a, b) => a.offset - b.offset)
    }
  }

  #firstAtOrAbove(offset: number): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#entries[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
