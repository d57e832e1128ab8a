/** Descriptors of a volume, and open files as memfs's `File`. */
import { Volume } from 'memfs'
import { Errno } from '../errno.ts'
import type { File } from '../file.ts'
import { bufferKind } from './buffers.ts'
import { nodeError, orThrow } from './node-errors.ts'
import type { SeenNode, View } from './view.ts'

/** An open file, as memfs's `File`. */
export class OpenFile {
  readonly fd: number
  readonly file: File
  readonly #view: View

  constructor(view: View, fd: number, file: File) {
    this.#view = view
    this.fd = fd
    this.file = file
  }

  get node(): SeenNode {
    return this.#view.nodeOf(this.file.path)
  }

  get position(): number {
    return this.file.position
  }
  set position(position: number) {
    this.file.position = position
  }

  getSize(): number {
    return this.file.inode.size
  }

  /** All of its data, from the beginning where it has positions. */
  getBuffer(): Uint8Array {
    const { file } = this
    return file.operations === null ? this.#data() : this.#whatItSays(file.operations.seekable)
  }

  #data(): Uint8Array {
    const { file } = this
    const bytes = bufferKind().alloc(file.inode.size)
    let at = 0
    while (at < bytes.length) {
      const count = orThrow(this.#view.vfs.pread(file, bytes, at, bytes.length - at, at), 'read')
      if (count === 0) break
      at += count
    }
    return at === bytes.length ? bytes : bytes.subarray(0, at)
  }

  /** A file that is made up when it is read does not say its size: it is read until there is no more. */
  #whatItSays(seekable: boolean): Uint8Array {
    const { vfs } = this.#view
    const { file } = this
    let bytes = bufferKind().alloc(4096)
    for (let at = 0; ; ) {
      const room = bytes.length - at
      const count = orThrow(seekable ? vfs.pread(file, bytes, at, room, at) : vfs.read(file, bytes, at, room), 'read')
      if (count === 0) return bytes.subarray(0, at)
      at += count
      if (at < bytes.length) continue
      const longer = bufferKind().alloc(2 * bytes.length)
      longer.set(bytes)
      bytes = longer
    }
  }
}

/** The most files that a volume has open: as memfs itself. */
const maxFiles = 10_000

/** The descriptors of one volume. Their numbers are memfs's, so that no two volumes have the same one. */
export class OpenFiles {
  readonly #view: View
  /** memfs counts down from 2³¹ − 1, for all volumes. */
  readonly #numbers = new Volume()._core.constructor as unknown as { fd: number }
  readonly #files = new Map<number, OpenFile>()
  readonly #free: number[] = []

  constructor(view: View) {
    this.#view = view
  }

  /** Whether there may be one more. */
  get full(): boolean {
    return this.#files.size >= maxFiles
  }

  add(file: File): OpenFile {
    const fd = this.#free.pop() ?? this.#numbers.fd--
    const open = new OpenFile(this.#view, fd, file)
    this.#files.set(fd, open)
    return open
  }

  /** The open file of a descriptor, if there is one. */
  get(fd: number): OpenFile | undefined {
    return this.#files.get(fd)
  }

  /** The open file of a descriptor; throws EBADF. */
  of(fd: number, syscall: string): OpenFile {
    const file = this.#files.get(fd)
    if (file === undefined) throw nodeError(-Errno.EBADF, syscall)
    return file
  }

  close(fd: number): void {
    const { file } = this.of(fd, 'close')
    this.#files.delete(fd)
    this.#free.push(fd)
    this.#view.vfs.close(file)
  }
}
