/** What went wrong, for programs. */
export type PagingErrorCode =
  /** An option or argument that cannot stand. */
  | 'INVALID_ARGUMENT'
  /** A saved state does not fit. */
  | 'STATE_MISMATCH'

/** Every error this package throws. What a guest's tables do wrong is no error but a fault, in a `WalkResult`. */
export class PagingError extends Error {
  override readonly name = 'PagingError'
  readonly code: PagingErrorCode

  constructor(code: PagingErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
