/** The mode of execution that translated code depends on, beyond its bytes. */
import { Layout, SegmentSlot } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'

/** Of a mode's number: CPL is 3. What else there is to a mode stays where this alone changes. */
export const USER_MODE = 1

export interface Mode {
  /** Index among the modes met so far: what records and state hold. Two that differ in privilege alone differ in {@link USER_MODE}. */
  readonly id: number
  /** CPL is 3. */
  readonly user: boolean
  readonly codeBits: 16 | 32 | 64
  readonly stackBits: 16 | 32 | 64
  /** Bit n: segment n has base 0 and every offset may be read (written). */
  readonly flatRead: number
  readonly flatWrite: number
  /** Base and limit of CS; 0 and all ones in flat and in 64-bit code. */
  readonly codeBase: number
  readonly codeLimit: number
}

const CS = 1
/** As computed for a segment of 4 GB: see `SegmentSlot.readSpan`. */
const FULL_SPAN = 0xffff_fff0
const RECENT = 4
/** Modes at the most: each base and limit of CS that a guest loads makes two, and it may load any. */
const MOST = 16_384
/** Those with a number below this stay as long as the engine does: handlers are found by it. */
export const LASTING_MODES = 256

/** Finds the mode of a state; equal modes are one object. */
export class Modes {
  /** The first of two: for CPL 0 to 2, and for CPL 3. */
  readonly #known = new Map<string, number>()
  readonly all: Mode[] = []
  /** The last ones that were looked up by their text. */
  readonly #recent: Mode[] = []

  /** There should be no more: {@link forget} them where nobody has a mode at hand. */
  get areMany(): boolean {
    return this.all.length >= MOST
  }
  /** Forgets all but the first ones. Records of the others must be gone, for others will have their numbers. */
  forget(): void {
    this.all.length = LASTING_MODES
    this.#recent.length = 0
    for (const [key, first] of this.#known) if (first >= LASTING_MODES) this.#known.delete(key)
  }

  of(state: CpuState): Mode {
    const codeBits = state.codeBits
    let flatRead = 0
    let flatWrite = 0
    for (let seg = 0; seg < 6; seg++) {
      const slot = Layout.segments + seg * SegmentSlot.size
      if (state.get32(slot) !== 0 || state.get32(slot + SegmentSlot.low) !== 0) continue
      if (state.get32(slot + SegmentSlot.readSpan) >>> 0 >= FULL_SPAN) flatRead |= 1 << seg
      if (state.get32(slot + SegmentSlot.writeSpan) >>> 0 >= FULL_SPAN) flatWrite |= 1 << seg
    }
    const codeBase = codeBits === 64 ? 0 : state.segBase(CS)
    const codeLimit = codeBits === 64 ? 0xffff_ffff : state.segLimit(CS)
    const { stackBits } = state
    const user = state.cpl === 3
    // Kernels load segments with what they held before, and programs theirs after them: told by numbers, without a text to
    // look up.
    const recent = this.#recent
    for (let n = 0; n < recent.length; n++) {
      const mode = recent[n]!
      if (
        mode.codeBits === codeBits &&
        mode.stackBits === stackBits &&
        mode.flatRead === flatRead &&
        mode.flatWrite === flatWrite &&
        mode.codeBase === codeBase &&
        mode.codeLimit === codeLimit &&
        mode.user === user
      ) {
        return mode
      }
    }
    const key = `${codeBits},${stackBits},${flatRead},${flatWrite},${codeBase},${codeLimit}`
    let first = this.#known.get(key)
    if (first === undefined) {
      first = this.all.length
      this.#known.set(key, first)
      for (const cpl3 of [false, true])
        this.all.push({
          id: this.all.length,
          user: cpl3,
          codeBits,
          stackBits,
          flatRead,
          flatWrite,
          codeBase,
          codeLimit,
        })
    }
    const mode = this.all[first + (user ? 1 : 0)]!
    recent.unshift(mode)
    if (recent.length > RECENT) recent.pop()
    return mode
  }
}
