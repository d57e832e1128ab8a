/** Names of places as links in /proc show them (proc(5)). */
import type { ByteString, Path, TaskContext } from '@vmexit/vfs'
import { namespaceOf } from '../namespaces/ns-fs.ts'
import type { Kernel } from '../system.ts'
import { streamOf } from './stream-fs.ts'

const UNREACHABLE = '(unreachable)'

/** The path of a place; of one in another tree of mounts the path in that; of a namespace's file its label, of a stream's what its descriptors are called. */
export function placeName({ vfs }: Kernel, context: TaskContext, path: Path): ByteString {
  const { inode } = path.dentry
  const namespace = inode === null ? undefined : namespaceOf(inode)
  if (namespace !== undefined) return namespace.label
  const stream = inode === null ? undefined : streamOf(inode)
  if (stream !== undefined) return stream.describe(context)
  const name = vfs.pathName(context, path)
  return name.startsWith(UNREACHABLE) ? name.slice(UNREACHABLE.length) : name
}
