/**
 * One TCP connection: the state machine of RFC 9293 (section 3.10), with the checks of RFC 5961 against blind attacks.
 * It is made by `Tcp`, which finds it for each segment; a socket reads from it and writes to it.
 */
import { Errno } from '../errno.ts'
import { LazyTimer } from '../lazy-timer.ts'
import type { NetDevice } from '../link/device.ts'
import { Challenges } from './challenges.ts'
import { Keepalive } from './keepalive.ts'
import { type Ends, Outlet, type OutletHost } from './outlet.ts'
import { Receiver } from './receiver.ts'
import { RttEstimator } from './rtt.ts'
import { advance, distance, Flag, readSynOptions, type Segment } from './segment.ts'
import { Sender } from './sender.ts'
import { type TcpOptions, type TcpState, tcpDefaults } from './state.ts'

/** What a connection asks of TCP. */
export interface ConnectionHost extends OutletHost {
  /** The handshake is over. False where nobody can take the connection now; it is then tried again. */
  established(connection: Connection): boolean
  /** It has become quiet: what is left is only to be remembered. */
  timeWait(connection: Connection): void
  closed(connection: Connection): void
}

/** Bytes of data below which ICMP cannot bring a segment (Linux's `TCP_MIN_MSS`). */
const smallestSegment = 88
const second = 1e9
const millisecond = 1e6
/** Twice the longest life of a segment, as in Linux (`TCP_TIMEWAIT_LEN`). */
const timeWaitTime = 60 * second
const delayedAckTime = 40 * millisecond

/** A connection; {@link changed} is told whenever something may have become possible. */
export class Connection {
  readonly ends: Ends
  state: TcpState = 'closed'
  /** What a program is to be told once: a positive error number, or 0. */
  error = 0
  changed: (() => void) | undefined
  /** Whether a program holds it, or it waits to be accepted. */
  held = true
  /** The program reads no more. What comes once it has written all, too, resets the connection (as in Linux). */
  deaf = false
  readonly options: TcpOptions
  readonly device: NetDevice | undefined
  /** Sequence number behind the last byte of urgent data; undefined where none is announced. */
  urgent: number | undefined
  sender: Sender | undefined
  receiver: Receiver | undefined
  /** The peer sends nothing more. */
  remoteClosed = false
  readonly #host: ConnectionHost
  readonly #iss: number
  readonly #passive: boolean
  #irs = 0
  #mss = 536
  #sendShift = 0
  #receiveShift = 0
  #scaling = true
  #synRetries = 0
  #synSentAt = 0
  readonly #rtt = new RttEstimator()
  /** Where FIN is, if it came early. */
  #finAt: number | undefined
  #unacknowledged = 0
  #urgentTo: number | undefined
  #ended = false
  /** Whether the program has written all before the handshake is over. */
  #finishWhenOpen = false
  readonly #outlet: Outlet
  readonly #handshake: LazyTimer
  readonly #delayedAck: LazyTimer
  readonly #keepalive: Keepalive
  readonly #challenges: Challenges
  /** TIME-WAIT, and FIN-WAIT-2 of a connection that nobody holds. */
  readonly #quiet: LazyTimer

  constructor(
    host: ConnectionHost,
    ends: Ends,
    iss: number,
    passive: boolean,
    options: TcpOptions,
    device?: NetDevice,
  ) {
    this.#host = host
    this.ends = ends
    this.#iss = iss
    this.#passive = passive
    this.options = options
    this.device = device
    const { clock } = host
    this.#outlet = new Outlet(host, ends, options, device, () => this.sender?.shrink(this.#outlet.mss))
    this.#handshake = new LazyTimer(clock, () => this.#handshakeTimeout())
    this.#delayedAck = new LazyTimer(clock, () => this.#sendAck())
    this.#keepalive = new Keepalive(clock, options, this.#keepaliveHost())
    this.#challenges = new Challenges(clock)
    this.#quiet = new LazyTimer(clock, () => this.#close(0))
  }

  /** Bytes of data in a segment to the peer. */
  get mss(): number {
    return this.sender?.mss ?? this.#mss
  }

  /** Bytes that can be read. */
  get readable(): number {
    return this.receiver?.ring.length ?? 0
  }

