/** Files of the file system layer as open files. */
import type { File, Stat, TaskContext } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel } from '../system.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'
import { ALWAYS, type KernelOperations, OpenFile } from './open-file.ts'
import { placeName } from './place-name.ts'

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
  override get terminal(): { readonly foreground: number } | undefined {
    return this.#special?.tty
  }
  override get canTell(): boolean {
    return this.queue !== undefined
  }
  override get edges(): number {
    return this.#special?.edges ?? 0
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
  describe(context: TaskContext): string {
    return placeName(this.#kernel, context, this.#file.path)
  }
  read(into: Uint8Array, start: number, length: number): number {
    return this.#kernel.vfs.read(this.#file, into, start, length)
  }
  write(from: Uint8Array, start: number, length: number): number {
    return this.#kernel.vfs.write(this.#kernel.current!.context, this.#file, from, start, length)
  }
  override poll(): number {
    return this.#special?.poll?.() ?? ALWAYS
  }
  override ioctl(request: number, argument: number): number {
    return this.#special?.ioctl?.(request, argument) ?? -Errno.ENOTTY
  }
  stat(into: Stat): number {
    return this.#kernel.vfs.fstat(this.#file, into)
  }
  override close(owner: object | undefined): void {
    this.references--
    const { inode } = this.#file
    const last = this.references === 0
    if (last || (owner !== undefined && this.notice?.of === owner)) this.notice?.end()
    if (!last) this.#file.references++
    this.#kernel.vfs.close(this.#file, owner)
    if (last && inode.nlink === 0) this.#kernel.pageCache.forget(inode)
  }
  protected release(): void {}
}
