/**
 * The files of a container, seen from outside: what it has changed, all of them as an archive, copies in and out, and an image of them
 * (Docker's `diff`, `export`, `cp` and `commit`). The same for one that runs and one that has ended.
 */
import type { Image, ImageRoot, Images, NewImage } from '@vmexit/image'
import { OverlayFs } from '@vmexit/overlayfs'
import { packTree, TarReader, Unpacker } from '@vmexit/tar'
import {
  At,
  type ByteString,
  errnoName,
  type FileSystem,
  isDirectory,
  isSymlink,
  type Path,
  SettableTime,
  Stat,
  TmpFs,
  toByteString,
  toText,
} from '@vmexit/vfs'
import { changesOf, type FileChange, GIVEN } from './changes.ts'
import { containerError } from './errors.ts'
import { type Archive, type Looker, packLayer, seen, unpackLayer } from './layer.ts'

/** What is known of a file. */
export interface FileStat {
  /** With links followed, from the root on. */
  readonly path: string
  readonly type: 'directory' | 'symlink' | 'other'
  /** Permissions, without the type. */
  readonly mode: number
  readonly size: number
}

/** What a container's files are. */
export interface Files {
  /** Its image's layers, the topmost first. */
  readonly layers: readonly FileSystem[]
  readonly upper: FileSystem
  /** Both as one. */
  readonly merged: FileSystem
  /** Through what they are seen, with all that is mounted. */
  readonly looker: () => Looker
  /** Brings what programs have stored to the files. */
  readonly flush: () => void
  /** Something has been changed. */
  readonly changed: () => void
}

/** The files of a container. Paths are texts, from its root on. */
export class ContainerFiles {
  readonly #files: Files

  /** @internal `container.files`, or {@link openFiles}. */
  constructor(files: Files) {
    this.#files = files
  }

  /** What was added, changed and deleted, in the order of the paths. */
  changes(): readonly FileChange[] {
    const { layers, upper, flush } = this.#files
    flush()
    const empty = new TmpFs({ time: new SettableTime() })
    const lower = layers.length === 0 ? empty : new OverlayFs({ lower: layers.map(({ root }) => root) })
    return changesOf(lower, upper)
  }

  /** What was changed, as the archive of a layer: `createContainer` takes it, and `openFiles`. To be read before anything runs. */
  *layer(): Generator<Uint8Array> {
    this.#files.flush()
    yield* packLayer(this.#files.upper)
  }

  /** All files of image and container as one archive, without what is mounted. To be read before anything runs. */
  *export(): Generator<Uint8Array> {
    const { merged, flush, looker } = this.#files
    flush()
    const { vfs } = looker()
    const tree = vfs.newTree(merged)
    const task = vfs.newTask(tree)
    try {
      yield* packTree({ vfs, task })
    } finally {
      vfs.exit(task)
      tree.dispose()
    }
  }

  /** An image of the image and what was changed. Nothing runs meanwhile: pause it. @throws ImageError. */
  async commit(images: Images, image: Pick<Image, 'id'>, options: NewImage = {}): Promise<Image> {
    const upper = new TmpFs({ time: new SettableTime(), mode: 0o755 })
    await unpackLayer(upper, this.layer())
    const { vfs, task } = seen(upper)
    const stat = new Stat()
    for (const path of GIVEN)
      if (vfs.stat(task, null, path, stat, At.AT_SYMLINK_NOFOLLOW) === 0 && stat.rdev === 0)
        vfs.unlink(task, null, path)
    return await images.commit(upper, { ...options, base: image.id })
  }

  /** What is known of a file; undefined where there is none. Links are followed within the container, the last one if `follow`. */
  stat(path: string, { follow = true }: { readonly follow?: boolean } = {}): FileStat | undefined {
    const { vfs, task } = this.#files.looker()
    const flags = follow ? 0 : At.AT_SYMLINK_NOFOLLOW
    const place = vfs.lookup(task, null, absolute(path), flags)
    const stat = new Stat()
    if (typeof place === 'number' || vfs.stat(task, place, '', stat, At.AT_EMPTY_PATH) < 0) return undefined
    const type = isDirectory(stat.mode) ? 'directory' : isSymlink(stat.mode) ? 'symlink' : 'other'
    return { path: toText(vfs.pathName(task, place)), type, mode: stat.mode & 0o7777, size: stat.size }
  }

  /** A file, or a directory with what is in it, as an archive in which it is called `name`. @throws VmexitError `container-file`. */
  *copyOut(path: string, name: string): Generator<Uint8Array> {
    const { looker, flush } = this.#files
    flush()
    const { vfs, task } = looker()
    const place = vfs.lookup(task, null, absolute(path), At.AT_SYMLINK_NOFOLLOW)
    if (typeof place === 'number') return noFile(path, place)
    yield* packTree({ vfs, task, only: { path: vfs.pathName(task, place), name: toByteString(name) } })
  }

  /** Puts the files of an archive into a directory; what is in their way is replaced. @throws VmexitError `container-file`, TreeError, TarError. */
  async copyIn(directory: string, archive: Archive): Promise<void> {
    const { looker, changed } = this.#files
    const { vfs, task } = looker()
    const place = vfs.lookup(task, null, absolute(directory))
    if (typeof place === 'number') return noFile(directory, place)
    const base = vfs.pathName(task, place as Path)
    const unpacker = new Unpacker({ vfs, task })
    const under = (name: ByteString): ByteString => `${base}/${name}`
    const reader = new TarReader({
      entry: (entry, position) =>
        unpacker.entry(
          {
            ...entry,
            name: under(entry.name),
            ...(entry.type === 'hardlink' && { target: under(entry.target) }),
          },
          position,
        ),
      data: (bytes, position) => unpacker.data(bytes, position),
      end: () => unpacker.end(),
    })
    try {
      for await (const bytes of archive) reader.push(bytes)
      reader.finish()
      unpacker.finish()
    } finally {
      changed()
    }
  }
}

/** The files of a container that has ended: those of its image, and what `layer()` gave. Dispose of it. */
export async function openFiles({
  image,
  layer = [],
}: {
  readonly image: Pick<Image, 'root'>
  readonly layer?: Archive
}): Promise<ContainerFiles & Disposable> {
  const root = await image.root()
  try {
    const upper = new TmpFs({ time: new SettableTime(), mode: 0o755 })
    await unpackLayer(upper, layer)
    return Object.assign(new ContainerFiles(endedFiles(root, upper)), {
      [Symbol.dispose]: () => root[Symbol.dispose](),
    })
  } catch (error) {
    root[Symbol.dispose]()
    throw error
  }
}

function endedFiles({ layers }: ImageRoot, upper: TmpFs): Files {
  const lower = layers.length > 0 ? layers : [new TmpFs({ time: new SettableTime(), mode: 0o755 })]
  const merged = new OverlayFs({ lower: lower.map(({ root }) => root), upper: upper.root })
  const looker = seen(merged)
  return { layers, upper, merged, looker: () => looker, flush: () => {}, changed: () => {} }
}

function absolute(path: string): ByteString {
  return toByteString(path.startsWith('/') ? path : `/${path}`)
}

function noFile(path: string, errno: number): never {
  return containerError('file', `there is no ${path} in the container (${errnoName(errno)})`, 'name another path')
}
