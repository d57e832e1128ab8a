/** `vmexit run-elf` and `vmexit strace` as programs of this machine. */
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readProgram } from '@vmexit/guests'
import { describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vmexit-'))
const program = join(folder, 'files')
writeFileSync(program, readProgram('files'))
chmodSync(program, 0o755)
mkdirSync(join(folder, 'root/bin'), { recursive: true })
writeFileSync(join(folder, 'root/bin/fork'), readProgram('fork'))
chmodSync(join(folder, 'root/bin/fork'), 0o755)

const text = join(folder, 'text')
writeFileSync(text, 'no program')
chmodSync(text, 0o755)

const vmexit = (...args: string[]) =>
  spawnSync(process.execPath, ['--conditions=@vmexit/source', main, ...args], { encoding: 'utf8', input: '' })

describe('vmexit run-elf', () => {
  it('runs a program of this machine, and ends with its exit code', () => {
    const { stdout, status } = vmexit('run-elf', program, '5')
    expect(stdout).toMatch(/@@end files [0-9a-f]{8}/)
    expect(status).toBe(0)
  })

  it('runs a program of a root folder, and gives output and counts as one object', () => {
    const { stdout, status } = vmexit(
      'run-elf',
      '--root',
      join(folder, 'root'),
      '--json',
      '--engine',
      'interpreter',
      'fork',
    )
    const told = JSON.parse(stdout)
    expect(told).toMatchObject({ status: 0, instructions: 19142, forks: 310, missing: {} })
    expect(told.output).toContain('@@end fork 00002212')
    expect(status).toBe(0)
  })

  it('gives the exit code through, and an error of its own for what is no program', () => {
    expect(vmexit('run-elf', '--root', join(folder, 'root'), '/bin/fork', 'x').status).toBe(1)
    const { stderr, status } = vmexit('run-elf', text)
    expect(stderr).toContain('cannot be executed (ENOEXEC)')
    expect(status).toBe(1)
  })
})

describe('vmexit strace', () => {
  it('prints each call as strace does', () => {
    const { stderr } = vmexit('strace', program, '1')
    expect(stderr).toMatch(/^execve\("|^write\(1, "@@begin files 1 +\\n", \d+\) += \d+$/m)
    expect(stderr).toMatch(/^open\("vmexit-files", O_RDWR\|O_TRUNC\|O_CREAT, 0600\) += 3$/m)
    expect(stderr).toMatch(/^open\("vmexit-files", O_RDWR, 00?\) += -1 ENOENT \(No such file or directory\)$/m)
    expect(stderr).toMatch(/\n\+\+\+ exited with 0 \+\+\+\n$/)
  })
})
