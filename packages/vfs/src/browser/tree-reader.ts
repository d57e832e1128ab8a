/** Loading a saved tree into a file system. */
import { VmexitError } from '@vmexit/core'
import { errnoName } from '../errno.ts'
import type { FileSystem, Inode } from '../file-system.ts'
import { isDirectory, isRegular, isSymlink, Mode } from '../flags.ts'
import { bytesOf, toText } from '../names.ts'
import { Change, Changes } from '../stat.ts'
import { isSavedInode, magic, pieceBytes, prefixBytes, type SavedInode, type TreeHeader } from './tree-format.ts'

/**
 * Makes in an empty file system what `saveTree` has saved. Throws a `VmexitError` `vfs-tree` if the blob is no saved tree
 * or damaged, and `vfs-load` if the file system refuses something; what has been made by then stays.
 */
export async function loadTree(blob: Blob, fs: FileSystem): Promise<void> {
  const prefix = await blob.slice(0, prefixBytes).arrayBuffer()
  if (prefix.byteLength < prefixBytes || new TextDecoder().decode(prefix.slice(0, magic.length)) !== magic) {
    throw damaged('it does not begin as one')
  }
  const headerBytes = new DataView(prefix).getUint32(magic.length, true)
  const text = await blob.slice(prefixBytes, prefixBytes + headerBytes).text()
  const reader = new TreeReader(headerOf(text).inodes, blob.slice(prefixBytes + headerBytes), fs)
  reader.make()
  await reader.fill()
  reader.finish()
}

function headerOf(text: string): TreeHeader {
  let header: Partial<TreeHeader>
  try {
    header = JSON.parse(text)
  } catch (cause) {
    throw damaged('its header cannot be read', cause)
  }
  const inodes: unknown = header?.inodes
  if (!Array.isArray(inodes) || !inodes.every(isSavedInode)) throw damaged('its header is none')
  if (inodes.length === 0 || !isDirectory(inodes[0].mode)) throw damaged('it has no root directory')
  return { inodes }
}

class TreeReader {
  readonly #saved: readonly SavedInode[]
  readonly #data: Blob
  readonly #fs: FileSystem
  readonly #made: (Inode | undefined)[] = []
  readonly #paths: string[] = []

  constructor(saved: readonly SavedInode[], data: Blob, fs: FileSystem) {
    this.#saved = saved
    this.#data = data
    this.#fs = fs
  }

  /** All inodes under their names. */
  make(): void {
    this.#made[0] = this.#fs.root
    this.#paths[0] = ''
    const waiting = [0]
    for (let index = waiting.pop(); index !== undefined; index = waiting.pop()) {
      for (const [name, child] of this.#saved[index]!.entries ?? []) {
        if (this.#enter(index, name, child)) waiting.push(child)
      }
    }
  }

  /** The data of files, in the order in which they were saved. */
  async fill(): Promise<void> {
    let from = 0
    for (const [index, { mode, size = 0, extents = [] }] of this.#saved.entries()) {
      const inode = this.#made[index]
      if (inode === undefined || !isRegular(mode)) continue
      for (const [offset, length] of extents) {
        for (let at = 0; at < length; at += pieceBytes) {
          const count = Math.min(pieceBytes, length - at)
          const bytes = new Uint8Array(await this.#data.slice(from + at, from + at + count).arrayBuffer())
          if (bytes.length < count) throw damaged('its end is missing')
          this.#write(index, inode, bytes, offset + at)
        }
        from += length
      }
      if (inode.size !== size) this.#check(this.#fs.truncate(inode, size), index)
    }
  }

  /** Attributes, last of all, since what is done in a directory changes its times. */
  finish(): void {
    const changes = new Changes()
    for (const [index, saved] of this.#saved.entries()) {
      const inode = this.#made[index]
      if (inode === undefined) continue
      for (const [name, value] of Object.entries(saved.xattrs ?? {})) {
        this.#check(this.#fs.setxattr(inode, name, bytesOf(value), 0), index)
      }
      const { MODE, UID, GID, ATIME, MTIME } = Change
      changes.mask = ATIME | MTIME | (index === 0 ? MODE | UID | GID : 0)
      changes.mode = saved.mode
      changes.uid = saved.uid
      changes.gid = saved.gid
      ;[changes.atimeSeconds, changes.atimeNanoseconds, changes.mtimeSeconds, changes.mtimeNanoseconds] = saved.times
      this.#check(this.#fs.setattr(inode, changes), index)
    }
  }

  /** Makes an inode, or gives a known one a further name. Whether it is a new directory. */
  #enter(parent: number, name: string, index: number): boolean {
    const saved = this.#saved[index]
    if (saved === undefined) throw damaged(`${this.#paths[parent] || '/'} has an entry that is none`)
    this.#paths[index] ??= `${this.#paths[parent]}/${name}`
    const dir = this.#made[parent]!
    const known = this.#made[index]
    if (known !== undefined) {
      if (isDirectory(saved.mode)) throw damaged(`${this.#paths[index]} is a directory with two names`)
      this.#check(this.#fs.link(known, dir, name), index)
      return false
    }
    const { mode, uid, gid, rdev = 0, target } = saved
    const directory = isDirectory(mode)
    let inode: Inode | number
    if (directory) inode = this.#fs.mkdir(dir, name, mode & ~Mode.IFMT, uid, gid)
    else if (isSymlink(mode)) inode = this.#fs.symlink(dir, name, target ?? '', uid, gid)
    else inode = this.#fs.create(dir, name, mode, uid, gid, rdev)
    if (typeof inode === 'number') throw refused(this.#paths[index], inode)
    this.#made[index] = inode
    return directory
  }

  #write(index: number, inode: Inode, bytes: Uint8Array, offset: number): void {
    for (let done = 0; done < bytes.length; ) {
      const count = this.#fs.write(inode, bytes, done, bytes.length - done, offset + done)
      this.#check(count, index)
      done += count
    }
  }

  #check(answer: number, index: number): void {
    if (answer < 0) throw refused(this.#paths[index]!, answer)
  }
}

function damaged(why: string, cause?: unknown): VmexitError {
  return new VmexitError('vfs-tree', {
    problem: `the blob is no saved tree (${why})`,
    remedy: 'give one that saveTree has made',
    cause,
  })
}

function refused(path: string, answer: number): VmexitError {
  return new VmexitError('vfs-load', {
    problem: `${toText(path) || '/'} could not be made (${errnoName(answer)})`,
    remedy: 'load into an empty file system with enough space',
  })
}
