/** How firmware of a PC is told of the RAM. */

/** RAM of a PC below and above 4 GiB. */
export interface PcMemory {
  /** Bytes of RAM, counted as a PC counts them: with the 384 KiB that are under the adapter area. */
  readonly ram: number
  /** Where the hole for devices below 4 GiB begins; 3 GiB unless stated. */
  readonly holeStart?: number | undefined
}

/** The RAM of a machine whose memory part says `size`: in whole MiB, since what the adapters hide is not in it. */
export function ramOf(size: number): number {
  return Math.ceil(size / 0x10_0000) * 0x10_0000
}

/** RAM from 0 to below the hole, and from 4 GiB on, in bytes. */
export function splitRam({ ram, holeStart = 0xc000_0000 }: PcMemory): { readonly low: number; readonly high: number } {
  const low = Math.min(ram, holeStart)
  return { low, high: ram - low }
}
