/** Requests of netdevice(7) and of sockets, as `ifconfig`, `route`, `brctl` and `udhcpc` make them: `struct ifreq`, `ifconf`, `rtentry` of i386. */
import {
  type Ipv4,
  interfaceList,
  interfaceName,
  interfaceRequest,
  type NetStack,
  routeRequest,
  Sioc,
} from '@vmexit/net'
import { type ByteString, bytesOf } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { UserMemory } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import { readInet, readMac, writeInet, writeMac } from './addresses.ts'
import { Family } from './constants.ts'
import type { NetNamespace } from './namespace.ts'
import { mayAdminister } from './privilege.ts'

// biome-ignore format: a table
const Request = {
  FIONREAD: 0x541b, TIOCOUTQ: 0x5411, SIOCATMARK: 0x8905, SIOCADDRT: 0x890b, SIOCDELRT: 0x890c, SIOCGIFCONF: 0x8912,
  SIOCGIFMAP: 0x8970, SIOCBRADDBR: 0x89a0, SIOCBRDELBR: 0x89a1,
} as const
/** SIOCDEVPRIVATE. */
const PRIVATE = 0x89f0
const NAME_BYTES = 16
/** `struct ifreq`: a name, and 16 bytes. */
const REQUEST_BYTES = 32
const ETHERNET = 1
const LOOPBACK = 772

/** What a request gives and takes, behind the name. */
type Kind = 'address' | 'number' | 'short' | 'mac'
const KINDS: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [Sioc.getFlags, 'short'],
  [Sioc.setFlags, 'short'],
  ...[Sioc.getAddress, Sioc.setAddress, Sioc.getPeer, Sioc.getBroadcast, Sioc.setBroadcast].map(
    (request) => [request, 'address'] as const,
  ),
  ...[Sioc.getNetmask, Sioc.setNetmask].map((request) => [request, 'address'] as const),
  ...[Sioc.getMetric, Sioc.getMtu, Sioc.setMtu, Sioc.getIndex].map((request) => [request, 'number'] as const),
  ...[Sioc.getTxQueueLength, Sioc.setTxQueueLength].map((request) => [request, 'number'] as const),
  ...[Sioc.addToBridge, Sioc.deleteFromBridge].map((request) => [request, 'number'] as const),
  [Sioc.getMac, 'mac'],
  [Sioc.setMac, 'mac'],
])
const SETS: ReadonlySet<number> = new Set([
  ...[Sioc.setFlags, Sioc.setAddress, Sioc.setBroadcast, Sioc.setNetmask, Sioc.setMtu, Sioc.setMac],
  ...[Sioc.setTxQueueLength, Sioc.addToBridge, Sioc.deleteFromBridge],
])

/** What a socket says about itself and its queues; a negated error number where it does not. */
export interface Measured {
  readonly namespace: NetNamespace
  /** Bytes that can be read. */
  readonly readable: number
  /** Bytes that were sent and have not arrived. */
  readonly unsent: number
  /** Whether the urgent byte is the next one. */
  readonly atMark: number
}

/** ioctl(2) of a socket. @throws BAD_ADDRESS. */
export function socketIoctl(task: Task, socket: Measured, request: number, argument: number): number {
  const { memory } = task.kernel
  const { stack } = socket.namespace
  switch (request) {
    case Request.FIONREAD:
      return put(memory, argument, socket.readable)
    case Request.TIOCOUTQ:
      return put(memory, argument, socket.unsent)
    case Request.SIOCATMARK:
      return put(memory, argument, socket.atMark)
    case Request.SIOCGIFCONF:
      return interfaces(memory, stack, argument)
    case Request.SIOCADDRT:
    case Request.SIOCDELRT:
      return mayAdminister(task, socket.namespace)
        ? route(memory, stack, request === Request.SIOCADDRT, argument)
        : -Errno.EPERM
    case Request.SIOCGIFMAP: {
      if (stack.device(nameAt(memory, argument)) === undefined) return -Errno.ENODEV
      // No device lies anywhere in memory.
      memory.write(argument + NAME_BYTES, new Uint8Array(NAME_BYTES))
      return 0
    }
    case Request.SIOCBRADDBR:
    case Request.SIOCBRDELBR:
      if (!mayAdminister(task, socket.namespace)) return -Errno.EPERM
      return interfaceRequest(stack, request, nameAt(memory, argument))
    case Sioc.getName: {
      const name = interfaceName(stack, memory.get32(argument + NAME_BYTES) | 0)
      if (typeof name === 'number') return name
      memory.write(argument, nameBytes(name))
      return 0
    }
    default:
      // (Requests that drivers of devices have for themselves: there is none that has any.)
      if (request >= PRIVATE && request < PRIVATE + 16)
        return stack.device(nameAt(memory, argument)) === undefined ? -Errno.ENODEV : -Errno.EOPNOTSUPP
      return device(task, socket.namespace, request, argument)
  }
}

