/** Executes a sequence on our overlayfs over our tmpfs, through our layer: what kernel.py does on Linux's. */
import {
  At,
  byteStringOf,
  bytesOf,
  Errno,
  type File,
  type FileOperations,
  type Inode,
  isDirectory,
  isRegular,
  isSymlink,
  Mode,
  MountFlag,
  Open,
  type Path,
  SettableTime,
  Stat,
  type TaskContext,
  TmpFs,
  Vfs,
} from '@vmexit/vfs'
import { OverlayFs } from '../../src/index.ts'
import type { Operation, Outcome, Result, Sequence } from './operations.ts'

/** A year that no test sets. */
const now = 1_700_000_000

type Call = (...args: never[]) => unknown

class Failure extends Error {
  readonly errno: number

  constructor(errno: number) {
    super(`errno ${errno}`)
    this.errno = errno
  }
}

function ok<T>(answer: T | number): T {
  if (typeof answer === 'number' && answer < 0) throw new Failure(-answer)
  return answer as T
}

/** Operations on one tree. */
class Calls {
  readonly #vfs: Vfs
  readonly #task: TaskContext
  readonly #slots = new Map<number, File>()
  readonly #stat = new Stat()

  constructor(vfs: Vfs, task: TaskContext) {
    this.#vfs = vfs
    this.#task = task
  }

  run([name, ...args]: Operation): Result {
    try {
      return [0, (this[name as keyof Calls] as Call)(...(args as never[])) ?? null]
    } catch (error) {
      if (error instanceof Failure) return [error.errno]
      throw error
    }
  }

