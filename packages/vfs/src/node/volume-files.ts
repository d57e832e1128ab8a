/// <reference types="node" />
/** Open files of a volume: those that rest are closed beyond a limit, and found again by their names; nameless ones are kept. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Errno } from '../errno.ts'
import type { ByteString } from '../names.ts'
import { answerOf, hostPath } from './host-calls.ts'
import type { VolumeInode } from './volume-inode.ts'

const { O_RDONLY, O_RDWR, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants
const careful = O_NOFOLLOW | O_NONBLOCK

interface OpenFile {
  readonly descriptor: number
  readonly isWritable: boolean
}

/** Descriptors of regular files, by inode. */
export class VolumeFiles {
  readonly #limit: number
  readonly #isReadOnly: boolean
  readonly #pathOf: (inode: VolumeInode) => ByteString | number
  readonly #open = new Map<VolumeInode, OpenFile>()

  constructor(limit: number, isReadOnly: boolean, pathOf: (inode: VolumeInode) => ByteString | number) {
    this.#limit = limit
    this.#isReadOnly = isReadOnly
    this.#pathOf = pathOf
  }

  /** The descriptor of a file, if it has one. */
  peek(inode: VolumeInode): number | undefined {
    return this.#open.get(inode)?.descriptor
  }

  /** A descriptor of a file. ESTALE where something else has come to its place; EACCES and EROFS as the host says. */
  get(inode: VolumeInode, isWriting: boolean): number {
    const open = this.#open.get(inode)
    if (open !== undefined && (open.isWritable || !isWriting)) {
      this.#open.delete(inode)
      this.#open.set(inode, open)
      return open.descriptor
    }
    if (inode.isNameless) return open === undefined ? -Errno.ESTALE : -Errno.EACCES
    const path = this.#pathOf(inode)
    if (typeof path === 'number') return path
    let isWritable = !this.#isReadOnly
    let descriptor = isWritable ? openAs(inode, path, O_RDWR) : -Errno.EROFS
    if (descriptor < 0 && !isWriting && descriptor !== -Errno.ESTALE) {
      isWritable = false
      descriptor = openAs(inode, path, O_RDONLY)
    }
    if (descriptor < 0) return descriptor
    this.add(inode, descriptor, isWritable)
    return descriptor
  }

  /** A file has been opened otherwise. */
  add(inode: VolumeInode, descriptor: number, isWritable: boolean): void {
    this.close(inode)
    for (const each of this.#open.keys()) {
      if (this.#open.size < this.#limit) break
      if (!each.isNameless) this.close(each)
    }
    this.#open.set(inode, { descriptor, isWritable })
  }

  close(inode: VolumeInode): void {
    const open = this.#open.get(inode)
    if (open === undefined) return
    this.#open.delete(inode)
    closeSync(open.descriptor)
  }

  closeAll(): void {
    for (const inode of [...this.#open.keys()]) this.close(inode)
  }
}

function openAs(inode: VolumeInode, path: ByteString, access: number): number {
  let descriptor: number
  try {
    descriptor = openSync(hostPath(path), access | careful)
  } catch (error) {
    const answer = answerOf(error)
    return answer === -Errno.ENOENT || answer === -Errno.ELOOP || answer === -Errno.ENOTDIR ? -Errno.ESTALE : answer
  }
  if (inode.is(fstatSync(descriptor, { bigint: true }))) return descriptor
  closeSync(descriptor)
  return -Errno.ESTALE
}
