/**
 * The sending half of a connection (RFC 9293, sections 3.8.1 to 3.8.6): what is under way, when it is sent again, and
 * what holds it back – the peer's window, the network's, Nagle's algorithm.
 */
import type { Clock } from '@vmexit/core'
import type { Account } from '../account.ts'
import { LazyTimer } from '../lazy-timer.ts'
import { NewReno } from './new-reno.ts'
import { ByteRing } from './ring.ts'
import type { RttEstimator } from './rtt.ts'
import { advance, distance } from './segment.ts'

/** Timeouts in a row until the connection is given up (Linux's `tcp_retries2`), and for one that nobody holds any more. */
const retryLimit = 15
const orphanRetryLimit = 8

/** What the sender asks of its connection. */
export interface SenderHost {
  /** Sends a segment with `size` bytes from `offset` in the ring. */
  emit(seq: number, offset: number, size: number, fin: boolean, push: boolean): void
  /** Sends a segment without data that the peer answers. */
  probe(): void
  /** The peer does not answer. */
  gaveUp(): void
  /** Whether a program still holds the connection. */
  readonly held: boolean
}

/** What a sender begins with. */
export interface SenderStart {
  /** The sequence number of the first byte. */
  readonly first: number
  readonly mss: number
  /** Bytes that may wait. */
  readonly limit: number
  readonly rtt: RttEstimator
  readonly account?: Account | undefined
}

/** What was sent. */
export interface SenderCounters {
  segments: number
  retransmitted: number
  fastRetransmits: number
  timeouts: number
}

/** SND.UNA, SND.NXT, SND.WND and the bytes behind them. */
export class Sender {
  readonly ring: ByteRing
  /** Bytes that may wait. */
  limit: number
  /** Oldest unacknowledged, next to be sent, and highest ever sent + 1. */
  una: number
  next: number
  max: number
  /** The peer's window, and the largest it ever had. */
  window = 0
  largestWindow = 0
  noDelay = false
  corked = false
  /** No further data is written: FIN follows the last byte. */
  finQueued = false
  readonly congestion: NewReno
  readonly rtt: RttEstimator
  readonly counters: SenderCounters = { segments: 0, retransmitted: 0, fastRetransmits: 0, timeouts: 0 }
  /** Nanoseconds without an answer after which the connection is given up; 0 for the usual number of timeouts. */
  userTimeout = 0
  #mss: number
  readonly #clock: Clock
  readonly #host: SenderHost
  readonly #retransmission: LazyTimer
  readonly #persist: LazyTimer
  #windowSeq = 0
  #windowAck = 0
  #duplicates = 0
  /** The last byte sent when recovery began, or at the last timeout. */
  #recover: number
  /** The sequence number of FIN, once it was sent. */
  #finSeq: number | undefined
  #retries = 0
  /** When the peer last answered, or when there was nothing to be answered. */
  #answered: number
  /** The segment whose round trip is taken. */
  #timedSeq: number | undefined
  #timedAt = 0
  /** Whether there was no memory for what was written last. */
  #starved = false
  #lastSent: number

  constructor(clock: Clock, host: SenderHost, { first, mss, limit, rtt, account }: SenderStart) {
    this.ring = new ByteRing(account)
    this.#clock = clock
    this.#host = host
    this.una = this.next = this.max = first
    this.#recover = advance(first, -1)
    this.#mss = mss
    this.limit = limit
    this.rtt = rtt
    this.congestion = new NewReno(mss)
    this.#retransmission = new LazyTimer(clock, () => this.#timeout())
    this.#persist = new LazyTimer(clock, () => this.#persisted())
    this.#lastSent = this.#answered = clock.now
  }

  get mss(): number {
    return this.#mss
  }

  /** Whether FIN has been acknowledged. */
  get finAcknowledged(): boolean {
    return this.#finSeq !== undefined && distance(this.una, this.#finSeq) > 0
  }

  /** Whether everything has been acknowledged, FIN included where it is to be sent. */
  get idle(): boolean {
    return this.ring.length === 0 && this.una === this.max && (!this.finQueued || this.finAcknowledged)
  }

