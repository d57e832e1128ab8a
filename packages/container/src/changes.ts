/** What a container has changed on top of its image, as `docker diff` says it. */
import { At, type ByteString, type File, type FileSystem, isDirectory, Mode, Open, Stat } from '@vmexit/vfs'
import { type Looker, seen } from './layer.ts'

/** One change: something was added, changed or deleted. */
export interface FileChange {
  readonly kind: 'A' | 'C' | 'D'
  /** From the root on; one character for each byte. */
  readonly path: ByteString
}

/** Files that every container is given anew when it starts: they are nobody's change, and no image takes them. */
export const GIVEN: readonly ByteString[] = ['/etc/hostname', '/etc/hosts', '/etc/resolv.conf']
/** Where other file systems are mounted. */
const MOUNTED: readonly ByteString[] = ['/dev', '/proc', '/sys']

/** The changes that layer `upper` makes to `lower`, in the order of their paths; none below what was deleted. */
export function changesOf(lower: FileSystem, upper: FileSystem): readonly FileChange[] {
  const own = new Set<ByteString>([...GIVEN, ...MOUNTED])
  const all = [...walked(seen(lower), seen(upper))]
  const changes = all.filter(({ kind, path }) => kind === 'D' || !own.has(path))
  // A directory that is there for what it was given alone has not been changed.
  const isFor = ({ path }: FileChange): boolean => path.startsWith('/etc/')
  const isEtcGiven = all.some(isFor) && !changes.some(isFor)
  return isEtcGiven ? changes.filter(({ path }) => path !== '/etc') : changes
}

function* walked(below: Looker, layer: Looker): Generator<FileChange> {
  const before = new Stat()
  const wasThere = (path: ByteString): boolean => looksAt(below, path, before)
  for (const { path, mode, isWhiteout, isOpaque } of walk(layer, '/')) {
    if (isWhiteout) {
      if (wasThere(path)) yield { kind: 'D', path }
      continue
    }
    const was = wasThere(path)
    yield { kind: was ? 'C' : 'A', path }
    if (isDirectory(mode) && isOpaque && was && isDirectory(before.mode)) yield* hidden(below, layer, path)
  }
}

/** What an opaque directory no longer shows. */
function* hidden(below: Looker, layer: Looker, directory: ByteString): Generator<FileChange> {
  const found = new Stat()
  for (const { path } of walk(below, directory)) if (!looksAt(layer, path, found)) yield { kind: 'D', path }
}

function looksAt({ vfs, task }: Looker, path: ByteString, into: Stat): boolean {
  return vfs.stat(task, null, path, into, At.AT_SYMLINK_NOFOLLOW) === 0
}

interface Walked {
  readonly path: ByteString
  readonly mode: number
  readonly isWhiteout: boolean
  readonly isOpaque: boolean
}

function* walk(looker: Looker, directory: ByteString): Generator<Walked> {
  const { vfs, task } = looker
  const stat = new Stat()
  for (const name of namesOf(looker, directory)) {
    const path = directory === '/' ? `/${name}` : `${directory}/${name}`
    if (!looksAt(looker, path, stat)) continue
    const { mode, rdev } = stat
    const place = vfs.lookup(task, null, path, At.AT_SYMLINK_NOFOLLOW)
    const mark = typeof place === 'number' ? 0 : vfs.getxattr(task, place, 'trusted.overlay.opaque')
    yield {
      ...{ path, mode },
      isWhiteout: (mode & Mode.IFMT) === Mode.IFCHR && rdev === 0,
      isOpaque: typeof mark !== 'number' && mark[0] === 'y'.charCodeAt(0),
    }
    if (isDirectory(mode)) yield* walk(looker, path)
  }
}

/** Names in a directory, in the order of their bytes. */
export function namesOf({ vfs, task }: Looker, path: ByteString): readonly ByteString[] {
  const file = vfs.open(task, null, path, Open.O_RDONLY | Open.O_DIRECTORY)
  if (typeof file === 'number') return []
  const names: ByteString[] = []
  const entry = (name: ByteString): boolean => {
    if (name !== '.' && name !== '..') names.push(name)
    return true
  }
  vfs.getdents(file as File, { entry })
  vfs.close(file as File)
  return names.sort()
}
