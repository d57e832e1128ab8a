/**
 * `mount -t cgroup2`: directories are groups, files are texts of `@vmexit/cgroup` ("Control Group v2"). Owners and modes are
 * kept for whoever a group is delegated to. A cgroup namespace's mount shows its root as the root.
 */
import type { Group } from '@vmexit/cgroup'
import {
  type ByteString,
  Change,
  type Changes,
  type DirectoryVisitor,
  EntryType,
  Errno,
  FIRST_COOKIE,
  type FileOperations,
  type Inode,
  Mode,
  type Stat,
} from '@vmexit/vfs'
import { MemorylessFs } from '../files/memoryless-fs.ts'
import { Poll } from '../files/open-file.ts'
import type { Kernel, Task } from '../system.ts'
import { shownPid } from '../tasks/numbers.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'

const MAGIC = 0x6367_7270
/** What processes are moved by: the permission to write it is asked of where they come from and go, and of what is above both. */
const MOVES = 'cgroup.procs'
/** Which controllers the children have, and so which files. */
const CONTROLS = 'cgroup.subtree_control'
/** Inode numbers of a group's files: so many for each. */
const FILES = 256
const encoder = new TextEncoder()
const decoder = new TextDecoder()

/** Owner and permissions of a directory or a file. */
interface Attributes {
  uid: number
  gid: number
  permissions: number
}

/** What was changed of groups and their files, whichever mount they are seen by. */
class Kept {
  readonly #kept = new WeakMap<Group, Map<string, Attributes>>()

  /** Of a file, or with '' the directory. */
  of(group: Group, file: string, permissions: number): Attributes {
    return this.#kept.get(group)?.get(file) ?? { uid: 0, gid: 0, permissions }
  }
  set(group: Group, file: string, attributes: Attributes): void {
    let files = this.#kept.get(group)
    if (files === undefined) {
      files = new Map()
      this.#kept.set(group, files)
    }
    files.set(file, attributes)
  }
}

/** A group, or with a name one of its files. */
class GroupInode implements Inode {
  readonly fs: CgroupFs
  readonly group: Group
  readonly file: string
  readonly ino: number
  readonly #permissions: number
  readonly size = 0
  readonly rdev = 0
  state: object | undefined = undefined
  readonly files: Map<string, GroupInode> = new Map()

  constructor(fs: CgroupFs, group: Group, file: string, index: number, permissions: number) {
    this.fs = fs
    this.group = group
    this.file = file
    this.ino = group.id * FILES + index
    this.#permissions = permissions
  }
  get attributes(): Attributes {
    return this.fs.kept.of(this.group, this.file, this.#permissions)
  }
  get mode(): number {
    return (this.file === '' ? Mode.IFDIR : Mode.IFREG) | this.attributes.permissions
  }
  get uid(): number {
    return this.attributes.uid
  }
  get gid(): number {
    return this.attributes.gid
  }
  get nlink(): number {
    if (this.group.removed) return 0
    return this.file === '' ? 2 + this.group.children.size : 1
  }
}

const keptOf = new WeakMap<Kernel, Kept>()

/** The hierarchy from one group on. */
export class CgroupFs extends MemorylessFs {
  readonly type = 'cgroup2'
  readonly root: Inode
  readonly kernel: Kernel
  /** @internal */
  readonly kept: Kept
  readonly #groups = new WeakMap<Group, GroupInode>()

  constructor(kernel: Kernel, root: Group) {
    super(MAGIC)
    this.kernel = kernel
    let kept = keptOf.get(kernel)
    if (kept === undefined) {
      kept = new Kept()
      keptOf.set(kernel, kept)
    }
    this.kept = kept
    this.root = this.directory(root)
  }

  /** The directory of a group. @internal */
  directory(group: Group): GroupInode {
    let inode = this.#groups.get(group)
    if (inode === undefined) {
      inode = new GroupInode(this, group, '', 0, 0o755)
      this.#groups.set(group, inode)
    }
    return inode
  }

