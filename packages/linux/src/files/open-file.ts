/** Open files as descriptors refer to them: what all have in common. What they do, they do for the kernel's current task. */
import { type File, type FileOperations, Open, type Stat, type TaskContext } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
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
  /** The terminal, of one. */
  readonly tty?: { readonly foreground: number }
  /** How often there were news: see `OpenFile`. */
  readonly edges?: number
  ioctl?(request: number, argument: number): number
  /** What is written is not looked at: addresses may be bad. */
  readonly discards?: boolean
  /** Reads give all that is asked for, at once, and writes take all. */
  readonly endless?: boolean
  /** Its position is always 0. */
  readonly staysAtStart?: boolean
}

/** An open file description. */
export abstract class OpenFile {
  /** open(2)'s flags. */
  abstract flags: number
  references = 1
  /** Woken when `poll` may answer something else; undefined where it never does. */
  abstract readonly queue: WaitQueue | undefined
  /** Who gets SIGIO: F_SETOWN. */
  owner = 0
  /** The process or thread that had the number: who gets it later is another one. */
  ownedBy: object | undefined = undefined
  /** Who has said so: it must be allowed to signal the owner. */
  ownerSetBy: { readonly uid: number; readonly euid: number } = { uid: 0, euid: 0 }
  /** Tells the owner, where it is asked to by O_ASYNC or F_NOTIFY; of F_NOTIFY until the process `of` closes any descriptor of it. */
  notice: { end(): void; readonly of?: object } | undefined = undefined

  /** Whether the owner is a thread, a process or a group: by number, as F_SETOWN_EX has it. */
  ownerKind = 0
  /** The signal in place of SIGIO: F_SETSIG. */
  signal = 0

  /** It has no position: lseek(2) answers ESPIPE. */
  get hasNoPosition(): boolean {
    return true
  }
  get isNonBlocking(): boolean {
    return (this.flags & Open.O_NONBLOCK) !== 0
  }
  get isReadable(): boolean {
    return (this.flags & Open.O_ACCMODE) !== Open.O_WRONLY
  }
  get isWritable(): boolean {
    return (this.flags & Open.O_ACCMODE) !== Open.O_RDONLY
  }
  /** It tells its owner by a signal, if it is asked to: pipes, sockets, terminals and inotify do. */
  get canTell(): boolean {
    return false
  }
  /** The terminal that it is, if it is one. */
  get terminal(): { readonly foreground: number } | undefined {
    return undefined
  }
  /** How often there were news, for who wants each of them told once: edge-triggered epolls. */
  get edges(): number {
    return 0
  }
  /** What its name is in /proc/self/fd. */
  abstract describe(context: TaskContext): string
  abstract read(into: Uint8Array, start: number, length: number): number
  abstract write(from: Uint8Array, start: number, length: number): number
  poll(): number {
    return ALWAYS
  }
  ioctl(_request: number, _argument: number): number {
    return -Errno.ENOTTY
  }
  abstract stat(into: Stat): number
  /** fchmod(2) and fchown(2) of what has no place in a file system. */
  chmod(_mode: number): number {
    return 0
  }
  chown(_uid: number, _gid: number): number {
    return 0
  }
  /** The last descriptor is closed. */
  protected abstract release(): void

  /** The file of the file system that it is, if it is one. */
  get file(): File | undefined {
    return undefined
  }

  /** One descriptor less. `owner`, a process, loses its record locks. */
  close(_owner: object | undefined): void {
    if (--this.references > 0) return
    this.notice?.end()
    this.release()
  }
}
