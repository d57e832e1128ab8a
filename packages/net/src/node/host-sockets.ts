/// <reference types="node" />
/**
 * Joins a stack that takes all destinations as its own with the host's sockets: each connection and each exchange of datagrams ends
 * in the stack, and another one is made from the host. No privileges are needed, and nothing is reached that no rule allows.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, createServer, type Socket as HostSocket, type Server } from 'node:net'
import { VmexitError } from '@vmexit/core'
import type { Account } from '../account.ts'
import { Errno } from '../errno.ts'
import type { AllowList } from '../gateway/allow-list.ts'
import { anyListener } from '../gateway/any-listener.ts'
import { formatIpv4, type Ipv4, isWithin, loopbackAddress, parseIpv4 } from '../ip/address.ts'
import { LazyTimer } from '../lazy-timer.ts'
import { StreamSocket } from '../socket/stream-socket.ts'
import type { NetStack } from '../stack.ts'
import type { Segment } from '../tcp/segment.ts'
import type { Listener } from '../tcp/tcp.ts'
import { relay } from './relay.ts'

/** A port of the host that leads to a guest. */
export interface Publication {
  /** TCP unless stated. */
  readonly protocol?: 'tcp' | 'udp'
  /** The host's address it listens at; 127.0.0.1 unless stated. */
  readonly hostAddress?: string
  /** 0 for one that is free: what publishing answers says which. */
  readonly hostPort: number
  readonly guestAddress: string
  readonly guestPort: number
}

/** Something a guest tried and was not allowed. */
export interface Denial {
  readonly protocol: 'tcp' | 'udp' | 'dns'
  /** An address, or a name. */
  readonly host: string
  readonly port: number
  /** The address of the guest. */
  readonly guest: string
}

/** Between which stack and whom. */
export interface HostSocketsOptions {
  readonly stack: NetStack
  /** The stack's own address, which leads to the host's 127.0.0.1. */
  readonly address: Ipv4
  /** The guests' network: there is no way back into it. */
  readonly network: { readonly address: Ipv4; readonly prefix: number }
  /** What a guest may reach; undefined for nothing. */
  allowed(guest: Ipv4): AllowList | undefined
  /** Who pays for buffers of a guest's connections; nobody unless stated. */
  account?(guest: Ipv4): Account | undefined
  /** Connections and exchanges of datagrams at one time, of all guests and of each; 256 unless stated. */
  readonly connections?: number | undefined
  readonly connectionsOfGuest?: number | undefined
  /** Something came in from the host: virtual time should run. */
  onActivity(): void
  onDenied(denial: Denial): void
}

const datagramTimeout = 60e9

/** Sockets of the host that stand for what guests do. Disposing it closes all of them. */
export class HostSockets implements AsyncDisposable {
  readonly #options: HostSocketsOptions
  readonly #stack: NetStack
  readonly #limit: number
  readonly #limitOfGuest: number
  /** By who pays for what it accepts. */
  readonly #listeners = new Map<Account | undefined, Listener>()
  /** By remote and local ends: the host's connection being made, or made and waiting for the guest's handshake. */
  readonly #opening = new Map<string, { host: HostSocket; ready: boolean }>()
  /** With the guest whose each is. */
  readonly #hostSockets = new Map<HostSocket, Ipv4>()
  readonly #exchanges = new Map<string, Exchange>()
  readonly #servers = new Map<Server | DatagramSocket, Ipv4>()

  /** Begins to take what comes to the stack for anybody. */
  constructor(options: HostSocketsOptions) {
    this.#options = options
    const { stack, connections = 256, connectionsOfGuest = connections } = options
    this.#stack = stack
    this.#limit = connections
    this.#limitOfGuest = connectionsOfGuest
    stack.ip.acceptAll = true
    stack.tcp.intercept = (syn) => this.#intercept(syn)
    stack.udp.intercept = ({ source, destination }, sourcePort, port, payload) =>
      this.#forward(source, sourcePort, destination, port, payload)
  }

  /** Connections and exchanges that are open. */
  get connections(): number {
    return this.#hostSockets.size + this.#exchanges.size
  }

