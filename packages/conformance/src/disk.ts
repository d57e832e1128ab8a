/** The disk that suites of drives have: 2880 sectors that begin with their number and go on with 0x2a. */

/** A disk of 2880 sectors of 512 bytes, as a `BlockDevice` of `@vmexit/block` is one. */
export interface SuiteDisk {
  readonly sectorBytes: 512
  readonly sectors: number
  readonly readOnly: boolean
  read(sector: number, into: Uint8Array): void
  write(sector: number, from: Uint8Array): void
  flush(): void
}

/** Makes one, in the host's memory. */
export function suiteDisk(readOnly = false): SuiteDisk & { readonly bytes: Uint8Array } {
  const bytes = new Uint8Array(2880 * 512).fill(0x2a)
  for (let sector = 0; sector < 2880; sector++) new DataView(bytes.buffer).setUint16(512 * sector, sector, true)
  return {
    bytes,
    sectorBytes: 512,
    sectors: 2880,
    readOnly,
    read: (sector, into) => into.set(bytes.subarray(512 * sector, 512 * sector + into.length)),
    write: (sector, from) => bytes.set(from, 512 * sector),
    flush() {},
  }
}
