/** A layer on a tmpfs with a root's task, and short ways to use them. */
import {
  byteStringOf,
  bytesOf,
  errnoName,
  type File,
  type FileSystem,
  Mode,
  Open,
  SettableTime,
  Stat,
  type TaskContext,
  TmpFs,
  userCredentials,
  Vfs,
  type VfsHooks,
  type VfsOptions,
} from '../src/index.ts'

/** A layer with a file system, empty unless something is made in it. */
export class Bench {
  readonly time = new SettableTime(1_000_000)
  readonly vfs: Vfs
  readonly fs: FileSystem
  readonly task: TaskContext

  constructor(hooks: VfsHooks = {}, fs?: (time: SettableTime) => FileSystem, rules: Partial<VfsOptions> = {}) {
    this.vfs = new Vfs({ ...rules, time: this.time, hooks })
    this.fs = fs?.(this.time) ?? new TmpFs({ time: this.time, mode: 0o755 })
    this.task = this.vfs.newTask(this.vfs.newTree(this.fs))
  }

  /** Another tmpfs. */
  tmpfs(): TmpFs {
    return new TmpFs({ time: this.time, mode: 0o755 })
  }

  /** A task of a user without privileges, with the same root. */
  user(uid: number, gid = uid, groups: readonly number[] = []): TaskContext {
    const task = this.vfs.fork(this.task)
    task.credentials = userCredentials(uid, gid, groups)
    return task
  }

  /** Makes directories (`a/`), links (`a -> b`) and files with their name as contents, in order. */
  make(...paths: readonly string[]): void {
    for (const path of paths) {
      const [name, target] = path.split(' -> ') as [string, string | undefined]
      if (target !== undefined) ok(this.vfs.symlink(this.task, target, null, name))
      else if (name.endsWith('/')) ok(this.vfs.mkdir(this.task, null, name, 0o755))
      else {
        const file = this.open(name, Open.O_CREAT | Open.O_WRONLY)
        this.vfs.write(this.task, file, bytesOf(name))
        this.vfs.close(file)
      }
    }
  }

  /** Opens, which must succeed. */
  open(path: string, flags: number = Open.O_RDWR, task: TaskContext = this.task, mode = 0o644): File {
    const file = this.vfs.open(task, null, path, flags, mode)
    if (typeof file === 'number') throw new Error(`open of ${path}: ${errnoName(file)}`)
    return file
  }

  /** What opening says: the contents of a file, `directory`, or an error. */
  read(
    path: string,
    resolve = 0,
    at: File | null = null,
    task: TaskContext = this.task,
    flags: number = Open.O_RDONLY,
  ): string {
    const file = this.vfs.open(task, at?.path ?? null, path, flags, 0, resolve)
    if (typeof file === 'number') return errnoName(file)
    const into = new Uint8Array(100)
    const count = this.vfs.read(file, into)
    this.vfs.close(file)
    return (file.inode.mode & Mode.IFMT) === Mode.IFDIR ? 'directory' : byteStringOf(into.subarray(0, count))
  }

  stat(path: string, flags = 0): Stat {
    const stat = new Stat()
    ok(this.vfs.stat(this.task, null, path, stat, flags))
    return stat
  }
}

/** `ok`, or the name of an error. */
export function said(answer: unknown): string {
  return typeof answer === 'number' && answer < 0 ? errnoName(answer) : 'ok'
}

/** An answer that must be none of an error. */
export function ok<T>(answer: T): Exclude<T, number> {
  if (said(answer) !== 'ok') throw new Error(said(answer))
  return answer as Exclude<T, number>
}
