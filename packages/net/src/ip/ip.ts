/**
 * IPv4 (RFC 791; RFC 1122 section 3 for hosts, RFC 1812 for routers): what comes in is delivered, forwarded or refused;
 * what is sent gets a route, a header and, where it must, fragments.
 */
import type { Clock } from '@vmexit/core'
import { get16 } from '../bytes.ts'
import { Errno } from '../errno.ts'
import type { NetDevice } from '../link/device.ts'
import { broadcastMac, EtherType, getMac, isGroupMac, setEtherHeader } from '../link/ethernet.ts'
import type { Random } from '../random.ts'
import { anyAddress, type Ipv4, isLoopback, isMulticast, limitedBroadcast } from './address.ts'
import { Interfaces } from './interfaces.ts'
import { Neighbours } from './neighbours.ts'
import { dontFragment, fragmentsOf, ipAt, type Packet, readPacket, setHeaderChecksum, writeHeader } from './packet.ts'
import { Reassembly } from './reassembly.ts'
import { type Route, RouteTable, RouteType } from './routes.ts'

/** Types and codes of ICMP errors (RFC 792, RFC 1122, RFC 1812). */
export const IcmpError = {
  netUnreachable: { type: 3, code: 0 },
  hostUnreachable: { type: 3, code: 1 },
  protocolUnreachable: { type: 3, code: 2 },
  portUnreachable: { type: 3, code: 3 },
  fragmentationNeeded: { type: 3, code: 4 },
  prohibited: { type: 3, code: 13 },
  ttlExceeded: { type: 11, code: 0 },
  reassemblyTimeExceeded: { type: 11, code: 1 },
} as const

/** An error that came about a packet sent from here. */
export interface ReportedError {
  readonly type: number
  readonly code: number
  /** The largest packet that would pass, where fragmentation was needed; else 0. */
  readonly mtu: number
  readonly source: Ipv4
  readonly destination: Ipv4
  /** The first bytes of the payload of that packet, at least 8. */
  readonly payload: Uint8Array
}

/** What takes packets of one protocol. */
export interface ProtocolHandler {
  /** False where nobody takes it: the sender is told that the port is unreachable. */
  receive(packet: Packet): boolean
  failed?(error: ReportedError): void
}

/** What a packet to be sent is. */
export interface Outgoing {
  /** An address of this host, as {@link Ip.sourceFor} chooses it. */
  readonly source: Ipv4
  readonly destination: Ipv4
  readonly protocol: number
  /** 64 unless stated. */
  readonly ttl?: number
  readonly tos?: number
  readonly dontFragment?: boolean
  /** The device it has to leave by. */
  readonly device?: NetDevice | undefined
}

/** A packet on its way through translation. */
export interface Tracked {
  readonly packet: Packet
}

/** Translates addresses: see `Nat`. */
export interface Translation<T extends Tracked = Tracked> {
  /** Before the route is chosen; undefined drops it. */
  before(packet: Packet): T | undefined
  /** When it is known where it leaves; undefined for this host. */
  after(tracked: T, device: NetDevice | undefined): Packet | undefined
}

/** What passed, of all devices (`/proc/net/snmp`). */
export interface IpCounters {
  received: number
  badHeaders: number
  badAddresses: number
  forwarded: number
  delivered: number
  noHandler: number
  sent: number
  noRoute: number
  fragmentsMade: number
}

/** IPv4 of one stack. */
export class Ip {
  readonly clock: Clock
  readonly routes: RouteTable = new RouteTable()
  readonly interfaces: Interfaces
  readonly neighbours: Neighbours
  readonly reassembly: Reassembly
  /** Whether packets for others are passed on (`net.ipv4.ip_forward`). */
  forwarding = false
  /** Whether packets for others are delivered here, as a gateway to another kind of network does. */
  acceptAll = false
  translation: Translation | undefined
  /** Groups that sockets have joined, with how many. */
  readonly groups: Map<Ipv4, number> = new Map<Ipv4, number>()
  readonly handlers: Map<number, ProtocolHandler> = new Map<number, ProtocolHandler>()
  /** See each packet for this host, whatever its protocol: raw sockets. True where one took it. */
  readonly listeners: Set<(packet: Packet) => boolean> = new Set<(packet: Packet) => boolean>()
  readonly counters: IpCounters = {
    ...{ received: 0, badHeaders: 0, badAddresses: 0, forwarded: 0, delivered: 0, noHandler: 0 },
    ...{ sent: 0, noRoute: 0, fragmentsMade: 0 },
  }
  /** Tells the sender of a packet what became of it; ICMP sets it. */
  report: ((about: Packet, error: { type: number; code: number }, mtu?: number) => void) | undefined
  #id: number

