/** Raw images: the sectors one after the other. ISO 9660 images of CDs are raw images of 2048-byte sectors. */
import { VmexitError } from '@vmexit/core'
import { type BlockDevice, checkAccess } from './block-device.ts'
import { type ByteStore, byteArray } from './byte-store.ts'

/** How a raw image is taken. */
export interface RawImageOptions {
  /** Bytes in a sector; 512 unless stated. */
  readonly sectorBytes?: 512 | 2048
  /** Whether writing is refused, though the store could be written; false unless stated. */
  readonly readOnly?: boolean
  /**
   * Whether a last sector that is cut off is filled up with zeros. What is written behind the image's end is then lost,
   * so the device is read-only. Without it such an image is an error.
   */
  readonly pad?: boolean
}

class RawImage implements BlockDevice {
  readonly sectorBytes: 512 | 2048
  readonly sectors: number
  readonly readOnly: boolean
  readonly #store: ByteStore

  constructor(store: ByteStore, { sectorBytes = 512, readOnly = false, pad = false }: RawImageOptions) {
    const rest = store.bytes % sectorBytes
    if (rest !== 0 && !pad) {
      throw new VmexitError('block-size', {
        problem: `${store.name} has ${store.bytes} bytes, which leaves ${rest} for a last sector of ${sectorBytes}`,
        remedy: `check that it is whole and raw, or use { pad: true } to fill it up with ${sectorBytes - rest} zeros, read-only`,
      })
    }
    this.#store = store
    this.sectorBytes = sectorBytes
    this.sectors = Math.ceil(store.bytes / sectorBytes)
    this.readOnly = readOnly || rest !== 0 || store.write === undefined
  }

  read(sector: number, into: Uint8Array): void {
    checkAccess(this.#store.name, this, 'read', sector, into.length)
    const at = sector * this.sectorBytes
    const there = Math.min(into.length, this.#store.bytes - at)
    if (there === into.length) this.#store.read(at, into)
    else {
      this.#store.read(at, into.subarray(0, there))
      into.fill(0, there)
    }
  }

  write(sector: number, from: Uint8Array): void {
    checkAccess(this.#store.name, this, 'write', sector, from.length)
    this.#store.write!(sector * this.sectorBytes, from)
  }

  flush(): void {
    this.#store.flush?.()
  }
}

/**
 * A raw image over bytes, which are read and written in place. Throws a {@link VmexitError} `block-size` if its last
 * sector is cut off, unless it is to be padded.
 */
export function rawImage(bytes: Uint8Array | ByteStore, options: RawImageOptions = {}): BlockDevice {
  return new RawImage(bytes instanceof Uint8Array ? byteArray(bytes) : bytes, options)
}

/** A CD: a read-only image of 2048-byte sectors, such as an ISO 9660 file. Errors are those of {@link rawImage}. */
export function cdImage(
  bytes: Uint8Array | ByteStore,
  options: Omit<RawImageOptions, 'sectorBytes' | 'readOnly'> = {},
): BlockDevice {
  return rawImage(bytes, { ...options, sectorBytes: 2048, readOnly: true })
}