  /** Publishes a port of a guest; answers the port of the host. Throws a {@link VmexitError} `net-publish`. */
  async publish(publication: Publication): Promise<number> {
    const { protocol = 'tcp', hostAddress = '127.0.0.1', hostPort, guestAddress, guestPort } = publication
    const address = parseIpv4(guestAddress)
    if (address === undefined) {
      throw new VmexitError('net-publish', {
        problem: `${guestAddress} is no address`,
        remedy: 'give one such as 10.0.2.15',
      })
    }
    const target = { address, port: guestPort }
    try {
      const port = await (protocol === 'tcp' ? this.#publishTcp : this.#publishUdp)(hostAddress, hostPort, target)
      return port
    } catch (cause) {
      throw new VmexitError('net-publish', {
        problem: `port ${hostPort} of the host's ${hostAddress} cannot be listened at (${cause instanceof Error ? cause.message : cause})`,
        remedy: 'choose another port, or 0 for one that is free',
        cause,
      })
    }
  }

  /** Closes what a guest has open, and what is published of it. */
  async closeGuest(guest: Ipv4): Promise<void> {
    const account = this.#options.account?.(guest)
    const listener = account && this.#listeners.get(account)
    if (listener !== undefined) {
      this.#listeners.delete(account)
      for (const connection of [...listener.half, ...listener.ready]) connection.abort()
    }
    await this.#close((one) => one === guest)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.tcp.intercept = () => 'refuse'
    this.#stack.udp.intercept = undefined
    await this.#close(() => true)
  }

  async #close(isMeant: (guest: Ipv4) => boolean): Promise<void> {
    for (const [host, guest] of [...this.#hostSockets]) if (isMeant(guest)) host.destroy()
    for (const exchange of [...this.#exchanges.values()]) if (isMeant(exchange.guest)) exchange.end()
    const closing = [...this.#servers].filter(([, guest]) => isMeant(guest))
    for (const [server] of closing) this.#servers.delete(server)
    await Promise.all(closing.map(([server]) => new Promise<void>((closed) => server.close(() => closed()))))
  }

  /** Whether a guest may have one more. */
  #hasRoom(guest: Ipv4): boolean {
    if (this.connections >= this.#limit) return false
    let count = 0
    for (const one of this.#hostSockets.values()) if (one === guest) count++
    for (const one of this.#exchanges.values()) if (one.guest === guest) count++
    return count < this.#limitOfGuest
  }

  /** A SYN to somewhere outside: it is answered when the host is connected, and refused when the host is. */
  #intercept(syn: Segment): Listener | 'ignore' | 'refuse' {
    const { packet, sourcePort, destinationPort } = syn
    const key = keyOf(packet.source, sourcePort, packet.destination, destinationPort)
    const opening = this.#opening.get(key)
    if (opening !== undefined) return opening.ready ? this.#listenerOf(packet.source) : 'ignore'
    const target = this.#outside('tcp', packet.source, packet.destination, destinationPort)
    if (target === undefined || !this.#hasRoom(packet.source)) return 'refuse'
    const host = connect({ host: formatIpv4(target), port: destinationPort, noDelay: true, allowHalfOpen: true })
    const entry = { host, ready: false }
    this.#opening.set(key, entry)
    this.#hostSockets.set(host, packet.source)
    host.pause()
    const refused = () => {
      this.#hostSockets.delete(host)
      if (!this.#opening.delete(key)) return
      this.#stack.tcp.refuse(syn)
      this.#options.onActivity()
    }
    host.once('error', refused)
    host.once('close', refused)
    host.once('connect', () => {
      entry.ready = true
      this.#stack.tcp.receive(packet)
      this.#options.onActivity()
    })
    return 'ignore'
  }

  /** What takes a guest's handshakes. */
  #listenerOf(guest: Ipv4): Listener {
    const account = this.#options.account?.(guest)
    const known = this.#listeners.get(account)
    if (known !== undefined) return known
    const listener = anyListener(this.#limitOfGuest, account)
    listener.changed = () => this.#accept(listener)
    this.#listeners.set(account, listener)
    return listener
  }

  /** Guests' handshakes are over: each is joined with the host's connection that waits for it. */
  #accept(listener: Listener): void {
    const { tcp, ip } = this.#stack
    for (let connection = tcp.accept(listener); connection; connection = tcp.accept(listener)) {
      const { local, localPort, remote, remotePort } = connection.ends
      const key = keyOf(remote, remotePort, local, localPort)
      const opening = this.#opening.get(key)
      if (opening === undefined) {
        connection.abort()
        continue
      }
      this.#opening.delete(key)
      opening.host.removeAllListeners('error')
      opening.host.removeAllListeners('close')
      this.#join(new StreamSocket(ip, tcp, { connection }), opening.host)
    }
  }

  #join(guest: StreamSocket, host: HostSocket): void {
    relay(guest, host, this.#options.onActivity, () => this.#hostSockets.delete(host))
  }

  readonly #publishTcp = async (address: string, port: number, guest: { address: Ipv4; port: number }) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (host) => {
      if (!this.#hasRoom(guest.address)) {
        host.resetAndDestroy()
        return
      }
      this.#hostSockets.set(host, guest.address)
      const socket = this.#stack.streamSocket(this.#options.account?.(guest.address))
      const giveUp = () => {
        this.#hostSockets.delete(host)
        socket.close()
      }
      host.once('error', giveUp)
      host.once('close', giveUp)
      socket.wake = () => {
        if (socket.state === 'syn-sent') return
        host.off('error', giveUp)
        host.off('close', giveUp)
        if (socket.connect(guest) === 0) this.#join(socket, host)
        else {
          host.resetAndDestroy()
          giveUp()
        }
      }
      if (socket.connect(guest) !== -Errno.EINPROGRESS) {
        host.resetAndDestroy()
        giveUp()
      }
      this.#options.onActivity()
    })
    await new Promise<void>((listening, failed) => {
      server.once('error', failed)
      server.listen(port, address, listening)
    })
    // Of one client that could not be accepted: there are others.
    server.on('error', () => {})
    this.#servers.set(server, guest.address)
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : port
  }

  readonly #publishUdp = async (address: string, port: number, guest: { address: Ipv4; port: number }) => {
    const server = createSocket('udp4')
    await new Promise<void>((bound, failed) => {
      server.once('error', failed)
      server.bind(port, address, bound)
    })
    // Of one datagram that could not be sent.
    server.on('error', () => {})
    this.#servers.set(server, guest.address)
    server.on('message', (bytes, { address: from, port: fromPort }) => {
      // Nobody can answer that (RFC 768).
      if (fromPort === 0) return
      const exchange = this.#exchangeFor(
        `host ${from} ${fromPort} ${guest.address} ${guest.port}`,
        guest.address,
        () => {
          const socket = this.#stack.udpSocket(this.#options.account?.(guest.address))
          socket.connect(guest)
          const buffer = new Uint8Array(65536)
          socket.wake = () => {
            for (let size = socket.receive(buffer); size >= 0; size = socket.receive(buffer)) {
              server.send(buffer.slice(0, size), fromPort, from)
            }
          }
          return { send: (payload: Uint8Array) => void socket.send(payload), end: () => socket.close() }
        },
      )
      exchange?.send(bytes)
      this.#options.onActivity()
    })
    return server.address().port
  }

  /** A datagram to somewhere outside. False where it is refused. */
  #forward(source: Ipv4, sourcePort: number, destination: Ipv4, port: number, payload: Uint8Array): boolean {
    const target = this.#outside('udp', source, destination, port)
    if (target === undefined) return false
    const key = keyOf(source, sourcePort, destination, port)
    const exchange = this.#exchangeFor(key, source, () => {
      const host = createSocket('udp4')
      let open = true
      host.on('error', () => {})
      // Connected: the host drops what others send. It may refuse to, as for a broadcast address or without a network.
      const connected = new Promise<void>((done) =>
        host.connect(port, formatIpv4(target), (refused?: unknown) => {
          if (refused !== undefined) this.#exchanges.get(key)?.end()
          done()
        }),
      )
      host.on('message', (bytes) => {
        this.#stack.udp.send(bytes, port, sourcePort, { source: destination, destination: source })
        this.#options.onActivity()
      })
      return {
        send: (bytes: Uint8Array) =>
          void connected.then(() => {
            if (open) host.send(bytes)
          }),
        end: () => {
          open = false
          host.close()
        },
      }
    })
    exchange?.send(payload.slice())
    return true
  }

  /** The exchange of this key, made if there is none; undefined where there are too many. */
  #exchangeFor(key: string, guest: Ipv4, make: () => Pick<Exchange, 'send' | 'end'>): Exchange | undefined {
    const known = this.#exchanges.get(key)
    if (known === undefined && !this.#hasRoom(guest)) return undefined
    const exchange = known ?? this.#newExchange(key, guest, make())
    const { clock } = this.#stack
    exchange.idle.set(clock.now + clock.ticks(datagramTimeout))
    return exchange
  }

  #newExchange(key: string, guest: Ipv4, { send, end }: Pick<Exchange, 'send' | 'end'>): Exchange {
    const exchange: Exchange = {
      guest,
      send,
      end: () => {
        exchange.idle.stop()
        this.#exchanges.delete(key)
        end()
      },
      idle: new LazyTimer(this.#stack.clock, () => exchange.end()),
    }
    this.#exchanges.set(key, exchange)
    return exchange
  }

  /** Where the host is to connect to; undefined where it must not. */
  #outside(protocol: 'tcp' | 'udp', guest: Ipv4, destination: Ipv4, port: number): Ipv4 | undefined {
    const target = destination === this.#options.address ? loopbackAddress : destination
    const { address, prefix } = this.#options.network
    const isGuest = isWithin(target, address, prefix)
    if (!isGuest && this.#options.allowed(guest)?.allows(protocol, target, port)) return target
    this.#options.onDenied({ protocol, host: formatIpv4(target), port, guest: formatIpv4(guest) })
    return undefined
  }
}

/** Datagrams between two ends, until none passes for a minute. */
interface Exchange {
  readonly guest: Ipv4
  send(payload: Uint8Array): void
  end(): void
  readonly idle: LazyTimer
}

function keyOf(source: Ipv4, sourcePort: number, destination: Ipv4, port: number): string {
  return `${source} ${sourcePort} ${destination} ${port}`
}
