/**
 * Joins a stack that takes all destinations as its own with what a browser has: requests of HTTP are fetched, other connections go by a
 * WebSocket to a relay. Nothing is reached that no rule allows.
 */
import { VmexitError } from '@vmexit/core'
import type { Account } from '../account.ts'
import type { AllowRule } from '../gateway/allow-list.ts'
import { anyListener } from '../gateway/any-listener.ts'
import { formatIpv4, type Ipv4, isWithin, loopbackAddress } from '../ip/address.ts'
import { StreamSocket } from '../socket/stream-socket.ts'
import type { NetStack } from '../stack.ts'
import type { Connection } from '../tcp/connection.ts'
import type { Segment } from '../tcp/segment.ts'
import type { Listener } from '../tcp/tcp.ts'
import { Budget } from './budget.ts'
import { type Destination, Destinations, namesNetwork } from './destinations.ts'
import type { Fetch, Origin } from './fetching.ts'
import { GuestStream } from './guest-stream.ts'
import { serveHttp } from './http-connection.ts'
import { joinRelay, RelayInbox } from './relay.ts'
import { checkRelay, type RelayServer, relayUrl, type WebSocketConstructor, type WebSocketLike } from './web-socket.ts'

/** Something a guest tried and was not allowed. */
export interface WebDenial {
  readonly protocol: 'tcp' | 'udp' | 'dns'
  /** An address, or a name. */
  readonly host: string
  readonly port: number
  /** The address of the guest. */
  readonly guest: string
}

/** What a browser's side of a gateway is. */
export interface WebOptions {
  /** What makes requests: the `fetch` of wherever this runs unless stated. */
  readonly fetch?: Fetch | undefined
  /** What carries connections that are no HTTP; without it there are none. */
  readonly relay?: RelayServer | undefined
  /** What makes WebSockets: the `WebSocket` of wherever this runs unless stated. */
  readonly WebSocket?: WebSocketConstructor | undefined
  /** Bytes of one request's body at most, since all of it is kept until it is sent; 16 MiB unless stated. */
  readonly bodyLimit?: number | undefined
  /** Bytes that a relay has sent and one guest's connection has not taken, at most; then it is broken off. 64 MiB unless stated. */
  readonly relayBuffer?: number | undefined
  /** Both in all, for the guests that have one list of rules: those of a gateway, or one container; 128 MiB unless stated. */
  readonly buffers?: number | undefined
  /** Connections at one time, of all guests and of each; 256 unless stated. */
  readonly connections?: number | undefined
  readonly connectionsOfGuest?: number | undefined
}

/** Between which stack and whom. */
export interface WebConnectionsOptions extends WebOptions {
  readonly stack: NetStack
  /** The stack's own address, which leads to this host's 127.0.0.1. */
  readonly address: Ipv4
  /** The guests' network: there is no way back into it. */
  readonly network: { readonly address: Ipv4; readonly prefix: number }
  /** What a guest may reach; undefined for nothing. See {@link WebConnections.destinations}. */
  allowed(guest: Ipv4): Destinations | undefined
  /** Who pays for buffers of a guest's connections; nobody unless stated. */
  account?(guest: Ipv4): Account | undefined
  /** Something came in: virtual time should run. */
  onActivity(): void
  onDenied(denial: WebDenial): void
}

/** A WebSocket that is being opened, or is open and waits for the guest's handshake. */
interface Opening {
  readonly socket: WebSocketLike
  readonly inbox: RelayInbox
  isOpen: boolean
  /** Ends the waiting: the guest is there, or will not be. */
  forget(): void
}

/** How long a guest may take for its handshake when the relay is there: nanoseconds. */
const handshakeTime = 30e9
/** A guest that has closed its end says no more than one that waits; asked after a minute of silence, it resets. */
const keepalive = { keepalive: true, keepaliveIdle: 60e9 }

/** What guests have open. Disposing it ends all of it. */
export class WebConnections implements Disposable {
  readonly #options: WebConnectionsOptions
  readonly #stack: NetStack
  readonly #fetch: Fetch
  readonly #limit: number
  readonly #limitOfGuest: number
  /** By who pays for what it accepts. */
  readonly #listeners = new Map<Account | undefined, Listener>()
  /** By remote and local ends. */
  readonly #opening = new Map<string, Opening>()
  readonly #budgets = new WeakMap<Destinations, Budget>()
  /** What ends each that is open, with the guest whose it is. */
  readonly #open = new Map<() => void, Ipv4>()

