/** Where the beam is: derived from virtual time and the registers, so that equal runs see equal retraces. */
import type { Clock } from '@vmexit/core'
import type { Crtc } from './crtc.ts'
import type { Sequencer } from './sequencer.ts'

/** A place of the beam. */
export interface Beam {
  /** Frames since time 0. */
  readonly frame: number
  readonly line: number
  /** In characters. */
  readonly column: number
}

/** Dot clocks in hertz by bits 3–2 of the miscellaneous output register; the outer two are not connected. */
const dotClocks = [25_175_000, 28_322_000, 25_175_000, 25_175_000] as const

/** The beam at this time, for a frame of the size that the registers say. */
export function beamAt(clock: Clock, crtc: Crtc, sequencer: Sequencer, miscellaneous: number): Beam {
  const dots = cycles(clock, dotClocks[((miscellaneous >> 2) & 3) as 0 | 1 | 2 | 3])
  const dotsPerColumn = sequencer.dotsPerCharacter * (sequencer.halfDotClock ? 2 : 1)
  const columns = Math.floor(dots / dotsPerColumn)
  const lines = Math.floor(columns / crtc.horizontalTotal)
  return {
    frame: Math.floor(lines / crtc.verticalTotal),
    line: lines % crtc.verticalTotal,
    column: columns % crtc.horizontalTotal,
  }
}

/** Cycles of `hz` since time 0. Any frequency of the clock will do: a dot more or less is not seen. */
function cycles({ now, frequency }: Clock, hz: number): number {
  const rest = now % frequency
  return ((now - rest) / frequency) * hz + Math.floor((rest * hz) / frequency)
}
