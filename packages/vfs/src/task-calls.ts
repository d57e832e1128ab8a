/** Tasks' roots, working directories and trees of mounts: chdir(2), chroot(2), unshare(2) of mounts. */
import { TaskContext } from './context.ts'
import { inodeOf } from './dentry.ts'
import { Errno } from './errno.ts'
import { Access, isDirectory } from './flags.ts'
import type { Layer } from './layer.ts'
import type { Mount, Path } from './mount/mount.ts'
import type { MountTree } from './mount/tree.ts'
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

/** Takes a task to another tree of mounts, as setns(2) does: root and working directory are its top. */
export function enterTree(task: TaskContext, tree: MountTree): void {
  const top = tree.covering({ mount: tree.root, dentry: tree.root.root })
  task.tree = tree
  for (const which of ['root', 'cwd'] as const) move(task, which, top)
}

/** A task's root or working directory is another place from now on. */
function move(task: TaskContext, which: 'root' | 'cwd', place: Path): void {
  place.mount.uses++
  task[which].mount.uses--
  task[which] = place
}

/**
 * pivot_root(2): what is at `path` becomes the root of the tree, the former root being seen at `putOld`. `tasks` are all that are
 * in the tree: those that stood at the former root stand at the new one.
 */
export function pivotRoot(
  layer: Layer,
  task: TaskContext,
  path: ByteString,
  putOld: ByteString,
  tasks: Iterable<TaskContext>,
): number {
  const found = layer.resolve(task, null, path, 0)
  if (found < 0) return found
  const root = layer.walk.path()
  const other = layer.resolve(task, null, putOld, 0)
  if (other < 0) return other
  const old = layer.walk.path()
  for (const place of [root, old]) if (!isDirectory(inodeOf(place.dentry).mode)) return -Errno.ENOTDIR
  const before = task.root
  const answer = task.tree.pivot(root, old, before)
  if (answer < 0) return answer
  for (const each of tasks)
    for (const which of ['root', 'cwd'] as const) {
      const { mount, dentry } = each[which]
      if (mount === before.mount && dentry === before.dentry) move(each, which, root)
    }
  return 0
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
