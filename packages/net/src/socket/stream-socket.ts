/** A TCP socket: tcp(7), connect(2), accept(2), shutdown(2). */
import type { Account } from '../account.ts'
import { Errno } from '../errno.ts'
import { anyAddress, isMulticast, loopbackAddress } from '../ip/address.ts'
import type { Ip } from '../ip/ip.ts'
import { Protocol } from '../ip/packet.ts'
import type { Binding } from '../ports.ts'
import type { Connection } from '../tcp/connection.ts'
import { type TcpOptions, type TcpState, tcpDefaults } from '../tcp/state.ts'
import { clampBacklog, type Listener, type Tcp } from '../tcp/tcp.ts'
import { IpOption, Level, Message, Poll, Shutdown, SocketOption, SocketType, TcpOption } from './constants.ts'
import { type Received, Socket, type SocketAddress } from './socket.ts'

const second = 1e9
const millisecond = 1e6

/** Figures of a connection, for `TCP_INFO`. Times are nanoseconds. */
export interface TcpInfo {
  readonly state: TcpState
  readonly mss: number
  readonly rtt: number
  readonly rttVariation: number
  readonly congestionWindow: number
  readonly segments: number
  readonly retransmitted: number
  readonly fastRetransmits: number
  readonly timeouts: number
}

/** A stream. */
export class StreamSocket extends Socket {
  readonly type: number = SocketType.stream
  readonly protocol: number = Protocol.tcp
  readonly #ip: Ip
  readonly #tcp: Tcp
  readonly #options: TcpOptions
  #binding: Binding | undefined
  #listener: Listener | undefined
  #connection: Connection | undefined
  /** Whether connect has not answered yet how it went. */
  #connecting = false
  #readShut = false
  #writeShut = false
  #closed = false

  /** `connection`: one that was accepted. */
  constructor(
    ip: Ip,
    tcp: Tcp,
    { connection, account }: { connection?: Connection; account?: Account | undefined } = {},
  ) {
    super()
    this.#ip = ip
    this.#tcp = tcp
    this.#options = connection?.options ?? { ...tcpDefaults, account }
    if (connection !== undefined) this.#adopt(connection)
  }

  /** The state of the connection, or `listen`. */
  get state(): TcpState {
    return this.#listener === undefined ? (this.#connection?.state ?? 'closed') : 'listen'
  }

  /** What of TCP stands behind it, for lists of sockets. */
  get endpoint(): Connection | Listener | undefined {
    return this.#listener ?? this.#connection
  }

  get readable(): number {
    return this.#connection?.readable ?? 0
  }

  get unsent(): number {
    return this.#connection?.sender?.ring.length ?? 0
  }

  /** Whether what was written, and its end, is not yet acknowledged: what SO_LINGER waits for. */
  get lingering(): boolean {
    return this.#connection?.sender?.idle === false && this.#connection.state !== 'closed'
  }

  /** Whether the next byte to be read is behind the urgent ones (SIOCATMARK). */
  get atMark(): boolean {
    const { urgent, receiver } = this.#connection ?? {}
    if (urgent === undefined || receiver === undefined) return false
    return ((urgent - (receiver.next - receiver.ring.length)) | 0) === 1
  }

  /** Figures of the connection. */
  get info(): TcpInfo {
    const { sender, rtt, mss } = this.#connection ?? {}
    const none = { segments: 0, retransmitted: 0, fastRetransmits: 0, timeouts: 0 }
    return {
      ...{ state: this.state, mss: mss ?? 0, rtt: rtt?.smoothed ?? 0, rttVariation: rtt?.variation ?? 0 },
      ...{ congestionWindow: sender?.congestion.window ?? 0, ...(sender?.counters ?? none) },
    }
  }

