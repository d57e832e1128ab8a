/**
 * A channel's bus master (Programming Interface for Bus Master IDE Controller 1.0, SFF-8038i; Intel 82371SB, 2.5.6).
 *
 * | offset | register | bits |
 * |---|---|---|
 * | 0 | command | 0 start, 3 direction (1: into memory) |
 * | 2 | status | 0 active, 1 error (W1C), 2 interrupt (W1C), 5 and 6 drives can do DMA (as software says) |
 * | 4 | address of the descriptors, 32 bits, a multiple of 4 | |
 *
 * A descriptor is the address of a region, an even count of bytes (0 is 64 KiB), and in bit 31 of its second word
 * whether it is the last.
 */
import {
  type BusMaster,
  type Clock,
  checkState,
  type SavedTimer,
  type State,
  type Stateful,
  type Timer,
} from '@vmexit/core'
import type { IdeDrive } from './drive.ts'

/** What a {@link IdeBusMaster} is connected to. */
export interface IdeBusMasterOptions {
  readonly clock: Clock
  /** The way to memory. */
  readonly memory: BusMaster
  /** The drive that wants its data moved. */
  readonly drive: () => IdeDrive | undefined
}

/** A saved bus master. */
export type IdeBusMasterState = State & {
  readonly version: 1
  readonly command: number
  readonly status: number
  readonly descriptors: number
  /** The address of the descriptor that is next. */
  readonly next: number
  /** What is left of the region: address and bytes. */
  readonly region: number
  readonly left: number
  /** Whether the region is the last one. */
  readonly last: boolean
  readonly timer: SavedTimer | null
}

const command = { start: 0x01, intoMemory: 0x08 } as const
const status = { active: 0x01, error: 0x02, interrupt: 0x04, capable: 0x60 } as const

/** In nanoseconds: until the first byte of a command moves. */
const latency = 100_000
/** Nanoseconds for a byte: 33.3 million a second. */
const byteTime = 30
/** Moved at a time, and the descriptors that this may take: a list of tiny regions does not hold the host. */
const stepBytes = 0x1_0000
const stepDescriptors = 1024

/** Moves the data of a channel's drives to and from memory. It takes time: see the constants. */
export class IdeBusMaster implements Stateful<IdeBusMasterState> {
  readonly #options: IdeBusMasterOptions
  #command = 0
  #status = 0
  #descriptors = 0
  #next = 0
  #region = 0
  #left = 0
  #last = false
  #timer: Timer | undefined

  constructor(options: IdeBusMasterOptions) {
    this.#options = options
  }

