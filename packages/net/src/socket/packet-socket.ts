/** Packet sockets (packet(7)): frames as they pass devices. DHCP clients and tcpdump live on them. */
import type { Account } from '../account.ts'
import { get16 } from '../bytes.ts'
import { Errno } from '../errno.ts'
import type { Interfaces } from '../ip/interfaces.ts'
import type { NetDevice } from '../link/device.ts'
import { broadcastMac, etherHeader, getMac, isGroupMac, type Mac, setEtherHeader } from '../link/ethernet.ts'
import { Message, Poll, SocketType } from './constants.ts'

/** Where a frame was sent (`sll_pkttype`). */
export const PacketType = { host: 0, broadcast: 1, multicast: 2, otherHost: 3, outgoing: 4 } as const

/** Every type of frame (`ETH_P_ALL`). */
export const everyType = 3

/** An address of family AF_PACKET (`struct sockaddr_ll`). */
export interface PacketAddress {
  /** Index of the device; 0 for all. */
  device: number
  /** Ether type, or {@link everyType}; 0 for none. */
  protocol: number
  /** Of `PacketType`. */
  type: number
  mac: Mac
}

/** Frames that wait to be read, in bytes. */
const queueLimit = 212992
const messageCost = 256

/** A packet socket. Whether a program may have one is the kernel's to say. */
export class PacketSocket {
  wake: (() => void) | undefined
  /** Of `SocketType`: raw with the Ethernet header, datagram without. */
  readonly type: number
  readonly #interfaces: Interfaces
  #protocol: number
  #device = 0
  #taps: Disposable[] = []
  #queue: { readonly bytes: Uint8Array; readonly from: PacketAddress }[] = []
  #used = 0
  /** Frames that found the queue full (PACKET_STATISTICS). */
  dropped = 0

  readonly #account: Account | undefined

  /** `account` pays for what waits. */
  constructor(interfaces: Interfaces, type: number, protocol: number, account?: Account) {
    this.#account = account
    this.#interfaces = interfaces
    this.type = type
    this.#protocol = protocol
    this.#listen()
  }

  /** Takes frames of one device, or of one type, only: 0 or −ENODEV. */
  bind({ device, protocol }: Pick<PacketAddress, 'device' | 'protocol'>): number {
    if (device !== 0 && this.#interfaces.byIndex(device) === undefined) return -Errno.ENODEV
    this.#device = device
    if (protocol !== 0) this.#protocol = protocol
    this.#listen()
    return 0
  }

  /** Sends a frame; of type datagram, its header is made from `to`. Bytes taken or a negated error number. */
  send(bytes: Uint8Array, to?: Omit<PacketAddress, 'type'>): number {
    const device = this.#interfaces.byIndex(to?.device || this.#device)
    if (device === undefined) return -Errno.ENXIO
    if (!device.up) return -Errno.ENETDOWN
    const raw = this.type === SocketType.raw
    if (!raw && to === undefined) return -Errno.EDESTADDRREQ
    const frame = raw ? bytes.slice() : new Uint8Array(etherHeader + bytes.length)
    if (frame.length < etherHeader) return -Errno.EINVAL
    if (frame.length > device.mtu + etherHeader) return -Errno.EMSGSIZE
    if (!raw && to !== undefined) {
      setEtherHeader(frame, to.mac, device.mac, to.protocol || this.#protocol)
      frame.set(bytes, etherHeader)
    }
    return device.transmit(frame) ? bytes.length : -Errno.ENOBUFS
  }

  /** Bytes of the next frame, all of them with `Message.truncated`; or −EAGAIN. */
  receive(into: Uint8Array, flags = 0, from?: PacketAddress): number {
    const next = this.#queue[0]
    if (next === undefined) return -Errno.EAGAIN
    if (!(flags & Message.peek)) {
      this.#queue.shift()
      this.#used -= next.bytes.length + messageCost
      this.#account?.release(next.bytes.length + messageCost)
    }
    const size = Math.min(next.bytes.length, into.length)
    into.set(next.bytes.subarray(0, size))
    if (from !== undefined) Object.assign(from, next.from)
    return flags & Message.truncated ? next.bytes.length : size
  }

  poll(): number {
    return this.#queue.length > 0 ? Poll.in | Poll.out : Poll.out
  }

  close(): void {
    for (const tap of this.#taps) tap[Symbol.dispose]()
    this.#taps = []
    this.#queue = []
    this.#account?.release(this.#used)
    this.#used = 0
    this.wake = undefined
  }

  /** Devices that come later are heard after the next bind. */
  #listen(): void {
    for (const tap of this.#taps) tap[Symbol.dispose]()
    const heard = this.#interfaces.all.filter(({ index }) => this.#device === 0 || index === this.#device)
    this.#taps = heard.map((device) => device.tap((frame, direction) => this.#take(device, frame, direction)))
  }

  #take(device: NetDevice, frame: Uint8Array, direction: 'in' | 'out'): void {
    const protocol = get16(frame, 12)
    if (this.#protocol !== everyType && (this.#protocol !== protocol || direction === 'out')) return
    const bytes = this.type === SocketType.raw ? frame : frame.subarray(etherHeader)
    const cost = bytes.length + messageCost
    if (this.#used + cost > queueLimit || this.#account?.charge(cost) === false) {
      this.dropped++
      return
    }
    const type = direction === 'out' ? PacketType.outgoing : typeOf(getMac(frame, 0), device)
    this.#used += cost
    this.#queue.push({ bytes, from: { device: device.index, protocol, type, mac: getMac(frame, 6) } })
    this.wake?.()
  }
}

function typeOf(destination: Mac, device: NetDevice): number {
  if (destination === broadcastMac) return PacketType.broadcast
  if (isGroupMac(destination)) return PacketType.multicast
  return destination === device.mac ? PacketType.host : PacketType.otherHost
}
