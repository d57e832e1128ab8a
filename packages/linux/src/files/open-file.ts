/** Open files as descriptors refer to them: files of the file system layer, and objects of the kernel such as pipes. */
import { type File, type FileOperations, Mode, Open, type Path, type Stat } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel } from '../kernel.ts'
import type { Task } from '../tasks/task.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'

/** Bits of poll(2). */
// biome-ignore format: a table
export const Poll = {
  IN: 1, PRI: 2, OUT: 4, ERR: 8, HUP: 0x10, NVAL: 0x20, RDNORM: 0x40, RDBAND: 0x80, WRNORM: 0x100, WRBAND: 0x200,
  RDHUP: 0x2000,
} as const
/** What a file that never waits answers. */
export const ALWAYS: number = Poll.IN | Poll.OUT | Poll.RDNORM | Poll.WRNORM

/** What special files do beyond `FileOperations`. A read or write that must wait answers `kernel.block(queue)`. */
export interface KernelOperations extends FileOperations {
  /** Bits of `Poll` that hold now. */
  poll?(): number
  /** Woken when `poll` may answer something else. */
  readonly queue?: WaitQueue
  ioctl?(task: Task, request: number, argument: number): number
}

/** An open file description. */
export abstract class OpenFile {
  /** open(2)'s flags. */
  abstract flags: number
  references = 1
  /** Woken when `poll` may answer something else; undefined where it never does. */
  abstract readonly queue: WaitQueue | undefined
  /** Who gets SIGIO: F_SETOWN. Kept, and told to who asks. */
  owner = 0

  get isNonBlocking(): boolean {
    return (this.flags & Open.O_NONBLOCK) !== 0
  }
  get isReadable(): boolean {
    return (this.flags & Open.O_ACCMODE) !== Open.O_WRONLY
  }
  get isWritable(): boolean {
    return (this.flags & Open.O_ACCMODE) !== Open.O_RDONLY
  }
  /** What its name is in /proc/self/fd. */
  abstract describe(task: Task): string
  abstract read(into: Uint8Array, start: number, length: number): number
  abstract write(task: Task, from: Uint8Array, start: number, length: number): number
  poll(): number {
    return ALWAYS
  }
  ioctl(_task: Task, _request: number, _argument: number): number {
    return -Errno.ENOTTY
  }
  abstract stat(into: Stat): number
  /** The last descriptor is closed. */
  protected abstract release(): void

  /** The file of the file system that it is, if it is one. */
  get file(): File | undefined {
    return undefined
  }

  /** One descriptor less. `task`'s process loses its record locks. */
  close(_task: Task | undefined): void {
    if (--this.references === 0) this.release()
  }
}

/** A file of the file system layer. */
export class VfsFile extends OpenFile {
  readonly #kernel: Kernel
  readonly #file: File
  readonly #special: KernelOperations | null

  constructor(kernel: Kernel, file: File) {
    super()
    this.#kernel = kernel
    this.#file = file
    this.#special = file.operations
  }

  override get file(): File {
    return this.#file
  }
  get flags(): number {
    return this.#file.flags
  }
  set flags(flags: number) {
    this.#file.flags = flags
  }
  get queue(): WaitQueue | undefined {
    return this.#special?.queue
  }
  get special(): KernelOperations | null {
    return this.#special
  }
  override get isReadable(): boolean {
    return this.#file.readable
  }
  override get isWritable(): boolean {
    return this.#file.writable
  }
  describe(task: Task): string {
    return this.#kernel.vfs.pathName(task.context, this.#file.path)
  }
  read(into: Uint8Array, start: number, length: number): number {
    return this.#kernel.vfs.read(this.#file, into, start, length)
  }
  write(task: Task, from: Uint8Array, start: number, length: number): number {
    return this.#kernel.vfs.write(task.context, this.#file, from, start, length)
  }
  override poll(): number {
    return this.#special?.poll?.() ?? ALWAYS
  }
  override ioctl(task: Task, request: number, argument: number): number {
    return this.#special?.ioctl?.(task, request, argument) ?? -Errno.ENOTTY
  }
  stat(into: Stat): number {
    return this.#kernel.vfs.fstat(this.#file, into)
  }
  override close(task: Task | undefined): void {
    this.references--
    const { inode } = this.#file
    const last = this.references === 0
    if (!last) this.#file.references++
    this.#kernel.vfs.close(this.#file, task?.process)
    if (last && inode.nlink === 0) this.#kernel.pageCache.forget(inode)
  }
  protected release(): void {}
}

/** A kernel object without a place in a file system: a pipe's end, an eventfd. */
export abstract class AnonymousFile extends OpenFile {
  flags: number
  readonly #kernel: Kernel
  readonly #ino: number

  constructor(kernel: Kernel, flags: number) {
    super()
    this.#kernel = kernel
    this.flags = flags
    this.#ino = kernel.nextAnonymousInode()
  }

  protected get kernel(): Kernel {
    return this.#kernel
  }
  /** Type and permissions. */
  protected get mode(): number {
    return 0o600
  }
  protected get ino(): number {
    return this.#ino
  }
  describe(_task: Task): string {
    return `anon_inode:[${this.kind}]`
  }
  protected abstract readonly kind: string
  read(_into: Uint8Array, _start: number, _length: number): number {
    return -Errno.EINVAL
  }
  write(_task: Task, _from: Uint8Array, _start: number, _length: number): number {
    return -Errno.EINVAL
  }
  stat(into: Stat): number {
    const now = this.#kernel.time
    Object.assign(into, { dev: 14, ino: this.ino, mode: this.mode, nlink: 1, uid: 0, gid: 0, rdev: 0, size: 0, blocks: 0 })
    into.atimeSeconds = into.mtimeSeconds = into.ctimeSeconds = now.seconds
    into.atimeNanoseconds = into.mtimeNanoseconds = into.ctimeNanoseconds = now.nanoseconds
    return 0
  }
}

/** Whether a mode is a FIFO's. */
export function isFifo(mode: number): boolean {
  return (mode & Mode.IFMT) === Mode.IFIFO
}

/** The place of a directory's descriptor, for calls that end in *at*. */
export function placeOf(file: OpenFile): Path | number {
  return file.file?.path ?? -Errno.ENOTDIR
}
