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

/** What a namespace is made with. */
export interface NetOptions {
  readonly clock: Clock
  /** What its ports, sequence numbers and MAC addresses follow from. */
  readonly seed: number
  /** Whether its loopback device is up from the start. */
  readonly loopback: boolean
}

/** One network: devices, addresses, routes, ports, names. Tasks and open sockets are in it. */
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

  constructor(owner: UserNamespace, options: NetOptions, isFirst = false) {
    super('net', owner.numbers, isFirst)
    this.owner = owner
    this.stack = new NetStack(options)
  }

  /** Its veth devices go, and with each the other end. */
  protected override end(): void {
    for (const device of this.stack.devices) if (device.peer !== undefined) this.stack.deleteDevice(device)
  }
}
