/** The programs under the kernel of this machine, if it runs i386 programs: checksums are to be the same on any. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { type ProgramName, programs, readProgram } from './index.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmexit-programs-'))
afterAll(() => rmSync(folder, { recursive: true }))
for (const { name } of programs) {
  writeFileSync(join(folder, name), readProgram(name))
  chmodSync(join(folder, name), 0o755)
}

const run = (name: ProgramName, ...words: string[]) =>
  spawnSync(join(folder, name), words, { cwd: folder, encoding: 'latin1', timeout: 60_000 })

/** Why a program cannot do its work here, if so. */
function obstacle(name: ProgramName): string | undefined {
  if (run('callret', '1').status !== 0) return 'this machine runs no i386 programs of Linux'
  return name === 'in' && run('in', '1').stderr?.includes('iopl') ? 'the kernel here grants no iopl' : undefined
}

for (const { name, defaultCount, checksum } of programs) {
  const reason = obstacle(name)
  const title = reason === undefined ? 'prints three lines, and its checksum' : `skipped: ${reason}`
  test.skipIf(reason !== undefined)(`${name} ${title}`, () => {
    const { status, stdout, stderr } = run(name)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const lines = [`@@begin ${name} ${defaultCount}`, `@@middle ${name}`, `@@end ${name} ${checksum}`]
    expect(stdout).toBe(lines.map((line) => `${line.padEnd(31)}\n`).join(''))
  })
}

const reason = obstacle('callret')
test.skipIf(reason !== undefined)(
  reason === undefined ? 'the number of repetitions can be given; what is none is refused' : `skipped: ${reason}`,
  () => {
    expect(run('fork', '3').stdout).toMatch(/^@@begin fork 3 /)
    for (const words of [['0'], ['-1'], ['3x'], [''], ['1431655766'], ['1', '2']]) {
      const { status, stdout, stderr } = run('fork', ...words)
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
      expect(stderr).toBe('fork: give one number, how often the work is done: from 1 to 1431655765\n')
    }
  },
)
