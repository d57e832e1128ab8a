/** The comparison of engines for as long as wished: `--seed 1 --minutes 5`, `--kind 0…11`, `--windows 400`. */
import type { EngineChoice } from '../../src/index.ts'
import { KINDS } from './layout.ts'
import { compareEngines } from './lockstep.ts'

/** Pairs of engines by the number of the machine, which is its seed too; the first of each is what is right. */
export function compareLong(
  args: readonly string[],
  enginesOf: (seed: number) => readonly [EngineChoice, EngineChoice],
  log: (line: string) => void,
): void {
  const option = (name: string, otherwise: number): number => {
    const at = args.indexOf(`--${name}`)
    return at < 0 ? otherwise : Number(args[at + 1])
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
    const outcome = compareEngines({ kind, seed, windows, engines: enginesOf(seed) })
    instructions += outcome.instructions
    compared += outcome.windows
    if (!outcome.report) continue
    failed++
    log(outcome.report)
  }
  log(`seeds ${first}–${seed - 1}: ${instructions} instructions in ${compared} windows, ${failed} mismatches`)
}
