/** What pjdfstest's program does: one operation each, on the layer, with what it prints. */
import {
  At,
  bytesOf,
  Errno,
  errnoName,
  type File,
  type FileOperations,
  Mode,
  majorOf,
  makeDevice,
  minorOf,
  Open,
  rootCredentials,
  Stat,
  type TaskContext,
  toByteString,
  UTIME_NOW,
  UTIME_OMIT,
  userCredentials,
  type Vfs,
} from '@vmexit/vfs'
import type { TraceCall, TraceOperation } from './trace.ts'

/** A field of stat that was printed, and of which inode. */
export interface PrintedField {
  readonly field: string
  readonly value: string
  readonly inode: number
}

/** What one operation prints: a word or an error's name, or fields of stat. */
export type Printed = string | readonly PrintedField[]

/** Operations that change nothing. */
export const queries: ReadonlySet<string> = new Set(['stat', 'lstat', 'fstat', 'pathconf', 'pread'])

/** How many parameters each operation takes, at least and at most. */
const parameters: Readonly<Record<string, readonly [number, number]>> = {
  open: [2, 3],
  create: [2, 2],
  unlink: [1, 1],
  mkdir: [2, 2],
  rmdir: [1, 1],
  link: [2, 2],
  symlink: [2, 2],
  rename: [2, 2],
  mkfifo: [2, 2],
  mknod: [5, 5],
  bind: [1, 1],
  chmod: [2, 2],
  chown: [3, 3],
  lchown: [3, 3],
  truncate: [2, 2],
  ftruncate: [2, 2],
  stat: [2, 2],
  lstat: [2, 2],
  fstat: [2, 2],
  pathconf: [2, 2],
  write: [2, 2],
  pread: [3, 3],
  utimensat: [7, 7],
}

/** The traced program was a 32-bit one: a length is cut to 32 bits. */
const length32 = (text: string) => Number(BigInt.asIntN(32, BigInt(text)))

/** One call of the program: its operations share open files. */
export class Program {
  readonly #vfs: Vfs
  readonly #task: TaskContext
  readonly #files: File[] = []

  constructor(vfs: Vfs, task: TaskContext, { uid, groups, umask }: TraceCall) {
    this.#vfs = vfs
    this.#task = task
    task.umask = umask
    task.credentials = uid === 0 && groups[0] === 0 ? rootCredentials : userCredentials(uid, groups[0]!, groups)
  }

  /** Runs one operation; `undefined` where it is given so many parameters that the program gives up. */
  run([name, ...given]: TraceOperation): Printed | undefined {
    const [least, most] = parameters[name]!
    if (given.length < least || given.length > most) return undefined
    // NULL and DEADCODE stand for pointers to nowhere, which the layer never sees: its caller fetches the path.
    if (given.some((parameter) => parameter === 'NULL' || parameter === 'DEADCODE')) return 'EFAULT'
    const answer = this.#answer(name, given)
    if (typeof answer !== 'number') return answer
    return answer < 0 ? errnoName(answer) : '0'
  }

