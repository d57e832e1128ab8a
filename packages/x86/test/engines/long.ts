/** The comparison of the engines for as long as wished: `--seed 1 --minutes 5`, `--kind 0…11`, `--windows 400`. */
import { KINDS } from './layout.ts'
import { compareEngines } from './lockstep.ts'

declare const process: { readonly argv: readonly string[] }

const option = (name: string, otherwise: number): number => {
  const at = process.argv.indexOf(`--${name}`)
  return at < 0 ? otherwise : Number(process.argv[at + 1])
}
const end = Date.now() + option('minutes', 1) * 60_000
const first = option('seed', 1)
const only = option('kind', -1)
const windows = option('windows', 400)
const failures = option('failures', 1)
let [instructions, compared, failed] = [0, 0, 0]
let seed = first
for (; Date.now() < end && failed < failures; seed++) {
  const kind = KINDS[only < 0 ? seed % KINDS.length : only]!
  const outcome = compareEngines({ kind, seed, windows })
  instructions += outcome.instructions
  compared += outcome.windows
  if (!outcome.report) continue
  failed++
  console.log(outcome.report)
}
console.log(`seeds ${first}–${seed - 1}: ${instructions} instructions in ${compared} windows, ${failed} mismatches`)
