/** What the tests of file systems are given: the file system with a clock, a layer above it, and short ways to use both. */
import {
  type ByteString,
  byteStringOf,
  bytesOf,
  errnoName,
  FIRST_COOKIE,
  type File,
  type FileSystem,
  type Inode,
  Mode,
  Open,
  SettableTime,
  Stat,
  type TaskContext,
  type TimeSource,
  Vfs,
} from '@vmexit/vfs'

/** What a file system under test may take. */
export interface FileSystemLimits {
  /** Bytes of file data, in pages of 4096. */
  readonly bytes?: number
  /** Inodes, the root among them. */
  readonly inodes?: number
}

/** Makes an empty file system with a clock, whose root belongs to root and has the permissions 0755. */
export type LimitedFileSystemFactory = (time: TimeSource, limits: FileSystemLimits) => FileSystem

/** A file system and a root's task on a layer above it. */
export class FileSystemSubject {
  readonly time: SettableTime = new SettableTime(1_000_000)
  readonly fs: FileSystem
  readonly root: Inode
  readonly vfs: Vfs
  readonly task: TaskContext
  readonly make: LimitedFileSystemFactory

  constructor(make: LimitedFileSystemFactory, limits: FileSystemLimits = {}) {
    this.make = make
    this.fs = make(this.time, limits)
    this.root = this.fs.root
    this.vfs = new Vfs({ time: this.time })
    this.task = this.vfs.newTask(this.vfs.newTree(this.fs))
    this.task.umask = 0
  }

  /** The same kind of file system with limits. */
  limited(limits: FileSystemLimits): FileSystemSubject {
    return new FileSystemSubject(this.make, limits)
  }

  /** A new file of the file system itself. */
  file(name: ByteString, dir: Inode = this.root): Inode {
    return inode(this.fs.create(dir, name, Mode.IFREG | 0o644, 0, 0, 0))
  }

  /** A new directory of the file system itself. */
  directory(name: ByteString, dir: Inode = this.root): Inode {
    return inode(this.fs.mkdir(dir, name, 0o755, 0, 0))
  }

  write(to: Inode, text: string, position = 0): number {
    return this.fs.write(to, bytesOf(text), 0, text.length, position)
  }

  read(from: Inode, position = 0, length = 100): string | number {
    const into = new Uint8Array(length)
    const count = this.fs.read(from, into, 0, length, position)
    return count < 0 ? count : byteStringOf(into.subarray(0, count))
  }

  stat(of: Inode): Stat {
    const stat = new Stat()
    this.fs.getattr(of, stat)
    return stat
  }

  /** The names in a directory, sorted. */
  names(dir: Inode = this.root): ByteString[] {
    return this.list(dir, FIRST_COOKIE, Infinity).names.sort()
  }

  /** Up to so many entries from a cookie on, in their order, and the cookie that goes on. */
  list(dir: Inode, cookie: number, room: number): { readonly names: ByteString[]; readonly next: number } {
    const names: ByteString[] = []
    let next = cookie
    this.fs.readdir(dir, cookie, {
      entry(name, _ino, _type, after) {
        if (names.length >= room) return false
        names.push(name)
        next = after
        return true
      },
    })
    return { names, next }
  }

  /** Opens through the layer. */
  open(path: ByteString, flags: number = Open.O_RDWR | Open.O_CREAT, mode = 0o644): File {
    const file = this.vfs.open(this.task, null, path, flags, mode)
    if (typeof file === 'number') throw new Error(`open of ${path}: ${errnoName(file)}`)
    return file
  }
}

/** What a call has answered, which must be an inode. */
export function inode(answer: Inode | number): Inode {
  if (typeof answer === 'number') throw new Error(`${errnoName(answer)} instead of an inode`)
  return answer
}

/** An answer in words: `ok`, or the name of an error. */
export function said(answer: unknown): string {
  return typeof answer === 'number' && answer < 0 ? errnoName(answer) : 'ok'
}
