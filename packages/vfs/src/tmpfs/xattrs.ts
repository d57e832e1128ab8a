/** Extended attributes of tmpfs: a map per inode that has any, counted against the space of inodes as Linux does. */
import { Errno } from '../errno.ts'
import { Xattr } from '../flags.ts'
import type { ByteString } from '../names.ts'
import type { TimeSource } from '../time.ts'
import type { TmpInode } from './inode.ts'
import type { Space } from './space.ts'

/** The extended attributes of one tmpfs. */
export class Attributes {
  readonly #space: Space
  readonly #time: TimeSource

  constructor(space: Space, time: TimeSource) {
    this.#space = space
    this.#time = time
  }

  get(inode: TmpInode, name: ByteString): Uint8Array | number {
    return inode.xattrs?.get(name) ?? -Errno.ENODATA
  }

  set(inode: TmpInode, name: ByteString, value: Uint8Array, flags: number): number {
    const old = inode.xattrs?.get(name)
    if (old !== undefined && flags & Xattr.XATTR_CREATE) return -Errno.EEXIST
    if (old === undefined && flags & Xattr.XATTR_REPLACE) return -Errno.ENODATA
    const growth = value.length - (old === undefined ? -name.length : old.length)
    const answer = growth > 0 ? this.#space.takeAttribute(growth) : 0
    if (answer < 0) return answer
    if (growth < 0) this.#space.giveAttribute(-growth)
    inode.xattrs ??= new Map()
    inode.xattrs.set(name, value.slice())
    inode.changed(this.#time)
    return 0
  }

  list(inode: TmpInode): readonly ByteString[] {
    return inode.xattrs === undefined ? [] : [...inode.xattrs.keys()]
  }

  remove(inode: TmpInode, name: ByteString): number {
    const old = inode.xattrs?.get(name)
    if (old === undefined) return -Errno.ENODATA
    inode.xattrs!.delete(name)
    this.#space.giveAttribute(name.length + old.length)
    inode.changed(this.#time)
    return 0
  }

  /** The inode is no more. */
  free(inode: TmpInode): void {
    for (const [name, value] of inode.xattrs ?? []) this.#space.giveAttribute(name.length + value.length)
    inode.xattrs = undefined
  }
}