  /** A byte of its eight registers. */
  read(offset: number): number {
    if (offset === 0) return this.#command
    if (offset === 2) return this.#status
    return offset < 4 ? 0 : (this.#descriptors >>> (8 * (offset - 4))) & 0xff
  }

  /** Writes a byte of its eight registers. */
  write(offset: number, value: number): void {
    if (offset === 0) this.#writeCommand(value)
    else if (offset === 2) {
      const cleared = value & (status.error | status.interrupt)
      this.#status = (this.#status & ~cleared & ~status.capable) | (value & status.capable)
    } else if (offset >= 4) {
      const shift = 8 * (offset - 4)
      this.#descriptors =
        ((this.#descriptors & ~(0xff << shift)) | ((value & (offset === 4 ? 0xfc : 0xff)) << shift)) >>> 0
    }
  }

  /** The channel's interrupt has risen. */
  interruptRose(): void {
    this.#status |= status.interrupt
  }

  /** The drive has begun to want data moved, or no longer wants it. */
  driveChanged(): void {
    this.#schedule(latency)
  }

  reset(): void {
    this.#stop()
    this.#command = this.#status = this.#descriptors = 0
    this.#next = this.#region = this.#left = 0
    this.#last = false
  }

  save(): IdeBusMasterState {
    return {
      version: 1,
      command: this.#command,
      status: this.#status,
      descriptors: this.#descriptors,
      next: this.#next,
      region: this.#region,
      left: this.#left,
      last: this.#last,
      timer: this.#timer?.pending ? this.#timer.save() : null,
    }
  }

  /** To be called when the drives have been restored. */
  restore(state: IdeBusMasterState): void {
    const s = checkState('the IDE bus master', state, this.save())
    this.#timer?.[Symbol.dispose]()
    this.#command = s.command
    this.#status = s.status
    this.#descriptors = s.descriptors
    this.#next = s.next
    this.#region = s.region
    this.#left = s.left
    this.#last = s.last
    this.#timer = s.timer ? this.#options.clock.resume(s.timer, () => this.#step()) : undefined
    this.#tellDrive(s.timer !== null)
  }

  #writeCommand(value: number): void {
    const started = value & ~this.#command & command.start
    const stopped = this.#command & ~value & command.start
    // The direction does not change under way.
    const direction = this.#status & status.active && !stopped ? this.#command : value
    this.#command = (value & command.start) | (direction & command.intoMemory)
    if (stopped) this.#stop()
    if (!started) return
    this.#status |= status.active
    this.#next = this.#descriptors
    this.#left = 0
    this.#last = false
    this.#schedule(latency)
  }

  #stop(): void {
    this.#status &= ~status.active
    this.#schedule(0)
  }

  /** Whether a drive wants data moved in the direction that was set, and moving has not come to an end. */
  get #ready(): boolean {
    const wanted = this.#command & command.intoMemory ? 'in' : 'out'
    return (this.#status & status.active) !== 0 && this.#options.drive()?.dma === wanted
  }

  /** Sets the next step, so many nanoseconds and the time of its bytes from now; or takes it back. */
  #schedule(delay: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = undefined
    const ready = this.#ready
    this.#tellDrive(ready)
    if (!ready) return
    const { clock, drive } = this.#options
    const bytes = Math.min(stepBytes, drive()!.remaining)
    this.#timer = clock.after(clock.ticks(delay + bytes * byteTime), () => this.#step())
  }

  #tellDrive(moving: boolean): void {
    const drive = this.#options.drive()
    if (drive !== undefined) drive.moving = moving
  }

  /** Moves the next bytes, region by region, until the drive is done, the list ends, or it is enough for now. */
  #step(): void {
    this.#timer = undefined
    const drive = this.#options.drive()!
    const { dma } = drive
    let budget = stepBytes
    for (let descriptors = 0; budget > 0 && descriptors < stepDescriptors && this.#advanceRegion(); descriptors++) {
      while (budget > 0 && this.#left > 0 && drive.dma === dma) {
        const moved = this.#move(drive, Math.min(budget, this.#left))
        if (moved === 0) return
        budget -= moved
      }
      if (drive.dma !== dma) break
    }
    // After the last byte of the last region it is no longer active, also if the drive is done at the same time.
    if (this.#left === 0 && this.#last) this.#status &= ~status.active
    this.#schedule(0)
  }

  /** Whether there is a region with bytes left; if need be the next descriptor is fetched. */
  #advanceRegion(): boolean {
    if (this.#left > 0) return true
    if (this.#last) return false
    const descriptor = new DataView(new ArrayBuffer(8))
    if (!this.#options.memory.read(this.#next, new Uint8Array(descriptor.buffer))) {
      this.#fail()
      return false
    }
    const second = descriptor.getUint32(4, true)
    this.#region = descriptor.getUint32(0, true) & ~1
    this.#region >>>= 0
    this.#left = second & 0xfffe || 0x1_0000
    this.#last = second >>> 31 === 1
    this.#next = (this.#next + 8) % 2 ** 32
    return true
  }

  /** Moves bytes of the region, `most` at most. Returns how many; 0 if memory refused them. */
  #move(drive: IdeDrive, most: number): number {
    const { memory } = this.#options
    const bytes = drive.dmaWindow(most)
    const intoMemory = (this.#command & command.intoMemory) !== 0
    const done = intoMemory ? memory.write(this.#region, bytes) : memory.read(this.#region, bytes)
    if (!done) {
      this.#fail()
      return 0
    }
    const { length: count } = bytes
    this.#region = (this.#region + count) % 2 ** 32
    this.#left -= count
    drive.dmaMoved(count)
    return count
  }

  /** Something could not be moved: the transfer stops where it is, and the drive goes on waiting. */
  #fail(): void {
    this.#status = (this.#status | status.error) & ~status.active
    this.#schedule(0)
  }
}
