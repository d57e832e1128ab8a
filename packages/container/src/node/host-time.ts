/// <reference types="node" />
/**
 * Time of a kernel that keeps pace with this machine's: while all programs wait, they wait as long as people do. Frames are under way
 * for microseconds, and timers of this machine take a millisecond at the least, so short times pass at once and are made up for.
 */
import type { Host } from '@vmexit/linux'

/** How far idle time of programs may be ahead of this machine's: nanoseconds. */
const MOST_AHEAD = 2e6
/** The time that a slice of a run is to take, and that the event loop waits for its turn: milliseconds. */
const SLICE = 5
const SLICES = { least: 20_000, most: 20_000_000, first: 200_000 }

/** The `pace` of a `ContainerHost`. */
export function hostTime(came: () => Promise<void>): Host {
  let slice = SLICES.first
  let last = performance.now()
  /** When the event loop last had its turn. */
  let turn = last
  /** Nanoseconds of idle time that programs have had already, and this machine has not. */
  let ahead = 0
  const pause = async (): Promise<void> => {
    await new Promise<void>((done) => setImmediate(done))
    last = turn = performance.now()
  }
  return {
    pause,
    slice: () => {
      const took = performance.now() - last
      if (took > SLICE * 1.5) slice = Math.max(SLICES.least, Math.floor(slice / 2))
      else if (took < SLICE / 2) slice = Math.min(SLICES.most, slice * 2)
      last = performance.now()
      return slice
    },
    wait: async (nanoseconds) => {
      // What comes may come at once, again and again, without the event loop: whoever reads all that a program prints does that.
      if (performance.now() - turn > SLICE) await pause()
      const before = performance.now()
      if (ahead + nanoseconds < MOST_AHEAD) {
        ahead += nanoseconds
        return nanoseconds
      }
      const wanted = nanoseconds + ahead
      await soonerOf(came(), wanted / 1e6)
      last = performance.now()
      const slept = (last - before) * 1e6
      const over = Math.max(0, slept - ahead)
      ahead = Math.max(0, ahead - slept)
      return over
    },
  }
}

/** The longest time that setTimeout takes. */
const LONGEST = 2 ** 31 - 1

async function soonerOf(came: Promise<void>, milliseconds: number): Promise<void> {
  if (!Number.isFinite(milliseconds)) return came
  let timer: ReturnType<typeof setTimeout> | undefined
  const passed = new Promise<void>((done) => {
    timer = setTimeout(done, Math.min(milliseconds, LONGEST))
  })
  await Promise.race([came, passed])
  clearTimeout(timer)
}
