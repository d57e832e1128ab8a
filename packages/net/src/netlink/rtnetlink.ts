/** rtnetlink(7) for one stack: what `ip` of busybox and of iproute2 asks, message by message. */
import { Errno } from '../errno.ts'
import { Message, Poll } from '../socket/constants.ts'
import type { NetStack } from '../stack.ts'
import { NetlinkFlag, type NetlinkMessage, NetlinkType, NetlinkWriter, readMessages } from './codec.ts'
import { changeLink, createLink, deleteLink, type FindNamespace, findLink, writeLink } from './links.ts'
import { Rtm } from './numbers.ts'
import {
  changeAddress,
  changeNeighbour,
  changeRoute,
  lookupRoute,
  writeAddress,
  writeNeighbour,
  writeRoute,
} from './routing.ts'

/** Bytes of a datagram of a dump (Linux's NLMSG_GOODSIZE, nearly). */
const datagramBytes = 4096

/** What a request may do. */
export interface RtnetlinkOptions {
  /** Whether the caller may change things (CAP_NET_ADMIN); true unless stated. */
  readonly mayChange?: boolean
  readonly namespace?: FindNamespace
  /** The port of the socket that asks, which answers carry. */
  readonly port?: number
}

/** Handles a datagram of requests; answers the datagrams of replies. */
export function rtnetlink(stack: NetStack, request: Uint8Array, options: RtnetlinkOptions = {}): Uint8Array[] {
  const { port = 0 } = options
  return readMessages(request).flatMap((message) => {
    if (!(message.flags & NetlinkFlag.request) || message.type < Rtm.newLink) return []
    const answer = handle(stack, message, options)
    if (typeof answer !== 'number') return answer
    return answer !== 0 || message.flags & NetlinkFlag.ack ? [errorMessage(message, answer, port)] : []
  })
}

/** A socket of family AF_NETLINK, protocol NETLINK_ROUTE. It joins no groups: nobody is told of changes. */
export class RtnetlinkSocket {
  /** Called when there is something to read. */
  wake: (() => void) | undefined
  readonly #stack: NetStack
  readonly #options: RtnetlinkOptions
  #replies: Uint8Array[] = []

  constructor(stack: NetStack, options: RtnetlinkOptions = {}) {
    this.#stack = stack
    this.#options = options
  }

