/// <reference types="node" />
/**
 * Where the entries of a volume's directories are, as paths for Node, which has no `openat`.
 *
 * On Linux a directory is held by a descriptor (`O_PATH`), and its entry is `/proc/self/fd/N/name`: the link leads to the directory that
 * is held, wherever it has been moved to, so that only the last name is looked up, and nothing that others put in
 * the place of a directory on the way is followed. Elsewhere it is the path of names, of which each directory is looked at before.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync } from 'node:fs'
import { Errno } from '../errno.ts'
import type { ByteString } from '../names.ts'
import { answerOf, hostPath, lstat } from './host-calls.ts'
import type { VolumeInode } from './volume-inode.ts'

/** Node has no constant for it: linux/fcntl.h, the same on x86 and ARM. */
const O_PATH = 0o10000000
const flags = O_PATH | (constants.O_DIRECTORY ?? 0) | (constants.O_NOFOLLOW ?? 0)

/** Whether descriptors are paths here. */
function hasDescriptorPaths(): boolean {
  if (process.platform !== 'linux') return false
  return lstatSync('/proc/self/fd/0', { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** Directories of a volume, by descriptors where there are such paths. */
export class Anchors {
  readonly #rootPath: ByteString
  readonly #limit: number
  readonly #isByDescriptor = hasDescriptorPaths()
  /** In the order of their last use; the root's is not among them. */
  readonly #open = new Map<VolumeInode, number>()
  readonly #root: number

  constructor(rootPath: ByteString, limit: number) {
    this.#rootPath = rootPath
    this.#limit = limit
    this.#root = this.#isByDescriptor ? openSync(hostPath(rootPath), flags) : -1
  }

  /** A new call begins: descriptors beyond the limit that have rested longest are closed. Within a call none is. */
  trim(): void {
    for (const [inode, descriptor] of this.#open) {
      if (this.#open.size <= this.#limit) return
      this.#open.delete(inode)
      closeSync(descriptor)
    }
  }

  /** The path of a directory itself; ESTALE where it is no longer where it was. */
  directory(dir: VolumeInode): ByteString | number {
    if (this.#isByDescriptor) {
      const descriptor = this.#get(dir)
      return descriptor < 0 ? descriptor : `/proc/self/fd/${descriptor}`
    }
    let path = this.#rootPath
    const way = wayTo(dir, () => false)
    if (way === undefined) return -Errno.ESTALE
    for (const step of way.toReversed()) {
      path = `${path}/${step.path}`
      const stats = lstat(path)
      if (typeof stats === 'number' || !step.is(stats)) return -Errno.ESTALE
    }
    return path
  }

  /** The path of an entry, which is not to be followed. */
  entry(dir: VolumeInode, name: ByteString): ByteString | number {
    const path = this.directory(dir)
    return typeof path === 'number' ? path : `${path}/${name}`
  }

  /** A directory has gone: it is not held any more. */
  drop(dir: VolumeInode): void {
    const descriptor = this.#open.get(dir)
    if (descriptor === undefined) return
    this.#open.delete(dir)
    closeSync(descriptor)
  }

  close(): void {
    for (const dir of [...this.#open.keys()]) this.drop(dir)
    if (this.#root >= 0) closeSync(this.#root)
  }

  #get(dir: VolumeInode): number {
    const way = wayTo(dir, (one) => this.#open.has(one))
    if (way === undefined) return -Errno.ESTALE
    const from = way.length === 0 ? dir : way.at(-1)!.parent!
    let descriptor = this.#descriptorOf(from)
    for (let n = way.length - 1; n >= 0; n--) {
      const step = way[n]!
      const below = openDirectory(`/proc/self/fd/${descriptor}/${step.path}`, step)
      // What is far above is needed on the way alone.
      if (n + 1 < way.length && n + 1 >= this.#limit) closeSync(descriptor)
      if (below < 0) return below
      if (n < this.#limit) this.#open.set(step, below)
      descriptor = below
    }
    return descriptor
  }

  /** Of a directory that is held, which is used now. */
  #descriptorOf(dir: VolumeInode): number {
    const descriptor = this.#open.get(dir)
    if (descriptor === undefined) return this.#root
    this.#open.delete(dir)
    this.#open.set(dir, descriptor)
    return descriptor
  }
}

/** Longer ways are none: those who move directories while they are looked at may make rings of what was seen at different times. */
const LONGEST_WAY = 1 << 16

/** The directories from one up to below the root, or below the first for which it may end. */
function wayTo(dir: VolumeInode, ends: (at: VolumeInode) => boolean): VolumeInode[] | undefined {
  const way: VolumeInode[] = []
  for (let at = dir; at.parent !== null && !ends(at); at = at.parent) {
    if (way.length === LONGEST_WAY) return undefined
    way.push(at)
  }
  return way
}

function openDirectory(path: ByteString, dir: VolumeInode): number {
  let descriptor: number
  try {
    descriptor = openSync(hostPath(path), flags)
  } catch (error) {
    const answer = answerOf(error)
    return answer === -Errno.EACCES || answer === -Errno.EMFILE || answer === -Errno.ENFILE ? answer : -Errno.ESTALE
  }
  if (dir.is(fstatSync(descriptor, { bigint: true }))) return descriptor
  closeSync(descriptor)
  return -Errno.ESTALE
}