  constructor(clock: Clock, random: Random) {
    this.clock = clock
    this.#id = random.below(0x10000)
    this.interfaces = new Interfaces(this.routes, (device, frame) => this.#input(device, frame))
    this.neighbours = new Neighbours(clock, {
      answers: (_, address) => this.interfaces.ownerOf(address) !== undefined && !isLoopback(address),
      sourceOn: (device, address) => this.interfaces.sourceOn(device, address),
      unreachable: (frame) => this.#unreachable(frame),
    })
    this.reassembly = new Reassembly(clock, (first) => this.report?.(first, IcmpError.reassemblyTimeExceeded))
  }

  /** The address from which packets to a destination are sent, or −ENETUNREACH and the like. */
  sourceFor(destination: Ipv4, device?: NetDevice): Ipv4 | number {
    if (this.interfaces.isLocal(destination)) return isLoopback(destination) ? 0x7f00_0001 : destination
    const way = this.#wayTo(destination, device)
    if (typeof way === 'number') return way
    const { route, nextHop } = way
    return route?.source ?? this.interfaces.sourceOn(way.device, nextHop) ?? this.#anySource() ?? -Errno.EADDRNOTAVAIL
  }

  /** The route to a destination, or a negated error number. */
  routeTo(destination: Ipv4): Route | number {
    const route = this.routes.lookup(destination)
    if (route === undefined) return -Errno.ENETUNREACH
    return route.device === undefined ? refusal(route) : route
  }

  /** Bytes of the largest packet that leaves for a destination in one piece. */
  mtuTo(destination: Ipv4): number {
    const way = this.#wayTo(destination)
    return typeof way === 'number' ? 1500 : Math.min(way.device.mtu, 65535)
  }

  /**
   * Sends a frame with room for both headers, which are written here. 0, or a negated error number: ENETUNREACH,
   * EHOSTUNREACH, EACCES, EINVAL as the route says, EMSGSIZE if it must not be fragmented, ENOBUFS.
   */
  send(frame: Uint8Array, outgoing: Outgoing): number {
    if (frame.length - ipAt > 65535) return -Errno.EMSGSIZE
    this.#id = (this.#id + 1) & 0xffff
    writeHeader(frame, {
      ...{ source: outgoing.source, destination: outgoing.destination, protocol: outgoing.protocol },
      ...{ ttl: outgoing.ttl ?? 64, tos: outgoing.tos ?? 0, id: this.#id },
      fragment: outgoing.dontFragment ? dontFragment : 0,
    })
    return this.sendPacket(frame, outgoing.device)
  }

  /** Sends a frame whose IPv4 header is complete. */
  sendPacket(frame: Uint8Array, device?: NetDevice): number {
    this.counters.sent++
    const { translation } = this
    if (translation === undefined) return this.#emitFrame(frame, device)
    const packet = readPacket(frame, undefined)
    const tracked = packet && translation.before(packet)
    if (tracked === undefined) return -Errno.ENOBUFS
    const way = this.#wayTo(tracked.packet.destination, device)
    if (typeof way === 'number') return way
    const translated = translation.after(tracked, way.device)
    if (translated === undefined) return -Errno.ENOBUFS
    return this.#emit(translated.frame, translated.destination, way.device, way.nextHop)
  }

  #emitFrame(frame: Uint8Array, device: NetDevice | undefined): number {
    const destination = (get16(frame, ipAt + 16) * 0x10000 + get16(frame, ipAt + 18)) >>> 0
    const way = this.#wayTo(destination, device)
    if (typeof way !== 'number') return this.#emit(frame, destination, way.device, way.nextHop)
    this.counters.noRoute++
    return way
  }

  #wayTo(destination: Ipv4, device?: NetDevice): Way | number {
    if (this.interfaces.isLocal(destination)) {
      const lo = this.interfaces.byName('lo')
      return lo?.up ? { device: lo, nextHop: destination, route: undefined } : -Errno.ENETUNREACH
    }
    if (device !== undefined && (isMulticast(destination) || destination === limitedBroadcast)) {
      return { device, nextHop: destination, route: undefined }
    }
    const route = this.routes.lookup(destination, device)
    if (route === undefined) {
      if (device !== undefined) return { device, nextHop: destination, route: undefined }
      const first = destination === limitedBroadcast ? this.#firstUp() : undefined
      return first === undefined ? -Errno.ENETUNREACH : { device: first, nextHop: destination, route: undefined }
    }
    if (route.device === undefined) return refusal(route)
    return { device: route.device, nextHop: route.gateway ?? destination, route }
  }