  mkdir(path: string, mode: number): void {
    ok(this.#vfs.mkdir(this.#task, null, path, mode))
  }

  mknod(path: string, mode: number, device: number): void {
    ok(this.#vfs.mknod(this.#task, null, path, mode, device))
  }

  symlink(target: string, path: string): void {
    ok(this.#vfs.symlink(this.#task, target, null, path))
  }

  link(old: string, path: string): void {
    ok(this.#vfs.link(this.#task, null, old, null, path))
  }

  unlink(path: string): void {
    ok(this.#vfs.unlink(this.#task, null, path))
  }

  rmdir(path: string): void {
    ok(this.#vfs.rmdir(this.#task, null, path))
  }

  rename(old: string, path: string, flags: number): void {
    ok(this.#vfs.rename(this.#task, null, old, null, path, flags))
  }

  chmod(path: string, mode: number): void {
    ok(this.#vfs.chmod(this.#task, null, path, mode))
  }

  chown(path: string, uid: number, gid: number): void {
    ok(this.#vfs.chown(this.#task, null, path, uid, gid, At.AT_SYMLINK_NOFOLLOW))
  }

  utimens(path: string, atime: number, mtime: number): void {
    const times = [atime, mtime].map((ns) => ({ seconds: Math.floor(ns / 1e9), nanoseconds: ns % 1e9 }))
    ok(this.#vfs.utimens(this.#task, null, path, [times[0]!, times[1]!], At.AT_SYMLINK_NOFOLLOW))
  }

  truncate(path: string, size: number): void {
    ok(this.#vfs.truncate(this.#task, path, size))
  }

  readlink(path: string): unknown {
    return ok(this.#vfs.readlink(this.#task, null, path))
  }

  stat(path: string): unknown {
    ok(this.#vfs.stat(this.#task, null, path, this.#stat, At.AT_SYMLINK_NOFOLLOW))
    return record(this.#stat)
  }

  setxattr(path: string, name: string, value: string, flags: number): void {
    ok(this.#vfs.setxattr(this.#task, this.#at(path), name, bytesOf(value), flags))
  }

  getxattr(path: string, name: string): unknown {
    return byteStringOf(ok(this.#vfs.getxattr(this.#task, this.#at(path), name)))
  }

  listxattr(path: string): unknown {
    return [...ok(this.#vfs.listxattr(this.#task, this.#at(path)))].sort()
  }

  removexattr(path: string, name: string): void {
    ok(this.#vfs.removexattr(this.#task, this.#at(path), name))
  }

  readdir(path: string): unknown {
    const dir = ok(this.#vfs.open(this.#task, null, path, Open.O_RDONLY | Open.O_DIRECTORY))
    const names: string[] = []
    // In portions, as getdents gives them.
    for (let seen = -1; seen < names.length; ) {
      seen = names.length
      let room = 3
      const entry = (name: string) => room-- > 0 && names.push(name) > 0
      ok(this.#vfs.getdents(dir, { entry }))
    }
    this.#vfs.close(dir)
    return names.filter((name) => name !== '.' && name !== '..').sort()
  }

  write(path: string, flags: number, data: string, offset: number): unknown {
    const file = ok(this.#vfs.open(this.#task, null, path, Open.O_WRONLY | Open.O_NONBLOCK | flags, 0o777))
    try {
      return ok(this.#vfs.pwrite(this.#task, file, bytesOf(data), 0, data.length, offset))
    } finally {
      this.#vfs.close(file)
    }
  }

  read(path: string): unknown {
    const file = ok(this.#vfs.open(this.#task, null, path, Open.O_RDONLY | Open.O_NONBLOCK))
    try {
      return this.readAll(file)
    } finally {
      this.#vfs.close(file)
    }
  }

  open(slot: number, path: string, flags: number, mode: number): void {
    this.close(slot)
    this.#slots.set(slot, ok(this.#vfs.open(this.#task, null, path, flags | Open.O_NONBLOCK, mode)))
  }

  tmpfile(slot: number, path: string, mode: number): void {
    this.open(slot, path, Open.O_TMPFILE | Open.O_RDWR, mode)
  }

  close(slot: number): void {
    const file = this.#slots.get(slot)
    if (file !== undefined) this.#vfs.close(file)
    this.#slots.delete(slot)
  }

  fwrite(slot: number, data: string, offset: number): unknown {
    return ok(this.#vfs.pwrite(this.#task, this.#file(slot), bytesOf(data), 0, data.length, offset))
  }

  fread(slot: number, length: number, offset: number): unknown {
    const bytes = new Uint8Array(length)
    return byteStringOf(bytes.subarray(0, ok(this.#vfs.pread(this.#file(slot), bytes, 0, length, offset))))
  }

  ftruncate(slot: number, size: number): void {
    ok(this.#vfs.ftruncate(this.#task, this.#file(slot), size))
  }

  fstat(slot: number): unknown {
    ok(this.#vfs.fstat(this.#file(slot), this.#stat))
    return record(this.#stat)
  }

  flink(slot: number, path: string): void {
    ok(this.#vfs.link(this.#task, this.#file(slot).path, '', null, path, At.AT_EMPTY_PATH))
  }

  lseek(slot: number, offset: number, whence: number): unknown {
    return ok(this.#vfs.lseek(this.#file(slot), offset, whence))
  }

  fallocate(slot: number, mode: number, offset: number, length: number): void {
    ok(this.#vfs.fallocate(this.#task, this.#file(slot), mode, offset, length))
  }

  closeAll(): void {
    for (const slot of [...this.#slots.keys()]) this.close(slot)
  }

  /** Every name below the directory that the task is in. */
  tree(): Record<string, unknown[]> {
    const found: Record<string, unknown[]> = {}
    const groups = new Map<number, number>()
    const visit = (path: string) => {
      const place = path === '' ? '.' : path
      const answer = this.#vfs.stat(this.#task, null, place, this.#stat, At.AT_SYMLINK_NOFOLLOW)
      if (answer < 0) {
        found[path] = [-answer]
        return
      }
      const { mode, ino } = this.#stat
      if (!groups.has(ino)) groups.set(ino, groups.size)
      const entry: unknown[] = [...record(this.#stat), groups.get(ino)!]
      const names = this.listxattr(place) as string[]
      entry.push(Object.fromEntries(names.map((name) => [name, this.getxattr(place, name)])))
      if (isSymlink(mode)) entry.push(this.readlink(place))
      else if (isRegular(mode)) entry.push(this.read(place))
      found[path] = entry
      if (isDirectory(mode)) {
        for (const name of this.readdir(place) as string[]) visit(path === '' ? name : `${path}/${name}`)
      }
    }
    visit('')
    return found
  }

  private readAll(file: File): string {
    let text = ''
    const bytes = new Uint8Array(65_536)
    for (;;) {
      const count = ok(this.#vfs.read(file, bytes))
      if (count === 0) return text
      text += byteStringOf(bytes.subarray(0, count))
    }
  }

  #file(slot: number): File {
    const file = this.#slots.get(slot)
    if (file === undefined) throw new Failure(Errno.EBADF)
    return file
  }

  #at(path: string): Path {
    return ok(this.#vfs.lookup(this.#task, null, path, At.AT_SYMLINK_NOFOLLOW))
  }
}

function record(stat: Stat): unknown[] {
  const { mode, nlink, uid, gid, rdev } = stat
  const size = isDirectory(mode) ? -1 : stat.size
  const when = (seconds: number, nanoseconds: number) => (seconds < 1e9 ? [seconds, nanoseconds] : 'now')
  return [
    ...[mode, nlink, uid, gid, size, rdev],
    when(stat.atimeSeconds, stat.atimeNanoseconds),
    when(stat.mtimeSeconds, stat.mtimeNanoseconds),
  ]
}

/** FIFOs that never have anything in them: what opening them without blocking, and reading, comes to. */
class Fifos {
  readonly #ends = new WeakMap<Inode, { readers: number; writers: number }>()

  open(inode: Inode, flags: number): FileOperations | number {
    if ((inode.mode & Mode.IFMT) !== Mode.IFIFO) return -Errno.ENXIO
    const accmode = flags & Open.O_ACCMODE
    const ends = this.#ends.get(inode) ?? { readers: 0, writers: 0 }
    if (accmode === Open.O_WRONLY && ends.readers === 0) return -Errno.ENXIO
    const [reads, writes] = [Number(accmode !== Open.O_WRONLY), Number(accmode !== Open.O_RDONLY)]
    ends.readers += reads
    ends.writers += writes
    this.#ends.set(inode, ends)
    return {
      seekable: false,
      read: () => (ends.writers > 0 ? -Errno.EAGAIN : 0),
      write: (_from, _start, length) => length,
      release: () => {
        ends.readers -= reads
        ends.writers -= writes
      },
    }
  }
}

/** What comes of a sequence here. */
export function runOurs({ lower, options, operations }: Sequence): Outcome {
  const time = new SettableTime(now)
  const fifos = new Fifos()
  const vfs = new Vfs({ time, hooks: { openSpecial: (inode, flags) => fifos.open(inode, flags) } })
  const task = vfs.newTask(vfs.newTree(new TmpFs({ time }), 'none', MountFlag.NOATIME))
  const enter = (path: string) => {
    ok(vfs.chdir(task, null, path))
    return new Calls(vfs, task)
  }
  const directory = (name: string): Inode => {
    ok(vfs.mkdir(task, null, `/${name}`, 0o777))
    return ok(vfs.lookup(task, null, `/${name}`)).dentry.inode!
  }
  directory('m')
  const upper = directory('u')
  directory('w')
  const layers = lower.map((_, index) => directory(`l${index + 1}`))
  /** Mounts the layers below `index` with an upper one. */
  const mount = (upper: Inode, index: number) => {
    const fs = new OverlayFs({
      lower: layers.slice(index),
      upper,
      redirectDir: options.includes('redirect_dir=on') ? 'on' : 'follow',
      index: index === 0 && options.includes('index=on'),
      metacopy: options.includes('metacopy=on'),
    })
    ok(vfs.mount(task, fs, '/m', { flags: MountFlag.NOATIME }))
    return enter('/m')
  }
  const run = (calls: Calls, operations: readonly Operation[]) => {
    const results = operations.map((operation) => calls.run(operation))
    calls.closeAll()
    return results
  }
  const results: Result[][] = lower.map(() => [])
  for (let index = lower.length - 1; index >= 0; index--) {
    const { mounted, operations } = lower[index]!
    results[index] = run(mounted ? mount(layers[index]!, index + 1) : enter(`/l${index + 1}`), operations)
    enter('/')
    if (mounted) ok(vfs.umount(task, '/m'))
  }
  const calls = lower.length > 0 ? mount(upper, 0) : enter('/m')
  results.push(run(calls, operations))
  const tree = calls.tree()
  return { results, tree, upper: lower.length > 0 ? enter('/u').tree() : null }
}
