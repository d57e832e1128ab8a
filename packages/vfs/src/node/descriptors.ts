/// <reference types="node" />
/** Open files of the host: a bounded number, the one that has rested longest closed first. */
import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { Errno } from '../errno.ts'
import { answerOf, hostPath } from './host-calls.ts'
import type { HostInode } from './host-inode.ts'

/** `O_NOFOLLOW` and `O_NONBLOCK` are not there on Windows. */
const flags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** Descriptors of regular files, by inode. */
export class Descriptors {
  readonly #limit: number
  /** In the order of their last use. */
  readonly #open = new Map<HostInode, number>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get count(): number {
    return this.#open.size
  }

  /** The descriptor of a file, if it has one. */
  peek(inode: HostInode): number | undefined {
    return this.#open.get(inode)
  }

  /** A descriptor of a file. ESTALE where something else has come to its path. */
  get(inode: HostInode): number {
    let descriptor = this.#open.get(inode)
    if (descriptor === undefined) {
      descriptor = openFile(inode)
      if (descriptor < 0) return descriptor
      if (this.#open.size >= this.#limit) this.close(this.#open.keys().next().value!)
    } else this.#open.delete(inode)
    this.#open.set(inode, descriptor)
    return descriptor
  }

  close(inode: HostInode): void {
    const descriptor = this.#open.get(inode)
    if (descriptor === undefined) return
    this.#open.delete(inode)
    closeSync(descriptor)
  }

  closeAll(): void {
    for (const inode of [...this.#open.keys()]) this.close(inode)
  }
}

function openFile(inode: HostInode): number {
  let descriptor: number
  try {
    descriptor = openSync(hostPath(inode.path), flags)
  } catch (error) {
    const answer = answerOf(error)
    return answer === -Errno.ENOENT || answer === -Errno.ELOOP || answer === -Errno.ENOTDIR ? -Errno.ESTALE : answer
  }
  if (inode.is(fstatSync(descriptor, { bigint: true }))) return descriptor
  closeSync(descriptor)
  return -Errno.ESTALE
}
