/** What went wrong, for programs. The message says it for people, with the remedy. */
export type MemoryErrorCode =
  /** Host memory has reached its maximum size, or the host refused to grow it. */
  | 'MEMORY_EXHAUSTED'
  /** The frame pool, or the owner a frame would be charged to, has reached its limit. */
  | 'FRAME_LIMIT'
  /** A size, address or option that cannot stand. */
  | 'INVALID_ARGUMENT'
  /** Two ranges of guest-physical memory overlap. */
  | 'RANGE_OVERLAP'
  /** There is no RAM or ROM at that guest-physical page. */
  | 'NOT_MEMORY'
  /** A saved state does not fit this memory. */
  | 'STATE_MISMATCH'

/** Every error this package throws. */
export class MemoryError extends Error {
  override readonly name = 'MemoryError'
  readonly code: MemoryErrorCode

  constructor(code: MemoryErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** `0x`-prefixed hexadecimal, for messages. */
export function hex(value: number): string {
  return `0x${value.toString(16)}`
}
