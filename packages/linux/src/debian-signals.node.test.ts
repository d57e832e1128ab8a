/** SIGIO, as Debian's python3 sees it, against what a host with Linux 6.18 showed. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { debianPackages } from '../test/debian-packages.ts'
import { run } from '../test/run.ts'

const found = debianPackages()
const skipped = found ? '' : ' (skipped: `vmexit guests` has not fetched its packages)'
const read = (path: string): Buffer => readFileSync(new URL(`../test/${path}`, import.meta.url))

it.skipIf(found === undefined)(
  `owners of pipes, sockets, terminals and directories get a signal when there is something to do${skipped}`,
  () => {
    const { output, wrong } = run({
      files: { ...found, 'sigio.py': read('programs/sigio.py') },
      args: ['/usr/bin/python3.11', '/sigio.py'],
      engine: 'jit',
      most: 1e10,
      env: { PATH: '/usr/bin:/bin' },
    })
    expect(wrong).toEqual([])
    expect(output).toBe(read('recordings/sigio.txt').toString())
  },
  120_000,
)
