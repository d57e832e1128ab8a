/** The locals of a translation's function. */
import type { FunctionBuilder } from '@vmexit/wasm-asm'
import type { FlagSlot } from '@vmexit/x86/engine'
import { FLAG_SLOTS, type Locals } from './processor.ts'

export function declareLocals(fn: FunctionBuilder): Locals {
  const registers = Array.from({ length: 8 }, () => fn.local('i32'))
  const flags = Object.fromEntries(FLAG_SLOTS.map((slot) => [slot, fn.local('i32')])) as Record<FlagSlot, number>
  return { registers, flags, flagsHeld: fn.local('i32'), budget: fn.local('i32'), key: fn.local('i32') }
}
