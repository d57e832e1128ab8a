/** Paths of places, for getcwd(2) and /proc (Linux's `d_path`). */
import type { Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'

/** The path from a root; `(unreachable)` stands before one that does not lead through that root. */
export function pathName({ mount, dentry }: Path, root: Path): ByteString {
  const names: ByteString[] = []
  while (!(mount === root.mount && dentry === root.dentry)) {
    if (dentry === mount.root) {
      if (mount.parent === null) return `(unreachable)/${names.reverse().join('/')}`
      dentry = mount.mountpoint!
      mount = mount.parent
    } else {
      names.push(dentry.name)
      // A file without a name stands nowhere.
      if (dentry.parent === null) return `/${dentry.name}`
      dentry = dentry.parent
    }
  }
  return `/${names.reverse().join('/')}`
}
