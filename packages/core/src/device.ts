/**
 * What a chip is: registers at offsets, and state. It knows no address, no bus and no CPU; whoever attaches it does.
 */
import type { State, Stateful } from './state.ts'

/** Width of an access in bytes. */
export type Width = 1 | 2 | 4

/** Registers addressed by offset. `Bus.claim` attaches them at an address. */
export interface RegisterFile {
  /** How many addresses they occupy. */
  readonly size: number
  /** The widest access they take whole, 4 unless stated. */
  readonly widest?: Width
  /**
   * Whether an access that is wider than `widest`, or reaches over an end, is done byte by byte (as the ISA bus does
   * for 8-bit chips). Without it nobody answers such an access.
   */
  readonly split?: boolean
  /** Reads `width` bytes from `offset`; `offset + width ≤ size`. Bits above the width are ignored. */
  read(offset: number, width: Width): number
  /** Writes `value`, an unsigned number of `width` bytes, at `offset`; `offset + width ≤ size`. */
  write(offset: number, width: Width, value: number): void
}

/** A chip: one or more register files that share state. Lines and a bus-master handle are given to its constructor. */
export interface Device<S extends State = State> extends Stateful<S> {
  /** The register files by name: `{ command, control }` of an ATA channel. */
  readonly regions: Readonly<Record<string, RegisterFile>>
  /** The state after power-on or a bus reset. */
  reset(): void
}
