/**
 * What the dispatcher keeps in locals while it runs, and leaves in memory while another function does.
 *
 * V8 writes a value that outlives a call to its stack where the value is made, though the call be rare: with the record
 * that would be once for each instruction. Put into memory before the call and loaded after it, nothing outlives one.
 * And what only comes from loads and sums V8 knows to need no extension to an address of 64 bits. (Five integer kernels:
 * 7 % faster, loads and stores 10 to 20 %.)
 */
import { type FunctionBuilder, Load, Op, Store } from '@vmexit/wasm-asm'
import { Layout } from '../state/layout.ts'

/** The CPU's base and the record: the first two locals of every function that has handlers. */
export const BASE = 0
export const RECORD = 1

export class Kept {
  /** Local with {@link Layout.budget}. */
  readonly budget: number
  /** Local with {@link Layout.tlbKey}. */
  readonly key: number
  readonly #fn: FunctionBuilder

  /** Declares the locals of `fn`, which has the base as its one parameter, and begins its body. */
  constructor(fn: FunctionBuilder) {
    this.#fn = fn
    fn.local('i32')
    this.budget = fn.local('i32')
    this.key = fn.local('i32')
    fn.localGet(BASE).localGet(BASE).load(Load.i32Load, Layout.zero).op(Op.i32Add).localSet(BASE)
    this.take()
  }

  /** From memory, after another function has run. */
  take(): void {
    for (const [local, offset] of [
      [RECORD, Layout.record],
      [this.budget, Layout.budget],
      [this.key, Layout.tlbKey],
    ] as const) {
      this.#fn.localGet(BASE).load(Load.i32Load, offset).localSet(local)
    }
  }

  /** Into memory, before another function runs. */
  give(): void {
    this.#fn.localGet(BASE).localGet(RECORD).store(Store.i32Store, Layout.record)
    this.giveBudget()
  }

  /** The budget alone, where {@link Layout.record} says already where it ended. */
  giveBudget(): void {
    this.#fn.localGet(BASE).localGet(this.budget).store(Store.i32Store, Layout.budget)
  }
}
