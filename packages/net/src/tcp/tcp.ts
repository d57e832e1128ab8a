/** TCP of one stack: which connection or listener a segment is for, and who has which port. */
import type { Clock } from '@vmexit/core'
import { get16, get32 } from '../bytes.ts'
import { Errno } from '../errno.ts'
import { anyAddress, type Ipv4, isMulticast } from '../ip/address.ts'
import { IcmpError, type Ip, type Outgoing, type ProtocolHandler, type ReportedError } from '../ip/ip.ts'
import { type Packet, Protocol } from '../ip/packet.ts'
import type { NetDevice } from '../link/device.ts'
import { type Binding, Ports } from '../ports.ts'
import { mix, type Random } from '../random.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import type { Ends } from './outlet.ts'
import { advance, distance, Flag, newSegment, readSegment, type Segment, sealSegment } from './segment.ts'
import type { TcpOptions } from './state.ts'

/** Connections that wait for an accept, at most (`net.core.somaxconn`). */
const backlogLimit = 4096
/** Connections in TIME-WAIT at most; the oldest goes (`net.ipv4.tcp_max_tw_buckets`). */
const timeWaitLimit = 16384
/** All connections of one stack at most. */
const connectionLimit = 65536

/** Waits for connections. */
export class Listener {
  readonly binding: Binding
  readonly options: TcpOptions
  backlog: number
  /** Told when a connection can be accepted. */
  changed: (() => void) | undefined
  /** Those whose handshake is not over, the oldest first. */
  readonly half: Set<Connection> = new Set<Connection>()
  readonly ready: Connection[] = []

  constructor(binding: Binding, options: TcpOptions, backlog: number) {
    this.binding = binding
    this.options = options
    this.backlog = backlog
  }
}

/** What happened, as `/proc/net/snmp` counts it. */
export interface TcpCounters {
  activeOpens: number
  passiveOpens: number
  failedAttempts: number
  segmentsIn: number
  segmentsOut: number
  badSegments: number
  resetsOut: number
  /** SYNs for which there was no room. */
  listenDrops: number
}

/** The connections of one stack. */
export class Tcp implements ProtocolHandler, ConnectionHost {
  readonly clock: Clock
  readonly ports: Ports
  readonly counters: TcpCounters = {
    ...{ activeOpens: 0, passiveOpens: 0, failedAttempts: 0, segmentsIn: 0 },
    ...{ segmentsOut: 0, badSegments: 0, resetsOut: 0, listenDrops: 0 },
  }
  /** Asked about a SYN that no listener is for: for gateways. */
  intercept: ((syn: Segment) => Listener | 'ignore' | 'refuse') | undefined
  readonly #ip: Ip
  readonly #secret: number
  /** By local port, then by remote address and port. */
  readonly #connections = new Map<number, Map<number, Connection[]>>()
  readonly #listeners = new Map<number, Listener[]>()
  readonly #homes = new Map<Connection, { binding: Binding; listener: Listener | undefined }>()
  readonly #quiet = new Set<Connection>()

  constructor(ip: Ip, random: Random) {
    this.#ip = ip
    this.clock = ip.clock
    this.#secret = random.next()
    this.ports = new Ports(random.next())
    ip.handlers.set(Protocol.tcp, this)
  }

  /** All connections, in no order that means anything. */
  get connections(): Iterable<Connection> {
    return this.#homes.keys()
  }

