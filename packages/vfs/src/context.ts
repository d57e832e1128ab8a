/** What of a task matters to paths: its root, its working directory, its mounts, its mask and who it is. */
import { type Credentials, rootCredentials } from './credentials.ts'
import type { Path } from './mount/mount.ts'
import type { MountTree } from './mount/tree.ts'

/**
 * The file system side of a task (Linux's `fs_struct` with its credentials). `Vfs.context` makes one; `Vfs.exit` ends it.
 * Credentials and mask may be changed at any time; root and working directory change by `chdir` and `chroot`.
 */
export class TaskContext {
  /** The mounts that it sees. */
  tree: MountTree
  /** Where absolute paths begin, and above which `..` does not lead. */
  root: Path
  /** Where relative paths begin. */
  cwd: Path
  /** Permissions that new files do not get. */
  umask: number
  credentials: Credentials = rootCredentials
  /** Who access(2) asks for: the real user and group. The `credentials` unless stated. */
  realCredentials: Credentials | undefined = undefined
  /** RLIMIT_FSIZE: no write or truncation goes beyond, by EFBIG. */
  fileSizeLimit: number = Infinity
  /** Whether that limit has refused something: a kernel sends SIGXFSZ then, and says false again. */
  fileSizeExceeded = false

  constructor(tree: MountTree, root: Path, cwd: Path, umask: number) {
    this.tree = tree
    this.root = root
    this.cwd = cwd
    this.umask = umask
  }
}
