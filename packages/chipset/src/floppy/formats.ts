/** Formats of floppy disks and the drives that read them (ISO 6596, 8860, 9529 and 12003; IBM PC DOS formats). */
import type { BlockDevice } from '@vmexit/block'
import { VmexitError } from '@vmexit/core'
import type { FloppyType } from '../rtc/cmos.ts'

/** A kind of drive. */
export type FloppyDriveType = Exclude<FloppyType, 'none'>

/** How a disk is laid out. Sectors of a track are numbered from 1. */
export interface FloppyFormat {
  readonly name: string
  readonly cylinders: number
  readonly heads: 1 | 2
  readonly sectorsPerTrack: number
  /** Data rate in kbit/s at 300 turns a minute. */
  readonly rate: number
  /** The drives that read it, the one that was made for it first. */
  readonly drives: readonly FloppyDriveType[]
}

/** A kind of drive. */
export interface FloppyDriveModel {
  readonly turnsPerMinute: number
  /** Tracks that the heads reach, which are a few more than disks have. */
  readonly tracks: number
  /** Tracks of a disk with 40 are two steps apart. */
  readonly narrowTracks: boolean
}

/** Bytes of a sector: code 2 of the data sheet's N. */
export const sectorBytes = 512

const high35: readonly FloppyDriveType[] = ['1.44M', '2.88M']

// biome-ignore format: a table
const formats: readonly FloppyFormat[] = [
  { name: '160K',  cylinders: 40, heads: 1, sectorsPerTrack: 8,  rate: 250,   drives: ['360K', '1.2M'] },
  { name: '180K',  cylinders: 40, heads: 1, sectorsPerTrack: 9,  rate: 250,   drives: ['360K', '1.2M'] },
  { name: '320K',  cylinders: 40, heads: 2, sectorsPerTrack: 8,  rate: 250,   drives: ['360K', '1.2M'] },
  { name: '360K',  cylinders: 40, heads: 2, sectorsPerTrack: 9,  rate: 250,   drives: ['360K', '1.2M'] },
  { name: '720K',  cylinders: 80, heads: 2, sectorsPerTrack: 9,  rate: 250,   drives: ['720K', ...high35] },
  // 500 kbit/s in its own drive, which turns faster.
  { name: '1.2M',  cylinders: 80, heads: 2, sectorsPerTrack: 15, rate: 500 / 1.2, drives: ['1.2M'] },
  { name: '1.44M', cylinders: 80, heads: 2, sectorsPerTrack: 18, rate: 500,   drives: high35 },
  { name: '1.68M', cylinders: 80, heads: 2, sectorsPerTrack: 21, rate: 500,   drives: high35 },
  { name: '2.88M', cylinders: 80, heads: 2, sectorsPerTrack: 36, rate: 1000,  drives: ['2.88M'] },
]

/** The kinds of drive. */
export const driveModels: Readonly<Record<FloppyDriveType, FloppyDriveModel>> = {
  '360K': { turnsPerMinute: 300, tracks: 42, narrowTracks: false },
  '1.2M': { turnsPerMinute: 360, tracks: 84, narrowTracks: true },
  '720K': { turnsPerMinute: 300, tracks: 84, narrowTracks: false },
  '1.44M': { turnsPerMinute: 300, tracks: 84, narrowTracks: false },
  '2.88M': { turnsPerMinute: 300, tracks: 84, narrowTracks: false },
}

const sectorsOf = (format: FloppyFormat): number => format.cylinders * format.heads * format.sectorsPerTrack

/** The format of a disk, by its size. Throws a {@link VmexitError} `floppy-format` if no format has that size. */
export function formatOf(disk: BlockDevice): FloppyFormat {
  const format = formats.find((each) => sectorsOf(each) === disk.sectors)
  if (format !== undefined && disk.sectorBytes === sectorBytes) return format
  throw new VmexitError('floppy-format', {
    problem: `no floppy disk has ${disk.sectors} sectors of ${disk.sectorBytes} bytes`,
    remedy: `give the image a size of ${formats.map((each) => `${sectorsOf(each) / 2} KiB (${each.name})`).join(', ')}`,
  })
}

/**
 * The drive that a disk was made for: what `rtc({ floppies: […] })` is to be told. Throws a {@link VmexitError}
 * `floppy-format` if no format has the disk's size.
 */
export function floppyDriveFor(disk: BlockDevice): FloppyDriveType {
  return formatOf(disk).drives[0]!
}
