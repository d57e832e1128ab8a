/** Messages that wait to be read, up to so many bytes; further ones are lost. */
import type { Account } from '../account.ts'
import type { Packet } from '../ip/packet.ts'
import type { Received } from './socket.ts'

/** What keeping a message costs beside its bytes. */
const messageCost = 256

/** One message. */
interface Queued {
  readonly bytes: Uint8Array
  readonly address: number
  readonly port: number
  readonly destination: number
  readonly device: number
  readonly ttl: number
}

/** The queue of one socket. */
export class DatagramQueue {
  limit = 212992
  dropped = 0
  #messages: (Queued | undefined)[] = []
  #first = 0
  #used = 0
  readonly #account: Account | undefined

  /** `account` pays for what waits. */
  constructor(account?: Account) {
    this.#account = account
  }

  get length(): number {
    return this.#messages.length - this.#first
  }

  /** Bytes of the message that is read next; 0 if there is none. */
  get nextSize(): number {
    return this.#messages[this.#first]?.bytes.length ?? 0
  }

  /** Takes `frame[at…end)` of a packet. False where it is lost. */
  put(packet: Packet, port: number, at: number, end: number): boolean {
    const cost = end - at + messageCost
    if ((this.#used + cost > this.limit && this.length > 0) || this.#account?.charge(cost) === false) {
      this.dropped++
      return false
    }
    this.#used += cost
    this.#messages.push({
      bytes: packet.frame.slice(at, end),
      address: packet.source,
      port,
      destination: packet.destination,
      device: packet.device?.index ?? 0,
      ttl: packet.ttl,
    })
    return true
  }

  /** Copies the next message as far as it fits; answers how many bytes that were, or undefined if there is none. */
  take(into: Uint8Array, peek: boolean, from?: Received): number | undefined {
    const message = this.#messages[this.#first]
    if (message === undefined) return undefined
    const { bytes, address, port, destination, device, ttl } = message
    const size = Math.min(into.length, bytes.length)
    into.set(bytes.subarray(0, size))
    if (from !== undefined) Object.assign(from, { address, port, destination, device, ttl, size: bytes.length })
    if (peek) return size
    this.#used -= bytes.length + messageCost
    this.#account?.release(bytes.length + messageCost)
    this.#messages[this.#first] = undefined
    if (++this.#first === this.#messages.length || this.#first >= 1024) {
      this.#messages = this.#messages.slice(this.#first)
      this.#first = 0
    }
    return size
  }

  clear(): void {
    this.#account?.release(this.#used)
    this.#messages = []
    this.#first = 0
    this.#used = 0
  }
}
