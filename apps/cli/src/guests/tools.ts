/**
 * Programs of Debian that make images, run from their unpacked packages: nothing is installed, and it does not matter
 * which release the host is of, since they bring the C library and the loader that they were linked for.
 */
import { existsSync, readdirSync } from 'node:fs'
import { basename, join } from 'node:path'
import { VmexitError } from '@vmexit/core'
import { must, type Run } from './run.ts'

/** The time that files of images bear, in seconds since 1970: the same packages give the same images. */
export const imageTime = 1_700_000_000

/** Runs `usr/bin/NAME` of the packages unpacked in `root`, and gives what it printed. Throws `guests-program`. */
export type Tool = (name: string, args: readonly string[]) => Promise<string>

/** The tools in a folder into which their packages and those of their libraries were unpacked. */
export function toolsIn(root: string, run: Run, signal?: AbortSignal): Tool {
  const env = { SOURCE_DATE_EPOCH: String(imageTime), MTOOLSRC: '/dev/null', MTOOLS_SKIP_CHECK: '1', TZ: 'UTC' }
  return (name, args) => {
    const program = join(root, 'usr/bin', name)
    const loader = findLoader(root)
    return must(
      run,
      `running Debian's ${name}`,
      loader,
      ['--library-path', libraries(root).join(':'), program, ...args],
      {
        env,
        ...(signal === undefined ? {} : { signal }),
      },
    )
  }
}

/** Debian's folders of libraries: `lib/x86_64-linux-gnu` and the like, and those above them. */
function libraries(root: string): string[] {
  return ['lib', 'usr/lib'].flatMap((lib) => {
    const folder = join(root, lib)
    if (!existsSync(folder)) return []
    const names = readdirSync(folder).filter((name) => name.endsWith('-linux-gnu') || name.includes('-linux-gnu'))
    return [...names.map((name) => join(folder, name)), folder]
  })
}

/** The dynamic loader that libc6 brings: `ld-linux-x86-64.so.2` or another architecture's. */
function findLoader(root: string): string {
  for (const folder of libraries(root)) {
    const name = readdirSync(folder).find((file) => /^ld-linux[^/]*\.so\.\d+$/.test(file))
    if (name !== undefined) return join(folder, name)
  }
  throw new VmexitError('guests-program', {
    problem: `the packages unpacked in ${basename(root)} have no dynamic loader`,
    remedy: 'delete libc6 from the packages folder, so that it is fetched anew',
  })
}