  #firstUp(): NetDevice | undefined {
    return this.interfaces.all.find(({ up, kind }) => up && kind !== 'loopback')
  }

  #anySource(): Ipv4 | undefined {
    for (const device of this.interfaces.all) {
      if (device.up && device.kind !== 'loopback' && device.addresses.length > 0) return device.addresses[0].address
    }
    return undefined
  }

  #emit(frame: Uint8Array, destination: Ipv4, device: NetDevice, nextHop: Ipv4): number {
    if (frame.length - ipAt <= device.mtu) {
      this.#transmit(frame, destination, device, nextHop)
      return 0
    }
    if (get16(frame, ipAt + 6) & dontFragment || device.mtu < 68) return -Errno.EMSGSIZE
    const packet = readPacket(frame, undefined)
    if (packet === undefined) return -Errno.EINVAL
    for (const fragment of fragmentsOf(packet, device.mtu)) {
      this.counters.fragmentsMade++
      this.#transmit(fragment, destination, device, nextHop)
    }
    return 0
  }

  #transmit(frame: Uint8Array, destination: Ipv4, device: NetDevice, nextHop: Ipv4): void {
    let mac: number
    if (device.kind === 'loopback' || device.noArp) mac = 0
    else if (destination === limitedBroadcast || device.addresses.some(({ broadcast }) => broadcast === destination)) {
      mac = broadcastMac
    } else if (isMulticast(destination))
      mac = 0x0100_5e00_0000 + (destination & 0x7f_ffff) // RFC 1112, section 6.4
    else {
      this.neighbours.send(device, nextHop, frame)
      return
    }
    setEtherHeader(frame, mac, device.mac, EtherType.ipv4)
    device.transmit(frame)
  }

  #input(device: NetDevice, frame: Uint8Array): void {
    const to = getMac(frame, 0)
    if (to !== device.mac && !isGroupMac(to)) return // for another station
    const type = get16(frame, 12)
    if (type === EtherType.arp) this.neighbours.receive(device, frame)
    if (type !== EtherType.ipv4) return
    this.counters.received++
    const packet = readPacket(frame, device)
    if (packet === undefined) {
      this.counters.badHeaders++
      device.counters.rxErrors++
      return
    }
    if (this.#isMartian(packet, device)) {
      this.counters.badAddresses++
      return
    }
    if (this.translation === undefined) this.#route(packet)
    else this.#translate(packet, this.translation)
  }

  #translate(packet: Packet, translation: Translation): void {
    // Ports are in the first fragment only.
    const whole = (packet.fragment & 0x3fff) === 0 ? packet : this.reassembly.add(packet)
    const tracked = whole && translation.before(whole)
    if (tracked !== undefined) this.#route(tracked.packet, tracked)
  }

  /** Sources that nobody can have (RFC 1122, section 3.2.1.3; RFC 1812, section 5.3.7). */
  #isMartian({ source, destination, group }: Packet, device: NetDevice): boolean {
    if (isMulticast(source) || source === limitedBroadcast) return true
    if (device.kind === 'loopback') return false
    if (isLoopback(source) || isLoopback(destination)) return true
    if (source === anyAddress) return !group
    return this.interfaces.isLocal(source) || this.interfaces.isBroadcast(source)
  }

  #route(packet: Packet, tracked?: Tracked): void {
    const { destination } = packet
    const { interfaces } = this
    const local =
      interfaces.isLocal(destination) ||
      interfaces.isBroadcast(destination) ||
      (isMulticast(destination) && this.groups.has(destination)) ||
      (this.acceptAll && !isMulticast(destination))
    if (local) {
      const final = tracked === undefined ? packet : this.translation?.after(tracked, undefined)
      if (final !== undefined) this.#deliver(final)
    } else if (this.forwarding && !packet.group) this.#forward(packet, tracked)
    else this.counters.badAddresses++
  }

  #deliver(fragment: Packet): void {
    const packet = (fragment.fragment & 0x3fff) === 0 ? fragment : this.reassembly.add(fragment)
    if (packet === undefined) return
    let taken = false
    for (const listener of this.listeners) taken = listener(packet) || taken
    const handler = this.handlers.get(packet.protocol)
    if (handler === undefined) {
      if (taken) return
      this.counters.noHandler++
      this.report?.(packet, IcmpError.protocolUnreachable)
      return
    }
    this.counters.delivered++
    if (!handler.receive(packet) && !taken) this.report?.(packet, IcmpError.portUnreachable)
  }

  #forward(packet: Packet, tracked: Tracked | undefined): void {
    if (packet.ttl <= 1) {
      this.report?.(packet, IcmpError.ttlExceeded)
      return
    }
    const way = this.#wayTo(packet.destination)
    if (typeof way === 'number') {
      this.counters.noRoute++
      const error = way === -Errno.EACCES ? IcmpError.prohibited : IcmpError.netUnreachable
      if (way !== -Errno.EINVAL) this.report?.(packet, way === -Errno.EHOSTUNREACH ? IcmpError.hostUnreachable : error)
      return
    }
    if (packet.end - ipAt > way.device.mtu && packet.fragment & dontFragment) {
      this.report?.(packet, IcmpError.fragmentationNeeded, way.device.mtu)
      return
    }
    const leaving = tracked === undefined ? packet : this.translation?.after(tracked, way.device)
    if (leaving === undefined) return
    const frame = leaving.frame.slice(0, leaving.end)
    frame[ipAt + 8]--
    setHeaderChecksum(frame)
    this.counters.forwarded++
    this.#emit(frame, packet.destination, way.device, way.nextHop)
  }

  #unreachable(frame: Uint8Array): void {
    const packet = readPacket(frame, undefined)
    if (packet !== undefined) this.report?.(packet, IcmpError.hostUnreachable)
  }
}

type Way = { readonly device: NetDevice; readonly nextHop: Ipv4; readonly route: Route | undefined }

/** What a route that leads nowhere answers. */
function refusal({ type }: Route): number {
  if (type === RouteType.blackhole) return -Errno.EINVAL
  return type === RouteType.prohibit ? -Errno.EACCES : -Errno.EHOSTUNREACH
}
