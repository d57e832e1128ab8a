/// <reference lib="dom" />
import type { ModuleBuilder } from '../src/index.ts'

/** What tests call: numbers and bigints in and out. */
export type Exports = Record<string, (...operands: readonly (number | bigint)[]) => number | bigint | undefined>

/** Instantiates what was built, after checking that the engine validates it (a failure carries the engine's words). */
export function instantiate(module: ModuleBuilder, imports: WebAssembly.Imports = {}): WebAssembly.Exports & Exports {
  const compiled = new WebAssembly.Module(module.toBytes())
  return new WebAssembly.Instance(compiled, imports).exports as WebAssembly.Exports & Exports
}
