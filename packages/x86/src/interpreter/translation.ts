/** What the interpreter and translations agree on: how they are called, and how they end. */

/** How a translation ends: the upper half of the i64 that its function returns. */
export const Outcome = {
  /** Return to TypeScript: `Layout.leave` says why, `Layout.record` where, as handlers leave them. */
  leave: 0,
  /** Go on at the record in `Layout.record`, which is not paid for. */
  go: 1,
  /** Go on at the instruction pointer in the lower half. */
  jump: 2,
  /** Leave by the {@link Exit} whose host address is in the lower half. */
  exit: 3,
} as const

/**
 * Offsets in what describes an exit, int32 each: the record to go on at, instructions paid for that have not happened, the
 * reason for `Layout.leave`, and what comes of it: {@link Outcome} `leave` or `go`.
 */
export const Exit = { record: 0, unpaid: 4, leave: 8, outcome: 12, size: 16 } as const

/** What a translation's action of an instruction answers: see `TierImports.act`. */
export const Acted = { leave: 0, next: 1, go: 2 } as const

/**
 * Parameters and result of what interprets for a translation whose call has not come back: the CPU's base, calls that may
 * still nest, the stack pointer behind the return, what the call returned, what it would return if it came back, the mode.
 * It is the latter if control has come back by then, and otherwise an {@link Outcome} for the translation to return.
 */
export const RESUME: readonly [params: readonly ['i32', 'i32', 'i32', 'i64', 'i64', 'i32'], results: readonly ['i64']] =
  [['i32', 'i32', 'i32', 'i64', 'i64', 'i32'], ['i64']]
/** Bytes of stack at the most between a call and what is interpreted for it: beyond, control went elsewhere. */
export const DEEPEST_STACK = 0x4000

/** Parameters and result of a translation: the CPU's base, calls that may still nest → see {@link Outcome}. */
export const TRANSLATION: readonly [params: readonly ['i32', 'i32'], results: readonly ['i64']] = [
  ['i32', 'i32'],
  ['i64'],
]
/** Calls of the guest that translations nest at the most: a frame of the host's stack each. */
export const NESTING = 200
