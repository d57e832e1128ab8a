/** A buffer of instructions, and the offsets of those branches in it that carry a hint. */
import { ByteWriter } from './bytes.ts'

export class CodeBuffer extends ByteWriter {
  /** Offset of a branch and 1 for likely, 0 for unlikely, by turns. */
  readonly hints: number[] = []
  private pending = -1

  /** Whether a hint waits for its branch. */
  get hintPending(): boolean {
    return this.pending >= 0
  }

  /** Keeps a hint for the next branch. */
  hint(likely: boolean): void {
    this.pending = likely ? 1 : 0
  }

  /** Gives the pending hint, if there is one, to the branch about to be emitted. */
  placeHint(): void {
    if (this.pending < 0) return
    this.hints.push(this.length, this.pending)
    this.pending = -1
  }

  /** An opcode with its prefix byte above it. */
  prefixed(code: number): void {
    this.u8(code >> 8)
    this.u32(code & 0xff)
  }

  /** An opcode of one byte and an unsigned immediate. */
  indexed(code: number, index: number): void {
    if (this.length + 6 > this.bytes.length) this.grow(6)
    const bytes = this.bytes
    let at = this.length
    bytes[at++] = code
    let rest = index
    while (rest >>> 0 > 0x7f) {
      bytes[at++] = rest | 0x80
      rest >>>= 7
    }
    bytes[at++] = rest
    this.length = at
  }

  /** Adds the hints to `all`, with offsets that count from `base` bytes before this buffer. */
  copyHints(all: number[], base: number): void {
    const hints = this.hints
    for (let i = 0; i < hints.length; i += 2) all.push(hints[i] + base, hints[i + 1])
  }
}
