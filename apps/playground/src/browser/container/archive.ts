/** Files that people have as the tar archive that an image is made of. */
import { type CpioEntry, readCpio } from '@vmexit/boot'
import { programs, readProgram } from '@vmexit/guests'
import { treeArchive } from '@vmexit/image'
import { failure } from '../problem.ts'

/** What a file is: `image` holds images, `tree` is a root file system, `initramfs` a cpio archive, `program` an ELF file. */
export type FileKind = 'image' | 'tree' | 'initramfs' | 'program'

const text = (bytes: Uint8Array, at: number, length: number) => String.fromCharCode(...bytes.subarray(at, at + length))

/** The bytes, unpacked if gzip has packed them. Other compressions stay: images know them. */
export async function unpacked(bytes: Uint8Array): Promise<Uint8Array<ArrayBuffer>> {
  const copy = new Uint8Array(bytes)
  if (text(bytes, 0, 2) !== '\x1f\x8b') return copy
  const stream = new Blob([copy]).stream().pipeThrough(new DecompressionStream('gzip'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

/** By its first bytes and, of a tar archive, its names. Throws a `VmexitError` for anything else. */
export function kindOfFile(name: string, bytes: Uint8Array): FileKind {
  if (text(bytes, 0, 4) === '\x7fELF') return 'program'
  if (/^07070[12]/.test(text(bytes, 0, 6))) return 'initramfs'
  if (text(bytes, 257, 5) === 'ustar') return namesOf(bytes).some(isOfImage) ? 'image' : 'tree'
  throw failure(
    `${name} is no image, no tar archive, no initramfs and no program`,
    'choose what `docker save` or `skopeo copy` writes, a root file system as .tar or .tar.gz, or a static i386 program such as busybox',
  )
}

const isOfImage = (name: string) => /^(\.\/)?(manifest\.json|oci-layout)$/.test(name)

/** Names of entries, by their headers alone. */
function namesOf(archive: Uint8Array): string[] {
  const names: string[] = []
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    names.push(text(archive, at, 100).replace(/\0.*$/s, ''))
    const size = Number.parseInt(text(archive, at + 124, 12), 8) || 0
    at += 512 + Math.ceil(size / 512) * 512
  }
  return names
}

/** The programs of `@vmexit/guests` in /bin. */
export function programTree(): Generator<Uint8Array> {
  return treeArchive([
    { kind: 'directory', path: 'bin' },
    ...[...programs.map(({ name }) => name), 'sh' as const].map(
      (name): CpioEntry => ({ kind: 'file', path: `bin/${name}`, mode: 0o755, bytes: readProgram(name) }),
    ),
  ])
}

/** One program, in /bin. Busybox is a shell as well. */
export function treeOfProgram(name: string, bytes: Uint8Array): Generator<Uint8Array> {
  const link = { kind: 'link', path: 'bin/sh', target: `bin/${name}` } as const
  return treeArchive([
    { kind: 'directory', path: 'bin' },
    { kind: 'file', path: `bin/${name}`, mode: 0o755, bytes },
    ...(name === 'sh' ? [] : [link]),
  ])
}

/** An initramfs, without its devices: containers have their own. */
export function treeOfInitramfs(bytes: Uint8Array): Generator<Uint8Array> {
  return treeArchive(readCpio(bytes))
}
