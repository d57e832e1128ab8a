/**
 * The layer of a container's own as an archive, and back (image-spec, "Image Layer Filesystem Changeset"): what it has changed on top of
 * its image.
 */
import { isVmexitError } from '@vmexit/core'
import { encodeEntry, packTree, TarReader, TreeError, Unpacker } from '@vmexit/tar'
import { errnoName, type FileSystem, type Inode, SettableTime, Stat, type TaskContext, Vfs } from '@vmexit/vfs'
import { containerError } from './errors.ts'

/** Bytes of an archive, in pieces. */
export type Archive = Iterable<Uint8Array> | AsyncIterable<Uint8Array>

/** A file system by itself, seen by root. */
export interface Looker {
  readonly vfs: Vfs
  readonly task: TaskContext
}

export function seen(fs: FileSystem): Looker {
  const vfs = new Vfs({ time: new SettableTime() })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  return { vfs, task }
}

/** The archive of an upper layer. Nobody changes it meanwhile. */
export function* packLayer(upper: FileSystem): Generator<Uint8Array> {
  const { mode, uid, gid, mtimeSeconds: seconds, mtimeNanoseconds: nanoseconds } = attributesOf(upper, upper.root)
  // The root itself: a layer of an image says nothing of it.
  yield encodeEntry({ type: 'directory', name: '.', mode, uid, gid, modified: { seconds, nanoseconds } })
  yield* packTree({ ...seen(upper), whiteouts: 'overlay' })
}

function attributesOf(fs: FileSystem, inode: Inode): Stat {
  const stat = new Stat()
  fs.getattr(inode, stat)
  return stat
}

/** Puts an archive into an upper layer that is empty. @throws VmexitError `container-layer`. */
export async function unpackLayer(upper: FileSystem, archive: Archive): Promise<void> {
  const unpacker = new Unpacker({ ...seen(upper), whiteouts: 'overlay' })
  const reader = new TarReader(unpacker)
  try {
    for await (const bytes of archive) reader.push(bytes)
    reader.finish()
    unpacker.finish()
  } catch (error) {
    if (error instanceof TreeError)
      containerError(
        'layer',
        `what it has changed cannot be brought back (${errnoName(error.errno)})`,
        'give it more memory: its files are paid by its limit',
      )
    if (!isVmexitError(error)) throw error
    containerError(
      'layer',
      `what it has changed is damaged (${error.problem})`,
      'restore the archive, or begin anew from the image',
    )
  }
}
