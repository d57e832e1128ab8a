/// <reference types="node" />
/**
 * A gateway from a network of guests to the host's sockets, as slirp is for QEMU: it ends each TCP connection and each
 * exchange of datagrams itself, and makes another one from the host. No privileges are needed, and nothing is reached
 * that no rule allows.
 */
import { createSocket, type Socket as DatagramSocket } from 'node:dgram'
import { connect, createServer, type Socket as HostSocket, type Server } from 'node:net'
import { type Clock, VmexitError } from '@vmexit/core'
import { Errno } from '../errno.ts'
import { AllowList, type AllowRule } from '../gateway/allow-list.ts'
import { DhcpServer } from '../gateway/dhcp.ts'
import { formatIpv4, type Ipv4, isWithin, loopbackAddress, maskOf, parseCidr, parseIpv4 } from '../ip/address.ts'
import { LazyTimer } from '../lazy-timer.ts'
import type { Port } from '../link/port.ts'
import { StreamSocket } from '../socket/stream-socket.ts'
import { NetStack } from '../stack.ts'
import type { Segment } from '../tcp/segment.ts'
import { tcpDefaults } from '../tcp/state.ts'
import { Listener } from '../tcp/tcp.ts'
import { DnsServer } from './dns-server.ts'
import { relay } from './relay.ts'

/** A port of the host that leads to a guest. */
export interface Publication {
  /** TCP unless stated. */
  readonly protocol?: 'tcp' | 'udp'
  /** The host's address it listens at; 127.0.0.1 unless stated. */
  readonly hostAddress?: string
  /** 0 for one that is free: {@link Gateway.published} says which. */
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
}

/** How a gateway is set up. */
export interface GatewayOptions {
  readonly clock: Clock
  readonly seed: number
  /** The link to the guests: the end of a cable, a port of a bridge. */
  readonly port: Port
  /** The guests' network: the gateway has its second address, DNS its third, DHCP gives out those from the 15th on. 10.0.2.0/24 unless stated. */
  readonly network?: string
  /** What guests may reach. Nothing unless stated. The gateway's own address is the host's 127.0.0.1. */
  readonly allow?: readonly AllowRule[]
  readonly publish?: readonly Publication[]
  /** Connections and exchanges of datagrams at one time; 256 unless stated. */
  readonly connections?: number
  /** Something came in from the host: virtual time should run. */
  readonly onActivity?: () => void
  readonly onDenied?: (denial: Denial) => void
}

const datagramTimeout = 60e9
/** Addresses given out by DHCP. */
const leaseLimit = 1024

/** Opens a gateway; publications are being listened at when it answers. */
export async function openGateway(options: GatewayOptions): Promise<Gateway> {
  const gateway = new Gateway(options)
  try {
    for (const publication of options.publish ?? []) await gateway.publish(publication)
  } catch (error) {
    await gateway[Symbol.asyncDispose]()
    throw error
  }
  return gateway
}

/** An open gateway. Disposing it closes every socket of the host that it has. */
export class Gateway implements AsyncDisposable {
  /** Where guests send what is not for their own network, and where DNS answers. */
  readonly address: Ipv4
  readonly dns: Ipv4
  /** Publications, with the port that the host chose. */
  readonly published: Publication[] = []
  readonly #stack: NetStack
  readonly #clock: Clock
  readonly #allowed: AllowList
  readonly #limit: number
  readonly #activity: () => void
  readonly #denied: (denial: Denial) => void
  readonly #dhcp: DhcpServer
  readonly #listener: Listener
  /** By remote and local ends: the host's connection being made, or made and waiting for the guest's handshake. */
  readonly #opening = new Map<string, { host: HostSocket; ready: boolean }>()
  readonly #hostSockets = new Set<HostSocket>()
  readonly #exchanges = new Map<string, Exchange>()
  readonly #servers = new Set<Server | DatagramSocket>()
  readonly #dnsServer: DnsServer
  readonly #network: { readonly address: Ipv4; readonly prefix: number }

