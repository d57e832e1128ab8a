/** ICMP (RFC 792; RFC 1122 section 3.2.2): echo is answered, errors are made and handed to who sent the packet. */
import { get16, get32, set16 } from '../bytes.ts'
import { checksum } from '../checksum.ts'
import { isMulticast } from './address.ts'
import { IcmpError, type Ip, type ProtocolHandler } from './ip.ts'
import { ipAt, ipHeader, type Packet, Protocol, payloadAt } from './packet.ts'

/** Types of ICMP messages. */
export const IcmpType = { echoReply: 0, unreachable: 3, redirect: 5, echo: 8, timeExceeded: 11, parameter: 12 } as const

/** Errors sent a second, and at once (Linux's `icmp_msgs_per_sec` and `icmp_msgs_burst`). */
const errorsPerSecond = 1000
const burst = 50
/** An error repeats so much of the packet that it is itself at most 576 bytes (RFC 1812, section 4.3.2.3). */
const quoteLimit = 576 - ipHeader - 8

const errorTypes: ReadonlySet<number> = new Set([3, 4, 5, 11, 12])

/** ICMP of one stack. */
export class Icmp implements ProtocolHandler {
  /** Sees echo replies: ping sockets. */
  readonly replies: Set<(packet: Packet) => void> = new Set<(packet: Packet) => void>()
  readonly #ip: Ip
  #tokens = burst
  #refilled = 0

  constructor(ip: Ip) {
    this.#ip = ip
    ip.handlers.set(Protocol.icmp, this)
    ip.report = (about, error, mtu) => this.#report(about, error, mtu)
  }

  receive(packet: Packet): boolean {
    const { frame, at, end } = packet
    if (end - at < 8 || checksum(frame, at, end) !== 0) return true
    const type = frame[at]
    if (type === IcmpType.echo) this.#answer(packet)
    else if (type === IcmpType.echoReply) for (const listener of this.replies) listener(packet)
    else if (type === IcmpType.unreachable || type === IcmpType.timeExceeded || type === IcmpType.parameter) {
      this.#failed(packet)
    }
    return true
  }

  #answer(packet: Packet): void {
    if (packet.group || this.#ip.interfaces.isBroadcast(packet.destination) || isMulticast(packet.destination)) return
    // A gateway that takes what is for others speaks for itself alone.
    if (!this.#ip.interfaces.isLocal(packet.destination)) {
      this.#report(packet, IcmpError.prohibited)
      return
    }
    const frame = new Uint8Array(payloadAt + packet.end - packet.at)
    frame.set(packet.frame.subarray(packet.at, packet.end), payloadAt)
    frame[payloadAt] = IcmpType.echoReply
    setIcmpChecksum(frame)
    this.#ip.send(frame, {
      ...{ source: packet.destination, destination: packet.source, protocol: Protocol.icmp, tos: packet.tos },
    })
  }

  #failed({ frame, at, end }: Packet): void {
    const inner = at + 8
    if (end < inner + ipHeader || frame[inner] >> 4 !== 4) return
    const payload = inner + (frame[inner] & 15) * 4
    if (payload < inner + ipHeader || payload + 8 > end || (get16(frame, inner + 6) & 0x1fff) !== 0) return
    this.#ip.handlers.get(frame[inner + 9])?.failed?.({
      type: frame[at],
      code: frame[at + 1],
      mtu: frame[at] === 3 && frame[at + 1] === 4 ? get16(frame, at + 6) : 0,
      source: get32(frame, inner + 12),
      destination: get32(frame, inner + 16),
      payload: frame.subarray(payload, end),
    })
  }

  #report(about: Packet, { type, code }: { type: number; code: number }, mtu = 0): void {
    const { interfaces } = this.#ip
    // RFC 1122, section 3.2.2: never about errors, other fragments than the first, or what was sent to many or from nobody.
    if (about.group || about.fragment & 0x1fff || about.source === 0 || isMulticast(about.destination)) return
    if (interfaces.isBroadcast(about.destination) || interfaces.isBroadcast(about.source)) return
    if (about.protocol === Protocol.icmp && errorTypes.has(about.frame[about.at])) return
    if (!this.#mayReport()) return
    const quoted = Math.min(about.end - ipAt, quoteLimit)
    const frame = new Uint8Array(payloadAt + 8 + quoted)
    frame[payloadAt] = type
    frame[payloadAt + 1] = code
    set16(frame, payloadAt + 6, mtu)
    frame.set(about.frame.subarray(ipAt, ipAt + quoted), payloadAt + 8)
    setIcmpChecksum(frame)
    const local = interfaces.isLocal(about.destination) || (this.#ip.acceptAll && code === 3)
    const source = local ? about.destination : this.#ip.sourceFor(about.source)
    if (source < 0) return
    this.#ip.send(frame, { source, destination: about.source, protocol: Protocol.icmp })
  }

  #mayReport(): boolean {
    const { clock } = this.#ip
    const gained = (clock.nanoseconds(clock.now - this.#refilled) * errorsPerSecond) / 1e9
    this.#tokens = Math.min(burst, this.#tokens + gained)
    this.#refilled = clock.now
    if (this.#tokens < 1) return false
    this.#tokens--
    return true
  }
}

/** Computes the checksum of an ICMP message in a frame made here. */
export function setIcmpChecksum(frame: Uint8Array): void {
  set16(frame, payloadAt + 2, 0)
  set16(frame, payloadAt + 2, checksum(frame, payloadAt, frame.length))
}
