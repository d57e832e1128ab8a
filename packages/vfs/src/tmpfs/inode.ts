/** The inodes of tmpfs: one object each, with the attributes in it and what belongs to its type beside them. */
import type { FileSystem, Inode } from '../file-system.ts'
import type { ByteString } from '../names.ts'
import type { Stat } from '../stat.ts'
import type { TimeSource } from '../time.ts'

/** An inode of tmpfs. */
export class TmpInode implements Inode {
  readonly fs: FileSystem
  readonly ino: number
  mode: number
  uid: number
  gid: number
  nlink = 1
  size = 0
  readonly rdev: number
  state: object | undefined = undefined
  /** By type: `Directory`, `SparseData` (none while the file never had data), the target, or nothing. */
  content: object | ByteString | undefined
  /** How many opens have not been released. */
  opens = 0
  xattrs: Map<ByteString, Uint8Array> | undefined = undefined
  atimeSeconds: number
  atimeNanoseconds: number
  mtimeSeconds: number
  mtimeNanoseconds: number
  ctimeSeconds: number
  ctimeNanoseconds: number
  readonly btimeSeconds: number
  readonly btimeNanoseconds: number

  constructor(
    fs: FileSystem,
    ino: number,
    mode: number,
    uid: number,
    gid: number,
    rdev: number,
    content: object | ByteString | undefined,
    { seconds, nanoseconds }: TimeSource,
  ) {
    this.fs = fs
    this.ino = ino
    this.mode = mode
    this.uid = uid
    this.gid = gid
    this.rdev = rdev
    this.content = content
    this.atimeSeconds = this.mtimeSeconds = this.ctimeSeconds = this.btimeSeconds = seconds
    this.atimeNanoseconds = this.mtimeNanoseconds = this.ctimeNanoseconds = this.btimeNanoseconds = nanoseconds
  }

  /** Its attributes have changed. */
  changed({ seconds, nanoseconds }: TimeSource): void {
    this.ctimeSeconds = seconds
    this.ctimeNanoseconds = nanoseconds
  }

  /** Its contents have changed. */
  modified({ seconds, nanoseconds }: TimeSource): void {
    this.mtimeSeconds = this.ctimeSeconds = seconds
    this.mtimeNanoseconds = this.ctimeNanoseconds = nanoseconds
  }

  /** Fills in a record, but for the blocks. */
  fill(stat: Stat): void {
    stat.ino = this.ino
    stat.mode = this.mode
    stat.nlink = this.nlink
    stat.uid = this.uid
    stat.gid = this.gid
    stat.rdev = this.rdev
    stat.size = this.size
    stat.atimeSeconds = this.atimeSeconds
    stat.atimeNanoseconds = this.atimeNanoseconds
    stat.mtimeSeconds = this.mtimeSeconds
    stat.mtimeNanoseconds = this.mtimeNanoseconds
    stat.ctimeSeconds = this.ctimeSeconds
    stat.ctimeNanoseconds = this.ctimeNanoseconds
    stat.btimeSeconds = this.btimeSeconds
    stat.btimeNanoseconds = this.btimeNanoseconds
  }
}
