/** The commands of an 82077AA that go over a disk's data, taken apart (data sheet, table 5-1). */
import type { CommandName } from './commands.ts'

/** A command over data, taken apart. */
export type DataCommand = {
  readonly name: CommandName
  readonly multiTrack: boolean
  readonly mfm: boolean
  readonly skip: boolean
  readonly drive: number
  /** The head that is chosen, whatever the address marks are to say. */
  readonly head: number
  /** C, H, R and N: the address mark to be found. Of FORMAT TRACK, N alone. */
  readonly id: readonly number[]
  /** EOT: the last sector of the track; or how many sectors FORMAT TRACK makes. */
  readonly last: number
  /** Sectors that VERIFY is to go over; null up to the last. */
  readonly count: number | null
  /** What FORMAT TRACK fills sectors with. */
  readonly filler: number
}

/** Takes the bytes of a command over data apart. */
export function dataCommand(name: CommandName, bytes: readonly number[]): DataCommand {
  const [first, chosen, c, h, r, n, last, , length] = bytes as [number, number, ...number[]]
  const command = {
    name,
    multiTrack: (first & 0x80) !== 0,
    mfm: (first & 0x40) !== 0,
    skip: (first & 0x20) !== 0,
    drive: chosen & 3,
    head: (chosen >> 2) & 1,
    id: [c ?? 0, h ?? 0, r ?? 0, n ?? 0],
    last: last ?? 0,
    count: null,
    filler: 0,
  }
  if (name === 'format-track') return { ...command, id: [0, 0, 0, c!], last: h!, filler: n! }
  // EC: VERIFY is told how many sectors, in the place of DTL.
  return name === 'verify' && chosen & 0x80 ? { ...command, count: length! } : command
}
