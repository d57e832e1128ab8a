/**
 * Listing directories (fs/overlayfs/readdir.c). What the upper layer alone says, or one layer of an overlay that does not
 * change, is read straight through. Other directories are read from all layers once and kept as a list while they are
 * open, also those that are lower ones as yet: a copy-up must not change the cookies of whoever is reading.
 */
import {
  type ByteString,
  type DirectoryVisitor,
  EntryType,
  Errno,
  FIRST_COOKIE,
  type FileSystem,
  type Inode,
} from '@vmexit/vfs'
import { Entries } from './entries.ts'
import type { OverlayDirectory } from './inode.ts'
import type { Marks } from './marks.ts'
import type { Union } from './union.ts'

/** Lists the directories of one overlay. */
export class Listing {
  readonly #union: Union
  readonly #through: Through

  constructor(union: Union) {
    this.#union = union
    this.#through = new Through(union)
  }

  readdir(dir: OverlayDirectory, cookie: number, visitor: DirectoryVisitor): number {
    if (dir.entries === null) {
      const one = dir.upper === null ? dir.lowers.length === 1 && this.#union.upper === null : dir.lowers.length === 0
      if (one) return this.#through.read(dir, cookie, visitor)
      const entries = this.#merge(dir)
      if (typeof entries === 'number') return entries
      dir.entries = entries
    }
    dir.entries.visit(cookie, visitor)
    return 0
  }

  /** 0 if a directory shows nothing, ENOTEMPTY if it does. */
  empty(dir: OverlayDirectory): number {
    let found = false
    const answer = this.readdir(dir, FIRST_COOKIE, {
      entry: () => {
        found = true
        return false
      },
    })
    return found ? -Errno.ENOTEMPTY : answer
  }

  /** All names that a directory of the upper layer has, those of whiteouts too. */
  upperNames(dir: Inode): ByteString[] | number {
    const names: ByteString[] = []
    const answer = dir.fs.readdir(dir, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
    return answer < 0 ? answer : names
  }

  #merge(dir: OverlayDirectory): Entries | number {
    const { upper, lowers } = dir
    const merger = new Merger(this.#union)
    if (upper !== null) {
      const answer = merger.read(upper, 0)
      if (answer < 0) return answer
    }
    for (const { inode, layer } of lowers) {
      const answer = merger.read(inode, layer.device)
      if (answer < 0) return answer
    }
    return merger.entries
  }
}

/** Whether an entry of a layer is a whiteout: 1, 0 or an error. */
function hidden(marks: Marks, fs: FileSystem, dir: Inode, name: ByteString, type: number, regular: boolean): number {
  if (type !== EntryType.DT_CHR && type !== EntryType.DT_UNKNOWN && !(regular && type === EntryType.DT_REG)) return 0
  const inode = fs.lookup(dir, name)
  return typeof inode === 'number' ? inode : marks.whiteout(inode)
}

/** Puts the entries of layers into one list, top to bottom. */
class Merger implements DirectoryVisitor {
  readonly entries: Entries = new Entries()
  readonly #union: Union
  readonly #hidden = new Set<ByteString>()
  #dir!: Inode
  #device = 0
  #regular = false
  #error = 0

  constructor(union: Union) {
    this.#union = union
  }

  read(dir: Inode, device: number): number {
    const opacity = this.#union.marks.opacity(dir)
    if (typeof opacity === 'number') return opacity
    this.#dir = dir
    this.#device = device
    this.#regular = opacity === 'x'
    this.#error = 0
    const answer = dir.fs.readdir(dir, FIRST_COOKIE, this)
    return answer < 0 ? answer : this.#error
  }

  entry(name: ByteString, ino: number, type: number): boolean {
    if (this.entries.has(name) || this.#hidden.has(name)) return true
    const { marks, numbers } = this.#union
    const whiteout = hidden(marks, this.#dir.fs, this.#dir, name, type, this.#regular)
    if (whiteout < 0) {
      this.#error = whiteout
      return false
    }
    if (whiteout) this.#hidden.add(name)
    else this.entries.add(name, numbers.of(this.#device, ino), type)
    return true
  }
}

/** Reads one layer, its numbers made the overlay's. */
class Through implements DirectoryVisitor {
  readonly #union: Union
  #dir!: Inode
  #device = 0
  #regular = false
  #visitor!: DirectoryVisitor
  #error = 0

  constructor(union: Union) {
    this.#union = union
  }

  read(dir: OverlayDirectory, cookie: number, visitor: DirectoryVisitor): number {
    this.#dir = dir.real
    this.#device = dir.upper === null ? dir.lowers[0]!.layer.device : 0
    this.#visitor = visitor
    this.#error = 0
    const opacity = dir.upper === null ? this.#union.marks.opacity(dir.real) : ''
    if (typeof opacity === 'number') return opacity
    this.#regular = opacity === 'x'
    const answer = dir.real.fs.readdir(dir.real, cookie, this)
    return answer < 0 ? answer : this.#error
  }

  entry(name: ByteString, ino: number, type: number, next: number): boolean {
    const { marks, numbers } = this.#union
    const whiteout = hidden(marks, this.#dir.fs, this.#dir, name, type, this.#regular)
    if (whiteout < 0) {
      this.#error = whiteout
      return false
    }
    if (whiteout) return true
    return this.#visitor.entry(name, numbers.of(this.#device, ino), type, next)
  }
}