  override lookup(dir: Inode, name: ByteString): Inode | number {
    const { group, files } = dir as GroupInode
    const child = group.children.get(name)
    if (child !== undefined) return this.directory(child)
    const entries = this.kernel.groups.tree.files(group)
    const index = entries.findIndex((entry) => entry.name === name)
    if (index < 0) {
      files.delete(name)
      return -Errno.ENOENT
    }
    let inode = files.get(name)
    if (inode === undefined) {
      inode = new GroupInode(this, group, name, FILE_NUMBERS.of(name), entries[index]!.mode)
      files.set(name, inode)
    }
    return inode
  }

  override readdir(dir: Inode, cookie: number, visitor: DirectoryVisitor): number {
    const { group } = dir as GroupInode
    const names = [...this.kernel.groups.tree.files(group).map(({ name }) => name), ...group.children.keys()]
    for (let n = cookie - FIRST_COOKIE; n < names.length; n++) {
      const inode = this.lookup(dir, names[n]!)
      if (typeof inode === 'number') continue
      const type = (inode as GroupInode).file === '' ? EntryType.DT_DIR : EntryType.DT_REG
      if (!visitor.entry(names[n]!, inode.ino, type, n + 1 + FIRST_COOKIE)) break
    }
    return 0
  }

  override mkdir(dir: Inode, name: ByteString, _mode?: number, uid = 0, gid = 0): Inode | number {
    const { tree } = this.kernel.groups
    const made = tree.mkdir((dir as GroupInode).group, name)
    if (typeof made === 'number') return made
    // Whoever makes a group has its files.
    if (uid !== 0 || gid !== 0) {
      this.kept.set(made, '', { uid, gid, permissions: 0o755 })
      for (const { name: file, mode } of tree.files(made)) this.kept.set(made, file, { uid, gid, permissions: mode })
    }
    return this.directory(made)
  }
  override rmdir(dir: Inode, name: ByteString): number {
    const child = (dir as GroupInode).group.children.get(name)
    if (child === undefined) return this.lookup(dir, name) === -Errno.ENOENT ? -Errno.ENOENT : -Errno.ENOTDIR
    return this.kernel.groups.tree.rmdir(child)
  }

  override setattr(inode: Inode, changes: Changes): number {
    const { group, file, attributes } = inode as GroupInode
    const { mask } = changes
    this.kept.set(group, file, {
      uid: (mask & Change.UID) !== 0 ? changes.uid : attributes.uid,
      gid: (mask & Change.GID) !== 0 ? changes.gid : attributes.gid,
      permissions: (mask & Change.MODE) !== 0 ? changes.mode & 0o7777 : attributes.permissions,
    })
    return 0
  }
  override getattr(inode: Inode, into: Stat): number {
    this.fill(inode, into, this.kernel.time)
    return 0
  }
  override open(inode: Inode): FileOperations | number {
    const { group, file } = inode as GroupInode
    return file === '' ? 0 : new GroupFile(this, group, file)
  }

  /** Files of a group that were not there before belong to whoever has made them. */
  claim(group: Group, task: Task | undefined, before: ReadonlySet<string>): void {
    const { uid, gid } = task?.context.credentials ?? { uid: 0, gid: 0 }
    if (uid === 0 && gid === 0) return
    for (const { name, mode } of this.kernel.groups.tree.files(group))
      if (!before.has(name)) this.kept.set(group, name, { uid, gid, permissions: mode })
  }

  /** May the task write to a group's `cgroup.procs`? A delegated user can move processes only within what is his. */
  mayMove(task: Task, group: Group): boolean {
    const { uid, gid, permissions } = this.kept.of(group, MOVES, 0o644)
    const { credentials } = task.context
    if (credentials.has(1, { uid, gid })) return true
    if (credentials.uid === uid) return (permissions & 0o200) !== 0
    const inGroup = credentials.gid === gid || credentials.groups.includes(gid)
    return (permissions & (inGroup ? 0o020 : 0o002)) !== 0
  }
}

/** A number for each name of a file: the same in all groups. */
const FILE_NUMBERS = {
  names: [] as string[],
  of(name: string): number {
    let index = this.names.indexOf(name)
    if (index < 0) index = this.names.push(name) - 1
    return 1 + index
  },
}

/** An open file of a group. */
class GroupFile implements FileOperations {
  readonly seekable = true
  readonly #fs: CgroupFs
  readonly #group: Group
  readonly #file: string
  #bytes: Uint8Array | undefined
  #seen: number

