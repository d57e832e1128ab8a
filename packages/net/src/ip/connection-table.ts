/** The table of tracked connections: each is found by the packets of either direction, and ends by its timeout. */
import type { Clock } from '@vmexit/core'
import { LazyTimer } from '../lazy-timer.ts'
import type { Ipv4 } from './address.ts'
import { type Packet, Protocol } from './packet.ts'

/** What packets of one direction have in common. For ICMP both ports are the identifier. */
export interface Tuple {
  readonly protocol: number
  readonly source: Ipv4
  readonly sourcePort: number
  readonly destination: Ipv4
  readonly destinationPort: number
}

/** 0: as the first packet; 1: replies. */
export type Direction = 0 | 1

/** A tracked connection. */
export interface TrackedConnection {
  /** As its packets come in, of either direction. */
  readonly tuples: [Tuple, Tuple]
  /** Whether it is in the table. */
  confirmed: boolean
  replied: boolean
  /** TCP: directions that have sent FIN, as bits; 4 after RST. */
  closed: number
  expires: number
}

const second = 1e9
/** Timeouts in nanoseconds (RFC 5382 and RFC 4787 set the lower bounds). */
const timeouts = {
  tcpOpening: 120 * second,
  tcpOpen: 7440 * second,
  tcpClosing: 120 * second,
  tcpReset: 10 * second,
  udpOpening: 30 * second,
  udpOpen: 180 * second,
  icmp: 30 * second,
}

const sweepEvery = 10 * second

/** Looks for a connection to give up at so many places before a packet is dropped. */
const evictionEffort = 64

/** Connections of one stack. */
export class ConnectionTable {
  readonly #clock: Clock
  readonly #limit: number
  readonly #byTuple = new Map<string, { connection: TrackedConnection; direction: Direction }>()
  readonly #connections = new Set<TrackedConnection>()
  readonly #sweep: LazyTimer

  constructor(clock: Clock, limit: number) {
    this.#clock = clock
    this.#limit = limit
    this.#sweep = new LazyTimer(clock, () => this.#expire())
  }

  get size(): number {
    return this.#connections.size
  }

  find(tuple: Tuple): { connection: TrackedConnection; direction: Direction } | undefined {
    const found = this.#byTuple.get(keyOf(tuple))
    if (found === undefined || found.connection.expires >= this.#clock.now) return found
    this.#remove(found.connection)
    return undefined
  }

  /** A connection that is not yet in the table. */
  create(original: Tuple, reply: Tuple): TrackedConnection {
    return { tuples: [original, reply], confirmed: false, replied: false, closed: 0, expires: 0 }
  }

  /** False where the table is full of connections that have been answered. */
  add(connection: TrackedConnection): boolean {
    if (this.#connections.size >= this.#limit && !this.#evict()) return false
    connection.confirmed = true
    this.#connections.add(connection)
    this.#byTuple.set(keyOf(connection.tuples[0]), { connection, direction: 0 })
    this.#byTuple.set(keyOf(connection.tuples[1]), { connection, direction: 1 })
    this.#sweep.setOnce(this.#clock.now + this.#clock.ticks(sweepEvery))
    return true
  }

  /** A packet of it passed: its timeout starts anew. */
  saw(connection: TrackedConnection, direction: Direction, packet: Packet): void {
    if (direction === 1) connection.replied = true
    if (packet.protocol === Protocol.tcp) {
      const flags = packet.frame[packet.at + 13]
      if (flags & 0x04) connection.closed |= 4
      else if (flags & 0x01) connection.closed |= 1 << direction
      else if (flags & 0x02 && direction === 0) connection.closed = 0
    }
    connection.expires = this.#clock.now + this.#clock.ticks(timeoutOf(connection, packet.protocol))
  }

  #evict(): boolean {
    let looked = 0
    for (const connection of this.#connections) {
      if (!connection.replied || connection.closed || connection.expires < this.#clock.now) {
        this.#remove(connection)
        return true
      }
      if (++looked === evictionEffort) break
    }
    return false
  }

  #expire(): void {
    for (const connection of this.#connections) if (connection.expires < this.#clock.now) this.#remove(connection)
    if (this.#connections.size > 0) this.#sweep.set(this.#clock.now + this.#clock.ticks(sweepEvery))
  }

  #remove(connection: TrackedConnection): void {
    this.#connections.delete(connection)
    for (const tuple of connection.tuples) this.#byTuple.delete(keyOf(tuple))
  }
}

function timeoutOf({ replied, closed }: TrackedConnection, protocol: number): number {
  if (protocol === Protocol.udp) return replied ? timeouts.udpOpen : timeouts.udpOpening
  if (protocol === Protocol.icmp) return timeouts.icmp
  if (closed & 4) return timeouts.tcpReset
  if (closed === 3) return timeouts.tcpClosing
  return replied ? timeouts.tcpOpen : timeouts.tcpOpening
}

function keyOf({ protocol, source, sourcePort, destination, destinationPort }: Tuple): string {
  return `${protocol} ${source} ${sourcePort} ${destination} ${destinationPort}`
}
