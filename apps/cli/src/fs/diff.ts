/** What a layer changes of those below it, as `docker diff` says it. */
import { At, type ByteString, type FileSystem, isDirectory, Mode, SettableTime, Stat, Vfs } from '@vmexit/vfs'
import { type Looker, look, walk } from './listing.ts'

/** One change: something was added, changed or deleted. */
export interface FileChange {
  readonly kind: 'A' | 'C' | 'D'
  readonly path: ByteString
}

/** A file system by itself, seen by root. */
export function seen(fs: FileSystem): Looker {
  const vfs = new Vfs({ time: new SettableTime() })
  return { vfs, task: vfs.newTask(vfs.newTree(fs)) }
}

/** The changes that layer `top` makes to `below`, in the order of their paths; none below what was deleted. */
export function* changesOf(below: Looker, top: FileSystem): Generator<FileChange> {
  const layer = seen(top)
  const before = new Stat()
  const wasThere = (path: ByteString): boolean =>
    below.vfs.stat(below.task, null, path, before, At.AT_SYMLINK_NOFOLLOW) === 0
  for (const path of walk(layer, '/')) {
    const { mode, rdev } = look(layer, path)
    if ((mode & Mode.IFMT) === Mode.IFCHR && rdev === 0) {
      if (wasThere(path)) yield { kind: 'D', path }
      continue
    }
    yield { kind: wasThere(path) ? 'C' : 'A', path }
    if (isDirectory(mode) && isOpaque(layer, path) && wasThere(path) && isDirectory(before.mode))
      yield* hidden(below, layer, path)
  }
}

/** What an opaque directory no longer shows. */
function* hidden(below: Looker, layer: Looker, directory: ByteString): Generator<FileChange> {
  const found = new Stat()
  for (const path of walk(below, directory))
    if (layer.vfs.stat(layer.task, null, path, found, At.AT_SYMLINK_NOFOLLOW) < 0) yield { kind: 'D', path }
}

function isOpaque({ vfs, task }: Looker, path: ByteString): boolean {
  const place = vfs.lookup(task, null, path, At.AT_SYMLINK_NOFOLLOW)
  if (typeof place === 'number') return false
  const value = vfs.getxattr(task, place, 'trusted.overlay.opaque')
  return typeof value !== 'number' && value[0] === 'y'.charCodeAt(0)
}
