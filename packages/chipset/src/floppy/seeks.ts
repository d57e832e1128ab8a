/** Moving the heads: SEEK, RELATIVE SEEK, RECALIBRATE and what SENSE INTERRUPT STATUS tells of them (82077AA, 5.2). */
import { type Clock, checkState, type SavedTimer, type Stateful, type Timer } from '@vmexit/core'
import { st0 } from './commands.ts'
import type { FloppyDrive } from './drive.ts'

/** Saved seeks. Lists have an entry for each of four drives. */
export type SeeksState = {
  readonly version: 1
  /** PCN: the cylinder that the controller believes the heads to be at. */
  readonly cylinders: readonly number[]
  /** The drive seeks, or has not been asked about it since. */
  readonly busy: readonly boolean[]
  /** Status register 0 for SENSE INTERRUPT STATUS; null where nothing is to be told. */
  readonly told: readonly (number | null)[]
  /** What it will be when the seek ends. */
  readonly ends: readonly number[]
  readonly timers: readonly (SavedTimer | null)[]
}

/** What {@link Seeks} are connected to. */
export interface SeeksOptions {
  readonly clock: Clock
  readonly drive: (number: number) => FloppyDrive | undefined
  /** A seek has ended: the interrupt is due. */
  readonly onEnd: () => void
}

/** Pulses that RECALIBRATE gives at most. */
const recalibrationSteps = 79

/** The heads of four drives. */
export class Seeks implements Stateful<SeeksState> {
  readonly #options: SeeksOptions
  #cylinders = [0, 0, 0, 0]
  #busy = [false, false, false, false]
  #told: (number | null)[] = [null, null, null, null]
  #ends = [0, 0, 0, 0]
  readonly #timers: (Timer | undefined)[] = [undefined, undefined, undefined, undefined]

  constructor(options: SeeksOptions) {
    this.#options = options
  }

  /** The cylinder that the controller believes a drive's heads to be at. */
  cylinder(drive: number): number {
    return this.#cylinders[drive]!
  }

  /** The drive busy bits of the main status register. */
  get busyBits(): number {
    return this.#busy.reduce((bits, busy, drive) => bits | (busy ? 1 << drive : 0), 0)
  }

  /** Whether SENSE INTERRUPT STATUS has something to tell. */
  get waiting(): boolean {
    return this.#told.some((status) => status !== null)
  }

  /** Whether it is the end of a seek, rather than of a reset. */
  get seekWaiting(): boolean {
    return this.#told.some((status) => status !== null && (status & st0.polling) !== st0.polling)
  }

  /** SEEK and RELATIVE SEEK: `steps` of `stepTime` ticks, to what the controller then calls `cylinder`. */
  seek(drive: number, steps: number, cylinder: number, stepTime: number): void {
    this.#cylinders[drive] = cylinder
    this.#options.drive(drive)?.step(steps)
    this.#start(drive, Math.abs(steps) * stepTime, st0.seekEnd)
  }

  /** Steps before a data command, which tells of nothing. Returns how many. */
  implied(drive: number, cylinder: number): number {
    const steps = cylinder - this.#cylinders[drive]!
    this.#cylinders[drive] = cylinder
    return steps
  }

  /** RECALIBRATE: outwards until the track-0 sensor says so. */
  recalibrate(drive: number, stepTime: number): void {
    const chosen = this.#options.drive(drive)
    const steps = Math.min(recalibrationSteps, chosen?.position ?? recalibrationSteps)
    chosen?.step(-steps)
    this.#cylinders[drive] = 0
    const lost = !(chosen?.atTrack0 ?? false)
    this.#start(drive, steps * stepTime, st0.seekEnd | (lost ? st0.abnormal | st0.equipmentCheck : 0))
  }

  /** SENSE INTERRUPT STATUS: status register 0 and the cylinder, of the first drive that has something to tell. */
  sense(): readonly [status0: number, cylinder: number] | undefined {
    const drive = this.#told.findIndex((status) => status !== null)
    if (drive < 0) return undefined
    const status = this.#told[drive]!
    this.#told[drive] = null
    this.#busy[drive] = false
    return [status, this.#cylinders[drive]!]
  }

  /** After a reset each drive is said to have been polled. */
  polled(): void {
    this.#told = [0, 1, 2, 3].map((drive) => st0.polling | drive)
  }

  /** Stops everything; where the heads are is known still. */
  abort(): void {
    for (const timer of this.#timers) timer?.[Symbol.dispose]()
    this.#busy.fill(false)
    this.#told.fill(null)
  }

  /** The state after power-on. */
  reset(): void {
    this.abort()
    this.#cylinders.fill(0)
    this.#ends.fill(0)
  }

  save(): SeeksState {
    return {
      version: 1,
      cylinders: [...this.#cylinders],
      busy: [...this.#busy],
      told: [...this.#told],
      ends: [...this.#ends],
      timers: this.#timers.map((timer) => (timer?.pending ? timer.save() : null)),
    }
  }

  restore(state: SeeksState): void {
    const saved = checkState('the floppy controller', state, this.save())
    this.#cylinders = [...saved.cylinders]
    this.#busy = [...saved.busy]
    this.#told = [...saved.told]
    this.#ends = [...saved.ends]
    for (const drive of this.#timers.keys()) {
      this.#timers[drive]?.[Symbol.dispose]()
      const timer = saved.timers[drive] ?? null
      this.#timers[drive] = timer ? this.#options.clock.resume(timer, () => this.#ended(drive)) : undefined
    }
  }

  #start(drive: number, time: number, end: number): void {
    this.#busy[drive] = true
    this.#told[drive] = null
    this.#ends[drive] = end | drive
    this.#timers[drive]?.[Symbol.dispose]()
    this.#timers[drive] = this.#options.clock.after(time, () => this.#ended(drive))
  }

  #ended(drive: number): void {
    this.#told[drive] = this.#ends[drive]!
    this.#options.onEnd()
  }
}
