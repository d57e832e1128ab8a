/** A node of memfs as an inode, and beside it what memfs has no place for: the side table. */

import { fromNodeDevice } from '../devices.ts'
import type { FileSystem, Inode } from '../file-system.ts'
import { Mode } from '../flags.ts'
import type { ByteString } from '../names.ts'
import type { Stat } from '../stat.ts'
import type { Listing } from './listing.ts'
import { targetFromMemfs } from './names.ts'
import type { Link, Node } from './parts.ts'
import { type KeptTime, nanosecondsOf, secondsOf } from './times.ts'

/** What a directory's entry takes, in bytes: as tmpfs says it. */
const entryBytes = 20

/** A node of memfs as an inode. */
export class MemfsInode implements Inode {
  readonly fs: FileSystem
  readonly node: Node
  /** Of a directory its link, of which it has one; of others the one that it was last reached by. */
  link: Link | undefined
  state: object | undefined = undefined
  /** How many opens have not been released. */
  opens = 0
  xattrs: Map<ByteString, Uint8Array> | undefined = undefined
  atime: KeptTime | undefined = undefined
  mtime: KeptTime | undefined = undefined
  ctime: KeptTime | undefined = undefined
  btime: KeptTime | undefined = undefined
  /** A file that ends in a hole: the size that it has, as long as memfs holds `heldBytes`. */
  longSize = 0
  heldBytes = 0
  /** Subdirectories of a directory, as counted when its mtime was `countedAt`. */
  subdirectories = 0
  countedAt: Date | undefined = undefined
  listing: Listing | undefined = undefined

  constructor(fs: FileSystem, node: Node, link: Link | undefined) {
    this.fs = fs
    this.node = node
    this.link = link
  }

  get ino(): number {
    return this.node.ino
  }
  get mode(): number {
    return this.node.mode
  }
  get uid(): number {
    return this.node.uid
  }
  get gid(): number {
    return this.node.gid
  }
  get rdev(): number {
    return fromNodeDevice(this.node.rdev)
  }

  get nlink(): number {
    if (!this.isDirectory) return this.node.nlink
    return this.detached ? 0 : 2 + this.countSubdirectories()
  }

  get size(): number {
    if (this.isDirectory) return (this.children + 2) * entryBytes
    if ((this.node.mode & Mode.IFMT) === Mode.IFLNK) return targetFromMemfs(this.node.symlink).length
    const held = this.node.getSize()
    return held === this.heldBytes && this.longSize > held ? this.longSize : held
  }

  get isDirectory(): boolean {
    return (this.node.mode & Mode.IFMT) === Mode.IFDIR
  }

  /** Entries of a directory; memfs has `.` and `..` among them. */
  get children(): number {
    const { children } = this.link!
    return children.size - Number(children.has('.')) - Number(children.has('..'))
  }

  /** A directory that has been removed: memfs takes its `..` then. */
  get detached(): boolean {
    const { parent, children } = this.link!
    return parent !== undefined && !children.has('..')
  }

  /** Counts again only where memfs has changed the directory. */
  countSubdirectories(): number {
    if (this.countedAt !== this.node.mtime) {
      let count = 0
      for (const [name, child] of this.link!.children) {
        if (name !== '.' && name !== '..' && child?.getNode().isDirectory()) count++
      }
      this.subdirectories = count
      this.countedAt = this.node.mtime
    }
    return this.subdirectories
  }

  /** The attributes have changed. */
  changed(now: KeptTime): void {
    this.node.ctime = now.date
    this.ctime = now
  }

  /** The contents have changed. */
  modified(now: KeptTime): void {
    this.node.mtime = now.date
    this.mtime = now
    this.changed(now)
  }

  /** It is new. */
  made(now: KeptTime): void {
    this.node.atime = this.node.btime = now.date
    this.atime = this.btime = now
    this.modified(now)
  }

  /** Fills in a record. */
  fill(stat: Stat): void {
    const { node } = this
    stat.ino = node.ino
    stat.mode = node.mode
    stat.nlink = this.nlink
    stat.uid = node.uid
    stat.gid = node.gid
    stat.rdev = this.rdev
    stat.size = this.size
    stat.blksize = 4096
    stat.blocks = this.isDirectory ? 0 : Math.ceil(node.getSize() / 4096) * 8
    const { atime, mtime, ctime, btime } = this
    const has = (kept: KeptTime | undefined, date: Date): kept is KeptTime => kept?.date === date
    stat.atimeSeconds = has(atime, node.atime) ? atime.seconds : secondsOf(node.atime)
    stat.atimeNanoseconds = has(atime, node.atime) ? atime.nanoseconds : nanosecondsOf(node.atime)
    stat.mtimeSeconds = has(mtime, node.mtime) ? mtime.seconds : secondsOf(node.mtime)
    stat.mtimeNanoseconds = has(mtime, node.mtime) ? mtime.nanoseconds : nanosecondsOf(node.mtime)
    stat.ctimeSeconds = has(ctime, node.ctime) ? ctime.seconds : secondsOf(node.ctime)
    stat.ctimeNanoseconds = has(ctime, node.ctime) ? ctime.nanoseconds : nanosecondsOf(node.ctime)
    stat.btimeSeconds = has(btime, node.btime) ? btime.seconds : secondsOf(node.btime)
    stat.btimeNanoseconds = has(btime, node.btime) ? btime.nanoseconds : nanosecondsOf(node.btime)
  }
}