  /** Begins to take what comes to the stack for anybody. @throws VmexitError `net-gateway`, `net-relay`. */
  constructor(options: WebConnectionsOptions) {
    const { stack, network, relay, connections = 256, connectionsOfGuest = connections } = options
    if (
      isWithin(network.address, namesNetwork.address, namesNetwork.prefix) ||
      isWithin(namesNetwork.address, network.address, network.prefix)
    ) {
      throw new VmexitError('net-gateway', {
        problem: `${formatIpv4(network.address)}/${network.prefix} has addresses of 198.18.0.0/15, which stand for names here`,
        remedy: 'give the guests another network, such as 10.0.2.0/24',
      })
    }
    if (relay !== undefined) checkRelay(relay)
    this.#options = options
    this.#stack = stack
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init))
    this.#limit = connections
    this.#limitOfGuest = connectionsOfGuest
    stack.ip.acceptAll = true
    stack.tcp.intercept = (syn) => this.#intercept(syn)
    stack.udp.intercept = ({ source, destination }, _, port) => {
      this.#deny('udp', source, destination, port)
      return false
    }
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#open.size
  }

  /** Rules for guests, with their names. */
  destinations(rules: readonly AllowRule[]): Destinations {
    return new Destinations(rules, this.#options.relay !== undefined)
  }

  /** Ends what a guest has open. */
  closeGuest(guest: Ipv4): void {
    const account = this.#options.account?.(guest)
    const listener = account && this.#listeners.get(account)
    if (listener !== undefined) this.#unlisten(account, listener)
    for (const [end, one] of [...this.#open]) if (one === guest) end()
  }

  [Symbol.dispose](): void {
    this.#stack.tcp.intercept = () => 'refuse'
    this.#stack.udp.intercept = undefined
    for (const [account, listener] of this.#listeners) this.#unlisten(account, listener)
    for (const end of [...this.#open.keys()]) end()
  }

  /** Ends what has not been accepted yet. */
  #unlisten(account: Account | undefined, listener: Listener): void {
    this.#listeners.delete(account)
    for (const connection of [...listener.half, ...listener.ready]) connection.abort()
  }

  /** Whether a guest may have one more. */
  #hasRoom(guest: Ipv4): boolean {
    if (this.#open.size >= this.#limit) return false
    let count = 0
    for (const one of this.#open.values()) if (one === guest) count++
    return count < this.#limitOfGuest
  }

  /** A SYN to somewhere outside. By a relay it is answered when the relay is there, and refused when that is not. */
  #intercept(syn: Segment): Listener | 'ignore' | 'refuse' {
    const { packet, destinationPort } = syn
    const destination = this.#destinationOf(packet.source, packet.destination, destinationPort)
    if (destination === undefined) {
      this.#deny('tcp', packet.source, packet.destination, destinationPort)
      return 'refuse'
    }
    const key = keyOf(packet.source, syn.sourcePort, packet.destination, destinationPort)
    const opening = this.#opening.get(key)
    if (opening !== undefined) return opening.isOpen ? this.#listenerOf(packet.source) : 'ignore'
    if (!this.#hasRoom(packet.source)) return 'refuse'
    if (destination.by !== 'relay') return this.#listenerOf(packet.source)
    return this.#openRelay(syn, key, destination) ? 'ignore' : 'refuse'
  }

  #openRelay(syn: Segment, key: string, { host, port }: Destination): boolean {
    const { relay, relayBuffer = 64 << 20 } = this.#options
    if (relay === undefined) return false
    const { clock, tcp } = this.#stack
    const guest = syn.packet.source
    const Constructor = this.#options.WebSocket ?? WebSocket
    let socket: WebSocketLike
    try {
      socket = new Constructor(relayUrl(relay, host, port), [...(relay.protocols ?? [])])
    } catch {
      return false // a page of https: may not have one of ws:
    }
    const inbox = new RelayInbox(socket, relayBuffer, this.#payerFor(guest))
    const timer = clock.after(clock.ticks(handshakeTime), () => end())
    const opening: Opening = {
      ...{ socket, inbox, isOpen: false },
      forget: () => {
        timer[Symbol.dispose]()
        this.#open.delete(end)
        this.#opening.delete(key)
      },
    }
    const end = () => {
      opening.forget()
      inbox.changed = () => {}
      inbox.clear()
      socket.close()
      if (!opening.isOpen) tcp.refuse(syn)
      this.#options.onActivity()
    }
    this.#open.set(end, guest)
    this.#opening.set(key, opening)
    inbox.changed = () => {
      // What a relay said before it ended is still for the guest.
      if (inbox.ended === 'broken' || (inbox.ended !== undefined && !opening.isOpen)) end()
    }
    socket.addEventListener('open', () => {
      if (this.#opening.get(key) !== opening) return
      opening.isOpen = true
      tcp.receive(syn.packet)
      this.#options.onActivity()
    })
    return true
  }

  /** What takes a guest's handshakes. */
  #listenerOf(guest: Ipv4): Listener {
    const account = this.#options.account?.(guest)
    const known = this.#listeners.get(account)
    if (known !== undefined) return known
    const listener = anyListener(this.#limitOfGuest, account, keepalive)
    listener.changed = () => {
      const { tcp } = this.#stack
      for (let connection = tcp.accept(listener); connection; connection = tcp.accept(listener))
        this.#accept(connection)
    }
    this.#listeners.set(account, listener)
    return listener
  }

  /** A guest's handshake is over. */
  #accept(connection: Connection): void {
    const { ip, tcp } = this.#stack
    const { local, localPort, remote, remotePort } = connection.ends
    const socket = new StreamSocket(ip, tcp, { connection })
    const key = keyOf(remote, remotePort, local, localPort)
    const opening = this.#opening.get(key)
    const destination = this.#destinationOf(remote, local, localPort)
    if (opening?.isOpen) this.#joinRelay(socket, opening, remote)
    else if (destination !== undefined && destination.by !== 'relay' && this.#hasRoom(remote)) {
      const { host, isNamed, port, by } = destination
      // Programs that speak plain HTTP know its port; by HTTPS that is another.
      const asked = by === 'https' && port === 80 ? 443 : port
      const origin = { scheme: by, host, isNamed, port: asked, guestPort: port, guestAddress: formatIpv4(local) }
      void this.#serveHttp(socket, remote, origin)
    } else {
      socket.linger = 0
      socket.close()
    }
  }

  async #serveHttp(socket: StreamSocket, guest: Ipv4, origin: Origin): Promise<void> {
    const { bodyLimit = 16 << 20, onActivity } = this.#options
    const stream = new GuestStream(socket, this.#stack.clock, onActivity)
    const end = () => stream.reset()
    this.#open.set(end, guest)
    stream.broken.addEventListener('abort', () => this.#open.delete(end))
    try {
      await serveHttp(stream, {
        ...{ fetch: this.#fetch, origin, bodyLimit, account: this.#payerFor(guest) },
        allowsUrl: (url) =>
          this.#options.allowed(guest)?.allowsUrl(url, { host: origin.host, port: origin.guestPort }) === true,
      })
    } catch {
      // The guest, or the server, has broken off: so does the other. An answer that is not whole must not end in order.
      end()
    }
    this.#open.delete(end)
  }

  #joinRelay(socket: StreamSocket, { socket: relay, inbox, forget }: Opening, guest: Ipv4): void {
    forget()
    const joined = joinRelay(socket, relay, inbox, {
      clock: this.#stack.clock,
      moved: this.#options.onActivity,
      closed: () => this.#open.delete(joined.end),
    })
    this.#open.set(joined.end, guest)
    joined.begin()
  }

  /** Who pays for what is kept for a guest, within the bound. */
  #payerFor(guest: Ipv4): Account | undefined {
    const { buffers = 128 << 20, allowed, account } = this.#options
    const destinations = allowed(guest)
    if (destinations === undefined) return account?.(guest)
    const budget = this.#budgets.get(destinations) ?? new Budget(buffers)
    this.#budgets.set(destinations, budget)
    return budget.before(account?.(guest))
  }

  /** Where a guest's connection leads; undefined where it must not. */
  #destinationOf(guest: Ipv4, address: Ipv4, port: number): Destination | undefined {
    const { address: own, network, allowed } = this.#options
    const target = address === own ? loopbackAddress : address
    if (isWithin(target, network.address, network.prefix)) return undefined
    return allowed(guest)?.destinationOf(target, port)
  }

  #deny(protocol: 'tcp' | 'udp', guest: Ipv4, address: Ipv4, port: number): void {
    const target = address === this.#options.address ? loopbackAddress : address
    const host = this.#options.allowed(guest)?.hostOf(target) ?? formatIpv4(target)
    this.#options.onDenied({ protocol, host, port, guest: formatIpv4(guest) })
  }
}

function keyOf(source: Ipv4, sourcePort: number, destination: Ipv4, port: number): string {
  return `${source} ${sourcePort} ${destination} ${port}`
}
