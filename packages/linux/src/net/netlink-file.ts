/** Sockets of family AF_NETLINK, protocol NETLINK_ROUTE (netlink(7), rtnetlink(7)): `ip` asks and sets devices, addresses and routes by them. */
import { type Account, Poll, rtnetlink } from '@vmexit/net'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { shownPid } from '../tasks/numbers.ts'
import { familyOf, readNetlink, writeNetlink } from './addresses.ts'
import { buffersOf } from './buffer-account.ts'
import { Family, Level, Msg, Option, Type } from './constants.ts'
import { mayAdminister } from './privilege.ts'
import { admit, numberOf, numbers, type ReceivedWith, type SentWith, SocketFile } from './socket-file.ts'

const NETLINK_ROUTE = 0
const PROTOCOLS = 32
const BUFFER = 212_992
/** Bytes of one datagram of requests, and of replies that wait: further requests find no room. */
const LARGEST = 32_768
const MOST_WAITING = 1 << 20
/** Options of level SOL_NETLINK that change nothing here: who has no groups is told of nothing. */
const KEPT: readonly number[] = [1, 2, 3, 4, 5, 10, 11, 12]

/** A netlink socket. It may join groups, but nobody is told of changes. */
export class NetlinkFile extends SocketFile {
  readonly family: number = Family.NETLINK
  readonly type: number
  readonly protocol: number = NETLINK_ROUTE
  readonly isStream = false
  readonly signals = false
  readonly largest: number = LARGEST
  port = 0
  groups = 0
  #peer: { port: number; groups: number } = { port: 0, groups: 0 }
  #replies: Uint8Array[] = []
  #waiting = 0
  readonly #account: Account

  constructor(task: Task, type: number, flags: number) {
    super(task, task.ns.net, flags)
    this.type = type
    this.#account = buffersOf(task.process.account)
  }

  static open(task: Task, type: number, protocol: number, flags: number): NetlinkFile | number {
    if (type !== Type.RAW && type !== Type.DGRAM) return -Errno.ESOCKTNOSUPPORT
    if (protocol < 0 || protocol >= PROTOCOLS || protocol !== NETLINK_ROUTE) return -Errno.EPROTONOSUPPORT
    const admitted = admit(task)
    return admitted < 0 ? admitted : new NetlinkFile(task, type, flags)
  }

  bind(task: Task, address: Uint8Array): number {
    const to = readNetlink(address)
    if (to === undefined || familyOf(address) !== Family.NETLINK) return -Errno.EINVAL
    if (this.port !== 0 && to.port !== this.port) return -Errno.EINVAL
    const bound = this.port === 0 ? this.#take(task, to.port) : 0
    if (bound === 0) this.groups = to.groups
    return bound
  }

  /** Has a port: the one that is wanted, or the process's number, or another one. */
  #take(task: Task, wanted: number): number {
    const { netlinkPorts } = this.namespace
    let port = wanted === 0 ? shownPid(task, task.process.pid) : wanted
    if (netlinkPorts.has(port)) {
      if (wanted !== 0) return -Errno.EADDRINUSE
      for (port = 0xffff_f000; netlinkPorts.has(port); ) port--
    }
    netlinkPorts.add(port)
    this.port = port
    return 0
  }

  connect(task: Task, address: Uint8Array): number {
    const family = familyOf(address)
    if (family === undefined) return -Errno.EINVAL
    if (family === Family.UNSPEC) {
      this.#peer = { port: 0, groups: 0 }
      return 0
    }
    const to = readNetlink(address)
    if (to === undefined || family !== Family.NETLINK) return -Errno.EINVAL
    if ((to.port !== 0 || to.groups !== 0) && !mayAdminister(task, this.namespace)) return -Errno.EPERM
    this.#peer = to
    return this.port === 0 ? this.#take(task, 0) : 0
  }
  localAddress(): Uint8Array {
    return writeNetlink(this.port, this.groups)
  }
  peerAddress(): Uint8Array {
    return writeNetlink(this.#peer.port, this.#peer.groups)
  }

  send(task: Task, bytes: Uint8Array, { to, flags }: SentWith): number {
    if ((flags & Msg.OOB) !== 0) return -Errno.EOPNOTSUPP
    const target = to === undefined ? this.#peer : readNetlink(to)
    if (target === undefined || (to !== undefined && familyOf(to) !== Family.NETLINK)) return -Errno.EINVAL
    if (target.groups !== 0 && !mayAdminister(task, this.namespace)) return -Errno.EPERM
    // Only the kernel is at the other end.
    if (target.port !== 0) return -Errno.ECONNREFUSED
    if (this.port === 0) this.#take(task, 0)
    if (this.#waiting > MOST_WAITING) return -Errno.ENOBUFS
    const { port } = this
    const replies = rtnetlink(this.namespace.stack, bytes, { port, mayChange: mayAdminister(task, this.namespace) })
    const size = replies.reduce((sum, reply) => sum + reply.length, 0)
    if (!this.#account.charge(size)) return -Errno.ENOBUFS
    this.#waiting += size
    this.#replies.push(...replies)
    if (replies.length > 0) this.woken()
    return bytes.length
  }

  get next(): number {
    return this.#replies[0]?.length ?? 0
  }
  receive(into: Uint8Array, flags: number, message: ReceivedWith): number {
    const first = this.#replies[0]
    if (first === undefined) return -Errno.EAGAIN
    const size = Math.min(into.length, first.length)
    into.set(first.subarray(0, size))
    message.size = first.length
    message.from = writeNetlink(0, 0)
    if ((flags & Msg.PEEK) !== 0) return size
    this.#replies.shift()
    this.#waiting -= first.length
    this.#account.release(first.length)
    return size
  }
  shutdown(): number {
    return -Errno.EOPNOTSUPP
  }
  protected pollBits(): number {
    return this.#replies.length > 0 ? Poll.in | Poll.out : Poll.out
  }
  protected closeSocket(): void {
    this.#account.release(this.#waiting)
    this.#replies = []
    this.namespace.netlinkPorts.delete(this.port)
  }

  protected getOwnOption(level: number, option: number): Uint8Array | number {
    if (level === Level.NETLINK) return KEPT.includes(option) ? this.getPlain(option) : -Errno.ENOPROTOOPT
    if (level !== Level.SOCKET) return -Errno.ENOPROTOOPT
    if (option === Option.SNDBUF || option === Option.RCVBUF) return this.getPlain(option) || BUFFER
    if (option === Option.LINGER) return numbers(0, 0)
    return option === Option.ERROR || option === Option.ACCEPTCONN ? 0 : -Errno.ENOPROTOOPT
  }
  protected setOwnOption(task: Task, level: number, option: number, value: Uint8Array): number {
    const number = numberOf(value)
    if (level === Level.NETLINK) return KEPT.includes(option) ? this.setPlain(option, number ?? 0) : -Errno.ENOPROTOOPT
    if (level !== Level.SOCKET) return -Errno.ENOPROTOOPT
    if (number === undefined) return -Errno.EINVAL
    const isForced = option === Option.SNDBUFFORCE || option === Option.RCVBUFFORCE
    if (isForced && !mayAdminister(task, this.namespace)) return -Errno.EPERM
    if (option === Option.SNDBUF || option === Option.RCVBUF)
      return this.setPlain(option, Math.max(2304, Math.min(number >>> 0, BUFFER) * 2))
    return isForced || option === Option.PASSCRED ? 0 : -Errno.ENOPROTOOPT
  }
}
