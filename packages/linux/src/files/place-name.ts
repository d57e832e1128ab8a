/** Names of places as links in /proc show them (proc(5)). */
import type { ByteString, Path, TaskContext } from '@vmexit/vfs'
import { namespaceOf } from '../namespaces/ns-fs.ts'
import type { Kernel } from '../system.ts'

const UNREACHABLE = '(unreachable)'

/** The path of a place; of one in another tree of mounts the path in that; of a namespace's file its label. */
export function placeName({ vfs }: Kernel, context: TaskContext, path: Path): ByteString {
  const { inode } = path.dentry
  const namespace = inode === null ? undefined : namespaceOf(inode)
  if (namespace !== undefined) return namespace.label
  const name = vfs.pathName(context, path)
  return name.startsWith(UNREACHABLE) ? name.slice(UNREACHABLE.length) : name
}
