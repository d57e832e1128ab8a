/**
 * File data in nodes of memfs, which keep it in one buffer each.
 *
 * A hole at the end of a file that is larger than `denseHoleBytes` is not filled with zeros: the size is kept beside the
 * node, and memfs sees the file up to where the hole begins.
 */
import { Errno } from '../errno.ts'
import { Fallocate, Seek } from '../flags.ts'
import type { MemfsInode } from './inode.ts'
import type { Node } from './parts.ts'
import type { Now } from './times.ts'

/** Larger holes at the end of a file take no memory. */
const denseHoleBytes = 1 << 24

/** The most bytes that a node is made to hold. */
const heldLimit = 2 ** 30

const { ENOSPC, ENXIO, EOPNOTSUPP } = Errno

type Buffer = Node['buf']

/** Reads and writes the files of one volume. */
export class NodeData {
  readonly #now: Now

  constructor(now: Now) {
    this.#now = now
  }

  read(inode: MemfsInode, into: Uint8Array, start: number, length: number, position: number): number {
    const count = Math.min(length, inode.size - position)
    if (count <= 0) return 0
    const held = Math.max(Math.min(count, inode.node.getSize() - position), 0)
    if (held > 0) into.set(inode.node.buf.subarray(position, position + held), start)
    if (held < count) into.fill(0, start + held, start + count)
    return count
  }

  write(inode: MemfsInode, from: Uint8Array, start: number, length: number, position: number): number {
    if (length === 0) return 0
    const count = Math.min(length, heldLimit - position)
    if (count <= 0) return -ENOSPC
    const { node, size } = inode
    if (position + count <= node.getSize()) node.buf.set(from.subarray(start, start + count), position)
    else if (!fits(() => node.write(bufferOf(node, from), start, count, position))) return -ENOSPC
    this.#sized(inode, size)
    inode.modified(this.#now.read())
    return count
  }

  truncate(inode: MemfsInode, size: number): number {
    const { node } = inode
    const held = node.getSize()
    if (size <= held || size - held <= denseHoleBytes) {
      if (size > heldLimit || !fits(() => node.truncate(size))) return -ENOSPC
    }
    this.#sized(inode, size)
    inode.modified(this.#now.read())
    return 0
  }

  fallocate(inode: MemfsInode, mode: number, offset: number, length: number): number {
    const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_ZERO_RANGE } = Fallocate
    const end = offset + length
    const what = mode & ~FALLOC_FL_KEEP_SIZE
    const keepsSize = (mode & FALLOC_FL_KEEP_SIZE) !== 0
    if (what !== 0 && what !== FALLOC_FL_ZERO_RANGE && !(what === FALLOC_FL_PUNCH_HOLE && keepsSize)) return -EOPNOTSUPP
    const { size, node } = inode
    if (!keepsSize && end > size) {
      if (end > heldLimit || !fits(() => node.truncate(end))) return -ENOSPC
      this.#sized(inode, end)
    }
    if (what === 0) {
      inode.changed(this.#now.read())
      return 0
    }
    const held = node.getSize()
    if (offset < held) node.buf.fill(0, offset, Math.min(end, held))
    inode.modified(this.#now.read())
    return 0
  }

  /** All that memfs holds counts as data. */
  seek(inode: MemfsInode, offset: number, whence: number): number {
    const { size } = inode
    if (offset >= size) return -ENXIO
    const held = inode.node.getSize()
    if (whence === Seek.SEEK_DATA) return offset < held ? offset : -ENXIO
    return Math.max(held, offset)
  }

  /** The file has this size, of which memfs may hold the first part only. */
  #sized(inode: MemfsInode, size: number): void {
    inode.heldBytes = inode.node.getSize()
    inode.longSize = size
  }
}

/** A view as what memfs takes: the `Buffer` of its own making, which in browsers is a package. */
function bufferOf(node: Node, { buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  const kind = node.buf.constructor as unknown as {
    from(buffer: ArrayBufferLike, offset: number, length: number): Buffer
  }
  return kind.from(buffer, byteOffset, byteLength)
}

/** Whether there was memory for it. */
function fits(attempt: () => void): boolean {
  try {
    attempt()
    return true
  } catch (error) {
    if (error instanceof RangeError) return false
    throw error
  }
}
