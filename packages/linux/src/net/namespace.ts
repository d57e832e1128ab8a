/** Network namespaces (network_namespaces(7)): each has its own stack, and its own abstract names of UNIX sockets. */
import type { Clock } from '@vmexit/core'
import { NetStack } from '@vmexit/net'
import type { ByteString } from '@vmexit/vfs'
import { Namespace } from '../namespaces/namespace.ts'
import type { UserNamespace } from '../namespaces/user.ts'
import type { UnixEnd } from './unix/end.ts'

/** A socket that is open, as /proc/net lists it. */
export interface OpenSocket {
  readonly inode: number
  /** Whose it is. */
  readonly uid: number
  readonly family: number
}

/** One network: devices, addresses, routes, ports, names. */
export class NetNamespace extends Namespace {
  readonly kind = 'net'
  readonly owner: UserNamespace
  readonly stack: NetStack
  /** Abstract names of UNIX sockets, without the zero that they begin with. */
  readonly abstractNames: Map<ByteString, UnixEnd> = new Map()
  /** Where names that are given out go on. */
  nextAutomaticName = 1
  /** Sockets that programs have open. */
  readonly sockets: Set<OpenSocket> = new Set()
  /** The ports of netlink sockets in use. */
  readonly netlinkPorts: Set<number> = new Set()
  /** A process of it may open ports below this one only with privileges. */
  privilegedPorts = 1024

  /** `seed`: what its ports, sequence numbers and MAC addresses follow from. */
  constructor(owner: UserNamespace, isFirst: boolean, clock: Clock, seed: number) {
    super('net', owner.numbers, isFirst)
    this.owner = owner
    this.stack = new NetStack({ clock, seed })
  }
}
