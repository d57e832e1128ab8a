/** What a PC's firmware finds in the CMOS memory: sizes of memory, drives, boot order (as SeaBIOS and AT BIOSes read it). */
import { type PcMemory, splitRam } from '../pc-memory.ts'

/** Something to boot from. */
export type BootDevice = 'floppy' | 'disk' | 'cdrom' | 'network'

/** A kind of floppy drive. */
export type FloppyType = 'none' | '360K' | '1.2M' | '720K' | '1.44M' | '2.88M'

/** What is written into the memory. */
export interface CmosContents extends PcMemory {
  /** Tried in this order, at most three; disk, CD, floppy unless stated. */
  readonly bootOrder?: readonly BootDevice[] | undefined
  /** The drives A and B; none unless stated. */
  readonly floppies?: readonly FloppyType[] | undefined
  /** How many CPUs firmware waits for; 1 unless stated. */
  readonly cpus?: number | undefined
}

const bootCodes: Readonly<Record<BootDevice, number>> = { floppy: 1, disk: 2, cdrom: 3, network: 4 }
const floppyCodes: Readonly<Record<FloppyType, number>> = {
  none: 0,
  '360K': 1,
  '1.2M': 2,
  '720K': 3,
  '1.44M': 4,
  '2.88M': 5,
}

const KiB = 1024
const MiB = KiB * KiB

/** The bytes by index, checksum included. */
export function cmosContents(contents: CmosContents): ReadonlyMap<number, number> {
  const { bootOrder = ['disk', 'cdrom', 'floppy'], floppies = [], cpus = 1 } = contents
  const { low, high } = splitRam(contents)
  const bytes = new Map<number, number>()
  const put = (index: number, value: number, count: number) => {
    for (let i = 0; i < count; i++) bytes.set(index + i, Math.trunc(value / 2 ** (8 * i)) & 0xff)
  }
  const [a = 'none', b = 'none'] = floppies
  const drives = [a, b].filter((type) => type !== 'none').length
  put(0x10, (floppyCodes[a] << 4) | floppyCodes[b], 1)
  // Equipment: a coprocessor, a PS/2 mouse, a display with a BIOS of its own, floppy drives.
  put(0x14, 0x06 | (drives > 0 ? 1 | ((drives - 1) << 6) : 0), 1)
  put(0x15, Math.min(low, 640 * KiB) / KiB, 2)
  const extended = Math.min(Math.max(0, low - MiB) / KiB, 0xffff)
  put(0x17, extended, 2)
  put(0x30, extended, 2)
  put(0x34, Math.max(0, low - 16 * MiB) / (64 * KiB), 2)
  put(0x5b, high / (64 * KiB), 3)
  put(0x5f, cpus - 1, 1)
  const [first = 0, second = 0, third = 0] = bootOrder.map((device) => bootCodes[device])
  put(0x3d, first | (second << 4), 1)
  // Bit 0: a floppy need not have the signature of a boot sector.
  put(0x38, (third << 4) | 1, 1)
  let sum = 0
  for (let index = 0x10; index <= 0x2d; index++) sum += bytes.get(index) ?? 0
  bytes.set(0x2e, (sum >> 8) & 0xff)
  bytes.set(0x2f, sum & 0xff)
  return bytes
}
