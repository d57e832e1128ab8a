/** The layout of a PC's RAM. */
import { VmexitError } from '@vmexit/core'
import type { MemoryRange } from './page-map.ts'

/** What {@link pcRanges} lays out. */
export interface PcRangesOptions {
  /** Bytes of RAM, counted as a PC counts them: the 384 KiB under the adapter area are there but not reachable. */
  readonly ram: number
  /** Where the hole for devices below 4 GiB begins; RAM that does not fit goes above 4 GiB. Default 3 GiB. */
  readonly holeStart?: number
}

/**
 * RAM as a PC has it: 640 KiB from 0, from 1 MiB to the hole for devices, the rest from 4 GiB on.
 * @throws VmexitError `memory-size` if `ram` is not a multiple of 4096 of at least 1 MiB.
 */
export function pcRanges(options: PcRangesOptions): MemoryRange[] {
  const { ram, holeStart = 3 * 2 ** 30 } = options
  if (!(ram >= 0x10_0000) || ram % 4096 !== 0) {
    throw new VmexitError('memory-size', {
      problem: `a PC cannot have ${ram} bytes of RAM`,
      remedy: 'give a multiple of 4096, at least 1 MiB',
    })
  }
  const low = Math.min(ram, holeStart)
  return [
    { kind: 'ram' as const, start: 0, bytes: 0xa_0000, name: 'RAM below 640 KiB' },
    { kind: 'ram' as const, start: 0x10_0000, bytes: low - 0x10_0000, name: 'RAM above 1 MiB' },
    { kind: 'ram' as const, start: 0x1_0000_0000, bytes: ram - low, name: 'RAM above 4 GiB' },
  ].filter((range) => range.bytes > 0)
}
