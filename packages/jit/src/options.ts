/** What can be set about the engine. */

/** Options of `jit()`. Counts do not depend on any of them. */
export interface JitOptions {
  /** Times that a loop or function is interpreted before it is translated. */
  readonly threshold?: number
  /** Regions that are translated together, 16 at the most. */
  readonly batch?: number
  /** Bytes of WebAssembly that translations may take; with more, all are dropped, and what is hot is translated anew. */
  readonly quota?: number
  /** Milliseconds by a clock that the app hands in: what {@link JitStats} tells the time by. */
  readonly now?: () => number
}

/**
 * Thresholds from 300 to 3,000 were measured with a boot and programs of every kind: below a thousand, one pays for more
 * translations than are used, above two thousand too much is interpreted.
 */
export const DEFAULTS: Required<JitOptions> = { threshold: 2000, batch: 8, quota: 32 << 20, now: () => 0 }
