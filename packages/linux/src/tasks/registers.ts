/** The registers of a task while another one has the CPU: the user's part of the CPU's state, as it lies there. */
import { type CpuState, Gpr, Layout } from '@vmexit/x86'

/** What is moved, as offsets of `Layout`: general registers, IP and flags; segment registers; x87 and SSE. */
const PARTS = [
  [0, Layout.budget],
  [Layout.segments, Layout.cr0],
  [Layout.fpr, Layout.attention],
] as const
const SIZE = Layout.attention

/** A copy of the registers. */
export class Registers {
  readonly #bytes = new Uint8Array(SIZE)
  readonly #words = new Int32Array(this.#bytes.buffer)

  /** Takes what the CPU has. */
  save(state: CpuState): void {
    const { u8 } = state.host
    for (const [start, end] of PARTS) this.#bytes.set(u8.subarray(state.base + start, state.base + end), start)
  }

  /** Gives it to the CPU; whoever does tells it that its mode may have changed. */
  load(state: CpuState): void {
    const { u8 } = state.host
    for (const [start, end] of PARTS) u8.set(this.#bytes.subarray(start, end), state.base + start)
  }

  copyFrom(other: Registers): void {
    this.#bytes.set(other.#bytes)
  }

  /** A general register, by `Gpr`. */
  get(register: number): number {
    return this.#words[register * 2]!
  }
  set(register: number, value: number): void {
    this.#words[register * 2] = value
  }
  get ip(): number {
    return this.#words[Layout.ip >> 2]! >>> 0
  }
  get sp(): number {
    return this.get(Gpr.sp) >>> 0
  }
  /** Writes a segment register: visible selector, base and limit of a flat or a TLS segment are set by the CPU's rules beforehand. */
  words(offset: number): Int32Array {
    return this.#words.subarray(offset >> 2)
  }
}