  override takeError(): number {
    const error = this.error || this.#connection?.error || 0
    this.error = 0
    if (this.#connection !== undefined) this.#connection.error = 0
    if (error !== 0) this.#connecting = false
    return error
  }

  bind({ address, port }: SocketAddress): number {
    if (this.#binding !== undefined || this.#connection !== undefined) return -Errno.EINVAL
    if (address !== anyAddress && !this.#ip.interfaces.isLocal(address)) return -Errno.EADDRNOTAVAIL
    const chosen = port === 0 ? this.#tcp.ports.choose(0) : port
    if (chosen === undefined) return -Errno.EADDRINUSE
    const binding = this.bindingOf(address, chosen)
    const bound = this.#tcp.ports.bind(binding)
    if (bound !== 0) return bound
    this.#binding = binding
    this.local = { address, port: chosen }
    return 0
  }

  override listen(backlog: number): number {
    if (this.#connection !== undefined) return -Errno.EINVAL
    if (this.#listener !== undefined) {
      this.#listener.backlog = clampBacklog(backlog)
      return 0
    }
    if (this.#binding === undefined) {
      const bound = this.bind({ address: anyAddress, port: 0 })
      if (bound !== 0) return bound
    }
    const listener = this.#tcp.listen(this.#binding as Binding, this.#options, backlog)
    if (typeof listener === 'number') return listener
    listener.changed = () => this.wake?.()
    this.#listener = listener
    return 0
  }

  override accept(from?: Received): StreamSocket | number {
    if (this.#listener === undefined) return -Errno.EINVAL
    const connection = this.#tcp.accept(this.#listener)
    if (connection === undefined) return -Errno.EAGAIN
    if (from !== undefined) {
      from.address = connection.ends.remote
      from.port = connection.ends.remotePort
    }
    const socket = new StreamSocket(this.#ip, this.#tcp, { connection })
    socket.inherit(this)
    return socket
  }

  /** −EINPROGRESS when it has begun; asked again, −EALREADY, then 0 or why it failed, then −EISCONN. */
  connect(to: SocketAddress): number {
    if (this.#listener !== undefined) return -Errno.EISCONN
    const connection = this.#connection
    if (connection !== undefined) {
      if (connection.state === 'syn-sent' || connection.state === 'syn-received') return -Errno.EALREADY
      const error = this.takeError()
      if (error !== 0 || connection.state === 'closed') {
        this.#forget()
        return -(error || Errno.ECONNABORTED)
      }
      if (!this.#connecting) return -Errno.EISCONN
      this.#connecting = false
      return 0
    }
    return this.#begin(to)
  }

  send(bytes: Uint8Array, flags = 0): number {
    const connection = this.#connection
    const error = this.takeError()
    if (error !== 0) return -error
    if (this.#writeShut) return -Errno.EPIPE
    if (connection === undefined) return -Errno.EPIPE
    const { state } = connection
    if (state === 'syn-sent' || state === 'syn-received') return -Errno.EAGAIN
    if (state !== 'established' && state !== 'close-wait') return -Errno.EPIPE
    const more = (flags & Message.more) !== 0
    if (more && connection.sender) connection.sender.corked = true
    const size = connection.write(bytes, (flags & Message.outOfBand) !== 0)
    if (more && connection.sender) connection.sender.corked = this.#options.cork
    if (size > 0 || bytes.length === 0) return size
    return this.unsent > 0 ? -Errno.EAGAIN : -Errno.ENOBUFS // nothing under way would give back memory
  }

  receive(into: Uint8Array, flags = 0, from?: Received): number {
    const connection = this.#connection
    if (connection === undefined) return -Errno.ENOTCONN
    if (flags & Message.outOfBand) return -Errno.EINVAL // urgent data is read in its place
    if (from !== undefined && this.remote !== undefined) Object.assign(from, this.remote)
    if (connection.readable > 0) return connection.read(into, (flags & Message.peek) !== 0)
    const error = this.takeError()
    if (error !== 0) return -error
    if (connection.remoteClosed || this.#readShut) return 0
    const { state } = connection
    return state === 'syn-sent' && !this.#connecting ? -Errno.ENOTCONN : -Errno.EAGAIN
  }

  shutdown(how: number): number {
    if (how < Shutdown.read || how > Shutdown.both) return -Errno.EINVAL
    const connection = this.#connection
    if (this.#listener !== undefined && how !== Shutdown.write) {
      this.#tcp.unlisten(this.#listener)
      this.#listener = undefined
      this.#binding = undefined
      this.wake?.()
      return 0
    }
    if (connection === undefined || connection.state === 'closed' || connection.state === 'time-wait')
      return -Errno.ENOTCONN
    if (how !== Shutdown.write) this.#readShut = connection.deaf = true
    if (how !== Shutdown.read) {
      this.#writeShut = true
      connection.finish()
    }
    this.wake?.()
    return 0
  }

  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.wake = undefined
    if (this.#listener !== undefined) this.#tcp.unlisten(this.#listener)
    else if (this.#connection === undefined) {
      if (this.#binding !== undefined) this.#tcp.ports.release(this.#binding)
    } else if (this.linger === 0) {
      this.#connection.abort()
      this.#connection.release()
    } else this.#connection.release()
  }

  poll(): number {
    const listener = this.#listener
    if (listener !== undefined) return listener.ready.length > 0 ? Poll.in : 0
    const connection = this.#connection
    if (connection === undefined) return Poll.out | Poll.hup
    let bits = 0
    const { state, sender } = connection
    const closed = connection.remoteClosed || this.#readShut
    if (connection.readable > 0 || closed) bits |= Poll.in
    if (closed) bits |= Poll.rdhup
    if ((closed && this.#writeShut) || state === 'closed') bits |= Poll.hup
    if (connection.error !== 0 || this.error !== 0) bits |= Poll.err
    if (this.#isUrgent(connection)) bits |= Poll.pri
    if (state === 'closed' || this.#writeShut) bits |= Poll.out
    else if (sender !== undefined && state !== 'syn-received') {
      if (sender.writable) bits |= Poll.out
    }
    return bits
  }

  protected override getProtocolOption(level: number, option: number): number {
    const options = this.#options
    if (level === Level.ip) {
      if (option === IpOption.ttl) return options.ttl
      if (option === IpOption.tos) return options.tos
      return option === IpOption.mtu && this.remote ? this.#ip.mtuTo(this.remote.address) : -Errno.ENOPROTOOPT
    }
    if (level !== Level.tcp) return -Errno.ENOPROTOOPT
    switch (option) {
      case TcpOption.noDelay:
        return Number(options.noDelay)
      case TcpOption.maxSegment:
        return this.#connection?.mss ?? 536
      case TcpOption.cork:
        return Number(options.cork)
      case TcpOption.keepaliveIdle:
        return options.keepaliveIdle / second
      case TcpOption.keepaliveInterval:
        return options.keepaliveInterval / second
      case TcpOption.keepaliveCount:
        return options.keepaliveCount
      case TcpOption.synCount:
        return options.synRetries
      case TcpOption.linger2:
        return options.orphanTime / second
      case TcpOption.userTimeout:
        return options.userTimeout / millisecond
      case TcpOption.quickAck:
        return 1
      case TcpOption.deferAccept:
        return 0
      default:
        return -Errno.ENOPROTOOPT
    }
  }

  protected override setProtocolOption(level: number, option: number, value: number): number {
    const options = this.#options
    if (level === Level.ip && option === IpOption.tos) options.tos = value & 255
    else if (level === Level.ip && option === IpOption.ttl) {
      if (value !== -1 && (value < 1 || value > 255)) return -Errno.EINVAL
      options.ttl = value === -1 ? tcpDefaults.ttl : value
    } else if (level === Level.ip && (option === IpOption.mtuDiscovery || option === IpOption.receiveErrors)) return 0
    else if (level === Level.tcp) return this.#setTcpOption(option, value)
    else return -Errno.ENOPROTOOPT
    return 0
  }

  protected override setKeepalive(on: boolean): void {
    this.#options.keepalive = on
    this.#connection?.optionsChanged()
  }

  protected get sendBuffer(): number {
    return this.#options.sendBuffer
  }

  protected set sendBuffer(bytes: number) {
    this.#options.sendBuffer = bytes
    this.#connection?.optionsChanged()
  }

  protected get receiveBuffer(): number {
    return this.#options.receiveBuffer
  }

  protected set receiveBuffer(bytes: number) {
    this.#options.receiveBuffer = bytes
    this.#connection?.optionsChanged()
  }

  override getOption(level: number, option: number): number {
    if (level === Level.socket && option === SocketOption.acceptsConnections)
      return Number(this.#listener !== undefined)
    return super.getOption(level, option)
  }

  #setTcpOption(option: number, value: number): number {
    const options = this.#options
    const inRange = (lowest: number, highest: number) => value >= lowest && value <= highest
    switch (option) {
      case TcpOption.noDelay:
        options.noDelay = value !== 0
        break
      case TcpOption.cork:
        options.cork = value !== 0
        break
      case TcpOption.maxSegment:
        if (!inRange(88, 32767)) return -Errno.EINVAL
        options.maxSegment = value
        break
      case TcpOption.keepaliveIdle:
        if (!inRange(1, 32767)) return -Errno.EINVAL
        options.keepaliveIdle = value * second
        break
      case TcpOption.keepaliveInterval:
        if (!inRange(1, 32767)) return -Errno.EINVAL
        options.keepaliveInterval = value * second
        break
      case TcpOption.keepaliveCount:
        if (!inRange(1, 127)) return -Errno.EINVAL
        options.keepaliveCount = value
        break
      case TcpOption.synCount:
        if (!inRange(1, 127)) return -Errno.EINVAL
        options.synRetries = value
        break
      case TcpOption.linger2:
        options.orphanTime = Math.min(Math.max(value, 0), 120) * second
        break
      case TcpOption.userTimeout:
        if (value < 0) return -Errno.EINVAL
        options.userTimeout = value * millisecond
        break
      // Acknowledgements are as quick as RFC 5681 lets them; a connection is offered when its handshake is over.
      case TcpOption.quickAck:
      case TcpOption.deferAccept:
        return 0
      default:
        return -Errno.ENOPROTOOPT
    }
    this.#connection?.optionsChanged()
    return 0
  }

  #begin(to: SocketAddress): number {
    const remote = to.address === anyAddress ? loopbackAddress : to.address
    if (isMulticast(remote) || this.#ip.interfaces.isBroadcast(remote)) return -Errno.ENETUNREACH
    const bound = this.#binding !== undefined && this.local.address !== anyAddress
    const local = bound ? this.local.address : this.#ip.sourceFor(remote, this.device)
    if (local < 0) return local
    const ends = { local, remote, remotePort: to.port }
    const connection = this.#tcp.connect(ends, this.#options, { binding: this.#binding, device: this.device })
    if (typeof connection === 'number') return connection
    this.#adopt(connection)
    this.#connecting = true
    return -Errno.EINPROGRESS
  }

  #adopt(connection: Connection): void {
    const { local, localPort, remote, remotePort } = connection.ends
    this.#connection = connection
    connection.changed = () => this.wake?.()
    this.local = { address: local, port: localPort }
    this.remote = { address: remote, port: remotePort }
  }

  /** A connection that came to nothing: the socket can try again. */
  #forget(): void {
    this.#connection = undefined
    this.#binding = undefined
    this.#connecting = false
    this.remote = undefined
    this.local = { address: anyAddress, port: 0 }
  }

  #isUrgent({ urgent, receiver }: Connection): boolean {
    if (urgent === undefined || receiver === undefined) return false
    return ((urgent - (receiver.next - receiver.ring.length)) | 0) > 0
  }
}
