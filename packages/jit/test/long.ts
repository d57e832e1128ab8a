/**
 * The comparison on random machines for as long as wished: `--seed 1 --minutes 5`, `--kind 0…11`, `--windows 400`. Every
 * second machine compares the JIT with the reference engine, the others with the interpreter.
 */
import { compareLong } from '../../x86/test/engines/compare-long.ts'
import { eager } from './eager.ts'

declare const process: { readonly argv: readonly string[] }

// There are twelve kinds: over 24 seeds each kind meets both engines.
compareLong(
  process.argv,
  (seed) => [Math.floor(seed / 12) % 2 === 0 ? 'reference' : 'interpreter', eager(seed % 3 === 0 ? 2 : 1)],
  (line) => console.log(line),
)
