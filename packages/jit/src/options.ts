/** What can be set about the engine. */

/** Options of `jit()`. Counts do not depend on any of them. */
export interface JitOptions {
  /** Times that a loop or function is interpreted before it is translated. */
  readonly threshold?: number
  /** Regions that are translated together. */
  readonly batch?: number
}

export const DEFAULTS: Required<JitOptions> = { threshold: 2000, batch: 8 }
