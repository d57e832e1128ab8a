/** Objects of the kernel as open files. */
import { Mode, type Stat, type TaskContext } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel } from '../system.ts'
import { type KernelOperations, OpenFile } from './open-file.ts'

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
  override get hasNoPosition(): boolean {
    const type = this.mode & Mode.IFMT
    return type === Mode.IFIFO || type === Mode.IFSOCK
  }
  protected get ino(): number {
    return this.#ino
  }
  describe(_context: TaskContext): string {
    return `anon_inode:[${this.kind}]`
  }
  protected abstract readonly kind: string
  /** What it is an end of, where that has several: they are one file. */
  get object(): object {
    return this
  }
  /** What whoever opens it by its link in /proc/PID/fd gets. ENXIO of what cannot be opened. */
  reopen(_flags: number): KernelOperations | number {
    return -Errno.ENXIO
  }
  read(_into: Uint8Array, _start: number, _length: number): number {
    return -Errno.EINVAL
  }
  write(_from: Uint8Array, _start: number, _length: number): number {
    return -Errno.EINVAL
  }
  stat(into: Stat): number {
    const now = this.#kernel.time
    Object.assign(into, {
      dev: 14,
      ino: this.ino,
      mode: this.mode,
      nlink: 1,
      uid: 0,
      gid: 0,
      rdev: 0,
      size: 0,
      blocks: 0,
    })
    into.atimeSeconds = into.mtimeSeconds = into.ctimeSeconds = now.seconds
    into.atimeNanoseconds = into.mtimeNanoseconds = into.ctimeNanoseconds = now.nanoseconds
    return 0
  }
}
