/**
 * qcow2 images, versions 2 and 3, read-only (QEMU, docs/interop/qcow2.txt). A cluster's number is looked up in a table of
 * two levels; the second says where in the file it is, or that it is zeros, or not here but in the image below.
 */
import { VmexitError } from '@vmexit/core'
import { type BlockDevice, checkAccess } from '../block-device.ts'
import { type ByteStore, byteArray } from '../byte-store.ts'
import { damaged, type Qcow2Header, readHeader } from './header.ts'
import { InflateError, inflate } from './inflate.ts'

/** How a qcow2 image is opened. */
export interface Qcow2Options {
  /** The image below, if this one has one: it is never opened by the name that stands in the image. */
  readonly backing?: BlockDevice
}

/** Bits of the upper half of a second-level entry. */
const compressed = 0x4000_0000
/** Of the lower half: the cluster is zeros (version 3). */
const zeros = 1
/** Of the upper half of an entry of either level: the upper part of an offset. */
const offsetHigh = 0x00ff_ffff
const sectorBytes = 512

/** Second-level tables that are kept, and their bytes at most. */
const keptBytes = 0x40_0000

/**
 * A qcow2 image as a read-only disk; put an `Overlay` over it to write. Snapshots inside are not seen. Throws a
 * {@link VmexitError}: `block-image` if it is damaged, `block-format` if it has features that are not read here,
 * `block-backing` if the image below is missing. Damage that is found later is thrown by `read`.
 */
export function qcow2(image: Uint8Array | ByteStore, { backing }: Qcow2Options = {}): BlockDevice {
  const store = image instanceof Uint8Array ? byteArray(image) : image
  const header = readHeader(store)
  if (header.backing !== undefined && backing === undefined) {
    throw new VmexitError('block-backing', {
      problem: `${store.name} holds what differs from ${header.backing}`,
      remedy: 'open that image too, and give it as { backing }',
    })
  }
  if (backing !== undefined && backing.sectorBytes !== sectorBytes) {
    throw new VmexitError('block-backing', {
      problem: `the image below ${store.name} has sectors of ${backing.sectorBytes} bytes`,
      remedy: 'give a disk of 512-byte sectors',
    })
  }
  return new Qcow2(store, header, header.backing === undefined ? undefined : backing)
}

class Qcow2 implements BlockDevice {
  readonly sectorBytes = sectorBytes
  readonly sectors: number
  readonly readOnly = true
  readonly #store: ByteStore
  readonly #header: Qcow2Header
  readonly #backing: BlockDevice | undefined
  readonly #clusterBytes: number
  readonly #l1: DataView
  readonly #l2 = new Map<number, DataView>()
  /** The compressed cluster that was read last, by its number. */
  #unpackedCluster = -1
  readonly #unpacked: Uint8Array

  constructor(store: ByteStore, header: Qcow2Header, backing: BlockDevice | undefined) {
    this.#store = store
    this.#header = header
    this.#backing = backing
    this.sectors = header.bytes / sectorBytes
    this.#clusterBytes = 2 ** header.clusterBits
    const l1 = new Uint8Array(8 * header.l1Entries)
    store.read(header.l1Offset, l1)
    this.#l1 = new DataView(l1.buffer)
    this.#unpacked = new Uint8Array(this.#clusterBytes)
  }

