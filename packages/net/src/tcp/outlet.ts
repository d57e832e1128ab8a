/** Where the segments of a connection leave: frames are made, filled and handed to IPv4. */
import type { Clock } from '@vmexit/core'
import { Errno } from '../errno.ts'
import type { Ipv4 } from '../ip/address.ts'
import type { Outgoing } from '../ip/ip.ts'
import { Protocol } from '../ip/packet.ts'
import type { NetDevice } from '../link/device.ts'
import type { ByteRing } from './ring.ts'
import {
  newSegment,
  optionsAt,
  type SegmentFields,
  type SynOptions,
  sealSegment,
  setSynOptions,
  tcpHeader,
} from './segment.ts'
import type { TcpOptions } from './state.ts'

/** The two ends of a connection. */
export interface Ends {
  readonly local: Ipv4
  readonly localPort: number
  readonly remote: Ipv4
  readonly remotePort: number
}

/** What takes frames. */
export interface OutletHost {
  readonly clock: Clock
  send(frame: Uint8Array, outgoing: Outgoing): number
  /** Bytes of the largest packet that leaves for a destination in one piece. */
  mtuTo(destination: Ipv4): number
}

/** The way out for one connection. */
export class Outlet {
  readonly #host: OutletHost
  readonly #ends: Ends
  readonly #options: TcpOptions
  readonly #device: NetDevice | undefined
  readonly #tooLarge: () => void

  /** `tooLarge` is called later, when the device has come to take less than it did. */
  constructor(host: OutletHost, ends: Ends, options: TcpOptions, device: NetDevice | undefined, tooLarge: () => void) {
    this.#host = host
    this.#ends = ends
    this.#options = options
    this.#device = device
    this.#tooLarge = tooLarge
  }

  /** Bytes of data in a segment that the device takes. */
  get mss(): number {
    return Math.min(this.#options.maxSegment, this.#host.mtuTo(this.#ends.remote) - 20 - tcpHeader)
  }

  /** Sends a segment with `size` bytes of a ring: 0 or a negated error number. */
  send(fields: Omit<SegmentFields, 'sourcePort' | 'destinationPort'>, ring?: ByteRing, offset = 0, size = 0): number {
    const frame = newSegment({ ...fields, ...this.#ports }, 0, size)
    ring?.peek(offset, frame, optionsAt, size)
    return this.#seal(frame)
  }

  /** Sends a SYN: 0 or a negated error number. */
  sendSyn(fields: Omit<SegmentFields, 'sourcePort' | 'destinationPort'>, options: SynOptions): number {
    const frame = newSegment({ ...fields, ...this.#ports }, options.windowScale === undefined ? 4 : 8, 0)
    setSynOptions(frame, options)
    return this.#seal(frame)
  }

  get #ports() {
    return { sourcePort: this.#ends.localPort, destinationPort: this.#ends.remotePort }
  }

  #seal(frame: Uint8Array): number {
    const { local, remote } = this.#ends
    const { ttl, tos } = this.#options
    sealSegment(frame, local, remote)
    const sent = this.#host.send(frame, {
      ...{ source: local, destination: remote, protocol: Protocol.tcp, dontFragment: true },
      ...{ ttl, tos, device: this.#device },
    })
    if (sent === -Errno.EMSGSIZE) this.#host.clock.after(1, this.#tooLarge)
    return sent
  }
}
