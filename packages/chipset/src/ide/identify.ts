/** What IDENTIFY (PACKET) DEVICE answer: 256 words (ATA/ATAPI-6, 8.15 and 8.16). */
import type { Geometry } from './taskfile.ts'
import { transferModeWords } from './transfer-mode.ts'

/** What drives of both kinds say of themselves. */
export interface DriveIdentity {
  /** 20 characters of ASCII at most. */
  readonly serial: string
  /** 40 characters of ASCII at most. */
  readonly model: string
  readonly transferMode: number
}

/** What a disk says of itself beside. */
export interface DiskIdentity extends DriveIdentity {
  readonly sectors: number
  /** As it was made, and as it is set. */
  readonly defaultGeometry: Geometry
  readonly geometry: Geometry
  /** Sectors in a block of READ MULTIPLE, 0 if it is not set, and the most there can be. */
  readonly multiple: number
  readonly highestMultiple: number
  readonly writeCache: boolean
  readonly lookAhead: boolean
}

/** ATA-1 to ATA/ATAPI-6. */
const versions = 0x7e
const revision = '1.0'

/** Feature sets, as words 82–84 and 85–87 say them. */
const feature = {
  nop: 1 << 14,
  lookAhead: 1 << 6,
  writeCache: 1 << 5,
  packet: 1 << 4,
  power: 1 << 3,
  deviceReset: 1 << 9,
}
const flushExtended = 1 << 13
const flush = 1 << 12
const lba48 = 1 << 10
const valid = 1 << 14

/** The 512 bytes of a disk. */
export function identifyDisk(disk: DiskIdentity): Uint8Array {
  const { sectors, geometry, defaultGeometry, multiple, highestMultiple, writeCache, lookAhead } = disk
  const words = commonWords(disk)
  const supported = feature.nop | feature.lookAhead | feature.writeCache | feature.power
  const enabled =
    feature.nop | feature.power | (lookAhead ? feature.lookAhead : 0) | (writeCache ? feature.writeCache : 0)
  const inGeometry = geometry.cylinders * geometry.heads * geometry.sectorsPerTrack
  set(words, {
    0: 0x0040, // a fixed disk
    1: defaultGeometry.cylinders,
    3: defaultGeometry.heads,
    6: defaultGeometry.sectorsPerTrack,
    47: 0x8000 | highestMultiple,
    48: 0x0001, // the data port may be 32 bits wide
    54: geometry.cylinders,
    55: geometry.heads,
    56: geometry.sectorsPerTrack,
    57: inGeometry & 0xffff,
    58: inGeometry >>> 16,
    59: multiple === 0 ? 0 : 0x0100 | multiple,
    ...wordsOf(60, Math.min(sectors, 0x0fff_ffff), 2),
    82: supported,
    83: valid | flushExtended | flush | lba48,
    85: enabled,
    86: flushExtended | flush | lba48,
    ...wordsOf(100, sectors, 4),
  })
  return sealed(words)
}

/** The 512 bytes of a CD drive. */
export function identifyCd(cd: DriveIdentity): Uint8Array {
  const words = commonWords(cd)
  set(words, {
    0: 0x85c0, // a packet device, removable, of 12-byte commands, ready for them within 50 µs
    82: feature.nop | feature.deviceReset | feature.packet | feature.power,
    83: valid,
    85: feature.nop | feature.deviceReset | feature.packet | feature.power,
  })
  return sealed(words)
}

function commonWords({ serial, model, transferMode }: DriveIdentity): Uint16Array {
  const words = new Uint16Array(256)
  const modes = transferModeWords(transferMode)
  putText(words, 10, 20, serial)
  putText(words, 23, 8, revision)
  putText(words, 27, 40, model)
  set(words, {
    49: 0x0f00, // DMA, LBA, IORDY, which can be turned off
    50: 0x4000,
    53: 0x0007, // words 54–58, 64–70 and 88 hold
    63: modes.multiword,
    64: 0x0003, // PIO modes 3 and 4
    65: 120, // nanoseconds of a cycle
    66: 120,
    67: 120,
    68: 120,
    80: versions,
    84: valid,
    87: valid,
    88: modes.ultra,
    93: 0x6001, // a cable of 80 wires
  })
  return words
}

function set(words: Uint16Array, values: Readonly<Record<number, number>>): void {
  for (const [index, value] of Object.entries(values)) words[Number(index)] = value
}

/** A number as `count` words, the lowest first. */
function wordsOf(index: number, value: number, count: number): Record<number, number> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, i) => [index + i, Math.floor(value / 0x1_0000 ** i) & 0xffff]),
  )
}

/** Text, filled up with spaces; the first character of two is in the upper byte. */
function putText(words: Uint16Array, index: number, length: number, text: string): void {
  const padded = text.padEnd(length)
  for (let i = 0; i < length; i += 2) {
    words[index + i / 2] = (printable(padded.charCodeAt(i)) << 8) | printable(padded.charCodeAt(i + 1))
  }
}

function printable(code: number): number {
  return code >= 0x20 && code < 0x7f ? code : 0x3f
}

/** The bytes, the last of which makes their sum zero. */
function sealed(words: Uint16Array): Uint8Array {
  const bytes = new Uint8Array(512)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint16(2 * i, word, true)
  bytes[510] = 0xa5
  bytes[511] = -bytes.reduce((sum, byte) => sum + byte, 0)
  return bytes
}