  read(sector: number, into: Uint8Array): void {
    checkAccess(this.#store.name, this, 'read', sector, into.length)
    const begin = sector * sectorBytes
    for (let done = 0; done < into.length; ) {
      const cluster = Math.floor((begin + done) / this.#clusterBytes)
      const start = begin + done - cluster * this.#clusterBytes
      const part = into.subarray(done, done + this.#clusterBytes - start)
      this.#readCluster(cluster, start, part)
      done += part.length
    }
  }

  write(sector: number, from: Uint8Array): void {
    checkAccess(this.#store.name, this, 'write', sector, from.length)
  }

  flush(): void {}

  #readCluster(cluster: number, start: number, into: Uint8Array): void {
    const table = this.#table(Math.floor(cluster / (this.#clusterBytes / 8)))
    const at = 8 * (cluster % (this.#clusterBytes / 8))
    const high = table === undefined ? 0 : table.getUint32(at)
    const low = table === undefined ? 0 : table.getUint32(at + 4)
    if (high & compressed) into.set(this.#unpack(cluster, high, low).subarray(start, start + into.length))
    else if (this.#header.version === 3 && low & zeros) into.fill(0)
    else {
      const offset = this.#offset(high, low, 'a cluster')
      if (offset === 0) this.#readBelow(cluster * this.#clusterBytes + start, into)
      else this.#readFile(offset + start, into, 'a cluster')
    }
  }

  /** The second-level table of that number; undefined if there is none. */
  #table(number: number): DataView | undefined {
    const offset = this.#offset(this.#l1.getUint32(8 * number), this.#l1.getUint32(8 * number + 4), 'a table')
    if (offset === 0) return undefined
    let table = this.#l2.get(offset)
    if (table === undefined) {
      const bytes = new Uint8Array(this.#clusterBytes)
      this.#readFile(offset, bytes, 'a table')
      table = new DataView(bytes.buffer)
      if ((this.#l2.size + 1) * this.#clusterBytes > keptBytes) this.#l2.clear()
      this.#l2.set(offset, table)
    }
    return table
  }

  /** Where in the file an entry points to; 0 for nowhere. */
  #offset(high: number, low: number, what: string): number {
    const offset = (high & offsetHigh) * 2 ** 32 + ((low & ~0x1ff) >>> 0)
    if (offset % this.#clusterBytes !== 0)
      damaged(this.#store.name, `${what} begins between clusters, at byte ${offset}`)
    return offset
  }

  #readFile(at: number, into: Uint8Array, what: string): void {
    const { name, bytes } = this.#store
    // The last cluster of the file may be cut off where the disk ends within it.
    const there = Math.min(into.length, bytes - at)
    if (there <= 0 || (there < into.length && what === 'a table')) damaged(name, `${what} is at byte ${at} of ${bytes}`)
    this.#store.read(at, into.subarray(0, there))
    into.fill(0, there)
  }

  /** The image below, zeros behind its end. */
  #readBelow(at: number, into: Uint8Array): void {
    const below = this.#backing
    const there = below === undefined ? 0 : Math.max(0, Math.min(into.length, below.sectors * sectorBytes - at))
    if (there > 0) below!.read(at / sectorBytes, into.subarray(0, there))
    into.fill(0, there)
  }

  /** A compressed cluster: the entry says where its data begin and how many sectors they touch beyond the first. */
  #unpack(cluster: number, high: number, low: number): Uint8Array {
    if (cluster === this.#unpackedCluster) return this.#unpacked
    // The sectors are above the offset, in the upper half.
    const sectorsFrom = 2 ** (62 - (this.#header.clusterBits - 8) - 32)
    const further = Math.floor((high & 0x3fff_ffff) / sectorsFrom)
    const at = ((high & 0x3fff_ffff) % sectorsFrom) * 2 ** 32 + low
    const { name, bytes } = this.#store
    const end = Math.min(bytes, at - (at % sectorBytes) + (further + 1) * sectorBytes)
    if (at >= end) damaged(name, `a compressed cluster is at byte ${at} of ${bytes}`)
    const data = new Uint8Array(end - at)
    this.#store.read(at, data)
    this.#unpackedCluster = -1
    try {
      inflate(data, this.#unpacked)
    } catch (error) {
      if (error instanceof InflateError) damaged(name, `in the compressed cluster at byte ${at} ${error.message}`)
      throw error
    }
    this.#unpackedCluster = cluster
    return this.#unpacked
  }
}
