/** Congestion control: slow start and avoidance (RFC 5681), NewReno's fast recovery (RFC 6582), windows from RFC 6928. */

/** What may be under way, in bytes. */
export class NewReno {
  window: number
  threshold: number = Number.POSITIVE_INFINITY
  recovering = false
  #mss: number
  /** Acknowledged in congestion avoidance since the window last grew (RFC 3465). */
  #acknowledged = 0

  constructor(mss: number) {
    this.#mss = mss
    this.window = this.initialWindow
  }

  get initialWindow(): number {
    return Math.min(10 * this.#mss, Math.max(2 * this.#mss, 14600))
  }

  /** The path takes smaller segments only. */
  setSegmentSize(mss: number): void {
    this.#mss = mss
  }

  /** New data was acknowledged outside of recovery; `inFlight` was under way before. */
  grow(acknowledged: number, inFlight: number): void {
    if (this.window < this.threshold) {
      // What was not used is not known to be there (RFC 7661).
      if (inFlight * 2 > this.window) this.window += Math.min(acknowledged, 2 * this.#mss)
      return
    }
    if (inFlight + this.#mss < this.window) return
    this.#acknowledged += acknowledged
    if (this.#acknowledged < this.window) return
    this.#acknowledged -= this.window
    this.window += this.#mss
  }

  /** Three duplicate acknowledgements. */
  enterRecovery(inFlight: number): void {
    this.threshold = Math.max(inFlight / 2, 2 * this.#mss)
    this.window = this.threshold + 3 * this.#mss
    this.recovering = true
  }

  /** Another duplicate in recovery: a segment has left the network. */
  inflate(): void {
    this.window += this.#mss
  }

  /** An acknowledgement in recovery that does not cover all of it. */
  deflate(acknowledged: number): void {
    this.window = Math.max(this.#mss, this.window - acknowledged)
    if (acknowledged >= this.#mss) this.window += this.#mss
  }

  /** All that was under way when recovery began has been acknowledged. */
  leaveRecovery(inFlight: number): void {
    this.recovering = false
    this.window = Math.min(this.threshold, Math.max(inFlight, this.#mss) + this.#mss)
    this.#acknowledged = 0
  }

  /** A timeout; the first one for this data lowers the threshold. */
  timedOut(inFlight: number, first: boolean): void {
    if (first) this.threshold = Math.max(inFlight / 2, 2 * this.#mss)
    this.window = this.#mss
    this.recovering = false
    this.#acknowledged = 0
  }

  /** Nothing was sent for a timeout (RFC 5681, section 4.1). */
  restart(): void {
    this.window = Math.min(this.window, this.initialWindow)
  }
}
