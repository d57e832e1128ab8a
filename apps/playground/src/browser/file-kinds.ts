/** Which of the files that were dropped is the kernel, and which the initramfs: by how they begin. */
import { failure } from './problem.ts'

/** What a file can be booted as. */
export type FileKind = 'kernel' | 'initrd'

/** Bytes of a file that are enough to tell. */
const telling = 0x206

const text = (bytes: Uint8Array, at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length))

/** The beginnings of archives, plain or compressed (Linux, `lib/decompress.c`). */
const archives = [
  '070701',
  '070702',
  '\x1f\x8b',
  '\xfd7zXZ',
  '\x28\xb5\x2f\xfd',
  'BZh',
  '\x5d\0\0',
  '\x89LZO',
  '\x02!L\x18',
]

/**
 * By the first 0x206 bytes: a kernel with the header of the Linux boot protocol (Documentation/arch/x86/boot.rst)
 * or an ELF file, or an archive; undefined for anything else.
 */
export function kindOf(bytes: Uint8Array): FileKind | undefined {
  if (text(bytes, 0x202, 4) === 'HdrS' || text(bytes, 0, 4) === '\x7fELF') return 'kernel'
  if (archives.some((start) => text(bytes, 0, start.length) === start)) return 'initrd'
  return undefined
}

/** Whether a kernel is to be booted by Multiboot 1: its header stands in the first 8192 bytes, on a multiple of 4. */
export function isMultiboot(kernel: Uint8Array): boolean {
  const view = new DataView(kernel.buffer, kernel.byteOffset, kernel.byteLength)
  for (let at = 0; at + 12 <= Math.min(kernel.length, 8192); at += 4) {
    const [magic, flags, sum] = [0, 4, 8].map((offset) => view.getUint32(at + offset, true))
    if (magic === 0x1bad_b002 && ((magic + flags! + sum!) & 0xffff_ffff) === 0) return true
  }
  return false
}

/** The files by kind. Throws a `VmexitError` for one that is neither, or a second one of a kind. */
export async function sortFiles(files: Iterable<File>): Promise<Partial<Record<FileKind, File>>> {
  const sorted: Partial<Record<FileKind, File>> = {}
  for (const file of files) {
    const kind = kindOf(new Uint8Array(await file.slice(0, telling).arrayBuffer()))
    if (kind === undefined) {
      throw failure(
        `${file.name} is neither a Linux kernel (a bzImage or a vmlinux) nor an initramfs`,
        'drop a vmlinuz, and the initramfs that belongs to it',
      )
    }
    const other = sorted[kind]
    if (other !== undefined) {
      const what = kind === 'kernel' ? 'kernels' : 'initramfs archives'
      throw failure(`${other.name} and ${file.name} are both ${what}`, 'drop one of them')
    }
    sorted[kind] = file
  }
  return sorted
}
