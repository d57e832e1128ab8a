/** A link made worse by a seed, as Linux's netem does: loss, duplication, reordering, delay, damage, a lower rate. */
import type { Clock } from '@vmexit/core'
import { Random } from '../random.ts'
import type { Port } from './port.ts'

/** What happens to frames that are sent. Probabilities are from 0 to 1, times are nanoseconds; all are 0 unless stated. */
export interface ImpairmentOptions {
  /** What happens follows from this number alone. */
  readonly seed: number
  readonly loss?: number
  /** A second copy follows at once. */
  readonly duplicate?: number
  /** The frame is held back by `holdBack`, so that later ones overtake it. */
  readonly reorder?: number
  /** 1 ms unless stated. */
  readonly holdBack?: number
  /** One bit is turned over. */
  readonly corrupt?: number
  readonly delay?: number
  /** Up to so much is added to `delay`, which reorders frames, too. */
  readonly jitter?: number
  /** Bits a second; as many as come unless stated. */
  readonly rate?: number
  /** Frames that wait; further ones are dropped. 1000 unless stated. */
  readonly queue?: number
}

/** What happened so far. */
export interface ImpairmentCounts {
  sent: number
  lost: number
  duplicated: number
  reordered: number
  corrupted: number
  /** Dropped as the queue was full. */
  overflowed: number
}

/** A port through which frames are sent less well. What comes from the other end is left alone. */
export function impair(clock: Clock, port: Port, options: ImpairmentOptions): Port & { counts: ImpairmentCounts } {
  const { loss = 0, duplicate = 0, reorder = 0, corrupt = 0, delay = 0, jitter = 0, rate = 0 } = options
  const { holdBack = 1e6, queue = 1000 } = options
  const random = new Random(options.seed)
  const counts = { sent: 0, lost: 0, duplicated: 0, reordered: 0, corrupted: 0, overflowed: 0 }
  let waiting = 0
  let freeAt = 0

  const launch = (frame: Uint8Array, wait: number): boolean => {
    if (wait <= 0) return port.send(frame)
    if (waiting >= queue) {
      counts.overflowed++
      return false
    }
    waiting++
    clock.after(wait, () => {
      waiting--
      port.send(frame)
    })
    return true
  }
  const waitOf = (frame: Uint8Array): number => {
    let wait = clock.ticks(delay)
    if (jitter > 0) wait += random.below(clock.ticks(jitter))
    if (random.chance(reorder)) {
      counts.reordered++
      wait += clock.ticks(holdBack)
    }
    if (rate > 0) {
      freeAt = Math.max(freeAt, clock.now) + clock.ticks((frame.length * 8e9) / rate)
      wait += freeAt - clock.now
    }
    return wait
  }

  return {
    counts,
    attach: (receive) => port.attach(receive),
    send(frame) {
      counts.sent++
      if (random.chance(loss)) {
        counts.lost++
        return true
      }
      if (random.chance(corrupt)) {
        counts.corrupted++
        frame = frame.slice()
        const bit = random.below(frame.length * 8)
        frame[bit >> 3] ^= 1 << (bit & 7)
      }
      const twice = random.chance(duplicate)
      const sent = launch(frame, waitOf(frame))
      if (twice) {
        counts.duplicated++
        launch(frame, waitOf(frame))
      }
      return sent
    },
  }
}
