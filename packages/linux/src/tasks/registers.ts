/** The registers of a task while another one has the CPU: the user's part of the CPU's state, as it lies there. */
import { type CpuState, Layout } from '@vmexit/x86'

/** What is moved, in words of `Layout`: general registers, IP and flags; segment registers; x87 and SSE. */
const PARTS: readonly (readonly [start: number, end: number])[] = [
  [0, Layout.budget >> 2],
  [Layout.segments >> 2, Layout.cr0 >> 2],
  [Layout.fpr >> 2, Layout.attention >> 2],
]
const WORDS = Layout.attention >> 2

/** A copy of the registers. */
export class Registers {
  readonly #words = new Int32Array(WORDS)

  /** Takes what the CPU has. (Word by word: views of parts would be the garbage of each switch, and took as long.) */
  save(state: CpuState): void {
    const { i32 } = state.host
    const words = this.#words
    const base = state.base >> 2
    for (let part = 0; part < PARTS.length; part++) {
      const [start, end] = PARTS[part]!
      for (let n = start; n < end; n++) words[n] = i32[base + n]!
    }
  }

  /** Gives it to the CPU; whoever does tells it that its mode may have changed. */
  load(state: CpuState): void {
    const { i32 } = state.host
    const words = this.#words
    const base = state.base >> 2
    for (let part = 0; part < PARTS.length; part++) {
      const [start, end] = PARTS[part]!
      for (let n = start; n < end; n++) i32[base + n] = words[n]!
    }
  }

  /** A general register, by `Gpr`. */
  get(register: number): number {
    return this.#words[register * 2]!
  }
  set(register: number, value: number): void {
    this.#words[register * 2] = value
  }
  /** A bit of `Layout.flags`, which are no status flags. */
  setFlag(mask: number, on: boolean): void {
    const at = Layout.flags >> 2
    this.#words[at] = on ? this.#words[at]! | mask : this.#words[at]! & ~mask
  }
}
