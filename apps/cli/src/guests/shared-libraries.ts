/** Programs with the shared libraries that they need, for a root file system without a package manager. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CpioEntry } from '@vmexit/boot'
import { VmexitError } from '@vmexit/core'
import { neededLibraries } from './elf-sections.ts'

/** Debian's folders for libraries of i386 (the multiarch triplet), where its dynamic loader looks too. */
const folders = ['lib/i386-linux-gnu', 'usr/lib/i386-linux-gnu', 'lib', 'usr/lib']

/** Where the kernel looks for the dynamic loader of i386 programs (System V ABI, Intel386 supplement). */
const loader = 'lib/ld-linux.so.2'

/**
 * The programs (path in the archive → file) and all libraries that they are linked with, found in `roots`, folders of
 * unpacked packages, with the dynamic loader. Throws `guests-library` if one is not there.
 */
export function libraryClosure(programs: Readonly<Record<string, string>>, roots: readonly string[]): CpioEntry[] {
  const entries: CpioEntry[] = []
  const wanted: { name: string; by: string }[] = [{ name: 'ld-linux.so.2', by: 'every program' }]
  const add = (path: string, name: string, file: string) => {
    const bytes = readFileSync(file)
    entries.push({ path, kind: 'file', mode: 0o755, bytes })
    for (const need of neededLibraries(bytes)) wanted.push({ name: need, by: name })
  }
  for (const [path, file] of Object.entries(programs)) add(path, path, file)
  const seen = new Set<string>()
  for (const { name, by } of wanted) {
    if (seen.has(name)) continue
    seen.add(name)
    const file = roots
      .flatMap((root) => folders.map((folder) => join(root, folder, name)))
      .find((candidate) => existsSync(candidate))
    if (file === undefined) {
      throw new VmexitError('guests-library', {
        problem: `${by} needs ${name}, which none of the unpacked packages has`,
        remedy: 'fetch the packages anew with --refresh',
      })
    }
    add(name === 'ld-linux.so.2' ? loader : `${folders[0]}/${name}`, name, file)
  }
  return entries
}
