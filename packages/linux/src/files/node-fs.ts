/** What /proc and /sys have in common: what they show is made of nodes, as somebody looks. */
import {
  type ByteString,
  type DirectoryVisitor,
  EntryType,
  Errno,
  FIRST_COOKIE,
  type FileOperations,
  type Inode,
  Mode,
  type Stat,
  type TimeSource,
} from '@vmexit/vfs'
import type { ProcDirectory, ProcFile, ProcNode } from '../proc/node.ts'
import { MemorylessFs } from './memoryless-fs.ts'

const TYPES = { directory: Mode.IFDIR, file: Mode.IFREG, link: Mode.IFLNK } as const
const ENTRY_TYPES = { directory: EntryType.DT_DIR, file: EntryType.DT_REG, link: EntryType.DT_LNK } as const
const PERMISSIONS = { directory: 0o555, file: 0o444, link: 0o777 } as const
const encoder = new TextEncoder()
/** What programs write begins with what they write, U+FEFF, too. */
const decoder = new TextDecoder('utf-8', { ignoreBOM: true })

/** Owner and permissions that somebody has set. */
export interface NodeAttributes {
  readonly uid: number
  readonly gid: number
  readonly permissions: number
}

/** A node as an inode. */
export class NodeInode implements Inode {
  readonly fs: NodeFs
  readonly ino: number
  readonly node: ProcNode
  readonly size: number
  readonly rdev = 0
  state: object | undefined = undefined
  /** What was changed of it, where its file system allows that. */
  changed: NodeAttributes | undefined
  readonly owner: ProcDirectory['owner']
  /** Inodes of its entries, as they were asked for. */
  readonly entries: WeakMap<ProcNode, NodeInode> = new WeakMap()

  constructor(fs: NodeFs, ino: number, node: ProcNode, parent?: NodeInode) {
    this.fs = fs
    this.owner = node.kind === 'directory' && node.owner !== undefined ? node.owner : parent?.owner
    this.ino = ino
    this.node = node
    this.size = node.kind === 'file' ? fs.fileBytes : 0
  }
  get uid(): number {
    return this.changed?.uid ?? this.owner?.().uid ?? 0
  }
  get gid(): number {
    return this.changed?.gid ?? this.owner?.().gid ?? 0
  }
  get mode(): number {
    const { node, changed } = this
    const stated = node.kind === 'link' ? undefined : node.mode
    return TYPES[node.kind] | (changed?.permissions ?? stated ?? PERMISSIONS[node.kind])
  }
  get nlink(): number {
    const { node } = this
    return node.kind === 'directory' ? 2 + (node.directories?.() ?? 0) : 1
  }
}

/** Cookies from here on are those of numbers. */
const NUMBERS = 2 ** 20
/** What has no other form, and a cookie that old programs take, too: devices of a network may have any name. */
const NUMBER = /^(0|[1-9][0-9]{0,8})$/

/**
 * Names with their cookies, in order: first those that are always there, then numbers, each of which has its place however others come and
 * go. Programs close descriptors while they list them.
 */
function placed(names: Iterable<string>): { name: string; place: number }[] {
  let others = FIRST_COOKIE
  return [...names]
    .map((name) => ({ name, place: NUMBER.test(name) ? NUMBERS + Number(name) : others++ }))
    .sort((a, b) => a.place - b.place)
}

/** A file system of nodes. Subclasses say which, and what can be changed. */
export abstract class NodeFs extends MemorylessFs {
  readonly root: NodeInode
  /** The size that its files seem to have. */
  readonly fileBytes: number
  readonly #time: TimeSource
  #nextInode = 1

  constructor(magic: number, root: ProcNode, time: TimeSource, fileBytes: number) {
    super(magic)
    this.fileBytes = fileBytes
    this.#time = time
    this.root = new NodeInode(this, this.#nextInode++, root)
  }

  override lookup(dir: Inode, name: ByteString): Inode | number {
    const parent = dir as NodeInode
    const { node } = parent
    const found = node.kind === 'directory' ? node.entry(name) : undefined
    if (found === undefined) return -Errno.ENOENT
    const known = parent.entries.get(found)
    if (known !== undefined) return known
    const inode = new NodeInode(this, this.#nextInode++, found, parent)
    parent.entries.set(found, inode)
    return inode
  }

  override readdir(dir: Inode, cookie: number, visitor: DirectoryVisitor): number {
    const { node } = dir as NodeInode
    if (node.kind !== 'directory') return -Errno.ENOTDIR
    for (const { name, place } of placed(node.names())) {
      if (place < cookie) continue
      const inode = this.lookup(dir, name)
      if (typeof inode === 'number') continue
      if (!visitor.entry(name, inode.ino, ENTRY_TYPES[(inode as NodeInode).node.kind], place + 1)) break
    }
    return 0
  }

  override readlink(inode: Inode): ByteString | number {
    const { node } = inode as NodeInode
    return node.kind === 'link' ? node.target() : -Errno.EINVAL
  }
  magicLink(inode: Inode): object | number | undefined {
    const { node } = inode as NodeInode
    return node.kind === 'link' ? node.place?.() : undefined
  }

  override open(inode: Inode, _flags: number): FileOperations | number {
    const { node } = inode as NodeInode
    return node.kind === 'file' ? new TextOperations(node) : 0
  }
  override getattr(inode: Inode, into: Stat): number {
    this.fill(inode, into, this.#time)
    into.size = inode.size
    return 0
  }
}

class TextOperations implements FileOperations {
  readonly seekable = true
  readonly #node: ProcFile
  #bytes: Uint8Array | undefined

  constructor(node: ProcFile) {
    this.#node = node
  }
  read(into: Uint8Array, start: number, length: number, position: number): number {
    // At the beginning it is made anew, so that a program may look again by seeking.
    if (position === 0 || this.#bytes === undefined) {
      const text = this.#node.text()
      if (typeof text === 'number') return text
      this.#bytes = typeof text === 'string' ? encoder.encode(text) : text
    }
    const piece = this.#bytes.subarray(position, position + length)
    into.set(piece, start)
    return piece.length
  }
  write(from: Uint8Array, start: number, length: number, position: number): number {
    if (this.#node.write === undefined) return -Errno.EIO
    const answer = this.#node.write(decoder.decode(from.slice(start, start + length)), position)
    return answer < 0 ? answer : length
  }
  release(): void {}
}
