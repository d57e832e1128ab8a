/** The engines that can be chosen, the first one unless stated. An engine that is added to the CPU is a line here. */
import type { Engine } from '@vmexit/x86'

/** One choice. */
export interface EngineChoice {
  readonly name: Engine
  readonly title: string
  /** Instructions between two turns of the page: a few milliseconds, so that keys and frames do not wait. */
  readonly slice: number
}

// biome-ignore format: one line for one engine
export const engines: readonly EngineChoice[] = [
  { name: 'jit', title: 'JIT', slice: 500_000 },
  { name: 'interpreter', title: 'Interpreter', slice: 500_000 },
  { name: 'reference', title: 'Reference, slow', slice: 20_000 },
]
