/** Keepalive (RFC 9293, section 3.8.4): probes when nothing has come for long, and an end when nobody answers them. */
import type { Clock } from '@vmexit/core'
import { LazyTimer } from '../lazy-timer.ts'
import type { TcpOptions } from './state.ts'

/** What keepalive asks of its connection. */
export interface KeepaliveHost {
  /** Whether there is anything to keep: it is open. */
  readonly isOpen: boolean
  /** Whether data is under way: then the retransmission timer finds out. */
  readonly isBusy: boolean
  probe(): void
  gaveUp(): void
}

/** Keepalive of one connection. */
export class Keepalive {
  readonly #clock: Clock
  readonly #options: TcpOptions
  readonly #host: KeepaliveHost
  readonly #timer: LazyTimer
  #probes = 0

  constructor(clock: Clock, options: TcpOptions, host: KeepaliveHost) {
    this.#clock = clock
    this.#options = options
    this.#host = host
    this.#timer = new LazyTimer(clock, () => this.#due())
  }

  /** Begins to wait, or ceases to, as the options say. */
  set(): void {
    const { keepalive, keepaliveIdle, keepaliveInterval } = this.#options
    if (!keepalive || !this.#host.isOpen) {
      this.#timer.clear()
      return
    }
    this.#timer.set(this.#clock.now + this.#clock.ticks(this.#probes === 0 ? keepaliveIdle : keepaliveInterval))
  }

  /** The peer has sent something. */
  heard(): void {
    this.#probes = 0
    if (this.#timer.pending) this.set()
  }

  stop(): void {
    this.#timer.stop()
  }

  #due(): void {
    if (this.#probes >= this.#options.keepaliveCount) {
      this.#host.gaveUp()
      return
    }
    if (!this.#host.isBusy) {
      this.#host.probe()
      this.#probes++
    }
    this.set()
  }
}
