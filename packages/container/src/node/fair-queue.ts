/**
 * Frames that wait for a port of a switch, by who has sent them: senders have turns, and where there is no room the sender of most gives
 * way. So whoever floods a port gets its share of it, and no more (RFC 8290 has this of flows).
 */

/** What keeping a frame costs beside its bytes. */
const COST = 64

/** The frames of one sender. */
class Line {
  bytes = 0
  #frames: Uint8Array[] = []
  /** How many at the start have been taken. */
  #gone = 0

  get length(): number {
    return this.#frames.length - this.#gone
  }
  put(frame: Uint8Array): void {
    this.#frames.push(frame)
    this.bytes += frame.length + COST
  }
  take(): Uint8Array | undefined {
    const frame = this.#frames[this.#gone]
    if (frame === undefined) return undefined
    this.#gone++
    if (this.#gone >= 1024) {
      this.#frames = this.#frames.slice(this.#gone)
      this.#gone = 0
    }
    return this.#without(frame)
  }
  drop(): Uint8Array | undefined {
    const frame = this.length > 0 ? this.#frames.pop() : undefined
    return frame && this.#without(frame)
  }
  #without(frame: Uint8Array): Uint8Array {
    this.bytes -= frame.length + COST
    return frame
  }
}

/** A bounded queue. */
export class FairQueue<Sender> {
  readonly #limit: number
  /** Those who have frames in it; the next to have its turn first. */
  readonly #lines = new Map<Sender, Line>()
  #bytes = 0
  /** Frames that have found no room. */
  dropped = 0

  /** `limit`: bytes of all that waits. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Bytes that wait, and what keeping them costs. */
  get bytes(): number {
    return this.#bytes
  }

  put(sender: Sender, frame: Uint8Array): void {
    let line = this.#lines.get(sender)
    if (line === undefined) {
      line = new Line()
      this.#lines.set(sender, line)
    }
    line.put(frame)
    this.#bytes += frame.length + COST
    while (this.#bytes > this.#limit) this.#drop()
  }

  /** The next one, or undefined. */
  take(): Uint8Array | undefined {
    for (const [sender, line] of this.#lines) {
      const frame = line.take()
      this.#lines.delete(sender)
      if (frame === undefined) continue
      this.#bytes -= frame.length + COST
      // Behind the others.
      if (line.length > 0) this.#lines.set(sender, line)
      return frame
    }
    return undefined
  }

  /** A sender has gone; what it has sent goes with it. */
  forget(sender: Sender): void {
    this.#bytes -= this.#lines.get(sender)?.bytes ?? 0
    this.#lines.delete(sender)
  }

  #drop(): void {
    let most: Line | undefined
    for (const line of this.#lines.values()) if (most === undefined || line.bytes > most.bytes) most = line
    const frame = most?.drop()
    if (frame === undefined) return
    this.#bytes -= frame.length + COST
    this.dropped++
  }
}
