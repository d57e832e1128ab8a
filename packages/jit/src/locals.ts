/** The locals of a translation's function, and what its code does with registers. */
import type { FunctionBuilder } from '@vmexit/wasm-asm'
import { places } from './parts.ts'

/**
 * Locals of a function that is a translation; parameters are the CPU's base and the nesting that is left. Those of the x87
 * unit and SSE are declared where they are used: the baseline compiler clears every local at each entry.
 */
export class Locals {
  /** Of general registers, and of other parts that have one. */
  readonly parts: number[]
  /** Values a, b and c of the status flags: see `HeldFlags`. */
  readonly flags: readonly [number, number, number]
  readonly budget: number
  /** The frame: see `accesses.ts`. */
  readonly frame: number
  readonly #windows: number[] = []
  readonly #fn: FunctionBuilder

  constructor(fn: FunctionBuilder) {
    const local = (): number => fn.local('i32')
    this.#fn = fn
    this.parts = Array.from({ length: 8 }, local)
    this.flags = [local(), local(), local()]
    this.budget = local()
    this.frame = local()
  }

  /** That of a window: see `windows.ts`. */
  window(n: number): number {
    return (this.#windows[n] ??= this.#fn.local('i32'))
  }
  /** That of a part. */
  part(part: number): number {
    return (this.parts[part] ??= this.#fn.local(places[part]!.type))
  }
}

/** What one instruction does with registers and flags. */
export interface Effects {
  /** Parts whose values it needs, as bits. */
  uses: number
  /** General registers that it writes whole, whatever happens, as bits. */
  sets: number
  /** It asks for flags, though nobody may ask for those that it sets. */
  readsFlags: boolean
  /** It sets all of them, whatever happens. */
  setsFlags: boolean
  /** It may leave, beyond its accesses to the stack and to what it reaches. */
  leaves: boolean
  /** It accesses the stack, at a distance from its pointer. */
  stacks: boolean
  /** Bytes that it accesses at the address that its operand has; it may leave there. */
  reaches: number
  /** It writes them. */
  stores: boolean
  /** General registers that it may write, as bits. */
  changes: number
  /** It depends on the shape of the x87 unit. */
  shaped: boolean
  /** In the shape that there is, a stack register is empty that should not be, or the other way round. */
  faults: boolean
  /** It loads the control word of the x87 unit. */
  loadsControl: boolean
  /** It may write the stack pointer. */
  movesStack: boolean
}
