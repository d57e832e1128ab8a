/// <reference types="node" />
/**
 * Images in a folder, which is an OCI image layout that other tools can read:
 *
 * ```
 * oci-layout, index.json      as the specification has them
 * blobs/ALGORITHM/HEX         contents: as they came, and layers uncompressed
 * notes/ALGORITHM-HEX         what can be made again: where a layer's files lie in it
 * incoming/N                  what is being written; what a crash leaves here the next change removes
 * lock                        who is changing it
 * ```
 *
 * A file gets its name when all of it is on the disk.
 */
import { closeSync, constants, fstatSync, openSync, readSync } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Errno } from '@vmexit/vfs'
import { type Digest, type DigestAlgorithm, isDigest, partsOf } from '../digest.ts'
import { writeDocument } from '../documents/json.ts'
import { ImageError } from '../errors.ts'
import { missing } from '../store/missing.ts'
import type { ContentStore, ContentWriter, ExclusiveOptions, RandomAccess } from '../store/store.ts'
import { takeLock } from './lock.ts'

const CHUNK = 1 << 17

/** The store in a folder, which the first change makes. */
export function directoryStore(path: string): ContentStore {
  return new DirectoryStore(resolve(path))
}

class DirectoryStore implements ContentStore {
  readonly #root: string
  /** Changes in this process: the lock knows only whole ones. */
  #last: Promise<unknown> = Promise.resolve()
  #incoming = 0

  constructor(root: string) {
    this.#root = root
  }

  async exclusive<Result>(work: () => Promise<Result>, options: ExclusiveOptions = {}): Promise<Result> {
    const before = this.#last
    const run = before.then(async () => {
      options.signal?.throwIfAborted()
      return await this.#locked(work, options)
    })
    this.#last = run.catch(() => {})
    return await run
  }

