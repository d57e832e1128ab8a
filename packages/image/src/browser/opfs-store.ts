/**
 * Images in the origin private file system (whatwg/fs), which a browser keeps for a site: contents as files of their own.
 *
 * File systems read at once, which files of a page cannot: in a worker they are read in place (`FileReaderSync`), in a page they are read
 * into memory when a layer is opened.
 */
import { Errno } from '@vmexit/vfs'
import { type Digest, isDigest } from '../digest.ts'
import { ImageError } from '../errors.ts'
import { missing } from '../store/missing.ts'
import type { ContentStore, ContentWriter, ExclusiveOptions, RandomAccess } from '../store/store.ts'

const INDEX = 'index.json'
const CHUNK = 1 << 20

/** Which operation files have that the libraries' types have not as yet. */
type Movable = FileSystemFileHandle & { move(to: FileSystemDirectoryHandle, name: string): Promise<void> }

/**
 * A store in a directory such as `await navigator.storage.getDirectory()`. Tabs and workers of the site that have given it one `name` take turns to
 * change it.
 */
export async function opfsImageStore(directory: FileSystemDirectoryHandle, name: string): Promise<ContentStore> {
  const root = await directory.getDirectoryHandle(name, { create: true })
  const folder = (each: string): Promise<FileSystemDirectoryHandle> => root.getDirectoryHandle(each, { create: true })
  return new OpfsStore(`vmexit images ${name}`, root, await folder('blobs'), await folder('notes'))
}

class OpfsStore implements ContentStore {
  readonly #lock: string
  readonly #root: FileSystemDirectoryHandle
  readonly #blobs: FileSystemDirectoryHandle
  readonly #notes: FileSystemDirectoryHandle
  #incoming: FileSystemDirectoryHandle | undefined
  #count = 0

  constructor(
    lock: string,
    root: FileSystemDirectoryHandle,
    blobs: FileSystemDirectoryHandle,
    notes: FileSystemDirectoryHandle,
  ) {
    this.#lock = lock
    this.#root = root
    this.#blobs = blobs
    this.#notes = notes
  }

  async exclusive<Result>(work: () => Promise<Result>, { signal, waiting }: ExclusiveOptions = {}): Promise<Result> {
    const { held = [] } = await navigator.locks.query()
    if (held.some(({ name }) => name === this.#lock)) waiting?.('another tab or worker')
    const run = async (): Promise<Result> => {
      // What a tab that was closed has begun.
      await removeFrom(this.#root, 'incoming', true)
      this.#incoming = await this.#root.getDirectoryHandle('incoming', { create: true })
      return await work()
    }
    return await navigator.locks.request(this.#lock, signal === undefined ? {} : { signal }, run)
  }

  async readIndex(): Promise<Uint8Array | undefined> {
    return await contentsOf(await fileIn(this.#root, INDEX))
  }

  async writeIndex(bytes: Uint8Array): Promise<void> {
    await place(this.#root, INDEX, bytes)
  }

  async size(digest: Digest): Promise<number | undefined> {
    return (await fileIn(this.#blobs, nameOf(digest)))?.size
  }

  async list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
    const all = new Map<Digest, number>()
    for (const directory of [this.#notes, this.#blobs])
      for await (const name of directory.keys()) {
        const digest = name.replace('-', ':')
        if (isDigest(digest)) all.set(digest, (await fileIn(this.#blobs, name))?.size ?? 0)
      }
    return [...all].map(([digest, size]) => ({ digest, size }))
  }

  async create(): Promise<ContentWriter> {
    const directory = this.#incoming!
    const name = String(this.#count++)
    const handle = (await directory.getFileHandle(name, { create: true })) as Movable
    const writable = await handle.createWritable()
    let state: 'open' | 'kept' | 'over' = 'open'
    return {
      write: (bytes) => told(writable.write(bytes.slice())),
      keep: async (digest) => {
        if ((await this.size(digest)) !== undefined) return
        await told(writable.close())
        state = 'kept'
        await told(handle.move(this.#blobs, nameOf(digest)))
        state = 'over'
      },
      discard: async () => {
        const before = state
        state = 'over'
        if (before === 'open') await writable.abort()
        if (before !== 'over') await removeFrom(directory, name)
      },
    }
  }

  async *read(digest: Digest): AsyncGenerator<Uint8Array> {
    const file = await fileIn(this.#blobs, nameOf(digest))
    if (file === undefined) throw missing(digest)
    for (let at = 0; at < file.size; at += CHUNK) yield new Uint8Array(await file.slice(at, at + CHUNK).arrayBuffer())
  }

  async open(digest: Digest): Promise<RandomAccess> {
    const file = await fileIn(this.#blobs, nameOf(digest))
    if (file === undefined) throw missing(digest)
    return 'FileReaderSync' in globalThis ? inPlace(file) : inMemory(new Uint8Array(await file.arrayBuffer()))
  }

  async remove(digest: Digest): Promise<void> {
    for (const directory of [this.#notes, this.#blobs]) await removeFrom(directory, nameOf(digest))
  }

  async readNotes(digest: Digest): Promise<Uint8Array | undefined> {
    return await contentsOf(await fileIn(this.#notes, nameOf(digest)))
  }

  async writeNotes(digest: Digest, bytes: Uint8Array): Promise<void> {
    await place(this.#notes, nameOf(digest), bytes)
  }
}

function inPlace(file: Blob): RandomAccess {
  const reader = new FileReaderSync()
  return {
    size: file.size,
    read(into, start, length, position) {
      try {
        const bytes = new Uint8Array(reader.readAsArrayBuffer(file.slice(position, position + length)))
        into.set(bytes, start)
        return bytes.length
      } catch {
        // The browser has thrown the file away.
        return -Errno.EIO
      }
    },
    close() {},
  }
}

function inMemory(bytes: Uint8Array): RandomAccess {
  return {
    size: bytes.length,
    read(into, start, length, position) {
      const part = bytes.subarray(position, position + length)
      into.set(part, start)
      return part.length
    },
    close() {},
  }
}

/** A colon is no letter of a file's name everywhere. */
function nameOf(digest: Digest): string {
  return digest.replace(':', '-')
}

async function contentsOf(file: File | undefined): Promise<Uint8Array | undefined> {
  // A tab that was closed while it wrote for the first time has left an empty one.
  return file === undefined || file.size === 0 ? undefined : new Uint8Array(await file.arrayBuffer())
}

async function fileIn(directory: FileSystemDirectoryHandle, name: string): Promise<File | undefined> {
  try {
    return await (await directory.getFileHandle(name)).getFile()
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

/** As a whole, or not at all: a writable replaces its file when it is closed. */
async function place(directory: FileSystemDirectoryHandle, name: string, bytes: Uint8Array): Promise<void> {
  const writable = await (await directory.getFileHandle(name, { create: true })).createWritable()
  await told(writable.write(bytes.slice()))
  await told(writable.close())
}

/** What a browser refuses, such as more than its quota, is an error of the store. */
async function told(work: Promise<void>): Promise<void> {
  try {
    await work
  } catch (cause) {
    if (!(cause instanceof DOMException)) throw cause
    throw new ImageError(
      'image-store',
      `the browser does not keep it (${cause.name}: ${cause.message})`,
      'remove images, or allow the site more space',
      cause,
    )
  }
}

async function removeFrom(directory: FileSystemDirectoryHandle, name: string, recursive = false): Promise<void> {
  try {
    await directory.removeEntry(name, { recursive })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'NotFoundError'
}
