/** Saving a tree: one walk of the inodes, without waiting, so that it is the state of one moment. */
import { VmexitError } from '@vmexit/core'
import { Errno, errnoName } from '../errno.ts'
import { FIRST_COOKIE, type FileSystem, type Inode } from '../file-system.ts'
import { isDirectory, isRegular, isSymlink, Seek } from '../flags.ts'
import { type ByteString, byteStringOf, toText } from '../names.ts'
import { Stat } from '../stat.ts'
import { magic, pieceBytes, prefixBytes, type SavedInode } from './tree-format.ts'

/**
 * A whole file system as a blob: entries, attributes, extended attributes, hard links, devices and data; holes stay holes.
 * What `loadTree` makes of it has ctimes of its own. Throws a `VmexitError` `vfs-save` if a call of the file system fails.
 */
export function saveTree(fs: FileSystem): Blob {
  const writer = new TreeWriter()
  writer.walk(fs.root)
  return writer.blob()
}

class TreeWriter {
  readonly #inodes: SavedInode[] = []
  readonly #indexes = new Map<Inode, number>()
  /** What has an index, in their order; most of it is yet to be read. */
  readonly #found: { readonly inode: Inode; readonly path: ByteString }[] = []
  readonly #parts: Blob[] = []
  readonly #stat = new Stat()
  #piece = new Uint8Array(pieceBytes)
  #filled = 0

  /** Reads all inodes, directory by directory. */
  walk(root: Inode): void {
    this.#indexOf(root, '')
    for (let index = 0; index < this.#found.length; index++) {
      const { inode, path } = this.#found[index]!
      this.#inodes.push(this.#read(inode, path))
    }
  }

  blob(): Blob {
    this.#endPiece()
    const header = new TextEncoder().encode(JSON.stringify({ inodes: this.#inodes }))
    const prefix = new Uint8Array(prefixBytes)
    prefix.set(new TextEncoder().encode(magic))
    new DataView(prefix.buffer).setUint32(magic.length, header.length, true)
    return new Blob([prefix, header, ...this.#parts])
  }

  #indexOf(inode: Inode, path: ByteString): number {
    const known = this.#indexes.get(inode)
    if (known !== undefined) return known
    const index = this.#found.push({ inode, path }) - 1
    this.#indexes.set(inode, index)
    return index
  }

  #read(inode: Inode, path: ByteString): SavedInode {
    const stat = this.#stat
    checked(inode.fs.getattr(inode, stat), path)
    const { mode, uid, gid, rdev, size, atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds } = stat
    return {
      mode,
      uid,
      gid,
      times: [atimeSeconds, atimeNanoseconds, mtimeSeconds, mtimeNanoseconds],
      ...(rdev !== 0 && { rdev }),
      ...xattrsOf(inode, path),
      ...(isDirectory(mode) && { entries: this.#entries(inode, path) }),
      ...(isSymlink(mode) && { target: checked(inode.fs.readlink(inode), path) }),
      ...(isRegular(mode) && { size, extents: this.#data(inode, size, path) }),
    }
  }

  #entries(dir: Inode, path: ByteString): [string, number][] {
    const names: ByteString[] = []
    const visitor = { entry: (name: ByteString) => names.push(name) > 0 }
    checked(dir.fs.readdir(dir, FIRST_COOKIE, visitor), path)
    return names.map((name) => {
      const child = `${path}/${name}`
      return [name, this.#indexOf(checked(dir.fs.lookup(dir, name), child), child)]
    })
  }

  #data(inode: Inode, size: number, path: ByteString): [number, number][] {
    const extents: [number, number][] = []
    for (let at = 0; at < size; ) {
      const start = inode.fs.seek(inode, at, Seek.SEEK_DATA)
      if (start === -Errno.ENXIO) break
      at = Math.min(checked(inode.fs.seek(inode, checked(start, path), Seek.SEEK_HOLE), path), size)
      extents.push([start, at - start])
      this.#copy(inode, start, at, path)
    }
    return extents
  }

  #copy(inode: Inode, start: number, end: number, path: ByteString): void {
    for (let at = start; at < end; ) {
      if (this.#filled === pieceBytes) this.#endPiece()
      const length = Math.min(end - at, pieceBytes - this.#filled)
      const count = checked(inode.fs.read(inode, this.#piece, this.#filled, length, at), path)
      if (count === 0) throw failure(path, 'it has become shorter meanwhile')
      this.#filled += count
      at += count
    }
  }

  /** A blob's bytes are the browser's to keep, in memory or on disk. */
  #endPiece(): void {
    this.#parts.push(new Blob([this.#piece.subarray(0, this.#filled)]))
    this.#filled = 0
  }
}

function xattrsOf(inode: Inode, path: ByteString): { readonly xattrs?: Readonly<Record<string, string>> } {
  const names = inode.fs.listxattr(inode)
  if (names === -Errno.EOPNOTSUPP) return {}
  const values = checked(names, path).map((name) => [name, byteStringOf(checked(inode.fs.getxattr(inode, name), path))])
  return values.length === 0 ? {} : { xattrs: Object.fromEntries(values) }
}

function checked<Value>(answer: Value | number, path: ByteString): Exclude<Value, number> | (Value & number) {
  if (typeof answer === 'number' && answer < 0) throw failure(path, errnoName(answer))
  return answer as Exclude<Value, number> | (Value & number)
}

function failure(path: ByteString, why: string): VmexitError {
  return new VmexitError('vfs-save', {
    problem: `${toText(path) || '/'} could not be read (${why})`,
    remedy: 'save a file system that has all of its data at hand, while nothing changes it',
  })
}