  async #locked<Result>(work: () => Promise<Result>, options: ExclusiveOptions): Promise<Result> {
    const incoming = join(this.#root, 'incoming')
    await this.#asStore(async () => {
      for (const name of ['blobs/sha256', 'blobs/sha512', 'notes', 'incoming'])
        await mkdir(join(this.#root, name), { recursive: true, mode: 0o700 })
    })
    const release = await this.#asStore(() => takeLock(join(this.#root, 'lock'), options))
    try {
      await this.#asStore(async () => {
        for (const name of await readdir(incoming)) await rm(join(incoming, name), { recursive: true, force: true })
        if ((await sizeOf(join(this.#root, 'oci-layout'))) === undefined)
          await this.#place('oci-layout', writeDocument({ imageLayoutVersion: '1.0.0' }))
      })
      return await work()
    } finally {
      release()
    }
  }

  async readIndex(): Promise<Uint8Array | undefined> {
    return await this.#asStore(() => readIfThere(join(this.#root, 'index.json')))
  }

  async writeIndex(bytes: Uint8Array): Promise<void> {
    await this.#asStore(() => this.#place('index.json', bytes))
  }

  async size(digest: Digest): Promise<number | undefined> {
    return await this.#asStore(() => sizeOf(this.#path(digest)))
  }

  async list(): Promise<readonly { readonly digest: Digest; readonly size: number }[]> {
    return await this.#asStore(async () => {
      const all: { digest: Digest; size: number }[] = []
      for (const algorithm of ['sha256', 'sha512'] satisfies DigestAlgorithm[])
        for (const hex of await namesIn(join(this.#root, 'blobs', algorithm))) {
          const digest = `${algorithm}:${hex}`
          const size = isDigest(digest) ? await sizeOf(this.#path(digest)) : undefined
          if (isDigest(digest) && size !== undefined) all.push({ digest, size })
        }
      // Notes on what is gone are to go, too.
      const there = new Set(all.map(({ digest }) => digest))
      for (const name of await namesIn(join(this.#root, 'notes'))) {
        const digest = name.replace('-', ':')
        if (isDigest(digest) && !there.has(digest)) all.push({ digest, size: 0 })
      }
      return all
    })
  }

  async create(): Promise<ContentWriter> {
    const path = this.#newPath()
    const file = await this.#asStore(() => open(path, 'wx', 0o600))
    let isOpen = true
    const close = async (): Promise<void> => {
      if (!isOpen) return
      isOpen = false
      await file.close()
    }
    return {
      write: (bytes) => this.#asStore(() => writeAll(file, bytes)),
      keep: (digest) =>
        this.#asStore(async () => {
          if ((await sizeOf(this.#path(digest))) !== undefined) return
          await file.datasync()
          await close()
          await rename(path, this.#path(digest))
          await syncFolder(join(this.#path(digest), '..'))
        }),
      discard: () =>
        this.#asStore(async () => {
          await close()
          await rm(path, { force: true })
        }),
    }
  }

  async *read(digest: Digest): AsyncGenerator<Uint8Array> {
    const file = await this.#asStore(() => openIfThere(this.#path(digest)))
    if (file === undefined) throw missing(digest)
    try {
      for (;;) {
        const bytes = new Uint8Array(CHUNK)
        const { bytesRead } = await this.#asStore(() => file.read(bytes, 0, CHUNK))
        if (bytesRead === 0) return
        yield bytes.subarray(0, bytesRead)
      }
    } finally {
      await file.close()
    }
  }

  async open(digest: Digest): Promise<RandomAccess> {
    const descriptor = await this.#asStore(async () => {
      try {
        return openSync(this.#path(digest), constants.O_RDONLY)
      } catch (error) {
        if (isAbsent(error)) throw missing(digest)
        throw error
      }
    })
    const { size } = fstatSync(descriptor)
    let isOpen = true
    return {
      size,
      read(into, start, length, position) {
        if (!isOpen) return -Errno.EIO
        try {
          return readSync(descriptor, into, start, length, position)
        } catch {
          return -Errno.EIO
        }
      },
      close() {
        if (!isOpen) return
        isOpen = false
        closeSync(descriptor)
      },
    }
  }

  async remove(digest: Digest): Promise<void> {
    await this.#asStore(async () => {
      await rm(this.#notesPath(digest), { force: true })
      await rm(this.#path(digest), { force: true })
    })
  }

  async readNotes(digest: Digest): Promise<Uint8Array | undefined> {
    return await this.#asStore(() => readIfThere(this.#notesPath(digest)))
  }

  async writeNotes(digest: Digest, bytes: Uint8Array): Promise<void> {
    const { algorithm, hex } = partsOf(digest)
    await this.#asStore(() => this.#place(`notes/${algorithm}-${hex}`, bytes))
  }

  #path(digest: Digest): string {
    const { algorithm, hex } = partsOf(digest)
    return join(this.#root, 'blobs', algorithm, hex)
  }

  #notesPath(digest: Digest): string {
    const { algorithm, hex } = partsOf(digest)
    return join(this.#root, 'notes', `${algorithm}-${hex}`)
  }

  /** Whoever has the lock has the folder for itself: names need not be hard to guess. */
  #newPath(): string {
    return join(this.#root, 'incoming', String(this.#incoming++))
  }

  /** Replaces a small file as a whole. */
  async #place(name: string, bytes: Uint8Array): Promise<void> {
    const path = this.#newPath()
    const file = await open(path, 'wx', 0o600)
    try {
      await writeAll(file, bytes)
      await file.datasync()
    } finally {
      await file.close()
    }
    const target = join(this.#root, name)
    await rename(path, target)
    await syncFolder(join(target, '..'))
  }

  /** What the system refuses is an error that says where. */
  async #asStore<Result>(work: () => Promise<Result>): Promise<Result> {
    try {
      return await work()
    } catch (cause) {
      if (cause instanceof ImageError || !(cause instanceof Error) || !('syscall' in cause)) throw cause
      throw new ImageError(
        'image-store',
        `the images in ${this.#root} cannot be read or changed (${cause.message})`,
        'see that the folder is yours and the disk is not full',
        cause,
      )
    }
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done)).bytesWritten
}

/** A new name is on the disk once its folder is; not all systems let folders be asked for that. */
async function syncFolder(path: string): Promise<void> {
  if (process.platform === 'win32') return
  const folder = await open(path, constants.O_RDONLY)
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, constants.O_RDONLY)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function isAbsent(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
