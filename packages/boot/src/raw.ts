/** Flat binaries: boot sectors, test programs. */
import { hex } from '@vmexit/core'
import type { FlatStart } from '@vmexit/x86'
import { refuse } from './errors.ts'
import { CODE_SELECTOR, DATA_SELECTOR, flatGdt, GDT_BYTES } from './gdt.ts'
import type { BootEntry, Loader } from './image.ts'

/** What {@link raw} boots. */
export interface RawOptions {
  readonly image: Uint8Array
  /** Where it goes, guest-physical. A boot sector goes to 0x7c00. */
  readonly address: number
  /** Where it begins, guest-physical; at `address` unless stated. In real mode it is below 1 MiB. */
  readonly entry?: number
  /** The mode in which it begins. `flat` is 32-bit protected mode without paging, with a descriptor table at 0x800. */
  readonly mode: 'real' | 'flat'
  /** Registers that do not hold 0, by the names of 16 bits: `{ dx: 0x80 }`. */
  readonly registers?: FlatStart['registers']
}

const GDT = 0x800

/**
 * Puts bytes into RAM and begins there, interrupts off, all registers 0 that are not given. In real mode CS is 0 where the
 * entry is below 64 KiB, else the paragraph of the entry.
 *
 * The loader throws a VmexitError `raw-image`.
 */
export function raw(options: RawOptions): Loader {
  const { image, address, entry = address, mode, registers = {} } = options
  return ({ ranges }) => {
    const end = address + image.length
    const places = [{ from: address, to: end }, ...(mode === 'flat' ? [{ from: GDT, to: GDT + GDT_BYTES }] : [])]
    for (const { from, to } of places) {
      if (ranges.some(({ start, bytes, kind }) => kind === 'ram' && start <= from && to <= start + bytes)) continue
      const problem = `${to - from} bytes at ${hex(from)} are not all in RAM`
      refuse('raw-image', problem, 'give another address, or the machine more memory')
    }
    const limit = mode === 'real' ? 2 ** 20 : 2 ** 32
    if (!(entry >= 0 && entry < limit)) {
      refuse('raw-image', `${hex(entry)} cannot be where the program begins`, `give an entry below ${hex(limit)}`)
    }
    if (mode === 'flat' && address < GDT + GDT_BYTES && end > GDT) {
      refuse('raw-image', `the program lies over the descriptor table at ${hex(GDT)}`, 'load it above 0x1000')
    }
    const table = mode === 'flat' ? [{ name: 'descriptor table', address: GDT, bytes: flatGdt() }] : []
    return {
      title: 'program',
      ranges: [],
      pieces: [{ name: 'program', address, bytes: image }, ...table],
      memoryMap: [],
      entry: mode === 'flat' ? flat(entry, registers) : real(entry, registers),
    }
  }
}

function real(entry: number, registers: FlatStart['registers'] & {}): BootEntry {
  const cs = entry < 0x1_0000 ? 0 : entry >> 4
  return { mode: 'real', cs, ip: entry - cs * 16, registers: { dx: 0, ...registers } }
}

function flat(eip: number, registers: FlatStart['registers'] & {}): BootEntry {
  const gdt = { gdtBase: GDT, gdtLimit: GDT_BYTES - 1, code: CODE_SELECTOR, data: DATA_SELECTOR }
  return { mode: 'flat', eip, registers, ...gdt }
}
