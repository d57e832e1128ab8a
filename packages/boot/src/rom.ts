/** Firmware where the CPU begins after a reset: below 4 GiB, and what of it also shows below 1 MiB. */
import { hex } from '@vmexit/core'
import { PAGE_BYTES } from '@vmexit/memory'
import { amount, refuse } from './errors.ts'
import { shadowRange } from './firmware.ts'
import type { BootPiece, Loader, PlacedTable } from './image.ts'

/** What {@link rom} boots. */
export interface RomOptions {
  /** 64 KiB to 16 MiB in steps of 4 KiB, the reset vector in its last 16 bytes. */
  readonly image: Uint8Array
  /** ROMs of adapters, from 0xc0000 on in steps of 2 KiB. */
  readonly optionRoms?: readonly PlacedTable[]
}

const KIB = 1024
const MIB = 2 ** 20
const FOUR_GIB = 2 ** 32
const SMALLEST: number = 64 * KIB
const LARGEST: number = 16 * MIB
/** What chipsets show of the ROM below 1 MiB. */
const LOW: number = 128 * KIB
/** Bytes behind the reset vector. */
const VECTOR = 16
const OPTION_ROM_STEP = 2048

/**
 * Puts firmware into ROM that ends at 4 GiB, and its last 128 KiB below 1 MiB, into RAM that is read-only until a host
 * bridge makes it writable. A ROM for testing CPUs is one too. The CPU begins as the hardware does.
 *
 * The loader throws a VmexitError `rom-image`.
 */
export function rom({ image, optionRoms = [] }: RomOptions): Loader {
  return () => {
    checkImage(image)
    const low = image.subarray(Math.max(0, image.length - LOW))
    const lowAt = MIB - low.length
    for (const { address, bytes } of optionRoms) checkOptionRom(address, bytes, lowAt)
    const options: BootPiece[] = optionRoms.map(({ address, bytes }) => ({ name: 'option ROM', address, bytes }))
    const high = FOUR_GIB - image.length
    return {
      title: `firmware, ${image.length / KIB} KiB`,
      ranges: [
        { ...shadowRange, readOnly: true },
        { kind: 'rom', start: high, bytes: image.length, name: 'firmware ROM' },
      ],
      pieces: [
        { name: 'zeros', address: shadowRange.start, bytes: new Uint8Array(0), size: lowAt - shadowRange.start },
        ...options,
        { name: 'firmware', address: lowAt, bytes: low },
        { name: 'firmware', address: high, bytes: image },
      ],
      memoryMap: [],
      entry: { mode: 'reset' },
    }
  }
}

function checkImage(image: Uint8Array): void {
  const { length } = image
  if (length < SMALLEST || length > LARGEST || length % PAGE_BYTES !== 0) {
    refuse(
      'rom-image',
      `a ROM cannot have ${length} bytes`,
      'give an image of 64 KiB to 16 MiB in steps of 4 KiB; if it should be one, get the file again',
    )
  }
  const vector = image.subarray(length - VECTOR)
  if (!vector.every((byte) => byte === vector[0]) || (vector[0] !== 0 && vector[0] !== 0xff)) return
  refuse('rom-image', 'the ROM has nothing at its reset vector, the last 16 bytes', 'give the image of firmware, whole')
}

function checkOptionRom(address: number, bytes: Uint8Array, end: number): void {
  const where = `an option ROM of ${amount(bytes.length)} cannot be at ${hex(address)}`
  const fits = address >= shadowRange.start && address + bytes.length <= end && address % OPTION_ROM_STEP === 0
  if (!fits) refuse('rom-image', where, `put it between 0xc0000 and ${hex(end)}, on a multiple of 2 KiB`)
  if (bytes[0] !== 0x55 || bytes[1] !== 0xaa)
    refuse('rom-image', `${where}: it does not begin with 55 aa`, 'give a ROM')
}
