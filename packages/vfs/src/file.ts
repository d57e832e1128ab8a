/** An open file (open(2), *open file description*): what descriptors refer to. The calls of `Vfs` work on it. */
import type { FileOperations, Inode } from './file-system.ts'
import { Open } from './flags.ts'
import type { Path } from './mount/mount.ts'

/** An open file. `Vfs.open` makes one. */
export class File {
  /** Where it has been opened. */
  readonly path: Path
  readonly inode: Inode
  /** What it does instead of reading and writing its inode's data, if anything. */
  readonly operations: FileOperations | null
  readonly readable: boolean
  readonly writable: boolean
  /** open(2)'s flags without those that concern only the opening. O_APPEND, O_NONBLOCK and O_NOATIME may change: F_SETFL. */
  flags: number
  /** Where the next read or write begins; of a directory the cookie. */
  position = 0
  /** Descriptors that refer to it: `Vfs.close` ends one, and the file with the last. */
  references = 1

  constructor(path: Path, inode: Inode, flags: number, operations: FileOperations | null) {
    this.path = path
    this.inode = inode
    this.operations = operations
    this.flags = flags & ~(Open.O_CREAT | Open.O_EXCL | Open.O_NOCTTY | Open.O_TRUNC | Open.O_CLOEXEC)
    const mode = flags & Open.O_ACCMODE
    const only = (flags & Open.O_PATH) !== 0
    this.readable = !only && (mode === Open.O_RDONLY || mode === Open.O_RDWR)
    this.writable = !only && (mode === Open.O_WRONLY || mode === Open.O_RDWR)
  }

  /** Whether it stands for a place only: O_PATH. */
  get isPath(): boolean {
    return (this.flags & Open.O_PATH) !== 0
  }
}
