/** Everything that is compared of one guest, and what came of it. */
import type { Engine } from '@vmexit/x86'
import type { Guest } from './guest.ts'
import { lead } from './lead.ts'
import { locate } from './locate.ts'
import type { LockstepOptions } from './options.ts'
import type { Progress } from './progress.ts'
import { repeatStretches, type Stretch } from './shards.ts'
import { stateBefore, stretches, type Trace, TraceFolder } from './trace.ts'
import { compareWindows, noWindows, type WindowTotals } from './windows.ts'

/** What was compared. All were equal if `differences` is empty. */
export interface LockstepResult {
  readonly engines: readonly Engine[]
  /** Instructions of the whole run, how it ended, and all counts then. */
  readonly instructions: number
  readonly end: Trace['end']
  readonly counts: Trace['counts']
  /** What repeated the run, or stretches of it: instructions, and hashes that were equal. */
  readonly repeated: readonly { readonly by: string; readonly instructions: number; readonly hashes: number }[]
  readonly windows: WindowTotals
  readonly differences: readonly string[]
}

/** What a comparison is given. */
export interface Surroundings {
  readonly guest: Guest
  /** The folder of the trace. */
  readonly work: string
  readonly progress: Progress
  /** Told what is done, a line at a time. */
  readonly say: (line: string) => void
}

/** A whole comparison, up to the first difference. */
export async function lockstep(options: LockstepOptions, surroundings: Surroundings): Promise<LockstepResult> {
  const { guest, work, progress, say } = surroundings
  const [leading = 'interpreter', ...others] = options.engines
  const folder = new TraceFolder(work)
  const onProgress = (at: number) => progress.show(`${leading}: ${figure(at)}`)
  const trace = folder.read(guest.identity) ?? (await lead(guest, folder, { ...options, engine: leading, onProgress }))
  const { at: instructions } = trace.checkpoints.at(-1)!
  const { end, counts } = trace
  say(`${leading}: ${figure(instructions)} instructions to ${end}, ${figure(trace.checkpoints.length)} hashes`)

  const repeated: { by: string; instructions: number; hashes: number }[] = []
  let windows = noWindows
  const result = (differences: readonly string[]): LockstepResult => ({
    engines: options.engines,
    instructions,
    end,
    counts,
    repeated,
    windows,
    differences,
  })
  for (const { by, wanted } of plan(options, trace)) {
    const { differences, ...totals } = await repeatAll(wanted, { options, surroundings, folder, trace })
    repeated.push({ by, ...totals })
    if (differences.length > 0) return result(differences)
    say(`${by}: ${figure(totals.instructions)} instructions repeated, ${figure(totals.hashes)} hashes equal`)
  }
  for (const engine of options.windows > 0 ? others : []) {
    const found = await compareWindows(guest, folder, trace, { ...options, engine, progress })
    windows = found.totals
    if (found.differences.length > 0) return result(found.differences)
    const { count, comparisons, events } = windows
    const words = `${figure(windows.instructions)} instructions, ${figure(comparisons)} comparisons of all registers`
    say(`${leading} and ${engine}: ${count} windows, ${words}, ${figure(events)} interrupts and exceptions`)
  }
  return result([])
}

/** What is repeated, by what it shows. */
function plan(options: LockstepOptions, trace: Trace): { by: string; wanted: readonly Stretch[] }[] {
  const [engine = 'interpreter', ...others] = options.engines
  const to = trace.checkpoints.at(-1)!.at
  const all: { by: string; wanted: readonly Stretch[] }[] = []
  if (options.repeat) all.push({ by: `${engine} again`, wanted: [{ engine, from: 0, to }] })
  if (options.checkRestore) {
    const from = stateBefore(trace, Math.max(to / 2, trace.states[0] ?? 0))
    all.push({ by: `${engine} from the state at ${figure(from)}`, wanted: [{ engine, from, to }] })
  }
  for (const other of others) {
    const wanted = stretches(trace, options.from, options.to).map((stretch) => ({ engine: other, ...stretch }))
    all.push({ by: other, wanted })
  }
  return all
}

interface RepeatContext {
  readonly options: LockstepOptions
  readonly surroundings: Surroundings
  readonly folder: TraceFolder
  readonly trace: Trace
}

/** Repeats stretches that are not known to agree, and counts those too that are. */
async function repeatAll(
  wanted: readonly Stretch[],
  { options, surroundings, folder, trace }: RepeatContext,
): Promise<{ instructions: number; hashes: number; differences: readonly string[] }> {
  const { guest, progress, say } = surroundings
  const same = (a: Stretch, b: Stretch) => a.engine === b.engine && a.from === b.from && a.to === b.to
  const known = folder.agreed()
  let instructions = 0
  let hashes = 0
  for (const stretch of wanted) {
    if (!known.some((agreed) => same(agreed, stretch))) continue
    instructions += stretch.to - stretch.from
    hashes += trace.checkpoints.filter(({ at }) => at >= stretch.from && at <= stretch.to).length
  }
  const results = await repeatStretches(
    wanted.filter((stretch) => !known.some((agreed) => same(agreed, stretch))),
    {
      files: options.files,
      work: folder.path,
      shards: options.shards,
      onDone: (repeated, stretch) => {
        instructions += (repeated.equal ?? stretch.from) - stretch.from
        hashes += repeated.hashes
        if (repeated.difference === undefined) folder.agree(stretch)
        progress.clear()
        say(
          `${stretch.engine}: ${figure(stretch.from)} to ${figure(stretch.to)} ${repeated.difference?.what ?? 'equal'}`,
        )
      },
    },
  )
  const bad = results.find(({ difference }) => difference !== undefined)
  if (bad === undefined) return { instructions, hashes, differences: [] }
  const { engine, equal, difference } = bad
  const heading = `${engine} from ${bad.from}: ${difference!.what} at ${difference!.at}; equal at ${equal ?? 'none before'}`
  const found =
    equal === undefined
      ? ['a restored machine is not what was saved']
      : await locate(guest, folder, trace, {
          engine,
          equal,
          different: difference!.at,
          onProgress: (words) => progress.show(words),
        })
  return { instructions, hashes, differences: [heading, ...found] }
}

/** With thousands apart. */
function figure(value: number): string {
  return value.toLocaleString('en-US')
}
