/**
 * Datagrams from their fragments (RFC 815). Fragments that overlap drop the datagram, as they serve attacks only (RFC
 * 5722 for IPv6, Linux for both); what is not complete after 30 s is dropped; memory is limited for all of a stack.
 */
import type { Clock, Timer } from '@vmexit/core'
import { moreFragments, type Packet, payloadAt, readPacket, writeHeader } from './packet.ts'

const timeout = 30e9
/** Bytes that all fragments may take, each with what keeping it costs. */
const memoryLimit = 4 * 1024 * 1024
const fragmentCost = 256
/** An IPv4 packet is not longer than this, header included. */
const packetLimit = 65535

type Piece = { readonly start: number; readonly end: number; readonly bytes: Uint8Array }

class Datagram {
  readonly key: string
  /** By offset, without overlaps. */
  readonly pieces: Piece[] = []
  /** The fragment at offset 0, for what is said about the whole. */
  first: Packet | undefined
  /** Bytes of the whole, once the last fragment is here. */
  size: number | undefined
  received = 0
  cost = 0
  timer: Timer | undefined

  constructor(key: string) {
    this.key = key
  }
}

/** The fragments of one stack. */
export class Reassembly {
  /** The datagram that was started longest ago first. */
  readonly #datagrams = new Map<string, Datagram>()
  readonly #clock: Clock
  readonly #expired: (first: Packet) => void
  #memory = 0

  /** `expired` is told of datagrams that were not complete in time, if their first fragment is here. */
  constructor(clock: Clock, expired: (first: Packet) => void) {
    this.#clock = clock
    this.#expired = expired
  }

  /** Bytes that fragments take now. */
  get memory(): number {
    return this.#memory
  }

  /** Takes a fragment; answers the whole packet when it is complete. */
  add(packet: Packet): Packet | undefined {
    const start = (packet.fragment & 0x1fff) * 8
    const end = start + packet.end - packet.at
    const last = (packet.fragment & moreFragments) === 0
    if (end === start || (!last && (end - start) % 8 !== 0) || end > packetLimit - 20) return undefined
    const key = `${packet.source} ${packet.destination} ${packet.protocol} ${packet.id}`
    const datagram = this.#datagrams.get(key) ?? this.#start(key)
    if (!this.#insert(datagram, packet, start, end, last)) {
      this.#drop(datagram)
      return undefined
    }
    if (datagram.received !== datagram.size || datagram.first === undefined) {
      this.#makeRoom(datagram)
      return undefined
    }
    this.#drop(datagram)
    return whole(datagram, datagram.first)
  }

  /** False where the datagram is to be dropped. */
  #insert(datagram: Datagram, packet: Packet, start: number, end: number, last: boolean): boolean {
    const { pieces } = datagram
    let at = pieces.length
    while (at > 0 && pieces[at - 1].start >= start) at--
    const after = pieces[at]
    if (after !== undefined && after.start === start && after.end === end) return true // sent twice
    if ((after !== undefined && after.start < end) || (at > 0 && pieces[at - 1].end > start)) return false
    if (last ? datagram.size !== undefined : datagram.size !== undefined && end > datagram.size) return false
    if (last) {
      if (pieces.length > 0 && pieces[pieces.length - 1].end > end) return false
      datagram.size = end
    }
    pieces.splice(at, 0, { start, end, bytes: packet.frame.slice(packet.at, packet.end) })
    if (start === 0) datagram.first = { ...packet, frame: packet.frame.slice(0, packet.end) }
    datagram.received += end - start
    const cost = (end - start) * (start === 0 ? 2 : 1) + fragmentCost
    datagram.cost += cost
    this.#memory += cost
    return true
  }

  #start(key: string): Datagram {
    const datagram = new Datagram(key)
    this.#datagrams.set(key, datagram)
    datagram.timer = this.#clock.after(this.#clock.ticks(timeout), () => {
      this.#drop(datagram)
      if (datagram.first !== undefined) this.#expired(datagram.first)
    })
    return datagram
  }

  #makeRoom(newest: Datagram): void {
    for (const datagram of this.#datagrams.values()) {
      if (this.#memory <= memoryLimit) return
      if (datagram !== newest) this.#drop(datagram)
    }
  }

  #drop(datagram: Datagram): void {
    datagram.timer?.[Symbol.dispose]()
    this.#memory -= datagram.cost
    datagram.cost = 0
    this.#datagrams.delete(datagram.key)
  }
}

function whole(datagram: Datagram, first: Packet): Packet | undefined {
  const frame = new Uint8Array(payloadAt + (datagram.size ?? 0))
  frame.set(first.frame.subarray(0, 14))
  for (const { start, bytes } of datagram.pieces) frame.set(bytes, payloadAt + start)
  writeHeader(frame, { ...first, fragment: 0 })
  return readPacket(frame, first.device)
}
