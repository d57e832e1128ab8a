/**
 * Typed errors: each names the thing, the cause and the remedy, and carries a `code` to switch on.
 *
 * They are for whoever writes or composes parts. What a *guest* does wrong is never an error here: it is data.
 */

/** What an error says. */
export interface ErrorDetails {
  /** The thing and what is wrong with it, as a clause: `'com2 claims ports 0x3f8–0x3ff, which com1 has'`. */
  readonly problem: string
  /** What to do about it, as a clause: `'move one of them'`. */
  readonly remedy: string
  /** The error that led to this one. */
  readonly cause?: unknown
}

/** An error of vmexit. `message` is `problem: remedy`; `code` is stable, the words may change. */
export class VmexitError<Code extends string = string> extends Error {
  override readonly name: string = 'VmexitError'
  readonly code: Code
  readonly problem: string
  readonly remedy: string

  constructor(code: Code, { problem, remedy, cause }: ErrorDetails) {
    super(`${problem}: ${remedy}`, cause === undefined ? undefined : { cause })
    this.code = code
    this.problem = problem
    this.remedy = remedy
  }
}

/**
 * Whether `error` is a {@link VmexitError}, of the given `code` if one is given. It looks at the fields and not at the
 * class, so it also knows the errors of a second copy of this package.
 */
export function isVmexitError<Code extends string = string>(error: unknown, code?: Code): error is VmexitError<Code> {
  if (!(error instanceof Error && 'code' in error && 'problem' in error && 'remedy' in error)) return false
  return typeof error.code === 'string' && (code === undefined || error.code === code)
}

/** `0x3f8`: how addresses, ports and vectors are written in messages. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}

/** `0x3f8–0x3ff`: `size` addresses from `base` on, as written in messages. */
export function hexRange(base: number, size: number): string {
  return size === 1 ? hex(base) : `${hex(base)}–${hex(base + size - 1)}`
}
