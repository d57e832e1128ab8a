/** Medians over rounds, and the bars that they are held against. */
import type { CallTimes } from './calls.ts'
import { CALL_ROWS } from './calls.ts'
import { PROGRAM_ROWS, type ProgramTimes } from './programs.ts'

/** Of each kind what the rounds have measured. */
export interface ProcessSamples {
  readonly callsHere: readonly CallTimes[]
  readonly callsInPc: readonly CallTimes[]
  readonly programsHere: readonly ProgramTimes[]
  readonly programsInQemu: readonly ProgramTimes[]
}

/** A row: the same work in two systems. */
export interface ProcessRow {
  readonly name: string
  readonly here: number
  readonly other: number
  readonly ratio: number
  readonly bar: number
  readonly holds: boolean
}

/** System calls and what belongs to them at most take half of what they take in a PC under Debian's kernel. */
const CALL_BAR = 0.5
/** What computes takes at most one and a half times what it takes under QEMU's user mode. */
const PROGRAM_BAR = 1.5

export function callRows({ callsHere, callsInPc }: ProcessSamples): ProcessRow[] {
  return CALL_ROWS.map(({ program, title }) => {
    const of = (samples: readonly CallTimes[]): number[] => samples.map((each) => each[program]!)
    return rowOf(title, of(callsHere), of(callsInPc), CALL_BAR)
  })
}

/** By processor time, or by what has passed: V8 compiles in threads beside the one that the programs run in. */
export function programRows({ programsHere, programsInQemu }: ProcessSamples, by: 'cpu' | 'elapsed'): ProcessRow[] {
  return PROGRAM_ROWS.map((row) => {
    const of = (samples: readonly ProgramTimes[]): number[] => samples.map((times) => times[by][row]!)
    return rowOf(row, of(programsHere), of(programsInQemu), PROGRAM_BAR)
  })
}

/** Rows whose output is another in the two systems. */
export function differing({ programsHere, programsInQemu }: ProcessSamples): string[] {
  const [here, other] = [programsHere[0], programsInQemu[0]]
  if (here === undefined || other === undefined) return []
  return PROGRAM_ROWS.filter((row) => here.found[row] !== other.found[row])
}

export function table(rows: readonly ProcessRow[], [here, other]: readonly [string, string]): string[][] {
  const body = rows.map(({ name, ratio, bar, holds, ...row }) => [
    name,
    figure(row.here),
    figure(row.other),
    ratio.toFixed(2),
    `≤ ${bar}`,
    holds ? 'holds' : 'missed',
  ])
  return [['', here, other, 'ratio', 'bar', ''], ...body]
}

/** From what each round has measured. The ratio is the median of theirs: their two sides were measured by turns. */
function rowOf(name: string, here: readonly number[], other: readonly number[], bar: number): ProcessRow {
  const ratio = median(here.map((value, round) => value / other[round]!))
  return { name, here: median(here), other: median(other), ratio, bar, holds: ratio <= bar }
}

const figure = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toFixed(2))

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!
}
