/** What a file looks like, for errors about files that are something else. */

const STARTS: readonly (readonly [name: string, offset: number, bytes: readonly number[]])[] = [
  ['compressed by gzip', 0, [0x1f, 0x8b]],
  ['compressed by xz', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['compressed by zstd', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['compressed by bzip2', 0, [0x42, 0x5a, 0x68]],
  ['an ELF file', 0, [0x7f, 0x45, 0x4c, 0x46]],
  ['a cpio archive', 0, [0x30, 0x37, 0x30, 0x37, 0x30]],
  ['a Debian package', 0, [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e]],
  ['a CD image', 0x8001, [0x43, 0x44, 0x30, 0x30, 0x31]],
  ['a program for UEFI or Windows', 0, [0x4d, 0x5a]],
  ['a boot sector', 510, [0x55, 0xaa]],
]

/** `compressed by gzip`; `empty`; `nothing that is known here`. */
export function looksLike(bytes: Uint8Array): string {
  if (bytes.length === 0) return 'empty'
  const found = STARTS.find(([, offset, start]) => start.every((byte, i) => bytes[offset + i] === byte))
  return found?.[0] ?? 'nothing that is known here'
}
