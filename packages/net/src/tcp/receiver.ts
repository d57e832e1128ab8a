/** The receiving half of a connection: what arrived, in order or early, and the window that says how much more may come. */
import type { Account } from '../account.ts'
import { ByteRing } from './ring.ts'
import { advance, distance } from './segment.ts'

/** Stretches of early data that are remembered; a sender that leaves more gaps has to send again. */
const rangeLimit = 256

type Range = { start: number; end: number }

/** RCV.NXT, RCV.WND and the bytes around them (RFC 9293, section 3.3.1). */
export class Receiver {
  /** The sequence number that comes next. */
  next: number
  readonly ring: ByteRing
  /** Bytes that may wait to be read. */
  limit: number
  readonly #mss: number
  readonly #shift: number
  /** The end of the window that was advertised: it never moves back. */
  #edge: number
  /** Early data, by sequence number, apart from each other. */
  readonly #early: Range[] = []

  /** `shift`: by how many bits the peer shifts the windows it is told. */
  constructor(next: number, limit: number, mss: number, shift: number, account?: Account) {
    this.ring = new ByteRing(account)
    this.next = next
    this.limit = limit
    this.#mss = mss
    this.#shift = shift
    // A SYN's window is not scaled.
    this.#edge = advance(next, Math.min(limit, 65535))
  }

  /** Bytes the peer may send now. */
  get window(): number {
    return Math.max(0, distance(this.#edge, this.next))
  }

  /** Whether data has arrived behind a gap. */
  get hasEarly(): boolean {
    return this.#early.length > 0
  }

  /** Whether it is worth a segment of its own to say how much was read: two full segments, as in BSD, or half of all. */
  get isWorthTelling(): boolean {
    return this.#room - this.window >= Math.min(this.limit >> 1, 2 * this.#mss)
  }

  /** The window for the header of a segment that is sent now. */
  advertise(): number {
    // Not by less than a segment (RFC 9293, section 3.8.6.2.2).
    if (this.#room - this.window >= Math.min(this.limit >> 1, this.#mss)) {
      this.#edge = advance(this.next, Math.max(this.window, (this.#room >> this.#shift) << this.#shift))
    }
    return Math.min(65535, this.window >> this.#shift)
  }

  /** Takes data that begins at `seq`, as much of it as is new and in the window. Answers how many bytes became readable. */
  take(seq: number, bytes: Uint8Array, at: number, end: number): number {
    let offset = distance(seq, this.next)
    if (offset < 0) {
      at -= offset
      offset = 0
    }
    end = Math.min(end, at + this.window - offset)
    if (end <= at) return 0
    const range = { start: advance(this.next, offset), end: advance(this.next, offset + end - at) }
    if (!this.ring.put(this.ring.length + offset, bytes, at, end)) return 0
    if (offset > 0) {
      this.#remember(range)
      return 0
    }
    let { end: reached } = range
    while (this.#early.length > 0 && distance(this.#early[0].start, reached) <= 0) {
      const { end: further } = this.#early.shift() as Range
      if (distance(further, reached) > 0) reached = further
    }
    const gained = distance(reached, this.next)
    this.ring.extend(gained)
    this.next = reached
    return gained
  }

  /** What could be advertised. */
  get #room(): number {
    return Math.min(this.limit - this.ring.length, 65535 << this.#shift)
  }

  /** Joins a stretch with those it touches; where too many are apart it is forgotten. */
  #remember(range: Range): void {
    const early = this.#early
    let at = early.length
    while (at > 0 && distance(early[at - 1].end, range.start) >= 0) at--
    let after = at
    while (after < early.length && distance(early[after].start, range.end) <= 0) {
      if (distance(early[after].start, range.start) < 0) range.start = early[after].start
      if (distance(early[after].end, range.end) > 0) range.end = early[after].end
      after++
    }
    if (after === at && early.length >= rangeLimit) return
    early.splice(at, after - at, range)
  }
}
