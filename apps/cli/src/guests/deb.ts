/** Package files (deb(5)): an `ar` archive of `debian-binary`, `control.tar.*` and `data.tar.*`. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { must, type Run } from './run.ts'

/**
 * The members of an `ar` archive in its common format: 8 bytes of magic, then headers of 60 bytes with the name in the
 * first 16, the size in decimal at 48, and each member padded to an even length. A damaged archive ends early.
 */
export function arMembers(archive: Uint8Array): { name: string; bytes: Uint8Array }[] {
  const text = (from: number, length: number) => Buffer.from(archive.subarray(from, from + length)).toString('latin1')
  const members: { name: string; bytes: Uint8Array }[] = []
  if (text(0, 8) !== '!<arch>\n') return members
  for (let at = 8; at + 60 <= archive.length; ) {
    const size = Number.parseInt(text(at + 48, 10).trim(), 10)
    if (text(at + 58, 2) !== '`\n' || !(size >= 0) || at + 60 + size > archive.length) break
    members.push({ name: text(at, 16).trim().replace(/\/$/, ''), bytes: archive.subarray(at + 60, at + 60 + size) })
    at += 60 + size + (size & 1)
  }
  return members
}

/**
 * Unpacks the files of a package into a folder, which is made. Uses `dpkg-deb`; where there is none, `tar`, which must
 * then know the compression of the package (`.xz`).
 */
export async function unpackDeb(run: Run, deb: string, into: string, signal?: AbortSignal): Promise<void> {
  mkdirSync(into, { recursive: true })
  const options = signal === undefined ? {} : { signal }
  const { code } = await run('dpkg-deb', ['-x', deb, into], options)
  if (code === 0) return
  if (code !== undefined) throw damaged(deb)
  const data = arMembers(readFileSync(deb)).find(({ name }) => name.startsWith('data.tar'))
  if (data === undefined) throw damaged(deb)
  const tarball = join(into, data.name)
  writeFileSync(tarball, data.bytes)
  try {
    await must(run, `unpacking ${basename(deb)}`, 'tar', ['-xf', tarball, '-C', into], options)
  } finally {
    rmSync(tarball, { force: true })
  }
}

/** Unpacks the two archives of a package, control files and files, from their compression, into the given files. Needs `dpkg-deb`. */
export async function uncompressDeb(
  run: Run,
  deb: string,
  { control, data }: { readonly control: string; readonly data: string },
  signal?: AbortSignal,
): Promise<void> {
  const script = 'dpkg-deb --ctrl-tarfile "$1" >"$2" && dpkg-deb --fsys-tarfile "$1" >"$3"'
  const options = signal === undefined ? {} : { signal }
  await must(run, `uncompressing ${basename(deb)}`, 'sh', ['-c', script, 'sh', deb, control, data], options)
}

function damaged(deb: string): VmexitError {
  return new VmexitError('guests-deb', {
    problem: `${deb} is not a whole Debian package`,
    remedy: 'delete it, and it is fetched anew (or bring it again)',
  })
}
