/** An inode of a layer: what its catalog says of it. */
import { type ByteString, bytesOf, type FileSystem, type Inode, isDirectory } from '@vmexit/vfs'
import type { CatalogExtent, CatalogInode } from './catalog.ts'

/** A file of a layer. Of what is on no way that was taken the catalog's own words are kept, and nothing else. */
export class LayerInode implements Inode {
  readonly fs: FileSystem
  readonly ino: number
  readonly mode: number
  readonly uid: number
  readonly gid: number
  readonly rdev: number
  readonly size: number
  readonly said: CatalogInode
  nlink = 0
  state: object | undefined = undefined
  #entries: Map<ByteString, number> | undefined
  #attributes: Map<ByteString, Uint8Array> | undefined
  #stored: number | undefined

  constructor(fs: FileSystem, ino: number, said: CatalogInode) {
    this.fs = fs
    this.ino = ino
    this.said = said
    this.mode = said.mode
    this.uid = said.uid
    this.gid = said.gid
    this.rdev = said.rdev ?? 0
    this.size = isDirectory(said.mode) ? 4096 : (said.size ?? said.target?.length ?? 0)
  }

  /** Of a directory: indexes of inodes by name. */
  get entries(): ReadonlyMap<ByteString, number> {
    this.#entries ??= new Map(this.said.entries)
    return this.#entries
  }

  get attributes(): ReadonlyMap<ByteString, Uint8Array> {
    this.#attributes ??= new Map((this.said.xattrs ?? []).map(([name, value]) => [name, bytesOf(value)]))
    return this.#attributes
  }

  /** Of a file: where its data are, in order. */
  get extents(): readonly CatalogExtent[] {
    return this.said.extents ?? []
  }

  /** Bytes of its data that are no holes. */
  get stored(): number {
    this.#stored ??= this.extents.reduce((sum, [, , length]) => sum + length, 0)
    return this.#stored
  }

  /** The first extent that ends behind a position of the file; the number of extents where none does. */
  extentAt(position: number): number {
    const { extents } = this
    let [low, high] = [0, extents.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      const [start, , length] = extents[middle]!
      if (start + length <= position) low = middle + 1
      else high = middle
    }
    return low
  }
}
