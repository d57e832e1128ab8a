/** Namespaces as files: what links in /proc/PID/ns lead to (namespaces(7), ioctl_ns(2)). */
import {
  type ByteString,
  Errno,
  type File,
  type FileOperations,
  type Inode,
  Mode,
  type Path,
  type Stat,
  type StatFs,
  TaskContext,
} from '@vmexit/vfs'
import { MemorylessFs } from '../files/memoryless-fs.ts'
import type { Kernel } from '../system.ts'
import type { OwnedNamespace } from './user.ts'

const MAGIC = 0x6e73_6673

/** The file of a namespace. */
class NsInode implements Inode {
  readonly fs: NsFs
  readonly namespace: OwnedNamespace | undefined
  readonly mode: number
  readonly uid = 0
  readonly gid = 0
  readonly size = 0
  readonly rdev = 0
  readonly nlink = 1
  state: object | undefined = undefined

  constructor(fs: NsFs, namespace: OwnedNamespace | undefined) {
    this.fs = fs
    this.namespace = namespace
    this.mode = namespace === undefined ? Mode.IFDIR | 0o555 : Mode.IFREG | 0o444
  }
  get ino(): number {
    return this.namespace?.number ?? 1
  }
}

/** Their file system, which is mounted nowhere. */
export class NsFs extends MemorylessFs {
  readonly type = 'nsfs'
  readonly isBoundFromOutside = true
  readonly root: NsInode = new NsInode(this, undefined)
  readonly #inodes = new WeakMap<OwnedNamespace, NsInode>()
  readonly #labels = new Map<ByteString, WeakRef<NsInode>>()
  readonly #context: TaskContext
  readonly #kernel: Kernel

  constructor(kernel: Kernel) {
    super(MAGIC)
    this.#kernel = kernel
    const tree = kernel.vfs.newTree(this, 'nsfs')
    const root = { mount: tree.root, dentry: tree.root.root }
    this.#context = new TaskContext(tree, root, root, 0)
  }

  /** Where the file of a namespace is. */
  place(namespace: OwnedNamespace): Path | number {
    let inode = this.#inodes.get(namespace)
    if (inode === undefined) {
      inode = new NsInode(this, namespace)
      this.#inodes.set(namespace, inode)
      this.#labels.set(namespace.label, new WeakRef(inode))
    }
    return this.#kernel.vfs.lookup(this.#context, null, `/${namespace.label}`)
  }

  /** An open file of a namespace, whoever asks. */
  openFile(namespace: OwnedNamespace): File | number {
    const place = this.place(namespace)
    return typeof place === 'number' ? place : this.#kernel.vfs.open(this.#context, null, `/${namespace.label}`, 0)
  }

  override lookup(_dir: Inode, name: ByteString): Inode | number {
    const inode = this.#labels.get(name)?.deref()
    if (inode !== undefined) return inode
    this.#labels.delete(name)
    return -Errno.ENOENT
  }
  override open(inode: Inode): FileOperations | number {
    ;(inode as NsInode).namespace?.enter()
    return 0
  }
  override release(inode: Inode): void {
    ;(inode as NsInode).namespace?.leave()
  }
  override getattr(inode: Inode, into: Stat): number {
    this.fill(inode, into, this.#kernel.time)
    return 0
  }
  override statfs(into: StatFs): number {
    return super.statfs(into)
  }
}

/** The namespace that a file stands for. */
export function namespaceOf(inode: Inode): OwnedNamespace | undefined {
  return inode instanceof NsInode ? inode.namespace : undefined
}

const files = new WeakMap<Kernel, NsFs>()

/** The one of a kernel. */
export function nsFsOf(kernel: Kernel): NsFs {
  let fs = files.get(kernel)
  if (fs === undefined) {
    fs = new NsFs(kernel)
    files.set(kernel, fs)
  }
  return fs
}
