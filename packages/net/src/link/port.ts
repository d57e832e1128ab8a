/**
 * Where an Ethernet card is plugged in. A device of a stack, a port of a bridge, an emulated card, a tap of the host:
 * all of them take a {@link Port} and know nothing of what is behind it.
 */
import type { Clock } from '@vmexit/core'
import { FrameLine } from './frame-line.ts'

/** One end of a link. */
export interface Port {
  /** Sends a frame to the other end; false where it is dropped at once. The frame must not be changed any more. */
  send(frame: Uint8Array): boolean
  /** Takes what comes from the other end, in place of who took it before. Frames that nobody takes are lost. */
  attach(receive: ((frame: Uint8Array) => void) | undefined): void
}

/** How a cable behaves. */
export interface CableOptions {
  /** Nanoseconds from one end to the other; 10,000 unless stated. At least 1, so that a storm cannot stop the time. */
  readonly latency?: number
  /** Frames under way in one direction; further ones are dropped. 1000 unless stated, as Linux's `txqueuelen`. */
  readonly queue?: number
}

/** Two ports, each the other's other end. */
export function cable(clock: Clock, { latency = 10_000, queue = 1000 }: CableOptions = {}): [Port, Port] {
  const ticks = Math.max(1, clock.ticks(latency))
  const there = new FrameLine(clock, ticks, queue)
  const back = new FrameLine(clock, ticks, queue)
  return [
    { send: (frame) => there.put(frame), attach: (receive) => void (back.deliver = receive) },
    { send: (frame) => back.put(frame), attach: (receive) => void (there.deliver = receive) },
  ]
}
