/** The Multiboot header, and the kernel that it is part of (Multiboot Specification 0.6.96, 3.1). */
import { type Elf, isElf, readElf } from '@vmexit/elf'
import { refuse } from '../errors.ts'
import type { BootPiece } from '../image.ts'
import { loadKernelElf } from '../kernel-elf.ts'
import { looksLike } from '../look.ts'

/** What a kernel asks of its loader. */
export interface MultibootKernel {
  readonly pieces: readonly BootPiece[]
  readonly entry: number
  /** It wants to be told of the screen. */
  readonly wantsVideo: boolean
  /** The kernel as an ELF file, if it is loaded as one. */
  readonly elf: Elf | undefined
}

const MAGIC = 0x1bad_b002
/** The header is in the first 8192 bytes, on a multiple of 4. */
const SEARCHED = 8192
const MULTIBOOT_2 = 0xe852_50d6
/** Bits of the flags. Loaders must know all of the low 16. */
const WANTS_VIDEO = 1 << 2
const KNOWN = 0x0007
const HAS_ADDRESSES = 1 << 16
const AGAIN = 'get the file again, or link it anew'

/** @throws VmexitError `kernel-unknown`, `kernel-truncated`, `kernel-unsupported`, those of `@vmexit/elf`. */
export function readMultibootKernel(kernel: Uint8Array): MultibootKernel {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength)
  const header = findHeader(view)
  const flags = view.getUint32(header + 4, true)
  if ((flags & 0xffff & ~KNOWN) !== 0) {
    const bits = `0x${(flags & 0xffff & ~KNOWN).toString(16)}`
    refuse('kernel-unsupported', `the kernel requires Multiboot features ${bits}`, 'give one that requires bits 0 to 2')
  }
  const wantsVideo = (flags & WANTS_VIDEO) !== 0
  if ((flags & HAS_ADDRESSES) !== 0) return { ...loadByAddresses(kernel, view, header), wantsVideo, elf: undefined }
  if (!isElf(kernel)) {
    const what = `the Multiboot header has no addresses, and the kernel is ${looksLike(kernel)}`
    refuse('kernel-unknown', what, 'give an ELF file of 32 bits, or set bit 16 of the flags and give addresses')
  }
  const elf = readElf(kernel)
  return { ...loadKernelElf(elf), wantsVideo, elf }
}

/** The offset of the header. */
function findHeader(view: DataView): number {
  let second = false
  for (let at = 0; at + 12 <= Math.min(view.byteLength, SEARCHED); at += 4) {
    const magic = view.getUint32(at, true)
    second ||= magic === MULTIBOOT_2
    if (magic !== MAGIC) continue
    const sum = magic + view.getUint32(at + 4, true) + view.getUint32(at + 8, true)
    if (sum % 2 ** 32 === 0) return at
  }
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength)
  return second
    ? refuse('kernel-unsupported', 'the kernel is for Multiboot 2', 'give one with a header of Multiboot 1')
    : refuse(
        'kernel-unknown',
        `the kernel has no Multiboot header in its first ${SEARCHED} bytes; it is ${looksLike(bytes)}`,
        'give a kernel for Multiboot 1, not compressed',
      )
}

/** Without an ELF header, the kernel is one stretch of the file. */
function loadByAddresses(
  kernel: Uint8Array,
  view: DataView,
  header: number,
): Pick<MultibootKernel, 'pieces' | 'entry'> {
  if (header + 32 > kernel.length) refuse('kernel-truncated', 'the kernel ends within its Multiboot header', AGAIN)
  const [headerAddress, start, loadEnd, bssEnd, entry] = [12, 16, 20, 24, 28].map((at) => {
    return view.getUint32(header + at, true)
  }) as [number, number, number, number, number]
  const offset = header - (headerAddress - start)
  const length = loadEnd === 0 ? kernel.length - offset : loadEnd - start
  if (headerAddress < start || offset < 0 || length <= 0 || (bssEnd !== 0 && bssEnd < start + length)) {
    refuse('kernel-unsupported', 'the addresses in the Multiboot header contradict each other', AGAIN)
  }
  if (offset + length > kernel.length) {
    refuse('kernel-truncated', `the kernel has ${kernel.length} bytes, and ${offset + length} are to be loaded`, AGAIN)
  }
  const size = bssEnd === 0 ? length : bssEnd - start
  if (entry < start || entry >= start + size) {
    refuse('kernel-unsupported', `the kernel begins at 0x${entry.toString(16)}, where it has nothing`, AGAIN)
  }
  const bytes = kernel.subarray(offset, offset + length)
  return { entry, pieces: [{ name: 'kernel', address: start, bytes, size }] }
}
