/** What of the network is the whole kernel's: its clock, UNIX sockets by inode, descriptors on their way. */
import type { Clock } from '@vmexit/core'
import type { Inode } from '@vmexit/vfs'
import type { UserNamespace } from '../namespaces/user.ts'
import { clockOf, type TimeOfKernel } from './clock.ts'
import { NetNamespace, type NetOptions } from './namespace.ts'
import type { UnixEnd } from './unix/end.ts'
import { Rights } from './unix/rights.ts'

/** Sockets that one kernel has at most, whoever they belong to: they are the host's memory. */
const MOST_SOCKETS = 65_536
/** Bytes of a stream that are moved at once. */
export const PIECE = 65_536

/** The network of a kernel. */
export class Network {
  readonly clock: Clock
  /** UNIX sockets that are bound to a path. */
  readonly byInode: WeakMap<Inode, UnixEnd> = new WeakMap()
  readonly rights: Rights = new Rights()
  /** What is on its way between programs and sockets, in one call. */
  readonly buffer: Uint8Array = new Uint8Array(PIECE)
  readonly #seed: number
  #namespaces = 0
  #sockets = 0

  constructor(kernel: TimeOfKernel, seed: number) {
    this.clock = clockOf(kernel)
    this.#seed = seed
  }

  #options(loopback: boolean): NetOptions {
    return { clock: this.clock, seed: (this.#seed * 0x9e37_79b1 + this.#namespaces++) >>> 0, loopback }
  }

  /**
   * A namespace that belongs to a user namespace, made from outside: its loopback device is up, and it stays though no
   * program is in it.
   */
  newNamespace(owner: UserNamespace, isFirst = false): NetNamespace {
    const namespace = new NetNamespace(owner, this.#options(true), isFirst)
    namespace.enter()
    return namespace
  }

  /** One that programs have made, by unshare(2): its loopback device is down. */
  separateNamespace(owner: UserNamespace): NetNamespace {
    return new NetNamespace(owner, this.#options(false))
  }

  /** Counts a socket: false where there are too many. */
  admit(): boolean {
    if (this.#sockets >= MOST_SOCKETS) return false
    this.#sockets++
    return true
  }
  /** A socket is gone. */
  dismiss(): void {
    this.#sockets--
  }
  /** Sockets that there are. */
  get sockets(): number {
    return this.#sockets
  }
}
