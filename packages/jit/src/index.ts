/** The translating engine: x86 to WebAssembly. */
import type { Engine, EngineChoice } from '@vmexit/x86'
import type { TierFactory } from '@vmexit/x86/engine'
import { DEFAULTS, type JitOptions } from './options.ts'
import { JitTier } from './tier.ts'

export type { TierStats as JitStats } from '@vmexit/x86'
export { V8_FLAGS } from './host.ts'
export type { JitOptions } from './options.ts'

/** The engine for a CPU: `new Cpu({ memory, engine: jit() })`, `x86({ engine: jit() })`. Needs WebAssembly. */
export function jit(options: JitOptions = {}): TierFactory {
  const all = { ...DEFAULTS, ...options }
  return { name: 'jit', threshold: all.threshold, create: (parts) => new JitTier(parts, all) }
}

/** Any engine by its name, as a CPU takes it. */
export function engineNamed(name: Engine): EngineChoice {
  return name === 'jit' ? jit() : name
}
