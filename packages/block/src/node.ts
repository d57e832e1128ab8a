/// <reference types="node" />
/**
 * `@vmexit/block/node`: images in files.
 *
 * @packageDocumentation
 */
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { VmexitError } from '@vmexit/core'
import { type BlockDevice, type ByteStore, type Qcow2Options, qcow2, type RawImageOptions, rawImage } from './index.ts'

/** How a file is opened. */
export interface FileOptions {
  /** Whether it may be written; false unless stated. */
  readonly writable?: boolean
}

/** A file as a store of as many bytes as it has when it is opened. Disposing it closes the file. */
export interface FileStore extends ByteStore, Disposable {}

/** A disk in a file. Disposing it closes the file; what a guest still asks for then is an error to the guest. */
export interface FileDisk extends BlockDevice, Disposable {}

/** Opens a file. Throws a {@link VmexitError} `block-file` if it cannot be opened or is no regular file. */
export function openFile(path: string, { writable = false }: FileOptions = {}): FileStore {
  let file: number
  try {
    file = openSync(path, writable ? 'r+' : 'r')
  } catch (cause) {
    throw new VmexitError('block-file', {
      problem: `${path} cannot be opened${writable ? ' for writing' : ''} (${reasonOf(cause)})`,
      remedy: `check that it exists and that you may ${writable ? 'write' : 'read'} it`,
      cause,
    })
  }
  const stat = fstatSync(file)
  if (!stat.isFile()) {
    closeSync(file)
    throw new VmexitError('block-file', { problem: `${path} is no regular file`, remedy: 'give the file of an image' })
  }
  return new OpenFile(path, file, stat.size, writable)
}

/**
 * Opens a raw image. Throws a {@link VmexitError} `block-file` as {@link openFile}, and `block-size` if its last sector
 * is cut off and is not to be padded.
 */
export function openDisk(path: string, options: FileOptions & RawImageOptions = {}): FileDisk {
  return opened(openFile(path, options), (store) => rawImage(store, options))
}

/**
 * Opens a qcow2 image, read-only: put an `Overlay` over it to write. Throws a {@link VmexitError} `block-file` as
 * {@link openFile}, and those of `qcow2`.
 */
export function openQcow2(path: string, options: Qcow2Options = {}): FileDisk {
  return opened(openFile(path), (store) => qcow2(store, options))
}

/** Opens the image of a CD, read-only. Errors are those of {@link openDisk}. */
export function openCd(path: string, options: Pick<RawImageOptions, 'pad'> = {}): FileDisk {
  return openDisk(path, { ...options, sectorBytes: 2048 })
}

/** The disk in a file that is open; the file is closed if it is none. */
function opened(store: FileStore, make: (store: FileStore) => BlockDevice): FileDisk {
  try {
    return Object.assign(make(store), { [Symbol.dispose]: () => store[Symbol.dispose]() })
  } catch (error) {
    store[Symbol.dispose]()
    throw error
  }
}

class OpenFile implements FileStore {
  readonly name: string
  readonly bytes: number
  readonly write?: (at: number, from: Uint8Array) => void
  readonly flush?: () => void
  #file: number | undefined

  constructor(path: string, file: number, bytes: number, writable: boolean) {
    this.name = path
    this.bytes = bytes
    this.#file = file
    if (!writable) return
    this.write = (at, from) => this.#all('written', at, from, writeSync)
    this.flush = () => this.#attempt('flushed', (file) => fsyncSync(file))
  }

  read(at: number, into: Uint8Array): void {
    this.#all('read', at, into, readSync)
  }

  [Symbol.dispose](): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  /** Repeats what may do only a part at a time. */
  #all(
    done: string,
    at: number,
    bytes: Uint8Array,
    transfer: (file: number, bytes: Uint8Array, offset: number, length: number, at: number) => number,
  ): void {
    for (let count = 0; count < bytes.length; ) {
      const rest = bytes.length - count
      const moved = this.#attempt(done, (file) => transfer(file, bytes, count, rest, at + count))
      if (moved === 0) this.#fail(done, `it ends at byte ${at + count}, and had ${this.bytes} bytes when opened`)
      count += moved
    }
  }

  #attempt<T>(done: string, work: (file: number) => T): T {
    if (this.#file === undefined) return this.#fail(done, 'it was closed')
    try {
      return work(this.#file)
    } catch (cause) {
      return this.#fail(done, reasonOf(cause), cause)
    }
  }

  #fail(done: string, reason: string, cause?: unknown): never {
    throw new VmexitError('block-io', {
      problem: `${this.name} cannot be ${done} (${reason})`,
      remedy: 'check the disk it is on, and that nothing else changes it',
      cause,
    })
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : `${error}`
}