  /** Whether it is worth to write: a third of the buffer is free, as Linux has it, and there is memory. */
  get writable(): boolean {
    return !this.#starved && this.limit - this.ring.length >= this.limit / 3
  }

  /** Bytes of data that have not been sent yet. */
  get unsent(): number {
    return Math.max(0, this.ring.length - distance(this.next, this.una))
  }

  /** Takes as many bytes as there is room for; they go when they may. */
  write(bytes: Uint8Array): number {
    const { ring } = this
    let size = Math.max(0, Math.min(bytes.length, this.limit - ring.length))
    if (size === 0) return 0
    if (!ring.put(ring.length, bytes, 0, size)) {
      size = Math.min(size, ring.room)
      this.#starved = ring.length > 0
      if (size === 0 || !ring.put(ring.length, bytes, 0, size)) return 0
    }
    ring.extend(size)
    return size
  }

  /** Sends what may be sent. */
  push(extra = 0): void {
    if (this.next === this.max && this.una === this.max) {
      this.#answered = this.#clock.now
      if (this.#clock.now - this.#lastSent > this.#clock.ticks(this.rtt.timeout)) this.congestion.restart()
    }
    for (;;) {
      const inFlight = distance(this.next, this.una)
      if (this.#finSeq !== undefined && distance(this.next, this.#finSeq) > 0) break
      const usable = Math.min(this.window, this.congestion.window + extra) - inFlight
      const size = Math.max(0, Math.min(this.ring.length - inFlight, this.#mss, usable))
      const last = inFlight + size === this.ring.length
      const fin = this.finQueued && last
      if (size === 0 ? !fin : !this.#worthSending(size, last, fin, inFlight)) break
      this.#emit(inFlight, size, fin)
    }
    if (this.una !== this.max) this.#retransmission.setOnce(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
    else if (this.ring.length > 0) this.#persist.setOnce(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
  }

  /**
   * An acceptable acknowledgement (SND.UNA ≤ SEG.ACK ≤ SND.MAX). `bare`: it has neither data nor FIN. Answers how many
   * bytes of data it acknowledged.
   */
  acknowledged(seq: number, ack: number, window: number, bare: boolean): number {
    const advanced = distance(ack, this.una)
    // A peer that answers probes and takes nothing must not keep for ever what nobody holds (Linux's tcp_orphan_retries).
    if (this.#host.held || advanced > 0 || window > 0) this.#retries = 0
    this.#answered = this.#clock.now
    const sameWindow = window === this.window
    if (distance(seq, this.#windowSeq) > 0 || (seq === this.#windowSeq && distance(ack, this.#windowAck) >= 0)) {
      this.window = window
      this.largestWindow = Math.max(this.largestWindow, window)
      this.#windowSeq = seq
      this.#windowAck = ack
      if (window > 0) this.#persist.clear()
    }
    if (advanced > 0) return this.#newlyAcknowledged(ack, advanced)
    if (advanced === 0 && bare && sameWindow && this.una !== this.max) this.#duplicate()
    else if (advanced === 0) this.#duplicates = 0
    return 0
  }

  /** Sets the window of a SYN. */
  open(seq: number, ack: number, window: number): void {
    this.window = this.largestWindow = window
    this.#windowSeq = seq
    this.#windowAck = ack
  }

  /** The path takes smaller segments only: what is under way goes again. */
  shrink(mss: number): void {
    if (mss >= this.#mss) return
    this.#mss = mss
    this.congestion.setSegmentSize(mss)
    this.next = this.una
    this.#timedSeq = undefined
    this.push()
  }

  /** Ends all timers. */
  stop(): void {
    this.#retransmission.stop()
    this.#persist.stop()
  }

  /** Nagle's algorithm and the avoidance of silly windows (RFC 9293, sections 3.7.4 and 3.8.6.2.1). */
  #worthSending(size: number, last: boolean, fin: boolean, inFlight: number): boolean {
    if (size === this.#mss || distance(this.next, this.max) < 0) return true
    if (fin) return true
    if (this.corked) return false
    if (last && (this.noDelay || inFlight === 0)) return true
    return size >= this.largestWindow / 2 && size > 0
  }

  #emit(offset: number, size: number, fin: boolean): void {
    const seq = this.next
    const end = advance(seq, size + (fin ? 1 : 0))
    if (fin) this.#finSeq = advance(seq, size)
    this.counters.segments++
    if (distance(seq, this.max) < 0) this.counters.retransmitted++
    else if (this.#timedSeq === undefined) {
      this.#timedSeq = seq
      this.#timedAt = this.#clock.now
    }
    this.next = end
    if (distance(end, this.max) > 0) this.max = end
    this.#lastSent = this.#clock.now
    this.#host.emit(seq, offset, size, fin, offset + size === this.ring.length)
  }

  #newlyAcknowledged(ack: number, advanced: number): number {
    const inFlight = distance(this.max, this.una)
    const bytes = Math.min(advanced, this.ring.length)
    this.ring.drop(bytes)
    if (this.ring.length === 0) this.ring.shrink()
    this.una = ack
    if (bytes > 0) this.#starved = false
    if (distance(this.next, ack) < 0) this.next = ack
    this.#duplicates = 0
    if (this.#timedSeq !== undefined && distance(ack, this.#timedSeq) > 0) {
      this.rtt.sample(this.#clock.nanoseconds(this.#clock.now - this.#timedAt))
      this.#timedSeq = undefined
    }
    this.rtt.progress()
    if (!this.congestion.recovering) this.congestion.grow(advanced, inFlight)
    else if (distance(ack, this.#recover) > 0) this.congestion.leaveRecovery(distance(this.max, ack))
    else {
      this.congestion.deflate(advanced)
      this.#retransmitFirst()
    }
    if (this.una === this.max) this.#retransmission.clear()
    else this.#retransmission.set(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
    return bytes
  }

  #duplicate(): void {
    this.#duplicates++
    if (this.congestion.recovering) {
      this.congestion.inflate()
      this.push()
    } else if (this.#duplicates < 3)
      this.push(this.#duplicates * this.#mss) // limited transmit, RFC 3042
    else if (this.#duplicates === 3 && distance(this.una, this.#recover) > 0) {
      this.#recover = advance(this.max, -1)
      this.counters.fastRetransmits++
      this.congestion.enterRecovery(distance(this.max, this.una))
      this.#retransmitFirst()
      this.push()
    }
  }

  #retransmitFirst(): void {
    const size = Math.min(this.ring.length, this.#mss)
    const fin = this.#finSeq !== undefined && size === this.ring.length
    this.#timedSeq = undefined // Karn: the round trip of what is sent twice is not known
    this.counters.segments++
    this.counters.retransmitted++
    this.#lastSent = this.#clock.now
    this.#host.emit(this.una, 0, size, fin, size === this.ring.length)
  }

  #timeout(): void {
    if (this.#giveUp()) return
    this.counters.timeouts++
    this.congestion.timedOut(distance(this.max, this.una), this.#retries === 1)
    this.#recover = advance(this.max, -1)
    this.#duplicates = 0
    this.#timedSeq = undefined
    this.rtt.backOff()
    this.next = this.una
    // A window that closed meanwhile holds nothing back that was sent before: the first segment is also the probe.
    if (this.window === 0) {
      this.#retransmitFirst()
      this.next = this.max
    } else this.push()
    this.#retransmission.set(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
  }

  /** Nothing is under way, and nothing may be sent: the window is closed, or what there is is too little. */
  #persisted(): void {
    if (this.ring.length === 0 || this.una !== this.max) return
    if (this.#giveUp()) return
    if (this.window === 0) this.#host.probe()
    else this.#emit(0, Math.min(this.ring.length, this.#mss, this.window), false)
    this.rtt.backOff()
    this.#persist.set(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
    if (this.una !== this.max) this.#retransmission.setOnce(this.#clock.now + this.#clock.ticks(this.rtt.timeout))
  }

  #giveUp(): boolean {
    this.#retries++
    const silence = this.#clock.nanoseconds(this.#clock.now - this.#answered)
    const limit = this.#host.held ? retryLimit : orphanRetryLimit
    if (this.userTimeout > 0 ? silence < this.userTimeout : this.#retries <= limit) return false
    this.#host.gaveUp()
    return true
  }
}
