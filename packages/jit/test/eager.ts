/** The JIT as suites run it: whatever runs is translated, by itself. */
import type { Cpu, EngineChoice } from '@vmexit/x86'
import { jit } from '../src/index.ts'

/** Translates what is executed for the first, or the second time. */
export function eager(threshold: 1 | 2 = 1): EngineChoice {
  return jit({ threshold, batch: 1 })
}

/** Modules that were compiled so far. */
export function compiled(cpu: Cpu): number {
  return cpu.generated?.translated?.compiled ?? 0
}
