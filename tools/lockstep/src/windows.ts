/** Windows at random places of a trace: every second one moved on to where an interrupt or an exception is delivered. */
import type { Pc } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'
import { advance, position } from './advance.ts'
import { cpuOf, eventsOf } from './cpu-image.ts'
import { type Guest, readState, startGuest } from './guest.ts'
import type { Progress } from './progress.ts'
import { randomFrom } from './random.ts'
import { stateBefore, type Trace, type TraceFolder } from './trace.ts'
import { type WindowResult, Windows } from './window.ts'

/** Where windows are, and how they are compared. */
export interface WindowsOptions {
  readonly engine: Engine
  readonly windows: number
  readonly window: number
  readonly passes: number
  readonly stride: number
  readonly seed: number
  readonly from: number
  readonly progress?: Progress | undefined
}

/** What windows have shown together. */
export interface WindowTotals {
  readonly count: number
  readonly instructions: number
  /** Comparisons of all registers. */
  readonly comparisons: number
  /** Interrupts and exceptions delivered in them. */
  readonly events: number
}

export const noWindows: WindowTotals = { count: 0, instructions: 0, comparisons: 0, events: 0 }

/** Compares windows in the order of their places, up to the first difference. */
export async function compareWindows(
  guest: Guest,
  folder: TraceFolder,
  trace: Trace,
  options: WindowsOptions,
): Promise<{ totals: WindowTotals; differences: readonly string[] }> {
  const { engine, seed, from, progress } = options
  const random = randomFrom(seed)
  const last = trace.checkpoints.at(-1)!.at
  const first = Math.min(from, last)
  const places = Array.from({ length: options.windows }, () => first + random(last - first)).sort((a, b) => a - b)
  await using reference = await startGuest(guest, engine)
  let totals = noWindows
  for (const [state, group] of Map.groupBy(places, (place) => stateBefore(trace, place))) {
    const saved = state === 0 ? undefined : await readState(folder.statePath(state))
    await using tested = await startGuest(guest, trace.engine, saved)
    using windows = new Windows(tested, reference)
    for (const place of group) {
      progress?.show(`window ${totals.count + 1} of ${places.length} at ${place}`)
      advance(tested, place)
      if (totals.count % 2 === 1) seekEvent(tested, options.window)
      const result = windows.compare({ ...options, length: options.window, random })
      totals = add(totals, result)
      const { difference } = result
      if (difference === undefined) continue
      const { after, strides, report } = difference
      const heading = `${trace.engine} and ${engine} differ after ${after} instructions: ${strides.join(', ')} from ${place}`
      return { totals, differences: [heading, ...report] }
    }
  }
  return { totals, differences: [] }
}

/** How far an event is looked for. */
const patience = 10_000_000

/** Moves on to a window of that length in which something is delivered, if there is one soon. */
export function seekEvent(pc: Pc, length: number): void {
  const start = pc.save()
  const from = position(pc)
  const before = eventsOf(cpuOf(pc))
  for (let at = from; at < from + patience; at += length) {
    if (advance(pc, at + length) !== 'limit') return
    if (eventsOf(cpuOf(pc)) === before) continue
    pc.restore(start)
    advance(pc, at)
    return
  }
}

function add(totals: WindowTotals, { instructions, comparisons, events }: WindowResult): WindowTotals {
  return {
    count: totals.count + 1,
    instructions: totals.instructions + instructions,
    comparisons: totals.comparisons + comparisons,
    events: totals.events + events,
  }
}
