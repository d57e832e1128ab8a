/** The other end of a cable, driven by a test segment by segment: what comes is decoded, what goes is made by hand. */
import { Clock } from '@vmexit/core'
import { cable, NetStack, type Port, parseIpv4 } from '../src/index.ts'
import { ipAt, payloadAt, readPacket, writeHeader } from '../src/ip/packet.ts'
import {
  Flag,
  newSegment,
  readSegment,
  readSynOptions,
  type Segment,
  sealSegment,
  setSynOptions,
} from '../src/tcp/segment.ts'

export const here = parseIpv4('10.0.0.1') as number
export const there = parseIpv4('10.0.0.2') as number
const macs = { here: 0x0200_0000_0001, there: 0x0200_0000_0002 }

const letters = { F: Flag.fin, S: Flag.syn, R: Flag.rst, P: Flag.psh, A: Flag.ack, U: Flag.urg }

/** `S`, `SA`, `FA` …: the flags of a segment, PSH left out. */
export function flagsOf({ flags }: Pick<Segment, 'flags'>): string {
  return (['F', 'S', 'R', 'U', 'A'] as const).filter((letter) => flags & letters[letter]).join('')
}

export interface Sent {
  readonly flags: string
  readonly seq?: number
  readonly ack?: number
  readonly window?: number
  readonly urgent?: number
  readonly data?: Uint8Array | string
  readonly mss?: number
  readonly windowScale?: number
  readonly from?: number
  readonly to?: number
}

/** What came, in words for `toEqual`: sequence numbers are relative to the first ones. */
export interface Came {
  readonly flags: string
  readonly seq: number
  readonly ack: number
  readonly window: number
  readonly data: string
}

/** A stack at 10.0.0.1, and the test at 10.0.0.2. */
export class Wire {
  readonly clock = new Clock()
  readonly stack: NetStack
  readonly port: Port
  readonly frames: Uint8Array[] = []
  /** The first sequence number of each side. */
  iss = 0
  irs = 0
  localPort = 0
  remotePort = 4000
  #seen = 0

  constructor({ mtu = 1500 }: { mtu?: number } = {}) {
    const [one, other] = cable(this.clock, { latency: 1000 })
    this.port = other
    this.stack = new NetStack({ clock: this.clock, seed: 5 })
    const device = this.stack.addEthernet({ name: 'eth0', mac: macs.here, mtu }, one)
    if (device === undefined) throw new Error('no device')
    this.stack.configure(device, '10.0.0.1/24')
    this.stack.ip.neighbours.set(device, there, macs.there)
    other.attach((frame) => this.frames.push(frame))
    this.pass(1e6)
    this.frames.length = 0
  }

  pass(nanoseconds = 1e6): void {
    this.clock.advanceTo(this.clock.now + nanoseconds)
  }

  /** Sends a segment; numbers are relative to the first ones of each side. */
  send({ flags, seq = 0, ack = 0, window = 65535, urgent = 0, data = '', mss, windowScale, from, to }: Sent): void {
    const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
    const optionBytes = mss === undefined ? 0 : windowScale === undefined ? 4 : 8
    const bits = [...flags].reduce((sum, letter) => sum | letters[letter as keyof typeof letters], 0)
    const fields = {
      ...{ sourcePort: from ?? this.remotePort, destinationPort: to ?? this.localPort, flags: bits, window, urgent },
      ...{ seq: (this.irs + seq) >>> 0, ack: flags.includes('A') ? (this.iss + ack) >>> 0 : 0 },
    }
    const frame = newSegment(fields, optionBytes, bytes.length)
    if (mss !== undefined) setSynOptions(frame, { mss, windowScale })
    frame.set(bytes, frame.length - bytes.length)
    sealSegment(frame, there, here)
    this.sendPacket(frame, 6)
  }

  /** Sends a frame with room for both headers. */
  sendPacket(
    frame: Uint8Array,
    protocol: number,
    fields: { source?: number; destination?: number; fragment?: number; id?: number; ttl?: number } = {},
  ): void {
    writeHeader(frame, {
      ...{ source: there, destination: here, protocol, ttl: 64, tos: 0, fragment: 0, id: 1 },
      ...fields,
    })
    this.sendFrame(frame)
  }

  /** Sends a frame with room for the Ethernet header. */
  sendFrame(frame: Uint8Array): void {
    const view = new DataView(frame.buffer, frame.byteOffset)
    view.setUint16(0, 0x0200)
    view.setUint32(2, 1)
    view.setUint16(6, 0x0200)
    view.setUint32(8, 2)
    this.port.send(frame)
    this.pass()
  }

  /** The segments that came since the last call. */
  segments(): Segment[] {
    const came = this.frames.slice(this.#seen)
    this.#seen = this.frames.length
    return came.flatMap((frame) => {
      const packet = readPacket(frame, undefined)
      return (packet?.protocol === 6 && readSegment(packet)) || []
    })
  }

  /** The segments that came since the last call, in words. */
  came(): Came[] {
    return this.segments().map((segment) => ({
      flags: flagsOf(segment),
      seq: (segment.seq - this.iss) >>> 0,
      ack: segment.flags & Flag.ack ? (segment.ack - this.irs) >>> 0 : 0,
      window: segment.window,
      data: new TextDecoder().decode(segment.packet.frame.subarray(segment.dataAt, segment.dataEnd)),
    }))
  }

  /** Only flags, sequence and acknowledgement numbers, and data: `A 1:1 hello`. */
  words(): string[] {
    return this.came().map(({ flags, seq, ack, data }) => `${flags} ${seq}:${ack}${data === '' ? '' : ` ${data}`}`)
  }

  /** The stack connects to the test, which does not answer yet: its SYN has come. */
  openActive() {
    const socket = this.stack.streamSocket()
    socket.connect({ address: there, port: this.remotePort })
    this.pass()
    const [syn] = this.segments()
    this.localPort = syn.sourcePort
    this.iss = syn.seq
    this.irs = 5000
    return { socket, options: readSynOptions(syn) }
  }

  /** The stack listens, and the test connects to it. */
  openPassive({ mss = 1460, window = 65535 }: { mss?: number; window?: number } = {}) {
    const listener = this.stack.streamSocket()
    listener.bind({ address: 0, port: 80 })
    listener.listen(8)
    this.localPort = 80
    this.irs = 9000
    this.send({ flags: 'S', mss })
    const [answer] = this.segments()
    this.iss = answer.seq
    this.send({ flags: 'A', seq: 1, ack: 1, window })
    const socket = listener.accept()
    if (typeof socket === 'number') throw new Error(`accept: ${socket}`)
    this.segments()
    return { socket, listener }
  }

  /** The largest payload of an IPv4 packet of this stack. */
  static readonly payloadAt: number = payloadAt
  static readonly ipAt: number = ipAt
}
