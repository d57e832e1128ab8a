/** Engines as suites take them: those of this package, and a tier of another one. */
import type { EngineChoice } from '../src/index.ts'

/** The engines of this package. */
export const ENGINES: readonly EngineChoice[] = ['reference', 'interpreter']

export function nameOf(engine: EngineChoice): string {
  return typeof engine === 'string' ? engine : engine.name
}