  /** The program ends. */
  exit(): void {
    for (const file of this.#files) this.#vfs.close(file)
  }

  #answer(name: string, [first = '', second = '', third = '', ...rest]: readonly string[]): number | Printed {
    const vfs = this.#vfs
    const task = this.#task
    const path = toByteString(first)
    const mode = (text: string) => Number.parseInt(text, 8)
    const open = (flags: number, permissions: number) => {
      const file = vfs.open(task, null, path, flags, permissions)
      if (typeof file === 'number') return file
      this.#files.push(file)
      return 0
    }
    switch (name) {
      case 'open':
        return open(openFlags(second), mode(third))
      case 'create':
        return open(Open.O_CREAT | Open.O_EXCL, mode(second))
      case 'unlink':
        return vfs.unlink(task, null, path)
      case 'mkdir':
        return vfs.mkdir(task, null, path, mode(second))
      case 'rmdir':
        return vfs.rmdir(task, null, path)
      case 'link':
        return vfs.link(task, null, path, null, toByteString(second))
      case 'symlink':
        return vfs.symlink(task, path, null, toByteString(second))
      case 'rename':
        return vfs.rename(task, null, path, null, toByteString(second))
      case 'mkfifo':
        return vfs.mknod(task, null, path, Mode.IFIFO | mode(second))
      case 'mknod':
        return vfs.mknod(task, null, path, nodeType(second) | mode(third), makeDevice(Number(rest[0]), Number(rest[1])))
      case 'bind':
        return vfs.mknod(task, null, path, Mode.IFSOCK | 0o777)
      case 'chmod':
        return vfs.chmod(task, null, path, mode(second))
      case 'chown':
        return vfs.chown(task, null, path, Number(second), Number(third))
      case 'lchown':
        return vfs.chown(task, null, path, Number(second), Number(third), At.AT_SYMLINK_NOFOLLOW)
      case 'truncate':
        return vfs.truncate(task, path, length32(second))
      case 'ftruncate':
        return vfs.ftruncate(task, this.#file(first), length32(second))
      case 'stat':
      case 'lstat': {
        const stat = new Stat()
        const answer = vfs.stat(task, null, path, stat, name === 'stat' ? 0 : At.AT_SYMLINK_NOFOLLOW)
        return answer < 0 ? answer : printed(stat, second)
      }
      case 'fstat': {
        const stat = new Stat()
        const answer = vfs.fstat(this.#file(first), stat)
        return answer < 0 ? answer : printed(stat, second)
      }
      case 'pathconf':
        return second === '_PC_NAME_MAX' ? '255' : '4096'
      case 'write': {
        const bytes = bytesOf(toByteString(second))
        const count = vfs.write(task, this.#file(first), bytes)
        return Math.min(count, 0)
      }
      case 'pread': {
        const into = new Uint8Array(Number(second))
        const count = vfs.pread(this.#file(first), into, 0, into.length, Number(third))
        return count < 0 ? count : String.fromCharCode(...into.subarray(0, count))
      }
      default:
        return this.#utimensat(first, toByteString(second), [third, ...rest])
    }
  }

  #utimensat(descriptor: string, path: string, given: readonly string[]): number {
    const time = (seconds: string, nanoseconds: string) => ({
      seconds: Number(seconds),
      nanoseconds:
        nanoseconds === 'UTIME_NOW' ? UTIME_NOW : nanoseconds === 'UTIME_OMIT' ? UTIME_OMIT : Number(nanoseconds),
    })
    const [atime, mtime] = [time(given[0]!, given[1]!), time(given[2]!, given[3]!)]
    const flags = given[4] === 'AT_SYMLINK_NOFOLLOW' ? At.AT_SYMLINK_NOFOLLOW : 0
    return this.#vfs.utimens(this.#task, this.#file(descriptor).path, path, [atime, mtime], flags)
  }

  #file(descriptor: string): File {
    return this.#files[Number(descriptor)]!
  }
}

/** Opens FIFOs as a kernel does without another end that is open. */
export function openWithoutOtherEnd(inode: { readonly mode: number }, flags: number): FileOperations | number {
  const isFifo = (inode.mode & Mode.IFMT) === Mode.IFIFO
  if (!isFifo || (flags & Open.O_ACCMODE) === Open.O_WRONLY) return -Errno.ENXIO
  return { seekable: false, read: () => 0, write: () => -Errno.EAGAIN, release() {} }
}

function openFlags(text: string): number {
  const names = text.split(',').filter((flag) => flag !== '')
  return names.reduce((flags, flag) => flags | Open[flag as keyof typeof Open], 0)
}

function nodeType(letter: string): number {
  return { b: Mode.IFBLK, c: Mode.IFCHR, d: Mode.IFDIR, f: Mode.IFIFO }[letter] ?? 0
}

const typeNames: Readonly<Record<number, string>> = {
  [Mode.IFREG]: 'regular',
  [Mode.IFDIR]: 'dir',
  [Mode.IFBLK]: 'block',
  [Mode.IFCHR]: 'char',
  [Mode.IFIFO]: 'fifo',
  [Mode.IFLNK]: 'symlink',
  [Mode.IFSOCK]: 'socket',
}

function printed(stat: Stat, fields: string): PrintedField[] {
  return fields.split(',').map((field) => ({ field, value: fieldValue(stat, field), inode: stat.ino }))
}

function fieldValue(stat: Stat, field: string): string {
  switch (field) {
    case 'type':
      return typeNames[stat.mode & Mode.IFMT]!
    case 'mode':
      return `0${(stat.mode & 0o7777).toString(8)}`
    case 'inode':
      return `${stat.ino}`
    case 'major':
      return `${majorOf(stat.rdev)}`
    case 'minor':
      return `${minorOf(stat.rdev)}`
    case 'atime_ns':
      return `${stat.atimeNanoseconds}`
    case 'mtime_ns':
      return `${stat.mtimeNanoseconds}`
    case 'atime':
    case 'mtime':
    case 'ctime':
      return `${stat[`${field}Seconds`]}`
    default:
      return `${stat[field as 'nlink' | 'uid' | 'gid' | 'size']}`
  }
}
