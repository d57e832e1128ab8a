/**
 * Makes a layer's catalog while its archive goes by. The tree that the archive describes is made in memory by what unpacks archives, without
 * the files' data: so replaced names, links on the way, whiteouts and opaque directories are what they would be in an unpacked tree.
 */
import { isVmexitError } from '@vmexit/core'
import { type TarEntry, TarReader, type TarVisitor, Unpacker } from '@vmexit/tar'
import {
  At,
  type ByteString,
  byteStringOf,
  FIRST_COOKIE,
  type Inode,
  isDirectory,
  isRegular,
  isSymlink,
  Mode,
  SettableTime,
  Stat,
  type TaskContext,
  TmpFs,
  Vfs,
} from '@vmexit/vfs'
import { ImageError } from '../errors.ts'
import type { Catalog, CatalogExtent, CatalogInode } from './catalog.ts'

/** What a layer may hold: all of its catalog is in memory. */
export interface LayerLimits {
  /** Files, directories, links and all. */
  readonly entries: number
  /** Bytes of names, link targets and extended attributes. */
  readonly metadataBytes: number
}

/** Reads a layer's archive as it comes. */
export class LayerIndexer {
  readonly #reader: TarReader
  readonly #tree: TreeOfLayer
  readonly #what: string

  /** `what` names the layer in errors. */
  constructor(what: string, limits: LayerLimits) {
    this.#what = what
    this.#tree = new TreeOfLayer(what, limits)
    this.#reader = new TarReader(this.#tree)
  }

  /** @throws ImageError `image-layer`, `image-quota`. */
  push(bytes: Uint8Array): void {
    try {
      this.#reader.push(bytes)
    } catch (cause) {
      throw inLayer(this.#what, cause)
    }
  }

  /** The archive has been read. @throws ImageError `image-layer`. */
  finish(): Catalog {
    try {
      this.#reader.finish()
      return this.#tree.finish()
    } catch (cause) {
      throw inLayer(this.#what, cause)
    }
  }
}

function inLayer(what: string, cause: unknown): unknown {
  if (!isVmexitError(cause) || cause instanceof ImageError) return cause
  return new ImageError('image-layer', `${what}: ${cause.problem}`, cause.remedy, cause)
}

class TreeOfLayer implements TarVisitor {
  readonly #what: string
  readonly #limits: LayerLimits
  readonly #fs: TmpFs
  readonly #vfs: Vfs
  readonly #task: TaskContext
  readonly #unpacker: Unpacker
  readonly #extents = new Map<Inode, readonly CatalogExtent[]>()
  #entry: TarEntry | undefined
  #position = 0
  #entries = 0
  #metadata = 0

  constructor(what: string, limits: LayerLimits) {
    this.#what = what
    this.#limits = limits
    const time = new SettableTime()
    this.#fs = new TmpFs({ time, mode: 0o755, inodes: limits.entries + 1, sizeBytes: limits.metadataBytes })
    this.#vfs = new Vfs({ time })
    this.#task = this.#vfs.newTask(this.#vfs.newTree(this.#fs))
    this.#task.umask = 0
    this.#unpacker = new Unpacker({ vfs: this.#vfs, task: this.#task, whiteouts: 'overlay' })
  }

  entry(entry: TarEntry, position: number): void {
    this.#entries++
    this.#metadata += entry.name.length + entry.target.length
    for (const [name, value] of entry.attributes) this.#metadata += name.length + value.length
    if (entry.extents) this.#metadata += 24 * entry.extents.length
    this.#check('entries', this.#entries, this.#limits.entries)
    this.#check('bytes of names and attributes', this.#metadata, this.#limits.metadataBytes)
    this.#entry = entry
    this.#position = position
    this.#unpacker.entry(entry, position)
  }

  end(): void {
    this.#unpacker.end()
    const entry = this.#entry
    if (entry?.type !== 'file' || entry.size === 0) return
    const name = entry.name.startsWith('/') ? entry.name : `/${entry.name}`
    const place = this.#vfs.lookup(this.#task, null, name, At.AT_SYMLINK_NOFOLLOW)
    // The names of whiteouts are no files.
    if (typeof place === 'object' && isRegular(place.dentry.inode!.mode)) {
      const pieces = entry.extents ?? [{ position: 0, length: entry.size }]
      let at = this.#position
      const extents = pieces.map(({ position, length }): CatalogExtent => {
        at += length
        return [position, at - length, length]
      })
      this.#extents.set(place.dentry.inode!, extents)
    }
  }

  finish(): Catalog {
    this.#unpacker.finish()
    const catalog: CatalogInode[] = []
    const numbers = new Map<Inode, number>()
    const found: Inode[] = []
    const numberOf = (inode: Inode): number => {
      let number = numbers.get(inode)
      if (number === undefined) {
        numbers.set(inode, (number = found.length))
        found.push(inode)
      }
      return number
    }
    numberOf(this.#fs.root)
    for (let n = 0; n < found.length; n++) catalog.push(this.#describe(found[n]!, numberOf))
    return catalog
  }

  #describe(inode: Inode, numberOf: (inode: Inode) => number): CatalogInode {
    const { mode, uid, gid, rdev, size } = inode
    const stat = new Stat()
    this.#fs.getattr(inode as TmpFs['root'], stat)
    const xattrs = this.#attributes(inode as TmpFs['root'])
    const type = mode & Mode.IFMT
    return {
      mode,
      uid,
      gid,
      times: [stat.atimeSeconds, stat.atimeNanoseconds, stat.mtimeSeconds, stat.mtimeNanoseconds],
      ...(xattrs.length === 0 ? {} : { xattrs }),
      ...(type === Mode.IFCHR || type === Mode.IFBLK ? { rdev } : {}),
      ...(isSymlink(mode) ? { target: this.#fs.readlink(inode as TmpFs['root']) as ByteString } : {}),
      ...(isDirectory(mode) ? { entries: this.#names(inode as TmpFs['root'], numberOf) } : {}),
      ...(isRegular(mode) ? { size, extents: this.#extents.get(inode) ?? [] } : {}),
    }
  }

  #names(directory: TmpFs['root'], numberOf: (inode: Inode) => number): [ByteString, number][] {
    const names: ByteString[] = []
    this.#fs.readdir(directory, FIRST_COOKIE, { entry: (name) => names.push(name) > 0 })
    return names.sort().map((name) => [name, numberOf(this.#fs.lookup(directory, name) as Inode)])
  }

  #attributes(inode: TmpFs['root']): [ByteString, ByteString][] {
    const names = this.#fs.listxattr(inode)
    if (typeof names === 'number') return []
    return [...names].sort().map((name) => [name, byteStringOf(this.#fs.getxattr(inode, name) as Uint8Array)])
  }

  #check(kind: string, count: number, most: number): void {
    if (count <= most) return
    throw new ImageError(
      'image-quota',
      `${this.#what} has more than ${most} ${kind}`,
      'allow more, if it is one of those that must be so',
    )
  }
}
