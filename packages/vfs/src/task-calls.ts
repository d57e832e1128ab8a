/** Tasks' roots, working directories and trees of mounts: chdir(2), chroot(2), unshare(2) of mounts. */
import { TaskContext } from './context.ts'
import { inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import { Access, isDirectory } from './flags.ts'
import type { Layer } from './layer.ts'
import type { Mount, Path } from './mount/mount.ts'
import type { ByteString } from './names.ts'
import { permission } from './permission.ts'

/** Makes a directory the root or the working directory of a task. */
export function enter(
  layer: Layer,
  task: TaskContext,
  at: Path | null,
  path: ByteString,
  flags: number,
  as: 'root' | 'cwd',
): number {
  const answer = layer.resolve(task, at, path, flags)
  if (answer < 0) return answer
  const place = layer.walk.path()
  const inode = inodeOf(place.dentry)
  if (!isDirectory(inode.mode)) return -Errno.ENOTDIR
  const allowed = permission(task.credentials, inode, Access.X_OK)
  if (allowed < 0) return allowed
  place.mount.uses++
  task[as].mount.uses--
  task[as] = place
  return 0
}

/** A copy of a task, as fork makes it. */
export function fork(task: TaskContext): TaskContext {
  const copy = new TaskContext(task.tree, task.root, task.cwd, task.umask)
  copy.credentials = task.credentials
  copy.realCredentials = task.realCredentials
  copy.fileSizeLimit = task.fileSizeLimit
  for (const { mount } of [copy.root, copy.cwd]) mount.uses++
  return copy
}

/** Gives a task a copy of its tree of mounts, and moves it over there. */
export function unshareMounts(task: TaskContext, asSlaves: boolean): void {
  const copies = new Map<Mount, Mount>()
  task.tree = task.tree.clone(asSlaves, (original, copy) => copies.set(original, copy))
  for (const which of ['root', 'cwd'] as const) {
    const { mount, dentry } = task[which]
    mount.uses--
    task[which] = { mount: copies.get(mount) ?? mount, dentry }
    task[which].mount.uses++
  }
}
