/**
 * A volume of memfs as a file system: its own tree of links and nodes is walked and changed, and what memfs lacks is kept
 * beside the nodes. memfs goes on to see the files, with their contents, modes, owners and times, and may change them
 * meanwhile.
 *
 * Of memfs's calls none is used that looks paths up: its `rename`, `rm` and `rmdir` leave inodes and link counts behind.
 */
import { toNodeDevice } from '../devices.ts'
import { Errno } from '../errno.ts'
import type { DirectoryVisitor, EntryCaching, FileSystem } from '../file-system.ts'
import { isDirectory, Mode, Rename, Xattr } from '../flags.ts'
import type { ByteString } from '../names.ts'
import { Change, type Changes, type Stat, type StatFs } from '../stat.ts'
import type { TimeSource } from '../time.ts'
import { NodeData } from './data.ts'
import { MemfsInode } from './inode.ts'
import { Listing } from './listing.ts'
import { targetFromMemfs, toMemfs } from './names.ts'
import { FsEventType, type Link, type Node, type Superblock } from './parts.ts'
import { KeptTime, Now } from './times.ts'

const { EEXIST, EINVAL, ENODATA, ENOENT, ENOTEMPTY } = Errno

/** What statfs says of memory: the number of ramfs. */
const ramfsMagic = 0x8584_58f6

/** A volume of memfs as a file system. */
export class MemfsFileSystem implements FileSystem {
  readonly type = 'memfs'
  readonly caching: EntryCaching = 'revalidate'
  readonly readOnly = false
  readonly maxNameBytes = 255
  readonly maxFileBytes: number = Number.MAX_SAFE_INTEGER
  readonly root: MemfsInode
  readonly #core: Superblock
  readonly #now: Now
  readonly #data: NodeData
  readonly #inodes = new WeakMap<Node, MemfsInode>()

  constructor(core: Superblock, time: TimeSource) {
    this.#core = core
    this.#now = new Now(time)
    this.#data = new NodeData(this.#now)
    this.root = this.#inodeOf(core.root)
  }

  lookup(dir: MemfsInode, name: ByteString): MemfsInode | number {
    const link = childOf(dir, name)
    return link === undefined ? -ENOENT : this.#inodeOf(link)
  }

  revalidate(dir: MemfsInode, name: ByteString, inode: MemfsInode | null): number {
    return childOf(dir, name)?.getNode() === inode?.node ? 1 : 0
  }

  create(dir: MemfsInode, name: ByteString, mode: number, uid: number, gid: number, rdev: number): MemfsInode | number {
    const answer = vacancy(dir, name)
    if (answer < 0) return answer
    const node = this.#makeNode(mode, uid, gid)
    if (rdev !== 0) node.rdev = toNodeDevice(rdev)
    return this.#enter(dir, name, node)
  }

  mkdir(dir: MemfsInode, name: ByteString, mode: number, uid: number, gid: number): MemfsInode | number {
    const answer = vacancy(dir, name)
    if (answer < 0) return answer
    return this.#enter(dir, name, this.#makeNode(Mode.IFDIR | (mode & 0o7777), uid, gid))
  }

  symlink(dir: MemfsInode, name: ByteString, target: ByteString, uid: number, gid: number): MemfsInode | number {
    const answer = vacancy(dir, name)
    if (answer < 0) return answer
    const node = this.#makeNode(Mode.IFLNK | 0o777, uid, gid)
    node.symlink = toMemfs(target)
    return this.#enter(dir, name, node)
  }