  constructor(fs: CgroupFs, group: Group, file: string) {
    this.#fs = fs
    this.#group = group
    this.#file = file
    this.#seen = fs.kernel.groups.changesOf(group, file)
  }
  get queue(): WaitQueue {
    return this.#fs.kernel.groups.changed
  }
  /** POLLPRI says that the file has changed since it was read. */
  poll(): number {
    const always = Poll.IN | Poll.OUT | Poll.RDNORM | Poll.WRNORM
    const hasChanged = this.#fs.kernel.groups.changesOf(this.#group, this.#file) !== this.#seen
    return hasChanged ? always | Poll.PRI | Poll.ERR : always
  }

  read(into: Uint8Array, start: number, length: number, position: number): number {
    if (position === 0 || this.#bytes === undefined) {
      const { groups, current } = this.#fs.kernel
      this.#seen = groups.changesOf(this.#group, this.#file)
      const text = this.#group.removed ? -Errno.ENODEV : groups.tree.read(this.#group, this.#file)
      if (typeof text === 'number') return text
      this.#bytes = encoder.encode(isNumbers(this.#file) && current !== undefined ? numbersFor(current, text) : text)
    }
    const piece = this.#bytes.subarray(position, position + length)
    into.set(piece, start)
    return piece.length
  }

  write(from: Uint8Array, start: number, length: number): number {
    const { groups, current: task } = this.#fs.kernel
    if (this.#group.removed) return -Errno.ENODEV
    let text = decoder.decode(from.slice(start, start + length))
    if (isNumbers(this.#file) && task !== undefined) {
      const wanted = /^\s*([0-9]+)\s*$/.exec(text)
      const pid = wanted === null ? 0 : Number(wanted[1])
      const number = task.ns.pid.global(pid)
      if (pid > 0 && number === 0) return -Errno.ESRCH
      if (pid > 0) text = String(number)
      const { root } = task.ns.cgroup
      const moved = groups.tree.members.process(pid === 0 ? task.process.pid : number)
      // With a namespace of their own, processes come from within it and stay there.
      if (moved !== undefined && (!isWithin(moved.group, root) || !isWithin(this.#group, root))) return -Errno.ENOENT
    }
    // What has run until now was the old group's.
    if (task !== undefined) this.#fs.kernel.ticksOf(task)
    const writer =
      task === undefined
        ? {}
        : { pid: task.process.pid, mayMove: (common: object) => this.#fs.mayMove(task, common as Group) }
    const children = this.#file === CONTROLS ? [...this.#group.children.values()] : []
    const before = children.map((child) => new Set(groups.tree.files(child).map(({ name }) => name)))
    const answer = groups.tree.write(this.#group, this.#file, text, writer)
    for (const [n, child] of children.entries()) this.#fs.claim(child, task, before[n]!)
    return answer < 0 ? answer : length
  }
  release(): void {}
}

function isNumbers(file: string): boolean {
  return file === 'cgroup.procs' || file === 'cgroup.threads'
}

/** Numbers as a task knows them: 0 for those that it does not see. */
function numbersFor(task: Task, text: string): string {
  if (task.ns.pid.parent === null) return text
  return text
    .split('\n')
    .map((line) => (line === '' ? '' : String(shownPid(task, Number(line)))))
    .join('\n')
}

function isWithin(group: Group, root: Group): boolean {
  return group.commonAncestor(root) === root
}

/** The group that an open directory is, for CLONE_INTO_CGROUP; an error where it is none, or may not be written. */
export function groupOfDescriptor(task: Task, fd: number): Group | number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const inode = file.file?.inode
  if (!(inode instanceof GroupInode) || inode.file !== '') return -Errno.EBADF
  if (inode.group.removed) return -Errno.ENODEV
  const { fs, group } = inode
  const common = task.process.member.group.commonAncestor(group)
  return fs.mayMove(task, group) && fs.mayMove(task, common) ? group : -Errno.EACCES
}
