/** Repeating a stretch of a trace, with the same or another engine, in this or another process. */
import type { Engine } from '@vmexit/x86'
import { advance, position } from './advance.ts'
import { type Guest, readState, startGuest } from './guest.ts'
import { nextCheckpoint } from './lead.ts'
import { StateHash } from './state-hash.ts'
import type { Trace, TraceFolder } from './trace.ts'

/** A stretch to repeat. */
export interface RepeatOptions {
  readonly engine: Engine
  /** 0, or where the trace has a state. */
  readonly from: number
  /** Where the trace has a checkpoint. */
  readonly to: number
  /** Called after each equal hash. */
  readonly onProgress?: (at: number) => void
}

/** What repeating a stretch has shown. */
export interface Repeated {
  readonly engine: Engine
  readonly from: number
  /** The last checkpoint at which the states were equal; undefined if they differ at once. */
  readonly equal: number | undefined
  /** Hashes compared and found equal. */
  readonly hashes: number
  /** The first checkpoint at which they were not, or what else was not as recorded. */
  readonly difference?: { readonly at: number; readonly what: string } | undefined
}

/** Repeats a stretch up to the first difference. */
export async function repeat(
  guest: Guest,
  folder: TraceFolder,
  trace: Trace,
  options: RepeatOptions,
): Promise<Repeated> {
  const { engine, from, to, onProgress } = options
  const state = from === 0 ? undefined : await readState(folder.statePath(from))
  await using pc = await startGuest(guest, engine, state)
  using hash = new StateHash(pc)
  let hashes = 0
  let equal: number | undefined
  const last = trace.checkpoints.at(-1)!
  const differs = (at: number, what: string): Repeated => ({ engine, from, equal, hashes, difference: { at, what } })
  for (const checkpoint of trace.checkpoints) {
    if (checkpoint.at < from || checkpoint.at > to) continue
    // Up to the same target as the leading engine: that it stops before, and where, is part of what is compared.
    const target =
      checkpoint === last && trace.end !== 'limit' ? nextCheckpoint(position(pc), trace.every) : checkpoint.at
    const end = advance(pc, target)
    const at = position(pc)
    if (at !== checkpoint.at) return differs(checkpoint.at, `it stopped after ${at} instructions (${end})`)
    if (checkpoint === last && end !== trace.end) return differs(at, `it ended by ${end} instead of ${trace.end}`)
    if (hash.digest() !== checkpoint.hash) return differs(at, 'the hash is another one')
    hashes++
    equal = at
    onProgress?.(at)
  }
  if (to === last.at) {
    const counts = Object.entries(pc.counts).filter(([name, count]) => count !== trace.counts[name])
    if (counts.length > 0) return differs(to, `other counts: ${counts.map(([name]) => name).join(', ')}`)
  }
  return { engine, from, equal, hashes }
}
