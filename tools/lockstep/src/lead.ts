/** The run that the others are compared with. */
import { writeFileSync } from 'node:fs'
import { packState } from '@vmexit/vmexit'
import type { Engine } from '@vmexit/x86'
import { advance, position } from './advance.ts'
import { type Guest, startGuest } from './guest.ts'
import { StateHash } from './state-hash.ts'
import type { Checkpoint, Trace, TraceFolder } from './trace.ts'

/** How a trace is recorded. */
export interface LeadOptions {
  readonly engine: Engine
  /** Instructions from one hash to the next. */
  readonly every: number
  /** Instructions from one saved state to the next: a multiple of `every`. */
  readonly saveEvery: number
  /** Where it ends if the guest goes on. */
  readonly to?: number | undefined
  /** Called at each hash. */
  readonly onProgress?: (at: number) => void
}

/** Runs the guest to its end, writes the trace and the states into the folder, and returns the trace. */
export async function lead(guest: Guest, folder: TraceFolder, options: LeadOptions): Promise<Trace> {
  const { engine, every, saveEvery, to = Number.POSITIVE_INFINITY, onProgress } = options
  await using pc = await startGuest(guest, engine)
  using hash = new StateHash(pc)
  const checkpoints: Checkpoint[] = [{ at: 0, hash: hash.digest() }]
  const states: number[] = []
  for (;;) {
    const end = advance(pc, nextCheckpoint(position(pc), every, to))
    const at = position(pc)
    checkpoints.push({ at, hash: hash.digest() })
    onProgress?.(at)
    if (end !== 'limit' || at >= to) {
      const trace: Trace = { guest: guest.identity, engine, every, checkpoints, states, end, counts: pc.counts }
      folder.write(trace)
      return trace
    }
    if (at % saveEvery !== 0) continue
    writeFileSync(folder.statePath(at), await packState(pc.save()))
    states.push(at)
  }
}

/** Where the next hash is taken: at the next multiple of `every`, or at the end if that comes first. */
export function nextCheckpoint(at: number, every: number, to: number = Number.POSITIVE_INFINITY): number {
  return Math.min(to, (Math.floor(at / every) + 1) * every)
}
