/** The locals of a translation's function. */
import type { FunctionBuilder } from '@vmexit/wasm-asm'
import type { Locals } from './processor.ts'

export function declareLocals(fn: FunctionBuilder): Locals {
  const local = (): number => fn.local('i32')
  const registers = Array.from({ length: 8 }, local)
  return { registers, flags: [local(), local(), local()], budget: local(), key: local() }
}