  tmpfile(_dir: MemfsInode, mode: number, uid: number, gid: number): MemfsInode {
    const node = this.#makeNode(mode, uid, gid)
    node.nlink = 0
    const inode = new MemfsInode(this, node, undefined)
    this.#inodes.set(node, inode)
    inode.made(this.#now.read())
    return inode
  }

  link(inode: MemfsInode, dir: MemfsInode, name: ByteString): number {
    const answer = vacancy(dir, name)
    if (answer < 0) return answer
    inode.node.nlink++
    const link = this.#changing(dir, 0, (into) => into.createChild(toMemfs(name), inode.node))
    inode.link = link
    inode.changed(this.#now.read())
    this.#tell(FsEventType.CREATE, link)
    return 0
  }

  unlink(dir: MemfsInode, name: ByteString): number {
    const link = childOf(dir, name)
    if (link === undefined) return -ENOENT
    this.#remove(dir, link)
    return 0
  }

  rmdir(dir: MemfsInode, name: ByteString): number {
    const link = childOf(dir, name)
    if (link === undefined) return -ENOENT
    if (this.#inodeOf(link).children > 0) return -ENOTEMPTY
    this.#remove(dir, link)
    return 0
  }

  rename(
    oldDir: MemfsInode,
    oldName: ByteString,
    newDir: MemfsInode,
    newName: ByteString,
    flags: number,
    uid: number,
    gid: number,
  ): number {
    const { RENAME_EXCHANGE, RENAME_NOREPLACE, RENAME_WHITEOUT } = Rename
    if ((flags & ~(RENAME_EXCHANGE | RENAME_NOREPLACE | RENAME_WHITEOUT)) !== 0) return -EINVAL
    const link = childOf(oldDir, oldName)
    const target = childOf(newDir, newName)
    if (link === undefined || newDir.detached) return -ENOENT
    if (flags & RENAME_EXCHANGE) {
      if (target === undefined) return -ENOENT
      this.#detach(oldDir, link)
      this.#move(newDir, target, oldDir, oldName)
      this.#attach(newDir, newName, link)
      return 0
    }
    if (target !== undefined) {
      if (flags & RENAME_NOREPLACE) return -EEXIST
      const replaced = this.#inodeOf(target)
      if (replaced.isDirectory && replaced.children > 0) return -ENOTEMPTY
      this.#remove(newDir, target)
    }
    this.#move(oldDir, link, newDir, newName)
    if (flags & RENAME_WHITEOUT) this.#enter(oldDir, oldName, this.#makeNode(Mode.IFCHR, uid, gid))
    return 0
  }

  getattr(inode: MemfsInode, into: Stat): number {
    inode.fill(into)
    return 0
  }

  setattr(inode: MemfsInode, changes: Changes): number {
    const { mask } = changes
    const { node } = inode
    if (mask & Change.MODE) node.mode = (node.mode & Mode.IFMT) | (changes.mode & 0o7777)
    if (mask & Change.UID) node.uid = changes.uid
    if (mask & Change.GID) node.gid = changes.gid
    if (mask & Change.ATIME) {
      inode.atime = new KeptTime(changes.atimeSeconds, changes.atimeNanoseconds)
      node.atime = inode.atime.date
    }
    if (mask & Change.MTIME) {
      // Of a directory mtime also says what has been counted and listed: that stays true.
      const counted = inode.countedAt === node.mtime
      inode.mtime = new KeptTime(changes.mtimeSeconds, changes.mtimeNanoseconds)
      node.mtime = inode.mtime.date
      inode.countedAt = counted ? node.mtime : undefined
    }
    inode.changed(this.#now.read())
    this.#tellOf(FsEventType.ATTRIB, inode)
    return 0
  }

  accessed(inode: MemfsInode): void {
    inode.atime = this.#now.read()
    inode.node.atime = inode.atime.date
  }

  open(inode: MemfsInode, _flags: number): number {
    inode.opens++
    return 0
  }

  release(inode: MemfsInode): void {
    inode.opens--
    this.#freeIfUnused(inode)
  }

  read(inode: MemfsInode, into: Uint8Array, start: number, length: number, position: number): number {
    return this.#data.read(inode, into, start, length, position)
  }

  write(inode: MemfsInode, from: Uint8Array, start: number, length: number, position: number): number {
    const answer = this.#data.write(inode, from, start, length, position)
    if (answer > 0) this.#tellOf(FsEventType.MODIFY, inode)
    return answer
  }

  truncate(inode: MemfsInode, size: number): number {
    const answer = this.#data.truncate(inode, size)
    if (answer === 0) this.#tellOf(FsEventType.MODIFY, inode)
    return answer
  }

  fallocate(inode: MemfsInode, mode: number, offset: number, length: number): number {
    const answer = this.#data.fallocate(inode, mode, offset, length)
    if (answer === 0) this.#tellOf(FsEventType.MODIFY, inode)
    return answer
  }

  seek(inode: MemfsInode, offset: number, whence: number): number {
    return this.#data.seek(inode, offset, whence)
  }

  readdir(dir: MemfsInode, cookie: number, visitor: DirectoryVisitor): number {
    dir.listing ??= new Listing()
    dir.listing.visit(dir.link!, cookie, visitor)
    return 0
  }

  readlink(inode: MemfsInode): ByteString {
    return targetFromMemfs(inode.node.symlink)
  }

  getxattr(inode: MemfsInode, name: ByteString): Uint8Array | number {
    return inode.xattrs?.get(name) ?? -ENODATA
  }

  setxattr(inode: MemfsInode, name: ByteString, value: Uint8Array, flags: number): number {
    const has = inode.xattrs?.has(name) ?? false
    if (has && flags & Xattr.XATTR_CREATE) return -EEXIST
    if (!has && flags & Xattr.XATTR_REPLACE) return -ENODATA
    inode.xattrs ??= new Map()
    inode.xattrs.set(name, value.slice())
    inode.changed(this.#now.read())
    return 0
  }

  listxattr(inode: MemfsInode): readonly ByteString[] {
    return inode.xattrs === undefined ? [] : [...inode.xattrs.keys()]
  }

  removexattr(inode: MemfsInode, name: ByteString): number {
    if (!inode.xattrs?.delete(name)) return -ENODATA
    inode.changed(this.#now.read())
    return 0
  }

  statfs(into: StatFs): number {
    into.type = ramfsMagic
    into.bsize = 4096
    into.blocks = into.bfree = into.bavail = into.files = into.ffree = 0
    into.namelen = this.maxNameBytes
    return 0
  }

  sync(): number {
    return 0
  }

  #inodeOf(link: Link): MemfsInode {
    const node = link.getNode()
    const known = this.#inodes.get(node)
    if (known !== undefined) {
      known.link = link
      return known
    }
    const inode = new MemfsInode(this, node, link)
    this.#inodes.set(node, inode)
    return inode
  }

  #makeNode(mode: number, uid: number, gid: number): Node {
    const node = this.#core.createNode(mode)
    if (node.uid !== uid) node.uid = uid
    if (node.gid !== gid) node.gid = gid
    return node
  }

  /** Gives a new node its name. */
  #enter(dir: MemfsInode, name: ByteString, node: Node): MemfsInode {
    const link = this.#changing(dir, Number(isDirectory(node.mode)), (into) => into.createChild(toMemfs(name), node))
    const inode = this.#inodeOf(link)
    inode.made(this.#now.read())
    this.#tell(FsEventType.CREATE, link)
    return inode
  }

  /** Takes a name away; that is the end of a node without names. */
  #remove(dir: MemfsInode, link: Link): void {
    const inode = this.#inodeOf(link)
    this.#tell(FsEventType.DELETE, link)
    this.#detach(dir, link)
    if (inode.isDirectory) inode.node.nlink = 0
    else inode.node.nlink--
    inode.changed(this.#now.read())
    this.#freeIfUnused(inode)
  }

  /** The end of a node without names and uses; memfs would give the next one its number. */
  #freeIfUnused({ node, opens }: MemfsInode): void {
    const { inodes } = this.#core
    if (opens > 0 || node.nlink > 0 || inodes[node.ino] !== node) return
    node.del()
    delete inodes[node.ino]
  }

  #move(oldDir: MemfsInode, link: Link, newDir: MemfsInode, newName: ByteString): void {
    this.#detach(oldDir, link)
    this.#attach(newDir, newName, link)
  }

  #detach(dir: MemfsInode, link: Link): void {
    this.#changing(dir, -Number(isDirectory(link.getNode().mode)), (from) => from.deleteChild(link))
  }

  /** Puts a link that has been detached under another name. */
  #attach(dir: MemfsInode, name: ByteString, link: Link): void {
    const oldSteps = link.steps
    this.#changing(dir, Number(isDirectory(link.getNode().mode)), (into) => {
      link.name = toMemfs(name)
      link.parent = into
      link.steps = [...into.steps, link.name]
      into.setChild(link.name, link)
    })
    this.#inodeOf(link).changed(this.#now.read())
    this.#tell(FsEventType.MOVE, link, oldSteps)
  }

  /** Changes a directory's entries, and with them what is known of them. */
  #changing<Result>(dir: MemfsInode, subdirectories: number, change: (link: Link) => Result): Result {
    const counted = dir.countedAt === dir.node.mtime
    const result = change(dir.link!)
    dir.modified(this.#now.read())
    dir.subdirectories += subdirectories
    dir.countedAt = counted ? dir.node.mtime : undefined
    dir.listing?.changed()
    return result
  }

  /** Tells those who watch the volume through memfs. */
  #tell(type: number, link: Link, oldSteps?: string[]): void {
    const { changes } = this.#core
    if (changes.listeners.size === 0) return
    changes.emit({ type, steps: link.steps, node: link.getNode(), link, oldSteps } as Parameters<
      typeof changes.emit
    >[0])
  }

  #tellOf(type: number, { link }: MemfsInode): void {
    if (link !== undefined) this.#tell(type, link)
  }
}

function childOf(dir: MemfsInode, name: ByteString): Link | undefined {
  return dir.link!.children.get(toMemfs(name))
}

/** Whether a name can be given in a directory: memfs may have removed the directory without the layer's knowledge. */
function vacancy(dir: MemfsInode, name: ByteString): number {
  if (dir.detached) return -ENOENT
  return childOf(dir, name) === undefined ? 0 : -EEXIST
}
