/** The bench that parts under test are put on: a clock, wires, memory, and a record of all that comes out. */
import { type BusMaster, BusMasters, Clock, type Line } from '@vmexit/core'

/** A wire that is watched. */
export interface WatchedLine extends Line {
  /** Its level now. */
  readonly level: boolean
  /** How often it has risen. */
  readonly rises: number
}

/** Something that came out of a part: a wire's change, or a call. */
export type BenchEvent = readonly [time: number, name: string, value: unknown]

/** What surrounds one part. Everything that the part drives or calls goes into `events`. */
export class Bench {
  /** Virtual time; a tick is a nanosecond. */
  readonly clock: Clock = new Clock()
  /** Memory from address 0, for parts that are bus masters. */
  readonly memory: Uint8Array
  /** The only requester of that memory. */
  readonly master: BusMaster
  /** What came out of the part, in order. */
  readonly events: BenchEvent[] = []

  /** `memoryBytes`: how much memory there is; 64 KiB unless stated. */
  constructor({ memoryBytes = 0x1_0000 }: { readonly memoryBytes?: number } = {}) {
    this.memory = new Uint8Array(memoryBytes)
    const masters = new BusMasters()
    const inside = (address: number, bytes: number) => address + bytes <= memoryBytes
    masters.connect({
      memory: {
        read: (address, into) => {
          if (!inside(address, into.length)) return false
          into.set(this.memory.subarray(address, address + into.length))
          return true
        },
        write: (address, from) => {
          if (!inside(address, from.length)) return false
          this.memory.set(from, address)
          return true
        },
      },
      messages: {
        deliver: (message) => {
          this.#tell('message', { ...message })
          return true
        },
      },
    })
    this.master = masters.create(0, 'the part under test')
  }

  /** A new wire for the part to drive. */
  line(name: string): WatchedLine {
    let level = false
    let rises = 0
    return {
      get level() {
        return level
      },
      get rises() {
        return rises
      },
      set: (to) => {
        if (to === level) return
        level = to
        if (to) rises++
        this.#tell(name, to)
      },
    }
  }

  /** A callback for the part, which is written down. Bytes are written down one by one. */
  callback(name: string): (...values: readonly unknown[]) => void {
    return (...values) => this.#tell(name, values.length === 1 ? plain(values[0]) : values.map(plain))
  }

  /** Lets virtual time pass. */
  pass(nanoseconds: number): void {
    this.clock.advanceTo(this.clock.now + nanoseconds)
  }

  /** The values of the events of one name. */
  told(name: string): readonly unknown[] {
    return this.events.filter((event) => event[1] === name).map((event) => event[2])
  }

  #tell(name: string, value: unknown): void {
    this.events.push([this.clock.now, name, value])
  }
}

function plain(value: unknown): unknown {
  return value instanceof Uint8Array ? [...value] : value
}
