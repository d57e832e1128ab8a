/** The header of a qcow2 image (QEMU, docs/interop/qcow2.txt). Numbers are big-endian. */
import { VmexitError } from '@vmexit/core'
import type { ByteStore } from '../byte-store.ts'

/** What of the header matters to a reader. */
export interface Qcow2Header {
  readonly version: 2 | 3
  readonly clusterBits: number
  /** Of the disk. */
  readonly bytes: number
  /** Where the first-level table is in the file, and how many entries it has. */
  readonly l1Offset: number
  readonly l1Entries: number
  /** The name of the image below, as it was written when this one was made. */
  readonly backing: string | undefined
}

const magic = 0x5146_49fb
const smallest = 72
const smallestV3 = 104
const sectorBytes = 512
/** The largest first-level table that QEMU takes: 32 MiB. */
const mostL1Entries = 0x40_0000
const longestName = 1023

/** Features that a reader has to know (bits of the low half of incompatible_features). */
const dirty = 0x01
const features = { corrupt: 0x02, externalData: 0x04, compression: 0x08, extendedL2: 0x10 } as const

/** Whether the bytes begin as a qcow2 image. */
export function isQcow2(store: ByteStore): boolean {
  if (store.bytes < 4) return false
  const bytes = new Uint8Array(4)
  store.read(0, bytes)
  return new DataView(bytes.buffer).getUint32(0) === magic
}

/** Throws a {@link VmexitError}: `block-image` for a header that cannot be, `block-format` for features not read here. */
export function readHeader(store: ByteStore): Qcow2Header {
  const { name } = store
  const bytes = new Uint8Array(Math.min(store.bytes, 112))
  store.read(0, bytes)
  const view = new DataView(bytes.buffer)
  if (bytes.length < smallest || view.getUint32(0) !== magic) damaged(name, 'it has no header of a qcow2 image')
  const version = view.getUint32(4)
  if (version !== 2 && version !== 3) unsupported(name, `its version is ${version}`)
  if (version === 3) checkVersion3(name, view)
  if (view.getUint32(32) !== 0) unsupported(name, 'it is encrypted')
  const clusterBits = view.getUint32(20)
  if (clusterBits < 9 || clusterBits > 21) damaged(name, `its clusters have 2^${clusterBits} bytes, not 2^9 to 2^21`)
  const size = wide(view, 24)
  if (size % sectorBytes !== 0 || size > Number.MAX_SAFE_INTEGER) damaged(name, `its disk has ${size} bytes`)
  const header = {
    version,
    clusterBits,
    bytes: size,
    l1Offset: wide(view, 40),
    l1Entries: view.getUint32(36),
    backing: readBacking(store, view, 2 ** clusterBits),
  } as const
  checkL1(store, header)
  return header
}

/** A number of 64 bits; over 2^53 it is not exact. */
function wide(view: DataView, at: number): number {
  return view.getUint32(at) * 2 ** 32 + view.getUint32(at + 4)
}

function checkVersion3(name: string, view: DataView): void {
  if (view.byteLength < smallestV3) damaged(name, 'its header is cut off')
  const length = view.getUint32(100)
  if (length < smallestV3 || length % 8 !== 0) damaged(name, `its header has ${length} bytes`)
  const needed = view.getUint32(76)
  const unknown = (needed & ~(dirty | 0x1e)) >>> 0
  if (view.getUint32(72) !== 0 || unknown !== 0) unsupported(name, 'it has features that are not known')
  if (needed & features.corrupt) damaged(name, 'it is marked as corrupt')
  if (needed & features.externalData) unsupported(name, 'its data are in another file')
  if (needed & features.extendedL2) unsupported(name, 'it has subclusters')
  const compression = length > smallestV3 && view.byteLength > smallestV3 ? view.getUint8(104) : 0
  if (needed & features.compression || compression !== 0) unsupported(name, 'it is compressed by other means than zlib')
}

function checkL1(store: ByteStore, { clusterBits, bytes, l1Offset, l1Entries }: Qcow2Header): void {
  const covered = 2 ** clusterBits * 2 ** (clusterBits - 3)
  if (l1Entries > mostL1Entries || l1Entries * covered < bytes) {
    damaged(store.name, `its first-level table has ${l1Entries} entries for a disk of ${bytes} bytes`)
  }
  if (l1Offset % 2 ** clusterBits !== 0 || l1Offset + 8 * l1Entries > store.bytes) {
    damaged(store.name, `its first-level table is at byte ${l1Offset} of ${store.bytes}`)
  }
}

function readBacking(store: ByteStore, view: DataView, clusterBytes: number): string | undefined {
  const at = wide(view, 8)
  const length = view.getUint32(16)
  if (at === 0) return undefined
  if (length < 1 || length > longestName || at + length > Math.min(store.bytes, clusterBytes)) {
    damaged(store.name, `the name of the image below has ${length} bytes at byte ${at}`)
  }
  const bytes = new Uint8Array(length)
  store.read(at, bytes)
  return new TextDecoder().decode(bytes)
}

/** For what is wrong in an image. */
export function damaged(name: string, what: string): never {
  throw new VmexitError('block-image', {
    problem: `${name} is damaged: ${what}`,
    remedy: "check it with 'qemu-img check', or take another copy",
  })
}

function unsupported(name: string, what: string): never {
  throw new VmexitError('block-format', {
    problem: `${name} cannot be read: ${what}`,
    remedy: "convert it with 'qemu-img convert -O qcow2', or to a raw image with '-O raw'",
  })
}
