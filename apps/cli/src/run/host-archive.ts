/** Files of this machine as an archive, and an archive as files of this machine, for `vmexit cp`. */
import {
  chmodSync,
  closeSync,
  ftruncateSync,
  lchownSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readlinkSync,
  readSync,
  rmSync,
  type Stats,
  symlinkSync,
  utimesSync,
  writeSync,
} from 'node:fs'
import { VmexitError } from '@vmexit/core'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntry, TarReader, type TarVisitor } from '@vmexit/tar'
import { type ByteString, byteStringOf, bytesOf } from '@vmexit/vfs'

const CHUNK = 1 << 17

/** How files are packed. */
export interface HostPacking {
  /** Owners stay; else all is root's. */
  readonly archive: boolean
  /** A folder's own entry is left out: it is there. */
  readonly contents: boolean
}

/** A file or folder as an archive in which it is called `name`. */
export function* packHost(path: Buffer, name: ByteString, how: HostPacking): Generator<Uint8Array> {
  yield* packEntry(path, name, how, how.contents)
  yield END_OF_ARCHIVE
}

function* packEntry(path: Buffer, name: ByteString, how: HostPacking, isHidden: boolean): Generator<Uint8Array> {
  const stat = lstatSync(path)
  const common = {
    name,
    mode: stat.mode & 0o7777,
    ...(how.archive && { uid: stat.uid, gid: stat.gid }),
    modified: { seconds: Math.floor(stat.mtimeMs / 1000), nanoseconds: Math.floor((stat.mtimeMs % 1000) * 1e6) },
  }
  if (stat.isDirectory()) {
    if (!isHidden) yield encodeEntry({ ...common, type: 'directory' })
    const names = readdirSync(path, { encoding: 'buffer' }).map(byteStringOf).sort()
    for (const child of names) yield* packEntry(under(path, child), `${name}/${child}`, how, false)
  } else if (stat.isSymbolicLink()) {
    const target = byteStringOf(readlinkSync(path, { encoding: 'buffer' }))
    yield encodeEntry({ ...common, type: 'symlink', target })
  } else if (stat.isFile()) yield* packFile(path, stat, { ...common, type: 'file', size: stat.size })
}

function* packFile(path: Buffer, { size }: Stats, entry: Parameters<typeof encodeEntry>[0]): Generator<Uint8Array> {
  const file = openSync(path, 'r')
  try {
    yield encodeEntry(entry)
    for (let done = 0; done < size; ) {
      const chunk = new Uint8Array(Math.min(CHUNK, size - done))
      const length = readSync(file, chunk, 0, chunk.length, done)
      // Cut short by somebody meanwhile: the header has said how long it is.
      done += length === 0 ? chunk.length : length
      yield length === 0 ? chunk : chunk.subarray(0, length)
    }
    yield paddingAfter(size)
  } finally {
    closeSync(file)
  }
}

/** What is done with an archive that comes from a container. */
export interface HostUnpacking {
  readonly archive: boolean
  /** Told of what cannot be made here. */
  readonly skipped: (name: ByteString) => void
}

/**
 * Puts an archive, in which all is below `name`, at a place of this machine. Nothing is written through links that come from the archive.
 * @throws VmexitError `cp-archive`.
 */
export async function unpackHost(
  archive: AsyncIterable<Uint8Array>,
  name: ByteString,
  place: Buffer,
  how: HostUnpacking,
): Promise<void> {
  const unpacker = new HostUnpacker(name, place, how)
  const reader = new TarReader(unpacker)
  try {
    for await (const bytes of archive) reader.push(bytes)
    reader.finish()
  } finally {
    unpacker.finish()
  }
}

class HostUnpacker implements TarVisitor {
  readonly #name: ByteString
  readonly #place: Buffer
  readonly #how: HostUnpacking
  readonly #links = new Set<ByteString>()
  /** Modes and times of folders are set at the end: to fill them needs and changes them. */
  readonly #folders: (readonly [path: Buffer, entry: TarEntry])[] = []
  #file: number | undefined
  #entry: TarEntry | undefined
  #path: Buffer | undefined

  constructor(name: ByteString, place: Buffer, how: HostUnpacking) {
    this.#name = name
    this.#place = place
    this.#how = how
  }

  entry(entry: TarEntry): void {
    const path = this.#pathOf(entry.name)
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (entry.type === 'directory') {
      if (there === undefined) mkdirSync(path, { mode: 0o700 })
      else if (!there.isDirectory()) throw refused(entry.name, 'a file is in the place of a folder')
      this.#folders.push([path, entry])
      return
    }
    if (there?.isDirectory()) throw refused(entry.name, 'a folder is in its place')
    if (['character', 'block', 'fifo'].includes(entry.type)) {
      this.#how.skipped(entry.name)
      return
    }
    if (there !== undefined) rmSync(path)
    if (entry.type === 'symlink') {
      this.#links.add(entry.name)
      symlinkSync(Buffer.from(bytesOf(entry.target)), path)
      this.#own(path, entry)
    } else if (entry.type === 'hardlink') {
      // Of a link it is one, too.
      if (this.#links.has(entry.target)) this.#links.add(entry.name)
      linkSync(this.#pathOf(entry.target), path)
    } else {
      this.#file = openSync(path, 'wx', 0o600)
      this.#entry = entry
      this.#path = path
    }
  }

  data(bytes: Uint8Array, position: number): void {
    if (this.#file === undefined) return
    for (let done = 0; done < bytes.length; )
      done += writeSync(this.#file, bytes, done, bytes.length - done, position + done)
  }

  end(): void {
    if (this.#file === undefined || this.#entry === undefined || this.#path === undefined) return
    ftruncateSync(this.#file, this.#entry.size)
    closeSync(this.#file)
    this.#file = undefined
    this.#describe(this.#path, this.#entry)
  }

  finish(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    for (const [path, entry] of this.#folders.reverse()) this.#describe(path, entry)
  }

  #pathOf(name: ByteString): Buffer {
    const parts = name.split('/')
    if (parts[0] !== this.#name || parts.some((part) => part === '..' || part === '.' || part === ''))
      throw refused(name, 'it leads elsewhere')
    for (let n = 1; n < parts.length; n++)
      if (this.#links.has(parts.slice(0, n).join('/'))) throw refused(name, 'a link of the archive leads there')
    return parts.length === 1 ? this.#place : under(this.#place, parts.slice(1).join('/'))
  }

  #describe(path: Buffer, entry: TarEntry): void {
    this.#own(path, entry)
    chmodSync(path, entry.mode & 0o7777)
    const { seconds, nanoseconds } = entry.modified
    utimesSync(path, seconds + nanoseconds / 1e9, seconds + nanoseconds / 1e9)
  }

  #own(path: Buffer, { uid, gid }: TarEntry): void {
    if (this.#how.archive) lchownSync(path, uid, gid)
  }
}

function under(path: Buffer, name: ByteString): Buffer {
  return Buffer.concat([path, Buffer.from('/'), bytesOf(name)])
}

function refused(name: ByteString, why: string): VmexitError<'cp-archive'> {
  return new VmexitError('cp-archive', {
    problem: `'${Buffer.from(bytesOf(name)).toString()}' of the container is not written here: ${why}`,
    remedy: 'copy to another place, or remove what is there',
  })
}
