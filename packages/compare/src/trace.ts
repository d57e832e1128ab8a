/**
 * A comparison as a trace that Perfetto and chrome://tracing open (“Trace Event Format”): a thread for each technique, on it one
 * repetition of each workload, and below it what its modelled cycles go to.
 */
import type { Cell, Comparison } from './comparison.ts'

/** One event of the format: `X` has a beginning and a length, `M` names a thread. Times are in microseconds. */
export interface TraceEvent {
  readonly name: string
  readonly ph: 'X' | 'M'
  readonly pid: number
  readonly tid: number
  readonly ts?: number
  readonly dur?: number
  readonly cat?: string
  readonly args?: Readonly<Record<string, unknown>>
}

/** The document. Cells without cycles are not in it, and are named in `otherData`. */
export function comparisonTrace(comparison: Comparison): {
  readonly displayTimeUnit: 'ns'
  readonly otherData: Readonly<Record<string, string>>
  readonly traceEvents: readonly TraceEvent[]
} {
  const { profile, techniques, kernel, cells, partial } = comparison
  // Without a frequency a microsecond is a thousand cycles.
  const perMicrosecond = (profile.ghz ?? 1) * 1000
  const named = (name: string, tid: number, text: string): TraceEvent => ({
    name,
    ph: 'M',
    pid: 1,
    tid,
    args: { name: text },
  })
  const events: TraceEvent[] = [named('process_name', 0, `modelled under ${profile.name}`)]
  for (const [n, technique] of techniques.entries()) {
    const tid = n + 1
    events.push(named('thread_name', tid, technique.title))
    let at = 0
    for (const cell of cells.filter((each) => each.technique === technique.name)) {
      if (cell.cycles === undefined) continue
      const dur = whole(cell.cycles / perMicrosecond)
      const { events: counts, ratio } = cell
      events.push({
        name: cell.workload,
        cat: 'workload',
        ph: 'X',
        pid: 1,
        tid,
        ts: at,
        dur,
        args: { ratio, ...counts },
      })
      events.push(...parts(cell, tid, at, perMicrosecond))
      at = whole(at + dur)
    }
  }
  const without = cells.filter(({ cycles }) => cycles === undefined)
  return {
    displayTimeUnit: 'ns',
    otherData: {
      kernel,
      profile: profile.name,
      source: profile.source,
      what: 'Counted events of one repetition at published prices, an instruction at one cycle: no measurement, and no order in time.',
      ...(profile.ghz === undefined && { time: 'the profile has no frequency: a microsecond is a thousand cycles' }),
      ...(without.length > 0 && {
        'no price': without.map((cell) => `${cell.workload} under ${cell.technique}`).join(', '),
      }),
      ...(partial !== undefined && { partial }),
    },
    traceEvents: events,
  }
}

/** Charges behind each other, the last one up to the end of the cell: bounds are whole nanoseconds, so that they stay within it. */
function parts({ charges }: Cell, tid: number, start: number, perMicrosecond: number): TraceEvent[] {
  let cycles = 0
  return Object.entries(charges).map(([name, { count, each }]) => {
    const ts = whole(start + cycles / perMicrosecond)
    cycles += count * each
    const dur = whole(whole(start + cycles / perMicrosecond) - ts)
    return { name, cat: 'charge', ph: 'X', pid: 1, tid, ts, dur, args: { count, each } }
  })
}

/** Microseconds in whole nanoseconds. */
const whole = (microseconds: number): number => Math.round(microseconds * 1000) / 1000
