/**
 * Places of the layer as memfs's links and nodes: what a `Volume` asks of them, made when it asks.
 */
import type { TaskContext } from '../context.ts'
import { inodeOf } from '../dentry.ts'
import { Errno } from '../errno.ts'
import type { Inode } from '../file-system.ts'
import { Access, At, isDirectory, isSymlink, Mode, Open } from '../flags.ts'
import type { Path } from '../mount/mount.ts'
import type { ByteString } from '../names.ts'
import type { Vfs } from '../vfs.ts'
import { bufferKind } from './buffers.ts'
import { targetFromMemfs, toMemfs } from './names.ts'
import { nodeError, orThrow } from './node-errors.ts'

const { AT_EACCESS, AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } = At

/** A name in a directory. */
export interface Listed {
  readonly name: ByteString
  /** `EntryType`. */
  readonly type: number
}

/** A layer as one task sees it. */
export class View {
  readonly vfs: Vfs
  readonly task: TaskContext
  readonly #nodes = new WeakMap<Inode, SeenNode>()

  constructor(vfs: Vfs, task: TaskContext) {
    this.vfs = vfs
    this.task = task
  }

  /** What a path names; throws Node's error. */
  find(path: string, syscall: string, follow: boolean): SeenLink {
    return orThrow(this.look(path, follow), syscall, path)
  }

  /** What a path names, or an error number. */
  look(path: string, follow: boolean): SeenLink | number {
    const flags = follow ? 0 : AT_SYMLINK_NOFOLLOW
    const place = this.vfs.lookup(this.task, null, targetFromMemfs(path), flags)
    return typeof place === 'number' ? place : new SeenLink(this, place)
  }

  /** The same object for the same file: memfs compares them. */
  nodeOf(place: Path): SeenNode {
    const inode = inodeOf(place.dentry)
    let node = this.#nodes.get(inode)
    if (node === undefined) {
      node = new SeenNode(this, place)
      this.#nodes.set(inode, node)
    } else node.place = place
    return node
  }

  /** The entries of a directory without `.` and `..`, or an error number. */
  list(at: Path | null, path: ByteString): Listed[] | number {
    const file = this.vfs.open(this.task, at, path, Open.O_RDONLY | Open.O_DIRECTORY)
    if (typeof file === 'number') return file
    const entries: Listed[] = []
    const entry = (name: ByteString, _ino: number, type: number) => {
      if (name !== '.' && name !== '..') entries.push({ name, type })
      return true
    }
    const answer = this.vfs.getdents(file, { entry })
    this.vfs.close(file)
    return answer < 0 ? answer : entries
  }

  /** Whether the task may do what the bits of `Access` say. */
  may(place: Path, wanted: number): boolean {
    return this.vfs.access(this.task, place, '', wanted, AT_EMPTY_PATH | AT_EACCESS) === 0
  }
}

/** A file, as memfs's `Node`. */
export class SeenNode {
  readonly #view: View
  /** Where it was last seen. */
  place: Path

  constructor(view: View, place: Path) {
    this.#view = view
    this.place = place
  }

  get #inode(): Inode {
    return inodeOf(this.place.dentry)
  }
  get ino(): number {
    return this.#inode.ino
  }
  get mode(): number {
    return this.#inode.mode
  }
  get symlink(): string {
    return toMemfs(orThrow(this.#view.vfs.readlink(this.#view.task, this.place, ''), 'readlink'))
  }

  isDirectory(): boolean {
    return isDirectory(this.mode)
  }
  isFile(): boolean {
    return (this.mode & Mode.IFMT) === Mode.IFREG
  }
  isSymlink(): boolean {
    return isSymlink(this.mode)
  }

  canRead(): boolean {
    return this.#view.may(this.place, Access.R_OK)
  }
  canWrite(): boolean {
    return this.#view.may(this.place, Access.W_OK)
  }
  canExecute(): boolean {
    return this.#view.may(this.place, Access.X_OK)
  }

  getSize(): number {
    return this.#inode.size
  }

  /** All of its data. */
  getBuffer(): Uint8Array {
    if (!this.canRead()) throw nodeError(-Errno.EACCES, 'read')
    const inode = this.#inode
    const bytes = bufferKind().alloc(inode.size)
    for (let at = 0; at < bytes.length; ) {
      const count = orThrow(inode.fs.read(inode, bytes, at, bytes.length - at, at), 'read')
      if (count === 0) break
      at += count
    }
    return bytes
  }
}

/** A place, as memfs's `Link`. */
export class SeenLink {
  readonly #view: View
  readonly place: Path
  #children: Map<string, SeenLink> | undefined = undefined

  constructor(view: View, place: Path) {
    this.#view = view
    this.place = place
  }

  getNode(): SeenNode {
    return this.#view.nodeOf(this.place)
  }

  getPath(): string {
    return toMemfs(this.#view.vfs.pathName(this.#view.task, this.place))
  }

  getName(): string {
    const path = this.getPath()
    return path.slice(path.lastIndexOf('/') + 1)
  }

  getParentPath(): string {
    const path = this.getPath()
    return path.slice(0, path.lastIndexOf('/')) || '/'
  }

  get steps(): string[] {
    const path = this.getPath()
    return path === '/' ? [''] : path.split('/')
  }

  /** What is in a directory, as it was when this was first asked for. */
  get children(): ReadonlyMap<string, SeenLink> {
    this.#children ??= this.#list()
    return this.#children
  }

  getChild(name: string): SeenLink | undefined {
    return this.children.get(name)
  }

  #list(): Map<string, SeenLink> {
    const children = new Map<string, SeenLink>()
    if (!this.getNode().isDirectory()) return children
    for (const { name } of orThrow(this.#view.list(this.place, '.'), 'scandir', this.getPath())) {
      const place = this.#view.vfs.lookup(this.#view.task, this.place, name, AT_SYMLINK_NOFOLLOW)
      if (typeof place !== 'number') children.set(toMemfs(name), new SeenLink(this.#view, place))
    }
    return children
  }
}