  /** Smoothed round-trip time in nanoseconds. */
  get rtt(): RttEstimator {
    return this.#rtt
  }

  /** Begins a connection: 0, or a negated error number where there is no way. */
  open(): number {
    this.state = 'syn-sent'
    this.#receiveShift = this.#windowShift()
    return this.#sendSyn()
  }

  /** Answers a SYN. */
  answer(syn: Segment): void {
    this.state = 'syn-received'
    this.#receiveShift = this.#windowShift()
    this.#takeSyn(syn)
    this.#sendSyn()
  }

  /** Bytes read into `into[from…]`; those stay to be read again with `peek`. */
  read(into: Uint8Array, peek = false): number {
    const { receiver } = this
    if (receiver === undefined) return 0
    const size = Math.min(into.length, receiver.ring.length)
    receiver.ring.peek(0, into, 0, size)
    if (peek || size === 0) return size
    receiver.ring.drop(size)
    if (receiver.ring.length === 0 && !receiver.hasEarly) receiver.ring.shrink()
    if (!this.remoteClosed && receiver.isWorthTelling && this.#receives) this.#sendAck()
    return size
  }

  /** Bytes taken to be sent. `urgent`: the last of them is urgent. */
  write(bytes: Uint8Array, urgent = false): number {
    const { sender } = this
    if (sender === undefined) return 0
    const size = sender.write(bytes)
    if (urgent && size > 0) this.#urgentTo = advance(sender.una, sender.ring.length)
    if (this.#sends) sender.push()
    return size
  }

  /** Nothing more is written: FIN follows what is there. */
  finish(): void {
    const { sender } = this
    switch (this.state) {
      case 'established':
        this.state = 'fin-wait-1'
        break
      case 'close-wait':
        this.state = 'last-ack'
        break
      case 'syn-sent':
        this.#close(0)
        return
      case 'syn-received':
        this.#finishWhenOpen = true
        return
      default:
        return
    }
    if (sender === undefined) return
    sender.finQueued = true
    sender.push()
  }

  /** The program lets go of it. What was written is still sent; what was not read resets it (RFC 2525, section 2.17). */
  release(): void {
    this.held = false
    this.changed = undefined
    if (this.state === 'syn-sent' || this.state === 'closed') this.#close(0)
    else if (this.readable > 0 || this.state === 'syn-received') this.abort()
    else {
      this.finish()
      if (this.state === 'fin-wait-2') this.#waitQuietly(this.options.orphanTime)
    }
    this.receiver?.ring.clear() // nobody reads it, and what still comes is reset
  }

  /** Resets it: nothing more is sent, and the program is told `error`. */
  abort(error = 0): void {
    if (this.state !== 'closed' && this.state !== 'syn-sent' && this.state !== 'time-wait') {
      this.#emit(this.sender?.max ?? advance(this.#iss, 1), Flag.rst | Flag.ack, 0, 0)
    }
    this.#close(error)
  }

  /** Ends it without a word. */
  drop(error = 0): void {
    this.#close(error)
  }

  /** Options of {@link TcpOptions} have changed. */
  optionsChanged(): void {
    const { sender, receiver } = this
    if (sender !== undefined) {
      sender.noDelay = this.options.noDelay
      sender.corked = this.options.cork
      sender.limit = this.options.sendBuffer
      sender.userTimeout = this.options.userTimeout
      if (this.#sends) sender.push()
    }
    if (receiver !== undefined) receiver.limit = this.options.receiveBuffer
    this.#keepalive.set()
  }

  /** ICMP says that packets to the peer do not arrive. */
  failed(error: number, seq: number): void {
    if (this.state === 'syn-sent' || this.state === 'syn-received') {
      if (seq === this.#iss) this.#close(error)
    }
  }

  /** ICMP says that the path takes packets of so many bytes at most (RFC 1191); 0 where it does not say how many. */
  pathMtu(mtu: number, seq: number): void {
    const { sender } = this
    if (sender === undefined || distance(seq, sender.una) < 0 || distance(seq, sender.max) >= 0) return
    sender.shrink(mtu === 0 ? 536 : Math.max(smallestSegment, mtu - 40))
  }

  /** A segment for it comes in. */
  receive(segment: Segment): void {
    if (this.state === 'syn-sent') this.#receiveInSynSent(segment)
    else if (this.state !== 'closed') this.#receiveSynchronized(segment)
  }

  get #sends(): boolean {
    return this.state !== 'syn-sent' && this.state !== 'syn-received' && this.state !== 'closed'
  }

  get #receives(): boolean {
    return this.state === 'established' || this.state === 'fin-wait-1' || this.state === 'fin-wait-2'
  }

  #receiveInSynSent(segment: Segment): void {
    const { flags, ack } = segment
    if (flags & Flag.ack && ack !== advance(this.#iss, 1)) {
      if (!(flags & Flag.rst)) this.#emit(ack, Flag.rst, 0, 0)
      return
    }
    if (flags & Flag.rst) {
      if (flags & Flag.ack) this.#close(Errno.ECONNREFUSED)
      return
    }
    if (!(flags & Flag.syn)) return
    this.#takeSyn(segment)
    if (flags & Flag.ack) {
      this.#establish(segment)
      this.#sendAck()
    } else {
      this.state = 'syn-received' // both ends opened it
      this.#sendSyn()
    }
  }

  #receiveSynchronized(segment: Segment): void {
    const { flags, seq, ack } = segment
    const receiver = this.receiver as Receiver
    const size = segment.dataEnd - segment.dataAt
    if (this.state === 'syn-received' && flags & Flag.syn && !(flags & Flag.rst) && seq === this.#irs) {
      if (!(flags & Flag.ack)) {
        this.#sendSyn(true) // our answer was lost
        return
      }
    } else if (!this.#isAcceptable(seq, size + (flags & Flag.fin ? 1 : 0))) {
      if (flags & Flag.rst) return
      if (this.state === 'time-wait' && flags & Flag.fin) this.#waitQuietly(timeWaitTime)
      if (size > 0 || flags & Flag.fin) this.#sendAck()
      else this.#challenge()
      return
    } else if (flags & Flag.rst) {
      if (this.state === 'time-wait') return // RFC 1337, section 3: its assassination
      if (seq === receiver.next) this.#reset()
      else this.#challenge()
      return
    } else if (flags & Flag.syn) {
      this.#challenge()
      return
    }
    if (!(flags & Flag.ack)) return
    if (this.state === 'syn-received') {
      if (ack !== advance(this.#iss, 1)) {
        this.#emit(ack, Flag.rst, 0, 0)
        return
      }
      if (!this.#establish(segment)) return
    }
    if (!this.#takeAck(segment, size)) return
    this.#takeData(segment)
  }

  /** RFC 9293, section 3.10.7.4, first: a part of it is in the window. */
  #isAcceptable(seq: number, size: number): boolean {
    const receiver = this.receiver as Receiver
    const { window } = receiver
    const from = distance(seq, receiver.next)
    // A closed window takes no data, but the acknowledgement that comes with it.
    if (window === 0) return from === 0
    if (size === 0) return from >= 0 && from < window
    return from < window && from + size > 0
  }

  #takeAck(segment: Segment, size: number): boolean {
    const sender = this.sender as Sender
    const { ack, seq, flags } = segment
    this.#keepalive.heard()
    const ahead = distance(ack, sender.max)
    const behind = distance(ack, sender.una)
    if (ahead > 0 || behind < -sender.largestWindow) {
      this.#challenge() // RFC 5961, section 5
      return false
    }
    if (behind < 0) return true
    const bare = size === 0 && (flags & (Flag.fin | Flag.syn)) === 0
    const wasFull = !sender.writable
    sender.acknowledged(seq, ack, segment.window << this.#sendShift, bare)
    if (sender.finAcknowledged) this.#finAcknowledged()
    if (this.state === 'closed') return false
    if (this.#sends && this.state !== 'time-wait') sender.push()
    if ((wasFull && sender.writable) || sender.idle) this.changed?.()
    return true
  }

  #finAcknowledged(): void {
    switch (this.state) {
      case 'fin-wait-1':
        this.state = 'fin-wait-2'
        if (!this.held) this.#waitQuietly(this.options.orphanTime)
        this.changed?.()
        break
      case 'closing':
        this.#enterTimeWait()
        break
      case 'last-ack':
        this.#close(0)
    }
  }

  #takeData(segment: Segment): void {
    if (!this.#receives) return
    const receiver = this.receiver as Receiver
    const { packet, dataAt, dataEnd, seq, flags } = segment
    const size = dataEnd - dataAt
    if (size > 0 && (!this.held || (this.deaf && this.state !== 'established'))) {
      this.#emit((this.sender as Sender).max, Flag.rst | Flag.ack, 0, 0) // nobody is left to read it
      this.#close(this.held ? Errno.ECONNRESET : 0)
      return
    }
    if (flags & Flag.urg && segment.urgent > 0) {
      const to = advance(seq, segment.urgent)
      if (this.urgent === undefined || distance(to, this.urgent) > 0) this.urgent = to
    }
    if (flags & Flag.fin) this.#finAt = advance(seq, size)
    const hadEarly = receiver.hasEarly
    const gained = size > 0 ? receiver.take(seq, packet.frame, dataAt, dataEnd) : 0
    if (this.#finAt !== undefined && receiver.next === this.#finAt) this.#takeFin(receiver)
    else if (size > 0) this.#acknowledge(size, gained === 0 || hadEarly || receiver.hasEarly)
    else if (flags & Flag.fin) this.#sendAck()
    if (gained > 0) this.changed?.()
  }

  /** At once what tells of a gap, and every second full segment; else within 40 ms (RFC 5681, section 4.2). */
  #acknowledge(size: number, atOnce: boolean): void {
    this.#unacknowledged += size
    if (atOnce || this.#unacknowledged >= 2 * this.#mss) this.#sendAck()
    else this.#delayedAck.setOnce(this.#host.clock.now + this.#host.clock.ticks(delayedAckTime))
  }

  #takeFin(receiver: Receiver): void {
    receiver.next = advance(receiver.next, 1)
    this.#finAt = undefined
    this.remoteClosed = true
    this.#sendAck()
    if (this.state === 'established') this.state = 'close-wait'
    else if (this.state === 'fin-wait-1') this.state = 'closing'
    else this.#enterTimeWait()
    this.changed?.()
  }

  #takeSyn(segment: Segment): void {
    const { mss, windowScale } = readSynOptions(segment)
    this.#irs = segment.seq
    this.#mss = Math.max(64, Math.min(mss, this.#outlet.mss))
    this.#scaling = windowScale !== undefined
    this.#sendShift = windowScale ?? 0
    if (!this.#scaling) this.#receiveShift = 0
    this.receiver = new Receiver(
      advance(segment.seq, 1),
      this.options.receiveBuffer,
      Math.min(this.#mss, this.#outlet.mss),
      this.#receiveShift,
      this.options.account,
    )
  }

  /** False where nobody can take it. */
  #establish(segment: Segment): boolean {
    const before = this.state
    this.state = 'established'
    const { clock } = this.#host
    if (this.sender === undefined) {
      const { sendBuffer: limit, account } = this.options
      const start = { first: advance(this.#iss, 1), mss: this.#mss, limit, rtt: this.#rtt, account }
      this.sender = new Sender(clock, this.#senderHost(), start)
    }
    if (!this.#host.established(this)) {
      this.state = before
      return false
    }
    if (this.#synRetries === 0) this.#rtt.sample(clock.nanoseconds(clock.now - this.#synSentAt))
    this.#handshake.stop()
    const scaled = segment.flags & Flag.syn ? segment.window : segment.window << this.#sendShift
    this.sender.open(segment.seq, segment.ack, scaled)
    this.optionsChanged()
    if (this.#finishWhenOpen) this.finish()
    this.changed?.()
    return true
  }

  #senderHost() {
    const connection = this
    return {
      emit: (seq: number, offset: number, size: number, fin: boolean, push: boolean) =>
        this.#emit(seq, Flag.ack | (fin ? Flag.fin : 0) | (push && size > 0 ? Flag.psh : 0), offset, size),
      probe: () => this.#sendProbe(),
      gaveUp: () => this.#close(Errno.ETIMEDOUT),
      get held() {
        return connection.held
      },
    }
  }

  #keepaliveHost() {
    const connection = this
    return {
      get isOpen() {
        return connection.#sends && connection.state !== 'time-wait'
      },
      get isBusy() {
        return connection.sender?.una !== connection.sender?.max
      },
      probe: () => this.#sendProbe(),
      gaveUp: () => this.abort(Errno.ETIMEDOUT),
    }
  }

  #emit(seq: number, flags: number, offset: number, size: number): number {
    const { receiver, sender } = this
    let urgent = 0
    if (this.#urgentTo !== undefined && size > 0) {
      const ahead = distance(this.#urgentTo, seq)
      if (ahead > 0 && ahead <= 65535) {
        urgent = ahead
        flags |= Flag.urg
      } else if (distance(this.#urgentTo, sender?.una ?? 0) <= 0) this.#urgentTo = undefined
    }
    const window = receiver === undefined || flags & Flag.rst ? 0 : receiver.advertise()
    const ack = flags & Flag.ack ? (receiver?.next ?? 0) : 0
    if (flags & Flag.ack) {
      this.#unacknowledged = 0
      this.#delayedAck.clear()
    }
    return this.#outlet.send({ seq, ack, flags, window, urgent }, sender?.ring, offset, size)
  }

  #sendSyn(again = false): number {
    const { receiver } = this
    const { clock } = this.#host
    const flags = Flag.syn | (receiver === undefined ? 0 : Flag.ack)
    const window = Math.min(65535, this.options.receiveBuffer)
    const fields = { seq: this.#iss, ack: receiver?.next ?? 0, flags, window }
    if (!again && this.#synRetries === 0) this.#synSentAt = clock.now
    const options = { mss: this.#outlet.mss, windowScale: this.#scaling ? this.#receiveShift : undefined }
    const sent = this.#outlet.sendSyn(fields, options)
    if (sent < 0 && sent !== -Errno.ENOBUFS) return sent
    if (!again) this.#handshake.set(clock.now + clock.ticks(this.#rtt.timeout))
    return 0
  }

  #sendAck(): void {
    this.#emit(this.sender?.next ?? advance(this.#iss, 1), Flag.ack, 0, 0)
  }

  /** A segment from before the window: the peer answers with what it expects. */
  #sendProbe(): void {
    this.#emit(advance((this.sender as Sender).una, -1), Flag.ack, 0, 0)
  }

  /** An acknowledgement that asks a peer which has lost its mind to say so, not too often. */
  #challenge(): void {
    if (this.#challenges.mayAnswer()) this.#sendAck()
  }

  #handshakeTimeout(): void {
    const limit = this.#passive ? this.options.synAckRetries : this.options.synRetries
    if (this.#synRetries++ >= limit) {
      this.#close(Errno.ETIMEDOUT)
      return
    }
    this.#rtt.backOff()
    const sent = this.#sendSyn()
    if (sent < 0) this.#close(-sent)
  }

  #reset(): void {
    if (this.state === 'syn-received') this.#close(this.#passive ? 0 : Errno.ECONNREFUSED)
    else if (this.state === 'close-wait') this.#close(Errno.EPIPE)
    else this.#close(this.state === 'last-ack' ? 0 : Errno.ECONNRESET)
  }

  #enterTimeWait(): void {
    this.state = 'time-wait'
    this.sender?.stop()
    this.#keepalive.stop()
    this.#waitQuietly(timeWaitTime)
    this.#host.timeWait(this)
  }

  #waitQuietly(nanoseconds: number): void {
    this.#quiet.set(this.#host.clock.now + this.#host.clock.ticks(nanoseconds))
  }

  #close(error: number): void {
    if (this.#ended) return
    this.#ended = true
    this.state = 'closed'
    this.error = error
    this.remoteClosed = true
    for (const timer of [this.#handshake, this.#delayedAck, this.#keepalive, this.#quiet]) timer.stop()
    this.sender?.stop()
    this.sender?.ring.clear()
    this.#host.closed(this)
    this.changed?.()
  }

  /** By how many bits a window must be shifted so that the receive buffer fits (RFC 7323, section 2.3). */
  #windowShift(): number {
    let shift = 0
    const largest = Math.max(this.options.receiveBuffer, tcpDefaults.receiveBuffer)
    while (shift < 14 && 65535 << shift < largest) shift++
    return shift
  }
}
