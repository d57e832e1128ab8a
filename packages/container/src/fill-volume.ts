/** What an image has at the place of a new volume is the volume's at first, as Docker does with named ones. */
import type { Task } from '@vmexit/linux'
import {
  At,
  type ByteString,
  errnoName,
  type FileSystem,
  Mode,
  Open,
  Stat,
  type TaskContext,
  toByteString,
  type Vfs,
} from '@vmexit/vfs'
import { containerError } from './errors.ts'

const BUFFER = 65_536

/** Copies a directory of the container into an empty file system; one that has something is left alone. @throws VmexitError `container-options`. */
export function fillVolume({ kernel: { vfs }, context }: Task, path: string, fs: FileSystem): void {
  const from = toByteString(path)
  const stat = new Stat()
  if (vfs.stat(context, null, from, stat) < 0 || (stat.mode & Mode.IFMT) !== Mode.IFDIR) return
  const tree = vfs.newTree(fs)
  const inside = vfs.newTask(tree)
  inside.umask = 0
  try {
    if (namesOf(vfs, inside, '/').length > 0) return
    new Copy(vfs, context, inside).directory(from, '')
    attributes(vfs, inside, '/', stat)
  } finally {
    vfs.exit(inside)
    tree.dispose()
  }
}

class Copy {
  readonly #vfs: Vfs
  readonly #from: TaskContext
  readonly #to: TaskContext
  readonly #buffer = new Uint8Array(BUFFER)

  constructor(vfs: Vfs, from: TaskContext, to: TaskContext) {
    this.#vfs = vfs
    this.#from = from
    this.#to = to
  }

  directory(from: ByteString, to: ByteString): void {
    for (const name of namesOf(this.#vfs, this.#from, from)) this.#entry(`${from}/${name}`, `${to}/${name}`)
  }

  #entry(from: ByteString, to: ByteString): void {
    const vfs = this.#vfs
    const stat = new Stat()
    must(vfs.stat(this.#from, null, from, stat, At.AT_SYMLINK_NOFOLLOW), from)
    switch (stat.mode & Mode.IFMT) {
      case Mode.IFDIR:
        must(vfs.mkdir(this.#to, null, to, 0o700), to)
        this.directory(from, to)
        break
      case Mode.IFLNK: {
        const target = vfs.readlink(this.#from, null, from)
        must(typeof target === 'number' ? target : vfs.symlink(this.#to, target, null, to), to)
        break
      }
      case Mode.IFREG:
        this.#file(from, to)
        break
      default:
        // FIFOs, sockets and devices are nobody's data, and not every volume takes them.
        return
    }
    attributes(vfs, this.#to, to, stat)
  }

  #file(from: ByteString, to: ByteString): void {
    const vfs = this.#vfs
    const source = vfs.open(this.#from, null, from, Open.O_RDONLY | Open.O_NOFOLLOW)
    if (typeof source === 'number') {
      must(source, from)
      return
    }
    const target = vfs.open(this.#to, null, to, Open.O_WRONLY | Open.O_CREAT | Open.O_EXCL, 0o600)
    try {
      if (typeof target === 'number') {
        must(target, to)
        return
      }
      for (;;) {
        const count = vfs.read(source, this.#buffer)
        must(count, from)
        if (count === 0) return
        for (let at = 0; at < count; ) {
          const written = vfs.write(this.#to, target, this.#buffer, at, count - at)
          must(written, to)
          at += written
        }
      }
    } finally {
      vfs.close(source)
      if (typeof target !== 'number') vfs.close(target)
    }
  }
}

/** Owner, permissions and times; owners where the volume takes them. */
function attributes(vfs: Vfs, task: TaskContext, path: ByteString, stat: Stat): void {
  vfs.chown(task, null, path, stat.uid, stat.gid, At.AT_SYMLINK_NOFOLLOW)
  if ((stat.mode & Mode.IFMT) !== Mode.IFLNK) must(vfs.chmod(task, null, path, stat.mode & 0o7777), path)
  const time = { seconds: stat.mtimeSeconds, nanoseconds: stat.mtimeNanoseconds }
  vfs.utimens(task, null, path, [time, time], At.AT_SYMLINK_NOFOLLOW)
}

function namesOf(vfs: Vfs, task: TaskContext, path: ByteString): ByteString[] {
  const directory = vfs.open(task, null, path, Open.O_RDONLY | Open.O_DIRECTORY)
  if (typeof directory === 'number') return []
  const names: ByteString[] = []
  vfs.getdents(directory, {
    entry(name) {
      if (name !== '.' && name !== '..') names.push(name)
      return true
    },
  })
  vfs.close(directory)
  return names
}

function must(answer: number, path: ByteString): void {
  if (answer < 0)
    containerError(
      'options',
      `${path} cannot be copied into the volume (${errnoName(answer)})`,
      'say that nothing is copied',
    )
}
