/**
 * The entries of a directory of tmpfs: found by name in a hash table, and listed newest first, as Linux's tmpfs lists
 * them (fs/libfs.c, *simple_offset*), by offsets that stay.
 *
 * Each entry gets the next number of its directory and is appended to a list. What is removed leaves its place in the
 * list, which is closed up once half of it is such places: all operations are O(1) amortised, and going on from an offset
 * is a binary search.
 */
import { type DirectoryVisitor, FIRST_COOKIE } from '../file-system.ts'
import type { ByteString } from '../names.ts'
import type { TmpInode } from './inode.ts'

/** A name in a directory. */
interface Entry {
  readonly name: ByteString
  /** `null` once it has been removed. */
  inode: TmpInode | null
  /** Its offset, ascending in the list. */
  readonly offset: number
}

/** What tmpfs says a directory's entry takes, in bytes; an empty directory has two. */
const entryBytes = 20

/** The entries of one directory. */
export class Directory {
  readonly #byName = new Map<ByteString, Entry>()
  #list: Entry[] = []
  #nextOffset = FIRST_COOKIE + 1

  /** How many entries there are. */
  get count(): number {
    return this.#byName.size
  }

  /** The size that the directory shows. */
  get size(): number {
    return (this.#byName.size + 2) * entryBytes
  }

  get(name: ByteString): TmpInode | undefined {
    return this.#byName.get(name)?.inode ?? undefined
  }

  /** Adds a name that is not there. */
  add(name: ByteString, inode: TmpInode): void {
    const entry = { name, inode, offset: this.#nextOffset++ }
    this.#byName.set(name, entry)
    this.#list.push(entry)
  }

  /** Removes a name that is there. */
  remove(name: ByteString): void {
    const entry = this.#byName.get(name)!
    this.#byName.delete(name)
    entry.inode = null
    if (entry === this.#list.at(-1)) this.#list.pop()
    else if (this.#list.length > 32 && this.#list.length > 2 * this.#byName.size) {
      this.#list = this.#list.filter(({ inode }) => inode !== null)
    }
  }

  /** Puts another inode under a name that is there; its offset stays. */
  replace(name: ByteString, inode: TmpInode): void {
    this.#byName.get(name)!.inode = inode
  }

  /** Shows entries from a cookie on; see `FileSystem.readdir`. An entry's offset is the cookie that goes on after it. */
  visit(cookie: number, visitor: DirectoryVisitor): void {
    let at = cookie === FIRST_COOKIE ? this.#list.length : this.#firstAtOrAbove(cookie)
    while (--at >= 0) {
      const { name, inode, offset } = this.#list[at]!
      if (inode !== null && !visitor.entry(name, inode.ino, (inode.mode >>> 12) & 15, offset)) return
    }
  }

  /** The index of the first entry whose offset is `offset` or more. */
  #firstAtOrAbove(offset: number): number {
    let [low, high] = [0, this.#list.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#list[middle]!.offset < offset) low = middle + 1
      else high = middle
    }
    return low
  }
}
