/**
 * CPU bandwidth ("Control Group v2", `cpu.max`): in each period a group may run for its quota, and what it leaves may be
 * saved up to the burst. Who has overrun pays from the next periods. Times are nanoseconds of virtual time.
 */

/** A quota in a saved state; `null` for no limit. */
export type BandwidthState = {
  readonly quota: number | null
  readonly period: number
  readonly burst: number
  readonly end: number
  readonly left: number
  readonly used: number
  readonly throttledSince: number | null
  readonly stat: BandwidthStat
}

/** What `cpu.stat` says of a quota. Times are nanoseconds. */
export type BandwidthStat = {
  periods: number
  throttled: number
  throttledTime: number
  bursts: number
  burstTime: number
}

/** The quota of one group. */
export class Bandwidth {
  quota: number = Number.POSITIVE_INFINITY
  period = 100_000_000
  burst = 0
  readonly stat: BandwidthStat = { periods: 0, throttled: 0, throttledTime: 0, bursts: 0, burstTime: 0 }
  /** When the present period ends. */
  #end = 0
  /** What may still be used in it; below 0 what has been overrun. */
  #left = 0
  /** What has been used in it. */
  #used = 0
  #throttledSince: number | undefined

  get limited(): boolean {
    return this.quota !== Number.POSITIVE_INFINITY
  }

  get throttled(): boolean {
    return this.#throttledSince !== undefined
  }

  /** Sets quota, period and burst; the period starts anew. */
  set(quota: number, period: number, burst: number, now: number): void {
    this.quota = quota
    this.period = period
    this.burst = burst
    this.#end = now + period
    this.#left = quota
    this.#used = 0
    if (this.throttled) this.#unthrottle(now)
  }

  /** What may be used from `now` on until the group is throttled; Infinity without a limit. */
  remaining(now: number): number {
    if (!this.limited) return Number.POSITIVE_INFINITY
    this.refill(now)
    return this.#left
  }

  /** Uses time. Answers whether that throttles the group. */
  use(time: number, now: number): boolean {
    if (!this.limited) return false
    this.refill(now)
    this.#left -= time
    this.#used += time
    if (this.#left > 0 || this.throttled) return false
    this.#throttledSince = now
    return true
  }

  /** Begins the periods that have come by `now`. A group with time to use is throttled no longer. */
  refill(now: number): void {
    if (now < this.#end || !this.limited) return
    const passed = Math.floor((now - this.#end) / this.period) + 1
    this.#count(passed)
    this.#left = Math.min(this.#left + passed * this.quota, this.quota + this.burst)
    this.#used = 0
    this.#end += passed * this.period
    if (this.throttled && this.#left > 0) this.#unthrottle(now)
  }

  /** When a throttled group has time to use again. */
  get due(): number {
    const periods = Math.max(1, Math.floor(-this.#left / this.quota) + 1)
    return this.#end + (periods - 1) * this.period
  }

  /** How long the group has been throttled, until `now` if it still is. */
  throttledTime(now: number): number {
    return this.stat.throttledTime + (this.#throttledSince === undefined ? 0 : now - this.#throttledSince)
  }

  save(): BandwidthState {
    return {
      ...{ quota: this.limited ? this.quota : null, period: this.period, burst: this.burst, end: this.#end },
      ...{ left: this.limited ? this.#left : 0, used: this.#used },
      ...{ throttledSince: this.#throttledSince ?? null, stat: { ...this.stat } },
    }
  }

  restore(state: BandwidthState): void {
    this.quota = state.quota ?? Number.POSITIVE_INFINITY
    this.period = state.period
    this.burst = state.burst
    this.#end = state.end
    this.#left = state.left
    this.#used = state.used
    this.#throttledSince = state.throttledSince ?? undefined
    Object.assign(this.stat, state.stat)
  }

  #unthrottle(now: number): void {
    this.stat.throttledTime += now - this.#throttledSince!
    this.#throttledSince = undefined
  }

  /**
   * A period in which nothing was used, and in which the group was not throttled, is none that was enforced. As on
   * Linux (kernel/sched/fair.c, *do_sched_cfs_period_timer*), one that ends throttled is counted as such at its end.
   */
  #count(passed: number): void {
    if (this.throttled) {
      this.stat.periods += passed
      this.stat.throttled += passed
    } else if (this.#used > 0) this.stat.periods++
    const saved = this.#used - this.quota
    if (saved <= 0 || this.burst === 0) return
    this.stat.bursts++
    this.stat.burstTime += Math.min(saved, this.burst)
  }
}
