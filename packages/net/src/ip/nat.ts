/**
 * Network address translation (RFC 3022, RFC 4787, RFC 5382) by tracking connections: masquerading behind the address of
 * a device, and published ports. It is what Linux's netfilter does for container hosts, reduced to these two rules.
 */
import type { Clock } from '@vmexit/core'
import type { NetDevice } from '../link/device.ts'
import type { Random } from '../random.ts'
import { type Ipv4, isWithin } from './address.ts'
import { ConnectionTable, type Direction, type TrackedConnection, type Tuple } from './connection-table.ts'
import type { Interfaces } from './interfaces.ts'
import type { Tracked, Translation } from './ip.ts'
import { type Packet, Protocol } from './packet.ts'
import { quotedTuple, rewrite, rewriteQuote, tupleOf } from './rewrite.ts'

/** What leaves from a network through another device gets the address of that device. */
export interface Masquerade {
  readonly network: Ipv4
  readonly prefix: number
  /** Devices it leaves by; by any but the one it came in unless stated. */
  readonly device?: string
}

/** What comes to a port of this host goes to another host. */
export interface PublishedPort {
  readonly protocol: 'tcp' | 'udp'
  /** The address of this host it is published at; all of them unless stated. */
  readonly address?: Ipv4
  readonly port: number
  readonly toAddress: Ipv4
  readonly toPort: number
}

/** A packet, and the connection it belongs to. */
export interface TrackedPacket extends Tracked {
  readonly connection: TrackedConnection | undefined
  readonly direction: Direction
  /** Whether it is an ICMP error about a packet of that connection. */
  readonly quotes: boolean
}

/** The translation of one stack. */
export class Nat implements Translation<TrackedPacket> {
  readonly masquerades: Masquerade[] = []
  readonly published: PublishedPort[] = []
  readonly #table: ConnectionTable
  readonly #interfaces: Interfaces
  readonly #random: Random

  /** `limit`: connections tracked at most; packets that would start further ones are dropped. */
  constructor(clock: Clock, interfaces: Interfaces, random: Random, limit = 16384) {
    this.#interfaces = interfaces
    this.#random = random
    this.#table = new ConnectionTable(clock, limit)
  }

  /** Connections tracked now. */
  get connections(): number {
    return this.#table.size
  }

  before(packet: Packet): TrackedPacket | undefined {
    const quoted = quotedTuple(packet)
    if (quoted !== undefined) return this.#beforeError(packet, quoted)
    const tuple = tupleOf(packet)
    if (tuple === undefined) return { packet, connection: undefined, direction: 0, quotes: false }
    const found = this.#table.find(tuple)
    if (found === undefined) return this.#start(packet, tuple)
    const { connection, direction } = found
    this.#table.saw(connection, direction, packet)
    // Where it goes is what the other direction comes from.
    const target = connection.tuples[1 - direction]
    const translated = rewrite(packet, undefined, { address: target.source, port: target.sourcePort })
    return { packet: translated, connection, direction, quotes: false }
  }

  after({ packet, connection, direction, quotes }: TrackedPacket, device: NetDevice | undefined): Packet | undefined {
    if (connection === undefined || quotes) return packet
    if (!connection.confirmed) {
      if (!this.#masquerade(connection, packet, device) || !this.#table.add(connection)) return undefined
    }
    const from = connection.tuples[1 - direction]
    return rewrite(packet, { address: from.destination, port: from.destinationPort }, undefined)
  }

  #start(packet: Packet, tuple: Tuple): TrackedPacket | undefined {
    if (!startsConnection(packet)) return { packet, connection: undefined, direction: 0, quotes: false }
    const rule = this.published.find(
      ({ protocol, address, port }) =>
        Protocol[protocol] === tuple.protocol &&
        port === tuple.destinationPort &&
        (address === undefined ? this.#interfaces.isLocal(tuple.destination) : address === tuple.destination),
    )
    const target =
      rule === undefined
        ? { address: tuple.destination, port: tuple.destinationPort }
        : { address: rule.toAddress, port: rule.toPort }
    const reply: Tuple = {
      protocol: tuple.protocol,
      source: target.address,
      sourcePort: target.port,
      destination: tuple.source,
      destinationPort: tuple.sourcePort,
    }
    const connection = this.#table.create(tuple, reply)
    this.#table.saw(connection, 0, packet)
    return { packet: rewrite(packet, undefined, target), connection, direction: 0, quotes: false }
  }

  #beforeError(packet: Packet, quoted: Tuple): TrackedPacket {
    const found = this.#table.find(reverse(quoted))
    if (found === undefined) return { packet, connection: undefined, direction: 0, quotes: true }
    const asSent = found.connection.tuples[1 - found.direction]
    return { packet: rewriteQuote(packet, quoted, asSent), connection: undefined, direction: 0, quotes: true }
  }

  /** Chooses what a new connection is seen from. False where no port is left. */
  #masquerade(connection: TrackedConnection, packet: Packet, device: NetDevice | undefined): boolean {
    if (device === undefined || device.kind === 'loopback') return true
    const [original, reply] = connection.tuples
    const published = reply.source !== original.destination
    const hairpin = published && packet.device === device
    const rule = this.masquerades.some(
      ({ network, prefix, device: name }) =>
        isWithin(packet.source, network, prefix) &&
        !this.#interfaces.isLocal(packet.source) &&
        (name === undefined ? packet.device !== device : name === device.name),
    )
    if (!rule && !hairpin) return true
    const address = this.#interfaces.sourceOn(device, packet.destination)
    if (address === undefined) return false
    const port = this.#freePort(reply, address)
    if (port === undefined) return false
    const ports = { destinationPort: port, ...(reply.protocol === Protocol.icmp && { sourcePort: port }) }
    connection.tuples[1] = { ...reply, destination: address, ...ports }
    return true
  }

  /** The same port if it is free, else one from 1024 on. */
  #freePort(reply: Tuple, address: Ipv4): number | undefined {
    let port = reply.destinationPort
    for (let attempt = 0; attempt < 1024; attempt++) {
      const sourcePort = reply.protocol === Protocol.icmp ? port : reply.sourcePort
      if (this.#table.find({ ...reply, destination: address, destinationPort: port, sourcePort }) === undefined)
        return port
      port = 1024 + this.#random.below(65536 - 1024)
    }
    return undefined
  }
}

/** TCP begins with SYN; of the middle of a connection nothing is known. */
function startsConnection({ protocol, frame, at }: Packet): boolean {
  if (protocol === Protocol.tcp) return (frame[at + 13] & 0x17) === 0x02
  return protocol === Protocol.udp || frame[at] === 8
}

function reverse(tuple: Tuple): Tuple {
  return {
    protocol: tuple.protocol,
    source: tuple.destination,
    sourcePort: tuple.destinationPort,
    destination: tuple.source,
    destinationPort: tuple.sourcePort,
  }
}
