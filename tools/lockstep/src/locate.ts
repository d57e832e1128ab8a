/** From two checkpoints, between which the engines came apart, to the instruction. */
import type { Pc } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'
import { advance } from './advance.ts'
import { differences } from './differences.ts'
import { type Guest, readState, startGuest } from './guest.ts'
import { listTo } from './listing.ts'
import { StateHash } from './state-hash.ts'
import { stateBefore, type Trace, type TraceFolder } from './trace.ts'

/** Where an engine leaves the trace. */
export interface LocateOptions {
  readonly engine: Engine
  /** The last equal checkpoint. */
  readonly equal: number
  /** The first that differs. */
  readonly different: number
  readonly onProgress?: (words: string) => void
}

type State = ReturnType<Pc['save']>

/** Where a machine of the leading engine is started for a try: what it has translated before then may matter. */
interface Beginning {
  readonly words: string
  readonly state: State | undefined
}

/** Searches for the first instruction after which the engines differ, and describes it. */
export async function locate(
  guest: Guest,
  folder: TraceFolder,
  trace: Trace,
  options: LocateOptions,
): Promise<readonly string[]> {
  const { engine, equal, different, onProgress } = options
  const before = stateBefore(trace, equal)
  const saved = before === 0 ? undefined : await readState(folder.statePath(before))
  onProgress?.(`brings both engines to ${equal}`)
  await using reference = await startGuest(guest, engine, saved)
  advance(reference, equal)
  const common = reference.save()
  const expected = hashOf(reference)
  const beginnings: Beginning[] = [{ words: `a state at ${equal}`, state: common }]
  if (before !== equal) beginnings.push({ words: `the state at ${before}`, state: saved })
  if (before !== 0) beginnings.push({ words: 'the beginning', state: undefined })
  for (const { words, state } of beginnings) {
    onProgress?.(`tries ${trace.engine} from ${words}`)
    const differs = async (at: number): Promise<boolean> => {
      await using leading = await startGuest(guest, trace.engine, state)
      advance(leading, at)
      if (at === equal) return hashOf(leading) !== expected
      reference.restore(common)
      advance(reference, at)
      return hashOf(leading) !== hashOf(reference)
    }
    if (await differs(equal)) return [`${trace.engine} from ${words} is not where the trace was at ${equal}`]
    if (!(await differs(different))) continue
    const first = await firstOf(equal, different, differs, onProgress)
    await using leading = await startGuest(guest, trace.engine, state)
    advance(leading, first)
    reference.restore(common)
    const listing = listTo(reference, first, Math.min(32, first - equal))
    const left = differences(leading, reference)
    return [
      `${trace.engine} from ${words} and ${engine} differ after ${first} instructions, which end with`,
      ...listing,
      `${trace.engine}, ${engine}:`,
      ...left,
    ]
  }
  return [`${trace.engine} agrees with ${engine} when it repeats the stretch: the trace is not repeatable`]
}

/** The first number after `low` for which `differs` holds, if it holds from there on; it holds for `high`. */
async function firstOf(
  low: number,
  high: number,
  differs: (at: number) => Promise<boolean>,
  onProgress: ((words: string) => void) | undefined,
): Promise<number> {
  let equal = low
  let different = high
  while (different - equal > 1) {
    const middle = Math.floor((equal + different) / 2)
    if (await differs(middle)) different = middle
    else equal = middle
    onProgress?.(`between ${equal} and ${different}`)
  }
  return different
}

function hashOf(pc: Pc): string {
  using hash = new StateHash(pc)
  return hash.digest()
}
