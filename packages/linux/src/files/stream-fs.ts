/**
 * Pipes and streams of the host as files: what their links in /proc/PID/fd lead to (proc_pid_fd(5)). So they are opened, looked at and
 * linked to by name, as a log file of an image is that is a link to /dev/stdout.
 */
import { Errno, type FileOperations, type Inode, Mode, Open, type Path, Stat, TaskContext } from '@vmexit/vfs'
import type { Kernel } from '../system.ts'
import type { AnonymousFile } from './anonymous-file.ts'
import { MemorylessFs } from './memoryless-fs.ts'

const MAGIC = 0x5049_5045

/** The file of a stream; without one, the root. */
class StreamInode implements Inode {
  readonly fs: StreamFs
  readonly stream: AnonymousFile | undefined
  /** Which no other one has: entries of open files are found by their names. */
  readonly name: string
  readonly #stat = new Stat()
  readonly size = 0
  readonly rdev = 0
  readonly nlink = 1
  state: object | undefined = undefined

  constructor(fs: StreamFs, stream: AnonymousFile | undefined, name = '') {
    this.fs = fs
    this.stream = stream
    this.name = name
  }
  get ino(): number {
    return this.#now().ino
  }
  get mode(): number {
    return this.stream === undefined ? Mode.IFDIR | 0o555 : this.#now().mode
  }
  get uid(): number {
    return this.#now().uid
  }
  get gid(): number {
    return this.#now().gid
  }
  /** Its owner and permissions may change. */
  #now(): Stat {
    this.stream?.stat(this.#stat)
    return this.#stat
  }
}

/** Their file system, which is mounted nowhere. */
export class StreamFs extends MemorylessFs {
  readonly type = 'pipefs'
  readonly root: StreamInode = new StreamInode(this, undefined)
  readonly #inodes = new WeakMap<object, StreamInode>()
  readonly #context: TaskContext
  readonly #kernel: Kernel
  /** The one that is looked up at the moment: nobody else walks here by names. */
  #sought: StreamInode | undefined
  #names = 0

  constructor(kernel: Kernel) {
    super(MAGIC)
    this.#kernel = kernel
    const tree = kernel.vfs.newTree(this, this.type)
    const root = { mount: tree.root, dentry: tree.root.root }
    this.#context = new TaskContext(tree, root, root, 0)
  }

  /** Where the file of a stream is. Both ends of a pipe have one. */
  place(stream: AnonymousFile): Path | number {
    let inode = this.#inodes.get(stream.object)
    if (inode === undefined) {
      inode = new StreamInode(this, stream, String(++this.#names))
      this.#inodes.set(stream.object, inode)
    }
    this.#sought = inode
    const place = this.#kernel.vfs.lookup(this.#context, null, `/${inode.name}`)
    this.#sought = undefined
    return place
  }

  override lookup(): Inode | number {
    return this.#sought ?? -Errno.ENOENT
  }
  override open(inode: Inode, flags: number): FileOperations | number {
    const { stream } = inode as StreamInode
    if (stream === undefined || (flags & Open.O_PATH) !== 0) return 0
    return stream.reopen(flags)
  }
  override getattr(inode: Inode, into: Stat): number {
    const { stream } = inode as StreamInode
    if (stream !== undefined) return stream.stat(into)
    this.fill(inode, into, this.#kernel.time)
    return 0
  }
}

/** The stream that a file stands for. */
export function streamOf(inode: Inode): AnonymousFile | undefined {
  return inode instanceof StreamInode ? inode.stream : undefined
}

const files = new WeakMap<Kernel, StreamFs>()

/** The one of a kernel. */
export function streamFsOf(kernel: Kernel): StreamFs {
  let fs = files.get(kernel)
  if (fs === undefined) {
    fs = new StreamFs(kernel)
    files.set(kernel, fs)
  }
  return fs
}