  send(bytes: Uint8Array): number {
    this.#replies.push(...rtnetlink(this.#stack, bytes, this.#options))
    if (this.#replies.length > 0) this.wake?.()
    return bytes.length
  }

  /** Bytes of the next datagram, all of them with `Message.truncated` in `flags`; or −EAGAIN. */
  receive(into: Uint8Array, flags = 0): number {
    const next = this.#replies[0]
    if (next === undefined) return -Errno.EAGAIN
    if (!(flags & Message.peek)) this.#replies.shift()
    const size = Math.min(next.length, into.length)
    into.set(next.subarray(0, size))
    return flags & Message.truncated ? next.length : size
  }

  poll(): number {
    return this.#replies.length > 0 ? Poll.in | Poll.out : Poll.out
  }

  close(): void {
    this.#replies = []
    this.wake = undefined
  }
}

function handle(stack: NetStack, message: NetlinkMessage, options: RtnetlinkOptions): Uint8Array[] | number {
  const { type, flags, payload } = message
  const { mayChange = true, namespace = () => undefined, port = 0 } = options
  const isDump = (flags & NetlinkFlag.dump) === NetlinkFlag.dump
  switch (type) {
    case Rtm.getLink:
      return isDump ? dumpLinks(stack, message, port) : getLink(stack, message, port)
    case Rtm.getAddress:
      return dumpAddresses(stack, message, port)
    case Rtm.getRoute:
      return isDump ? dumpRoutes(stack, message, port) : getRoute(stack, message, port)
    case Rtm.getNeighbour:
      return dump(message, port, Rtm.newNeighbour, stack.ip.neighbours.all, writeNeighbour)
  }
  if (!mayChange) return -Errno.EPERM
  switch (type) {
    case Rtm.newLink:
    case Rtm.setLink: {
      const known = findLink(stack, payload)
      if (typeof known === 'number' && flags & NetlinkFlag.create) return createLink(stack, payload, namespace)
      if (typeof known !== 'number' && flags & NetlinkFlag.exclusive) return -Errno.EEXIST
      return changeLink(stack, payload, namespace)
    }
    case Rtm.delLink:
      return deleteLink(stack, payload)
    case Rtm.newAddress:
    case Rtm.delAddress:
      return changeAddress(stack, payload, type === Rtm.newAddress)
    case Rtm.newRoute:
    case Rtm.delRoute:
      return changeRoute(stack, payload, type === Rtm.newRoute, flags)
    case Rtm.newNeighbour:
    case Rtm.delNeighbour:
      return changeNeighbour(stack, payload, type === Rtm.newNeighbour)
    default:
      return -Errno.EOPNOTSUPP
  }
}

function dumpLinks(stack: NetStack, message: NetlinkMessage, port: number): Uint8Array[] {
  return dump(message, port, Rtm.newLink, stack.devices, writeLink)
}

function getLink(stack: NetStack, message: NetlinkMessage, port: number): Uint8Array[] | number {
  const device = findLink(stack, message.payload)
  if (typeof device === 'number') return device
  const writer = new NetlinkWriter()
  writeLink(writer, device)
  return [writer.message(Rtm.newLink, 0, message.sequence, port)]
}

function dumpAddresses(stack: NetStack, message: NetlinkMessage, port: number): Uint8Array[] {
  const all = stack.devices.flatMap((device) => device.addresses.map((entry) => ({ device, entry })))
  return dump(message, port, Rtm.newAddress, all, (writer, { device, entry }) => writeAddress(writer, device, entry))
}

function dumpRoutes(stack: NetStack, message: NetlinkMessage, port: number): Uint8Array[] {
  return dump(message, port, Rtm.newRoute, stack.ip.routes.listed, (writer, route) => writeRoute(writer, route))
}

function getRoute(stack: NetStack, message: NetlinkMessage, port: number): Uint8Array[] | number {
  const found = lookupRoute(stack, message.payload)
  if (typeof found === 'number') return found
  const writer = new NetlinkWriter()
  writeRoute(writer, found.route, found.host)
  return [writer.message(Rtm.newRoute, 0, message.sequence, port)]
}

/** One message for each, as many in a datagram as fit, and a last one that says so. */
function dump<T>(
  { sequence }: NetlinkMessage,
  port: number,
  type: number,
  all: readonly T[],
  write: (writer: NetlinkWriter, one: T) => void,
): Uint8Array[] {
  const datagrams: Uint8Array[] = []
  let parts: Uint8Array[] = []
  let size = 0
  const flush = () => {
    if (parts.length > 0) datagrams.push(joined(parts, size))
    parts = []
    size = 0
  }
  for (const one of all) {
    const writer = new NetlinkWriter()
    write(writer, one)
    const message = writer.message(type, NetlinkFlag.multi, sequence, port)
    if (size + message.length > datagramBytes) flush()
    parts.push(message)
    size += message.length
  }
  flush()
  datagrams.push(new NetlinkWriter().u32(0).message(NetlinkType.done, NetlinkFlag.multi, sequence, port))
  return datagrams
}

/** NLMSG_ERROR: the error, negated, or 0, and the request it is about. */
function errorMessage({ bytes, sequence }: NetlinkMessage, error: number, port: number): Uint8Array {
  const about = error === 0 ? bytes.subarray(0, 16) : bytes
  return new NetlinkWriter()
    .u32(error >>> 0)
    .bytes(about)
    .message(NetlinkType.error, 0, sequence, port)
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  const bytes = new Uint8Array(size)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