  /** @internal */
  constructor(options: GatewayOptions) {
    const { clock, seed, port, network = '10.0.2.0/24', allow = [], connections = 256 } = options
    const parsed = parseCidr(network)
    if (parsed === undefined || parsed.prefix > 27 || (parsed.address & ~maskOf(parsed.prefix)) !== 0) {
      throw new VmexitError('net-gateway', {
        problem: `${network} is no network for guests`,
        remedy: 'give one of at least 32 addresses, such as 10.0.2.0/24',
      })
    }
    this.#clock = clock
    this.#network = parsed
    this.#limit = connections
    this.#allowed = new AllowList(allow)
    this.#activity = options.onActivity ?? (() => {})
    this.#denied = options.onDenied ?? (() => {})
    this.address = parsed.address + 2
    this.dns = parsed.address + 3
    this.#stack = new NetStack({ clock, seed })
    const device = this.#stack.addEthernet({ name: 'eth0' }, port)
    if (device === undefined) throw new Error('unreachable: a new stack has no eth0')
    this.#stack.configure(device, `${formatIpv4(this.address)}/${parsed.prefix}`)
    this.#stack.configure(device, `${formatIpv4(this.dns)}/${parsed.prefix}`)
    this.#stack.ip.acceptAll = true
    const last = (parsed.address | ~maskOf(parsed.prefix)) >>> 0
    this.#dhcp = new DhcpServer(this.#stack, device, {
      ...{ address: this.address, prefix: parsed.prefix, router: this.address, dns: this.dns },
      range: [parsed.address + 15, Math.min(last - 1, parsed.address + 14 + leaseLimit)],
    })
    this.#dnsServer = new DnsServer(this.#stack, this.dns, {
      allowed: this.#allowed,
      denied: (host) => this.#denied({ protocol: 'dns', host, port: 53 }),
      activity: this.#activity,
    })
    const flags = { reuseAddress: false, reusePort: false, listening: true, ephemeral: false }
    this.#listener = new Listener({ address: 0, port: 0, device: undefined, ...flags }, tcpDefaults, connections)
    this.#listener.changed = () => this.#accept()
    this.#stack.tcp.intercept = (syn) => this.#intercept(syn)
    this.#stack.udp.intercept = ({ source, destination }, sourcePort, port, payload) =>
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
      this.published.push({ ...publication, hostPort: port })
      return port
    } catch (cause) {
      throw new VmexitError('net-publish', {
        problem: `port ${hostPort} of the host's ${hostAddress} cannot be listened at (${cause instanceof Error ? cause.message : cause})`,
        remedy: 'choose another port, or 0 for one that is free',
        cause,
      })
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stack.tcp.intercept = () => 'refuse'
    this.#stack.udp.intercept = undefined
    this.#dhcp[Symbol.dispose]()
    this.#dnsServer[Symbol.dispose]()
    for (const { host } of this.#opening.values()) host.destroy()
    for (const host of this.#hostSockets) host.destroy()
    for (const exchange of this.#exchanges.values()) exchange.end()
    for (const server of this.#servers) await new Promise<void>((closed) => server.close(() => closed()))
  }

  /** A SYN to somewhere outside: it is answered when the host is connected, and refused when the host is. */
  #intercept(syn: Segment): Listener | 'ignore' | 'refuse' {
    const { packet, sourcePort, destinationPort } = syn
    const key = keyOf(packet.source, sourcePort, packet.destination, destinationPort)
    const opening = this.#opening.get(key)
    if (opening !== undefined) return opening.ready ? this.#listener : 'ignore'
    const target = this.#outside('tcp', packet.destination, destinationPort)
    if (target === undefined) return 'refuse'
    if (this.connections >= this.#limit) return 'refuse'
    const host = connect({ host: formatIpv4(target), port: destinationPort, noDelay: true, allowHalfOpen: true })
    const entry = { host, ready: false }
    this.#opening.set(key, entry)
    this.#hostSockets.add(host)
    host.pause()
    const refused = () => {
      this.#hostSockets.delete(host)
      if (!this.#opening.delete(key)) return
      this.#stack.tcp.refuse(syn)
      this.#activity()
    }
    host.once('error', refused)
    host.once('close', refused)
    host.once('connect', () => {
      entry.ready = true
      this.#stack.tcp.receive(packet)
      this.#activity()
    })
    return 'ignore'
  }

  /** Guests' handshakes are over: each is joined with the host's connection that waits for it. */
  #accept(): void {
    const { tcp, ip } = this.#stack
    for (let connection = tcp.accept(this.#listener); connection; connection = tcp.accept(this.#listener)) {
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
    relay(guest, host, this.#activity, () => this.#hostSockets.delete(host))
  }

  readonly #publishTcp = async (address: string, port: number, guest: { address: Ipv4; port: number }) => {
    const server = createServer({ noDelay: true, allowHalfOpen: true, pauseOnConnect: true }, (host) => {
      if (this.connections >= this.#limit) {
        host.resetAndDestroy()
        return
      }
      this.#hostSockets.add(host)
      const socket = this.#stack.streamSocket()
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
      this.#activity()
    })
    await new Promise<void>((listening, failed) => {
      server.once('error', failed)
      server.listen(port, address, listening)
    })
    this.#servers.add(server)
    const bound = server.address()
    return typeof bound === 'object' && bound !== null ? bound.port : port
  }

  readonly #publishUdp = async (address: string, port: number, guest: { address: Ipv4; port: number }) => {
    const server = createSocket('udp4')
    await new Promise<void>((bound, failed) => {
      server.once('error', failed)
      server.bind(port, address, bound)
    })
    this.#servers.add(server)
    server.on('message', (bytes, { address: from, port: fromPort }) => {
      const exchange = this.#exchangeFor(`host ${from} ${fromPort} ${port}`, () => {
        const socket = this.#stack.udpSocket()
        socket.connect(guest)
        const buffer = new Uint8Array(65536)
        socket.wake = () => {
          for (let size = socket.receive(buffer); size >= 0; size = socket.receive(buffer)) {
            server.send(buffer.slice(0, size), fromPort, from)
          }
        }
        return { send: (payload: Uint8Array) => void socket.send(payload), end: () => socket.close() }
      })
      exchange?.send(bytes)
      this.#activity()
    })
    return server.address().port
  }

  /** A datagram to somewhere outside. False where it is refused. */
  #forward(source: Ipv4, sourcePort: number, destination: Ipv4, port: number, payload: Uint8Array): boolean {
    const target = this.#outside('udp', destination, port)
    if (target === undefined) return false
    const exchange = this.#exchangeFor(keyOf(source, sourcePort, destination, port), () => {
      const host = createSocket('udp4')
      let open = true
      host.on('error', () => {})
      // Connected: the host drops what others send.
      const connected = new Promise<void>((done) => host.connect(port, formatIpv4(target), () => done()))
      host.on('message', (bytes) => {
        this.#stack.udp.send(bytes, port, sourcePort, { source: destination, destination: source })
        this.#activity()
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
  #exchangeFor(key: string, make: () => Pick<Exchange, 'send' | 'end'>): Exchange | undefined {
    const known = this.#exchanges.get(key)
    if (known === undefined && this.connections >= this.#limit) return undefined
    const exchange = known ?? this.#newExchange(key, make())
    exchange.idle.set(this.#clock.now + this.#clock.ticks(datagramTimeout))
    return exchange
  }

  #newExchange(key: string, { send, end }: Pick<Exchange, 'send' | 'end'>): Exchange {
    const exchange: Exchange = {
      send,
      end: () => {
        exchange.idle.stop()
        this.#exchanges.delete(key)
        end()
      },
      idle: new LazyTimer(this.#clock, () => exchange.end()),
    }
    this.#exchanges.set(key, exchange)
    return exchange
  }

  /** Where the host is to connect to; undefined where it must not. */
  #outside(protocol: 'tcp' | 'udp', destination: Ipv4, port: number): Ipv4 | undefined {
    const target = destination === this.address ? loopbackAddress : destination
    const { address, prefix } = this.#network
    const isGuest = isWithin(target, address, prefix)
    if (!isGuest && this.#allowed.allows(protocol, target, port)) return target
    this.#denied({ protocol, host: formatIpv4(target), port })
    return undefined
  }
}

/** Datagrams between two ends, until none passes for a minute. */
interface Exchange {
  send(payload: Uint8Array): void
  end(): void
  readonly idle: LazyTimer
}

function keyOf(source: Ipv4, sourcePort: number, destination: Ipv4, port: number): string {
  return `${source} ${sourcePort} ${destination} ${port}`
}