function put(memory: UserMemory, at: number, value: number): number {
  if (value < 0) return value
  memory.set32(at, value)
  return 0
}

/** A request about one device. */
function device(task: Task, namespace: NetNamespace, request: number, at: number): number {
  const kind = KINDS.get(request)
  if (kind === undefined) return -Errno.ENOTTY
  const { memory } = task.kernel
  const { stack } = namespace
  const bytes = new Uint8Array(REQUEST_BYTES)
  memory.read(at, bytes)
  const sets = SETS.has(request)
  if (sets && !mayAdminister(task, namespace)) return -Errno.EPERM
  const name = nameIn(bytes)
  if (!sets) memory.check(at, REQUEST_BYTES)
  const answer = interfaceRequest(stack, request, name, sets ? valueIn(bytes, kind) : 0)
  if (answer < 0 || sets) return answer
  const hardware = stack.device(name.split(':')[0]!)?.kind === 'loopback' ? LOOPBACK : ETHERNET
  fill(bytes, kind, answer, hardware)
  memory.write(at, bytes)
  return 0
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

function valueIn(bytes: Uint8Array, kind: Kind): number {
  if (kind === 'short') return viewOf(bytes).getUint16(NAME_BYTES, true)
  if (kind === 'number') return viewOf(bytes).getInt32(NAME_BYTES, true)
  if (kind === 'mac') return readMac(bytes, NAME_BYTES + 2)
  return readInet(bytes.subarray(NAME_BYTES))!.address
}
function fill(bytes: Uint8Array, kind: Kind, value: number, hardware: number): void {
  bytes.fill(0, NAME_BYTES)
  if (kind === 'short') viewOf(bytes).setUint16(NAME_BYTES, value, true)
  else if (kind === 'number') viewOf(bytes).setInt32(NAME_BYTES, value, true)
  else if (kind === 'mac') {
    viewOf(bytes).setUint16(NAME_BYTES, hardware, true)
    writeMac(bytes, NAME_BYTES + 2, value)
  } else bytes.set(writeInet({ address: value, port: 0 }), NAME_BYTES)
}

function nameIn(bytes: Uint8Array): string {
  const end = bytes.subarray(0, NAME_BYTES - 1).indexOf(0)
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? NAME_BYTES - 1 : end))
}
function nameAt(memory: UserMemory, at: number): string {
  const bytes = new Uint8Array(NAME_BYTES)
  memory.read(at, bytes)
  return nameIn(bytes)
}
function nameBytes(name: ByteString): Uint8Array {
  const bytes = new Uint8Array(NAME_BYTES)
  bytes.set(bytesOf(name.slice(0, NAME_BYTES - 1)))
  return bytes
}

/** SIOCGIFCONF: `struct ifconf` says how many bytes there are and where; without a place, how many there would be. */
function interfaces(memory: UserMemory, stack: NetStack, at: number): number {
  const room = memory.get32(at) | 0
  const into = memory.get32(at + 4)
  const all = interfaceList(stack)
  memory.check(at, 4)
  if (into === 0) return put(memory, at, all.length * REQUEST_BYTES)
  const count = Math.min(all.length, Math.max(0, Math.floor(room / REQUEST_BYTES)))
  memory.check(into, count * REQUEST_BYTES)
  for (const [n, { name, address }] of all.slice(0, count).entries()) {
    const bytes = new Uint8Array(REQUEST_BYTES)
    bytes.set(nameBytes(name))
    bytes.set(writeInet({ address, port: 0 }), NAME_BYTES)
    memory.write(into + n * REQUEST_BYTES, bytes)
  }
  return put(memory, at, count * REQUEST_BYTES)
}

/** `struct rtentry`: 84 bytes. */
const Entry = { BYTES: 84, DESTINATION: 4, GATEWAY: 20, MASK: 36, FLAGS: 52, METRIC: 64, DEVICE: 68 } as const
const RTF_GATEWAY = 2
const RTF_HOST = 4

function route(memory: UserMemory, stack: NetStack, isAdded: boolean, at: number): number {
  const bytes = new Uint8Array(Entry.BYTES)
  memory.read(at, bytes)
  const view = viewOf(bytes)
  const addressAt = (offset: number): Ipv4 => readInet(bytes.subarray(offset))!.address
  if (view.getUint16(Entry.DESTINATION, true) !== Family.INET) return -Errno.EAFNOSUPPORT
  const flags = view.getUint16(Entry.FLAGS, true)
  const name = view.getUint32(Entry.DEVICE, true)
  return routeRequest(stack, isAdded, {
    destination: addressAt(Entry.DESTINATION),
    netmask: (flags & RTF_HOST) !== 0 ? 0xffff_ffff : addressAt(Entry.MASK),
    gateway: (flags & RTF_GATEWAY) !== 0 ? addressAt(Entry.GATEWAY) : undefined,
    metric: Math.max(0, view.getInt16(Entry.METRIC, true) - 1),
    device: name === 0 ? undefined : nameAt(memory, name),
  })
}
