/**
 * What the leading engine did, in a folder:
 *
 * ```
 * trace.json          the guest, the engine, hashes, where the states are, how it ended; written when it has ended
 * state-N.vmexit      the machine after N instructions
 * agreed.jsonl        stretches that other engines have repeated: a line for each
 * ```
 */
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import type { Engine } from '@vmexit/x86'
import type { End } from './advance.ts'

/** The state after so many instructions. */
export interface Checkpoint {
  readonly at: number
  readonly hash: string
}

/** A whole run of the leading engine. */
export interface Trace {
  /** `Guest.identity`. */
  readonly guest: string
  readonly engine: Engine
  /** Instructions from one hash to the next. */
  readonly every: number
  /** The first at 0, the last where the run ended. */
  readonly checkpoints: readonly Checkpoint[]
  /** Where a state is saved, ascending; 0 and the end are not among them. */
  readonly states: readonly number[]
  readonly end: End
  /** All counts at the end. */
  readonly counts: Readonly<Record<string, number>>
}

/** A stretch between two checkpoints that an engine has repeated. */
export interface Agreed {
  readonly engine: Engine
  readonly from: number
  readonly to: number
}

/** The folder of a trace. */
export class TraceFolder {
  readonly path: string

  /** Makes the folder if it is not there. */
  constructor(path: string) {
    this.path = path
    mkdirSync(path, { recursive: true })
  }

  statePath(at: number): string {
    return join(this.path, `state-${at}.vmexit`)
  }

  write(trace: Trace): void {
    writeFileSync(this.#tracePath, JSON.stringify(trace))
    writeFileSync(this.#agreedPath, '')
  }

  /** The trace, if there is one. Throws a `VmexitError` `lockstep-trace` for one of another guest. */
  read(guest: string): Trace | undefined {
    if (!existsSync(this.#tracePath)) return undefined
    const trace = JSON.parse(readFileSync(this.#tracePath, 'utf8')) as Trace
    if (trace.guest === guest) return trace
    throw new VmexitError('lockstep-trace', {
      problem: `${this.path} holds the run of another guest`,
      remedy: 'give the options that it was recorded with, or another --work',
    })
  }

  agreed(): readonly Agreed[] {
    if (!existsSync(this.#agreedPath)) return []
    const lines = readFileSync(this.#agreedPath, 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line) => JSON.parse(line) as Agreed)
  }

  agree(agreed: Agreed): void {
    appendFileSync(this.#agreedPath, `${JSON.stringify(agreed)}\n`)
  }

  get #tracePath(): string {
    return join(this.path, 'trace.json')
  }
  get #agreedPath(): string {
    return join(this.path, 'agreed.jsonl')
  }
}

/** The state at `at` or the nearest one before it; 0 for the beginning. */
export function stateBefore(trace: Trace, at: number): number {
  return trace.states.findLast((state) => state <= at) ?? 0
}

/** Stretches from state to state, from the beginning to the end, that lie within `from` and `to` at least in part. */
export function stretches(trace: Trace, from = 0, to = Number.POSITIVE_INFINITY): { from: number; to: number }[] {
  const ends = [...trace.states, trace.checkpoints.at(-1)!.at]
  const all = ends.map((end, i) => ({ from: i === 0 ? 0 : ends[i - 1]!, to: end }))
  return all.filter((stretch) => stretch.to > from && stretch.from < to)
}
