/** Descriptors of a volume, and open files as memfs's `File`. */
import { Volume } from 'memfs'
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
    const { vfs } = this.#view
    const { file } = this
    const seekable = file.operations?.seekable ?? true
    let bytes = bufferKind().alloc(Math.max(file.inode.size, 512))
    let at = 0
    for (;;) {
      const room = bytes.length - at
      const count = orThrow(seekable ? vfs.pread(file, bytes, at, room, at) : vfs.read(file, bytes, at, room), 'read')
      if (count === 0) return bytes.subarray(0, at)
      at += count
      // A file is read once more at its end, in case it is longer than it says.
      if (at === bytes.length) {
        const longer = bufferKind().alloc(2 * bytes.length)
        longer.set(bytes)
        bytes = longer
      }
    }
  }
}

/** The most files that a volume has open: as memfs itself. */
const maxFiles = 10_000

/** The descriptors of one volume. Their numbers are memfs's, so that no two volumes have the same one. */
export class OpenFiles {
  readonly #view: View
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
    const fd = this.#free.pop() ?? nextDescriptor()
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
    if (file === undefined) throw nodeError(-9, syscall)
    return file
  }

  close(fd: number): void {
    const { file } = this.of(fd, 'close')
    this.#files.delete(fd)
    this.#free.push(fd)
    this.#view.vfs.close(file)
  }
}

/** memfs counts down from 2³¹ − 1, for all volumes. */
function nextDescriptor(): number {
  const superblocks = new Volume()._core.constructor as unknown as { fd: number }
  return superblocks.fd--
}
