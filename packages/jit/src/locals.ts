/** The locals of a translation's function. */
import type { FunctionBuilder } from '@vmexit/wasm-asm'
import type { Locals } from './processor.ts'

export function declareLocals(fn: FunctionBuilder): Locals {
  const local = (): number => fn.local('i32')
  const registers = Array.from({ length: 8 }, local)
  return { registers, flags: { kind: local(), a: local(), b: local(), c: local() }, budget: local(), key: local() }
}