  get listeners(): Listener[] {
    return [...this.#listeners.values()].flat()
  }

  /**
   * Begins a connection from `local`, an address of this host, at the port of `binding` or at one that is chosen; or
   * answers −EADDRNOTAVAIL, −ENOBUFS, or what the route says.
   */
  connect(
    ends: Omit<Ends, 'localPort'>,
    options: TcpOptions,
    { binding, device }: { binding?: Binding | undefined; device?: NetDevice | undefined },
  ): Connection | number {
    if (this.#homes.size >= connectionLimit) return -Errno.ENOBUFS
    const { local, remote, remotePort } = ends
    const isTaken = (port: number) =>
      this.ports.isBound(port) || this.#find(local, port, remote, remotePort) !== undefined
    const localPort = binding?.port ?? this.ports.choose(mix(local, remote, remotePort), isTaken)
    if (localPort === undefined || this.#find(local, localPort, remote, remotePort)) return -Errno.EADDRNOTAVAIL
    const all = { ...ends, localPort }
    const connection = new Connection(this, all, this.#sequenceFor(all), false, options, device)
    const flags = { reuseAddress: false, reusePort: false, listening: false, ephemeral: true }
    this.#insert(connection, binding ?? { address: local, port: localPort, device, ...flags })
    this.counters.activeOpens++
    const begun = connection.open()
    if (begun === 0) return connection
    this.#remove(connection)
    if (binding !== undefined) this.ports.hold(binding) // still the socket's
    return begun
  }

  /** Listens at a port that is bound: a listener, or −EADDRINUSE. */
  listen(binding: Binding, options: TcpOptions, backlog: number): Listener | number {
    const begun = this.ports.listen(binding)
    if (begun !== 0) return begun
    const listener = new Listener(binding, options, clampBacklog(backlog))
    const others = this.#listeners.get(binding.port)
    if (others === undefined) this.#listeners.set(binding.port, [listener])
    else others.push(listener)
    return listener
  }

  /** Ends a listener; who waits for it is reset. */
  unlisten(listener: Listener): void {
    const { binding } = listener
    const left = (this.#listeners.get(binding.port) ?? []).filter((other) => other !== listener)
    if (left.length > 0) this.#listeners.set(binding.port, left)
    else this.#listeners.delete(binding.port)
    for (const connection of [...listener.half, ...listener.ready]) {
      connection.abort()
      connection.release()
    }
    this.ports.release(binding)
  }

  receive(packet: Packet): boolean {
    if (packet.group || isMulticast(packet.destination) || this.#ip.interfaces.isBroadcast(packet.destination))
      return true
    this.counters.segmentsIn++
    const segment = readSegment(packet)
    if (segment === undefined) {
      this.counters.badSegments++
      return true
    }
    const found = this.#find(packet.destination, segment.destinationPort, packet.source, segment.sourcePort)
    if (found !== undefined && !this.#startsAnew(found, segment)) {
      found.receive(segment)
      return true
    }
    if ((segment.flags & (Flag.syn | Flag.ack | Flag.rst)) === Flag.syn) this.#receiveSyn(segment)
    else this.refuse(segment)
    return true
  }

  failed({ type, code, mtu, source, destination, payload }: ReportedError): void {
    const connection = this.#find(source, get16(payload, 0), destination, get16(payload, 2))
    if (connection === undefined) return
    const seq = get32(payload, 4)
    if (type === IcmpError.fragmentationNeeded.type && code === IcmpError.fragmentationNeeded.code) {
      connection.pathMtu(mtu, seq)
    } else if (type === IcmpError.hostUnreachable.type) connection.failed(errorOf(code), seq)
  }

  /** Answers a segment that nobody expects (RFC 9293, section 3.10.7.1). */
  refuse({ packet, flags, seq, ack, sourcePort, destinationPort, dataAt, dataEnd }: Segment): void {
    if (flags & Flag.rst) return
    const size = dataEnd - dataAt + (flags & Flag.syn ? 1 : 0) + (flags & Flag.fin ? 1 : 0)
    const ports = { sourcePort: destinationPort, destinationPort: sourcePort, window: 0 }
    const fields =
      flags & Flag.ack
        ? { seq: ack, ack: 0, flags: Flag.rst }
        : { seq: 0, ack: advance(seq, size), flags: Flag.rst | Flag.ack }
    const frame = newSegment({ ...ports, ...fields }, 0, 0)
    sealSegment(frame, packet.destination, packet.source)
    this.counters.resetsOut++
    this.#ip.send(frame, { source: packet.destination, destination: packet.source, protocol: Protocol.tcp })
  }

  send(frame: Uint8Array, outgoing: Outgoing): number {
    this.counters.segmentsOut++
    return this.#ip.send(frame, outgoing)
  }

  mtuTo(destination: Ipv4): number {
    return this.#ip.mtuTo(destination)
  }

  established(connection: Connection): boolean {
    const listener = this.#homes.get(connection)?.listener
    if (listener === undefined) return true
    if (listener.ready.length > listener.backlog) return false
    listener.half.delete(connection)
    listener.ready.push(connection)
    listener.changed?.()
    return true
  }

  /** Takes a connection out of a listener's queue. */
  accept(listener: Listener): Connection | undefined {
    const connection = listener.ready.shift()
    const home = connection && this.#homes.get(connection)
    if (home !== undefined) home.listener = undefined
    return connection
  }

  timeWait(connection: Connection): void {
    this.#quiet.add(connection)
    if (this.#quiet.size <= timeWaitLimit) return
    for (const oldest of this.#quiet) {
      oldest.drop()
      break
    }
  }

  closed(connection: Connection): void {
    const home = this.#homes.get(connection)
    if (home?.listener?.half.delete(connection)) this.counters.failedAttempts++
    this.#remove(connection)
  }

  /** A SYN for a connection that is only remembered begins another (RFC 9293, section 3.10.7.4: TIME-WAIT). */
  #startsAnew(connection: Connection, { flags, seq }: Segment): boolean {
    if (connection.state !== 'time-wait' || (flags & (Flag.syn | Flag.rst | Flag.ack)) !== Flag.syn) return false
    if (distance(seq, connection.receiver?.next ?? 0) <= 0) return false
    connection.drop()
    return true
  }

  #receiveSyn(segment: Segment): void {
    const { packet, destinationPort } = segment
    const listener = this.#listenerFor(packet, destinationPort) ?? this.intercept?.(segment) ?? 'refuse'
    if (listener === 'ignore') return
    if (listener === 'refuse') {
      this.refuse(segment)
      return
    }
    if (listener.ready.length > listener.backlog || this.#homes.size >= connectionLimit) {
      this.counters.listenDrops++
      return
    }
    if (listener.half.size >= Math.max(8, listener.backlog)) {
      // A flood must not keep others out: who has waited longest goes.
      for (const oldest of listener.half) {
        oldest.drop()
        break
      }
      this.counters.listenDrops++
    }
    const ends = {
      ...{ local: packet.destination, localPort: destinationPort },
      ...{ remote: packet.source, remotePort: segment.sourcePort },
    }
    const { options, binding } = listener
    const connection = new Connection(this, ends, this.#sequenceFor(ends), true, { ...options }, binding.device)
    const held = { ...binding, address: ends.local, listening: false, ephemeral: false }
    this.ports.hold(held)
    this.#insert(connection, held, listener)
    listener.half.add(connection)
    this.counters.passiveOpens++
    connection.answer(segment)
  }

  #listenerFor({ destination, source, device }: Packet, port: number): Listener | undefined {
    const candidates = (this.#listeners.get(port) ?? []).filter(
      ({ binding }) =>
        (binding.address === destination || binding.address === anyAddress) &&
        (binding.device === undefined || binding.device === device),
    )
    if (candidates.length <= 1) return candidates[0]
    const exact = candidates.filter(({ binding }) => binding.address === destination)
    const best = exact.length > 0 ? exact : candidates
    return best[mix(this.#secret, source, port) % best.length]
  }

  /** Where sequence numbers of a connection begin (RFC 6528): a clock, and what nobody else can know of the ends. */
  #sequenceFor({ local, localPort, remote, remotePort }: Ends): number {
    const microseconds = this.clock.nanoseconds(this.clock.now) / 4000
    return (mix(this.#secret, local, remote, localPort * 65536 + remotePort) + (microseconds % 2 ** 32)) >>> 0
  }

  #find(local: Ipv4, localPort: number, remote: Ipv4, remotePort: number): Connection | undefined {
    const same = this.#connections.get(localPort)?.get(remote * 65536 + remotePort)
    return same?.find(({ ends }) => ends.local === local)
  }

  #insert(connection: Connection, binding: Binding, listener?: Listener): void {
    const { localPort, remote, remotePort } = connection.ends
    if (binding.ephemeral) this.ports.hold(binding)
    this.#homes.set(connection, { binding, listener })
    let byRemote = this.#connections.get(localPort)
    if (byRemote === undefined) this.#connections.set(localPort, (byRemote = new Map()))
    const key = remote * 65536 + remotePort
    const same = byRemote.get(key)
    if (same === undefined) byRemote.set(key, [connection])
    else same.push(connection)
  }

  #remove(connection: Connection): void {
    const home = this.#homes.get(connection)
    if (home === undefined) return
    this.#homes.delete(connection)
    this.#quiet.delete(connection)
    this.ports.release(home.binding)
    const { localPort, remote, remotePort } = connection.ends
    const byRemote = this.#connections.get(localPort)
    const key = remote * 65536 + remotePort
    const left = (byRemote?.get(key) ?? []).filter((other) => other !== connection)
    if (left.length > 0) byRemote?.set(key, left)
    else byRemote?.delete(key)
    if (byRemote?.size === 0) this.#connections.delete(localPort)
  }
}

/** As many as listen(2) lets wait. */
export function clampBacklog(backlog: number): number {
  return backlog < 0 || backlog > backlogLimit ? backlogLimit : backlog
}

/** What an unreachable destination means to a program (RFC 1122, section 4.2.3.9). */
function errorOf(code: number): number {
  if (code === IcmpError.netUnreachable.code) return Errno.ENETUNREACH
  if (code === IcmpError.portUnreachable.code || code === IcmpError.protocolUnreachable.code) return Errno.ECONNREFUSED
  return Errno.EHOSTUNREACH
}
