/** How an instruction's operand is reached by a window: see `windows.ts`. */

export interface Window {
  /** Its number in the region. */
  readonly n: number
  /** Displacements of the first byte and of that behind the last. */
  readonly low: number
  readonly high: number
  /** It may be written. */
  readonly write: boolean
  /** Records of the instructions that go by it. */
  readonly served: readonly number[]
}
/** How an instruction's operand is reached by a window. */
export interface Passage {
  readonly window: Window
  /** It is the first one, which looks it up. */
  readonly opens: boolean
}
