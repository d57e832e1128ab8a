/** From a tree of files to an archive. */
import {
  At,
  type ByteString,
  type File,
  Mode,
  majorOf,
  minorOf,
  Open,
  type Path,
  Seek,
  Stat,
  type TaskContext,
  type Vfs,
} from '@vmexit/vfs'
import type { TarExtent, TarType } from '../entry.ts'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from '../writer.ts'
import { must } from './errors.ts'
import { namesIn } from './unpack.ts'
import { isOverlayAttribute, OPAQUE_ATTRIBUTE, OPAQUE_NAME, WHITEOUT_PREFIX } from './whiteouts.ts'

/** What {@link packTree} is told. */
export interface PackOptions {
  readonly vfs: Vfs
  /** Who reads: names begin at its root. */
  readonly task: TaskContext
  /** The directory whose contents are packed, `/` unless stated. */
  readonly directory?: ByteString
  /**
   * `plain`: files as they are. `overlay`: the tree is what has been changed in an overlay; its whiteouts and opaque directories become those
   * of an image layer, and the overlay's own notes stay behind.
   */
  readonly whiteouts?: 'plain' | 'overlay'
  /** One file or directory alone, with what is in it, under this name. In the place of `directory`. */
  readonly only?: { readonly path: ByteString; readonly name: ByteString }
}

const TYPES: Readonly<Record<number, TarType>> = {
  [Mode.IFREG]: 'file',
  [Mode.IFLNK]: 'symlink',
  [Mode.IFCHR]: 'character',
  [Mode.IFBLK]: 'block',
  [Mode.IFDIR]: 'directory',
  [Mode.IFIFO]: 'fifo',
}
/** Bytes read at a time. */
const CHUNK = 1 << 16

/**
 * The archive of a tree, in pieces to be written one after the other: entries in the order of their names' bytes, hard links as such, holes as
 * holes, sockets left out. The same tree gives the same bytes. @throws TreeError.
 */
export function* packTree(options: PackOptions): Generator<Uint8Array> {
  const packer = new Packer(options)
  if (options.only === undefined) yield* packer.directory(options.directory ?? '/', '')
  else yield* packer.entry(options.only.path, options.only.name)
  yield END_OF_ARCHIVE
}

class Packer {
  readonly #options: PackOptions
  readonly #stat = new Stat()
  /** Names of files with several, by device and number. */
  readonly #linked = new Map<string, ByteString>()

  constructor(options: PackOptions) {
    this.#options = options
  }

  *directory(path: ByteString, name: ByteString): Generator<Uint8Array> {
    for (const child of namesIn(this.#options, path, name).sort()) {
      yield* this.entry(path === '/' ? `/${child}` : `${path}/${child}`, name === '' ? child : `${name}/${child}`)
    }
  }

  *entry(path: ByteString, name: ByteString): Generator<Uint8Array> {
    const { vfs, task, whiteouts } = this.#options
    const place = must(vfs.lookup(task, null, path, At.AT_SYMLINK_NOFOLLOW), 'find', name) as Path
    const stat = this.#stat
    must(vfs.stat(task, place, '', stat, At.AT_EMPTY_PATH), 'look at', name)
    const type = TYPES[stat.mode & Mode.IFMT]
    if (type === undefined) return
    if (whiteouts === 'overlay' && type === 'character' && stat.rdev === 0) {
      const slash = name.lastIndexOf('/') + 1
      yield encodeEntry({ type: 'file', name: name.slice(0, slash) + WHITEOUT_PREFIX + name.slice(slash), mode: 0 })
      return
    }
    const { isOpaque, attributes } = this.#attributes(place, name)
    const entry: TarEntryToWrite = {
      type,
      name,
      mode: stat.mode,
      uid: stat.uid,
      gid: stat.gid,
      size: type === 'file' ? stat.size : 0,
      modified: { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds },
      target: type === 'symlink' ? (must(vfs.readlink(task, null, path), 'read', name) as ByteString) : '',
      major: majorOf(stat.rdev),
      minor: minorOf(stat.rdev),
      attributes,
    }
    if (type !== 'directory' && stat.nlink > 1) {
      const key = `${stat.dev} ${stat.ino}`
      const known = this.#linked.get(key)
      if (known !== undefined) {
        yield encodeEntry({ ...entry, type: 'hardlink', target: known, size: 0, attributes: new Map() })
        return
      }
      this.#linked.set(key, name)
    }
    if (type === 'file') yield* this.#file(place, entry)
    else yield encodeEntry(entry)
    if (type !== 'directory') return
    if (whiteouts === 'overlay' && isOpaque)
      yield encodeEntry({ type: 'file', name: `${name}/${OPAQUE_NAME}`, mode: 0 })
    yield* this.directory(path, name)
  }

  *#file(place: Path, entry: TarEntryToWrite): Generator<Uint8Array> {
    const { vfs, task } = this.#options
    const size = entry.size ?? 0
    if (size === 0) {
      yield encodeEntry(entry)
      return
    }
    const path = vfs.pathName(task, place)
    const file = must(vfs.open(task, null, path, Open.O_RDONLY | Open.O_NOFOLLOW), 'open', entry.name) as File
    try {
      const extents = this.#extents(file, size, entry.name)
      const isWhole = extents.length === 1 && extents[0]!.length === size
      yield encodeEntry(isWhole ? entry : { ...entry, extents })
      let stored = 0
      for (const { position, length } of extents) {
        stored += length
        for (let done = 0; done < length; ) {
          const chunk = new Uint8Array(Math.min(CHUNK, length - done))
          const read = must(vfs.pread(file, chunk, 0, chunk.length, position + done), 'read', entry.name) as number
          // Cut short by somebody meanwhile: the header has said how long it is.
          done += read === 0 ? chunk.length : read
          yield read === 0 ? chunk : chunk.subarray(0, read)
        }
      }
      yield paddingAfter(stored)
    } finally {
      vfs.close(file)
    }
  }

  /** Where a file has data. */
  #extents(file: File, size: number, name: ByteString): TarExtent[] {
    const { vfs } = this.#options
    const extents: TarExtent[] = []
    for (let at = 0; at < size; ) {
      const start = vfs.lseek(file, at, Seek.SEEK_DATA)
      // ENXIO: nothing but a hole is left.
      if (start < 0) break
      const end = Math.min(size, must(vfs.lseek(file, start, Seek.SEEK_HOLE), 'read', name) as number)
      extents.push({ position: start, length: end - start })
      at = end
    }
    return extents
  }

  #attributes(place: Path, name: ByteString): { isOpaque: boolean; attributes: Map<ByteString, Uint8Array> } {
    const { vfs, task, whiteouts } = this.#options
    const attributes = new Map<ByteString, Uint8Array>()
    let isOpaque = false
    const names = vfs.listxattr(task, place)
    for (const key of typeof names === 'number' ? [] : names) {
      if (key === OPAQUE_ATTRIBUTE) isOpaque = true
      if (whiteouts === 'overlay' && isOverlayAttribute(key)) continue
      attributes.set(key, must(vfs.getxattr(task, place, key), `read the attribute '${key}' of`, name) as Uint8Array)
    }
    return { isOpaque, attributes }
  }
}
