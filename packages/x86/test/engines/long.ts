/** The reference engine and the interpreter, compared for as long as wished: see `compare-long.ts`. */
import { compareLong } from './compare-long.ts'

declare const process: { readonly argv: readonly string[] }

compareLong(
  process.argv,
  () => ['reference', 'interpreter'],
  (line) => console.log(line),
)
