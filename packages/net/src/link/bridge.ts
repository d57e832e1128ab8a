/**
 * A learning switch (IEEE 802.1D without the spanning tree): a frame goes to the port behind which its destination was
 * last seen, or to all others. Time is virtual. A loop of bridges is a storm, as it is without a spanning tree.
 */
import type { Clock } from '@vmexit/core'
import { etherHeader, getMac, isGroupMac, type Mac } from './ethernet.ts'
import type { Port } from './port.ts'

/** How a bridge learns. */
export interface BridgeOptions {
  /** Nanoseconds after which an address that sends nothing is forgotten; 300 s unless stated. */
  readonly ageing?: number
  /** Addresses it remembers; further ones are not learnt. 4096 unless stated. */
  readonly addresses?: number
}

/** Addresses that no bridge passes on (IEEE 802.1D, table 7-10): 01-80-C2-00-00-00 to -0F. */
const reserved = 0x0180_c200_0000

/** A switch. It is also what is inside of a bridge device. */
export class Bridge {
  readonly #clock: Clock
  readonly #ageing: number
  readonly #limit: number
  readonly #ports = new Set<BridgePort>()
  readonly #table = new Map<Mac, { port: BridgePort; seen: number }>()

  constructor(clock: Clock, { ageing = 300e9, addresses = 4096 }: BridgeOptions = {}) {
    this.#clock = clock
    this.#ageing = clock.ticks(ageing)
    this.#limit = addresses
  }

  /** Adds a port, which sends with `send`. */
  join(send: (frame: Uint8Array) => void): BridgePort {
    const port = new BridgePort(send, this.#forward, this.#leave)
    this.#ports.add(port)
    return port
  }

  /** Adds a port at the end of a link. */
  connect(link: Port): BridgePort {
    const port = this.join((frame) => link.send(frame))
    link.attach((frame) => port.receive(frame))
    return port
  }

  /** Which port an address is behind, as far as that is known. */
  lookup(mac: Mac): BridgePort | undefined {
    const entry = this.#table.get(mac)
    if (entry === undefined) return undefined
    if (this.#clock.now - entry.seen <= this.#ageing) return entry.port
    this.#table.delete(mac)
    return undefined
  }

  readonly #forward = (from: BridgePort, frame: Uint8Array): void => {
    if (frame.length < etherHeader) return
    this.#learn(getMac(frame, 6), from)
    const destination = getMac(frame, 0)
    if (destination >= reserved && destination <= reserved + 0xf) return
    const known = isGroupMac(destination) ? undefined : this.lookup(destination)
    if (known !== undefined) {
      if (known !== from) known.send(frame)
      return
    }
    for (const port of this.#ports) if (port !== from) port.send(frame)
  }

  #learn(mac: Mac, port: BridgePort): void {
    if (isGroupMac(mac) || mac === 0) return
    const entry = this.#table.get(mac)
    if (entry !== undefined) {
      entry.port = port
      entry.seen = this.#clock.now
      return
    }
    if (this.#table.size >= this.#limit) this.#forgetOld()
    if (this.#table.size < this.#limit) this.#table.set(mac, { port, seen: this.#clock.now })
  }

  #forgetOld(): void {
    for (const [mac, { seen }] of this.#table) if (this.#clock.now - seen > this.#ageing) this.#table.delete(mac)
  }

  readonly #leave = (port: BridgePort): void => {
    this.#ports.delete(port)
    for (const [mac, entry] of this.#table) if (entry.port === port) this.#table.delete(mac)
  }
}

/** One port of a bridge. */
export class BridgePort {
  /** Sends a frame out of this port. */
  readonly send: (frame: Uint8Array) => void
  readonly #forward: (from: BridgePort, frame: Uint8Array) => void
  readonly #leave: (port: BridgePort) => void

  /** @internal */
  constructor(
    send: (frame: Uint8Array) => void,
    forward: (from: BridgePort, frame: Uint8Array) => void,
    leave: (port: BridgePort) => void,
  ) {
    this.send = send
    this.#forward = forward
    this.#leave = leave
  }

  /** A frame comes in at this port. */
  receive(frame: Uint8Array): void {
    this.#forward(this, frame)
  }

  /** Takes the port away, with what was learnt about it. */
  leave(): void {
    this.#leave(this)
  }
}
