/** The retransmission timeout (RFC 6298): smoothed round-trip time and its variation, doubled at each timeout. */

const millisecond = 1e6

/** In nanoseconds. The RFC's lower bound of 1 s is Linux's 200 ms here. */
const lowest = 200 * millisecond
const highest = 120_000 * millisecond
const initial = 1000 * millisecond

/** The estimate of one connection; all times are nanoseconds. */
export class RttEstimator {
  /** Smoothed; 0 before the first sample. */
  smoothed = 0
  variation = 0
  #timeout = initial
  #backoff = 0

  /** How long to wait for an acknowledgement. */
  get timeout(): number {
    return Math.min(highest, this.#timeout * 2 ** this.#backoff)
  }

  /** Takes a round trip, of a segment that was sent once (Karn's algorithm). */
  sample(roundTrip: number): void {
    if (this.smoothed === 0) {
      this.smoothed = roundTrip
      this.variation = roundTrip / 2
    } else {
      this.variation += (Math.abs(this.smoothed - roundTrip) - this.variation) / 4
      this.smoothed += (roundTrip - this.smoothed) / 8
    }
    this.#timeout = Math.max(lowest, this.smoothed + 4 * this.variation)
    this.#backoff = 0
  }

  /** A timeout: the next one comes twice as late (section 5.5). */
  backOff(): void {
    this.#backoff++
  }

  /** New data was acknowledged. */
  progress(): void {
    this.#backoff = 0
  }
}
