/**
 * What all sockets of a stack have in common. No call waits: each answers a value, or a negated error number such as
 * −EAGAIN, and {@link Socket.wake} tells when it is worth to ask again. So a kernel parks a system call and runs it again.
 */
import { Errno } from '../errno.ts'
import { anyAddress, type Ipv4 } from '../ip/address.ts'
import type { NetDevice } from '../link/device.ts'
import type { Binding } from '../ports.ts'
import { AddressFamily, Level, SocketOption } from './constants.ts'

/** An address and a port; the port of raw sockets is their protocol. */
export interface SocketAddress {
  readonly address: Ipv4
  readonly port: number
}

/** What came with a message: filled in by {@link Socket.receive}. */
export interface Received {
  address: Ipv4
  port: number
  /** Bytes of the whole message, of which some may not have fitted. */
  size: number
  /** Where it was sent to, and the device it came in by (IP_PKTINFO). */
  destination: Ipv4
  device: number
  ttl: number
}

/** A record for {@link Socket.receive} to fill in. */
export function received(): Received {
  return { address: 0, port: 0, size: 0, destination: 0, device: 0, ttl: 0 }
}

/** Linux's `net.core.rmem_max` and `wmem_max`, and the lowest that can be set. */
const largestBuffer = 212992
const smallestBuffer = { send: 2304, receive: 1152 }

/** A socket. */
export abstract class Socket {
  /** Called when {@link poll} may answer more than before. */
  wake: (() => void) | undefined
  abstract readonly type: number
  abstract readonly protocol: number
  /** The device it is bound to (SO_BINDTODEVICE). */
  device: NetDevice | undefined
  /** Seconds that closing waits for what was written (SO_LINGER); undefined where it does not. The waiting is the kernel's. */
  linger: number | undefined
  protected local: SocketAddress = { address: anyAddress, port: 0 }
  protected remote: SocketAddress | undefined
  protected reuseAddress = false
  protected reusePort = false
  protected broadcast = false
  protected error = 0
  readonly #plain = new Map<number, number>()

  abstract bind(to: SocketAddress): number
  abstract connect(to: SocketAddress): number
  /** Bytes taken, or a negated error number. `flags` are of `Message`. */
  abstract send(bytes: Uint8Array, flags?: number, to?: SocketAddress): number
  /** Bytes received, 0 at the end of a stream, or a negated error number. */
  abstract receive(into: Uint8Array, flags?: number, from?: Received): number
  abstract shutdown(how: number): number
  abstract close(): void
  /** Bits of `Poll`. */
  abstract poll(): number
  /** Bytes that can be read (FIONREAD). */
  abstract readonly readable: number
  /** Bytes that wait to be sent or acknowledged (SIOCOUTQ). */
  abstract readonly unsent: number

  listen(_backlog: number): number {
    return -Errno.EOPNOTSUPP
  }

  accept(_from?: Received): Socket | number {
    return -Errno.EOPNOTSUPP
  }

  /** Where it is bound (getsockname). */
  get localAddress(): SocketAddress {
    return this.local
  }

  /** Where it is connected to (getpeername), or −ENOTCONN. */
  get remoteAddress(): SocketAddress | number {
    return this.remote ?? -Errno.ENOTCONN
  }

  /** The pending error, which is taken (SO_ERROR). */
  takeError(): number {
    const { error } = this
    this.error = 0
    return error
  }

  /**
   * An option as a number. SO_LINGER is in seconds, −1 where it is off; times of TCP are as setsockopt has them. −ENOPROTOOPT
   * where there is none of this name.
   */
  getOption(level: number, option: number): number {
    return level === Level.socket ? this.#getSocketOption(option) : this.getProtocolOption(level, option)
  }

  /** Sets an option: 0 or a negated error number. */
  setOption(level: number, option: number, value: number): number {
    return level === Level.socket ? this.#setSocketOption(option, value) : this.setProtocolOption(level, option, value)
  }

  /** What it takes of ports: others are let in as its options say at that time, not as they were at bind. */
  protected bindingOf(address: Ipv4, port: number): Binding {
    const socket = this
    return {
      ...{ address, port, device: this.device, listening: false, ephemeral: false },
      get reuseAddress() {
        return socket.reuseAddress
      },
      get reusePort() {
        return socket.reusePort
      },
    }
  }

  /** Has the options of the socket that accepted it. */
  protected inherit(from: Socket): void {
    this.reuseAddress = from.reuseAddress
    this.reusePort = from.reusePort
    this.linger = from.linger
    for (const [option, value] of from.#plain) this.#plain.set(option, value)
  }

  protected abstract getProtocolOption(level: number, option: number): number
  protected abstract setProtocolOption(level: number, option: number, value: number): number
  protected abstract get sendBuffer(): number
  protected abstract get receiveBuffer(): number
  protected abstract set sendBuffer(bytes: number)
  protected abstract set receiveBuffer(bytes: number)
  protected setKeepalive(_on: boolean): void {}

  #getSocketOption(option: number): number {
    switch (option) {
      case SocketOption.reuseAddress:
        return Number(this.reuseAddress)
      case SocketOption.reusePort:
        return Number(this.reusePort)
      case SocketOption.broadcast:
        return Number(this.broadcast)
      case SocketOption.type:
        return this.type
      case SocketOption.protocol:
        return this.protocol
      case SocketOption.domain:
        return AddressFamily.inet
      case SocketOption.error:
        return this.takeError()
      case SocketOption.sendBuffer:
        return this.sendBuffer
      case SocketOption.receiveBuffer:
        return this.receiveBuffer
      case SocketOption.linger:
        return this.linger ?? -1
      case SocketOption.acceptsConnections:
        return 0
      case SocketOption.keepalive:
      case SocketOption.oobInline:
      case SocketOption.dontRoute:
      case SocketOption.priority:
        return this.#plain.get(option) ?? 0
      case SocketOption.receiveLowWater:
      case SocketOption.sendLowWater:
        return 1
      default:
        return -Errno.ENOPROTOOPT
    }
  }

  #setSocketOption(option: number, value: number): number {
    switch (option) {
      case SocketOption.reuseAddress:
        this.reuseAddress = value !== 0
        return 0
      case SocketOption.reusePort:
        this.reusePort = value !== 0
        return 0
      case SocketOption.broadcast:
        this.broadcast = value !== 0
        return 0
      // Linux doubles what is asked for, to have room for its own records.
      case SocketOption.sendBuffer:
        this.sendBuffer = 2 * clamp(value, smallestBuffer.send)
        return 0
      case SocketOption.receiveBuffer:
        this.receiveBuffer = 2 * clamp(value, smallestBuffer.receive)
        return 0
      case SocketOption.linger:
        this.linger = value < 0 ? undefined : value
        return 0
      case SocketOption.keepalive:
        this.setKeepalive(value !== 0)
        this.#plain.set(option, Number(value !== 0))
        return 0
      case SocketOption.oobInline:
      case SocketOption.dontRoute:
      case SocketOption.priority:
        this.#plain.set(option, value)
        return 0
      case SocketOption.receiveLowWater:
        return value === 1 ? 0 : -Errno.ENOPROTOOPT
      default:
        return -Errno.ENOPROTOOPT
    }
  }
}

function clamp(value: number, lowest: number): number {
  return Math.max(lowest, Math.min(largestBuffer, value >>> 0))
}
