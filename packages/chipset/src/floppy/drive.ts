/** A floppy drive: heads over a disk that turns. */
import type { BlockDevice } from '@vmexit/block'
import { type Clock, checkState, type Stateful, VmexitError } from '@vmexit/core'
import {
  driveModels,
  type FloppyDriveModel,
  type FloppyDriveType,
  type FloppyFormat,
  formatOf,
  sectorBytes,
} from './formats.ts'

/** A saved drive. What the disk holds is saved by whoever keeps it. */
export type FloppyDriveState = {
  readonly version: 1
  /** Where the heads are, in steps from track 0. */
  readonly position: number
  /** The disk change line: the disk was taken out since the heads last moved over one. */
  readonly changed: boolean
  /** The number of sectors of the disk that is in; null for none. */
  readonly disk: number | null
}

/** The track under a head. */
export interface Track {
  /** The cylinder and head that its sectors' address marks have. */
  readonly cylinder: number
  readonly head: number
  readonly sectors: number
}

/** A drive. */
export class FloppyDrive implements Stateful<FloppyDriveState> {
  readonly type: FloppyDriveType
  readonly #model: FloppyDriveModel
  readonly #clock: Clock
  #disk: BlockDevice | undefined
  #format: FloppyFormat | undefined
  #position = 0
  #changed = true

  constructor(type: FloppyDriveType, clock: Clock) {
    this.type = type
    this.#model = driveModels[type]
    this.#clock = clock
  }

  /**
   * The format of a disk that is to be put in. Throws a {@link VmexitError} `floppy-format` for a size that no format
   * has, or `floppy-drive` if the drive does not read the format.
   */
  check(disk: BlockDevice): FloppyFormat {
    const format = formatOf(disk)
    if (format.drives.includes(this.type)) return format
    throw new VmexitError('floppy-drive', {
      problem: `a drive of type ${this.type} does not read a disk of ${format.name}`,
      remedy: `make it a drive of type ${format.drives.join(' or ')}`,
    })
  }

  /** Puts a disk in. Throws what {@link check} throws. */
  insert(disk: BlockDevice): void {
    this.#format = this.check(disk)
    this.#disk = disk
    this.#changed = true
  }

  /** Takes the disk out. */
  eject(): void {
    this.#disk = undefined
    this.#format = undefined
    this.#changed = true
  }

  get hasDisk(): boolean {
    return this.#disk !== undefined
  }

  /** The write-protect sensor. */
  get writeProtected(): boolean {
    return this.#disk?.readOnly ?? false
  }

  /** The disk change line. */
  get changed(): boolean {
    return this.#changed
  }

  /** The track-0 sensor. */
  get atTrack0(): boolean {
    return this.#position === 0
  }

  get position(): number {
    return this.#position
  }

  /** Moves the heads, inwards if `steps` is positive, as far as they go. A step over a disk ends the disk change. */
  step(steps: number): void {
    this.#position = Math.max(0, Math.min(this.#model.tracks - 1, this.#position + steps))
    if (steps !== 0 && this.#disk !== undefined) this.#changed = false
  }

  /** The track under a head as it looks at a data rate in kbit/s; undefined if no address mark can be read. */
  track(head: number, rate: number): Track | undefined {
    const format = this.#format
    if (format === undefined || head >= format.heads || Math.round(format.rate * this.#turns) !== rate) return undefined
    const doubled = this.#model.narrowTracks && format.cylinders === 40
    const cylinder = doubled ? this.#position / 2 : this.#position
    if (!Number.isInteger(cylinder) || cylinder >= format.cylinders) return undefined
    return { cylinder, head, sectors: format.sectorsPerTrack }
  }

  /** Reads a sector of the track under a head; undefined if the image cannot be read there. */
  read(track: Track, sector: number): Uint8Array | undefined {
    const data = new Uint8Array(sectorBytes)
    return this.#attempt((disk) => disk.read(this.#index(track, sector), data)) ? data : undefined
  }

  /** Writes a sector of the track under a head. Returns whether the image took it. */
  write(track: Track, sector: number, data: Uint8Array): boolean {
    return this.#attempt((disk) => disk.write(this.#index(track, sector), data))
  }

  /** When the index hole has come by `turns` times. */
  indexAfter(turns: number): number {
    return (Math.floor(this.#clock.now / this.#turnTime) + turns) * this.#turnTime
  }

  /** When sector `sector` of `count` has come by as a whole: this turn if its beginning is still to come. */
  endOfSector(sector: number, count: number): number {
    const time = this.sectorTime(count)
    const angle = this.#clock.now % this.#turnTime
    const start = (sector - 1) * time
    // A tenth of a sector is the gap before it.
    return this.#clock.now - angle + start + time + (angle > start + time / 10 ? this.#turnTime : 0)
  }

  /** Ticks in which one of `count` sectors comes by. */
  sectorTime(count: number): number {
    return this.#turnTime / count
  }

  /** The sector whose beginning comes by next. */
  nextSector(count: number): number {
    const angle = (this.#clock.now % this.#turnTime) / this.#turnTime
    return (Math.ceil(angle * count) % count) + 1
  }

  /** As after power-on, with the disk that is in. */
  reset(): void {
    this.#position = 0
    this.#changed = true
  }

  save(): FloppyDriveState {
    return { version: 1, position: this.#position, changed: this.#changed, disk: this.#disk?.sectors ?? null }
  }

  restore(state: FloppyDriveState): void {
    const { position, changed, disk } = checkState('the floppy drive', state, this.save())
    const here = this.#disk?.sectors ?? null
    if (disk !== here) {
      const words = (sectors: number | null) => (sectors === null ? 'no disk' : `a disk of ${sectors} sectors`)
      throw new VmexitError('state-mismatch', {
        problem: `the saved floppy drive has ${words(disk)} in it, this one ${words(here)}`,
        remedy: 'insert or eject a disk before restoring',
      })
    }
    this.#position = position
    this.#changed = changed
  }

  /** Turns in a fifth of a second. */
  get #turns(): number {
    return this.#model.turnsPerMinute / 300
  }

  /** Ticks of one turn. */
  get #turnTime(): number {
    return (this.#clock.frequency * 60) / this.#model.turnsPerMinute
  }

  #index({ cylinder, head }: Track, sector: number): number {
    const { heads, sectorsPerTrack } = this.#format!
    return (cylinder * heads + head) * sectorsPerTrack + sector - 1
  }

  #attempt(use: (disk: BlockDevice) => void): boolean {
    if (this.#disk === undefined) return false
    try {
      use(this.#disk)
      return true
    } catch {
      // Whatever the image's trouble is, to the guest it is a bad sector.
      return false
    }
  }
}
