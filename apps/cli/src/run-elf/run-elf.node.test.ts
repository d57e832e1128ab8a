/** `vmexit run-elf` and `vmexit strace` as programs of this machine. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { readProgram } from '@vmexit/guests'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from '@vmexit/tar'
import { describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../main.ts', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vmexit-'))
const program = join(folder, 'files')
writeFileSync(program, readProgram('files'))
chmodSync(program, 0o755)
mkdirSync(join(folder, 'root/bin'), { recursive: true })
writeFileSync(join(folder, 'root/bin/fork'), readProgram('fork'))
chmodSync(join(folder, 'root/bin/fork'), 0o755)

const busybox = join(homedir(), '.cache/vmexit/guests/busybox/initramfs.gz')

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

  it('runs a program of a tar archive, compressed or not, with the files of a folder laid over it', () => {
    const fork = readProgram('fork')
    const archive = Buffer.concat([
      encodeEntry({ type: 'directory', name: './bin', mode: 0o755 }),
      encodeEntry({ type: 'symlink', name: 'sbin', target: 'bin', mode: 0o777 }),
      encodeEntry({ type: 'file', name: 'bin/it', mode: 0o755, size: fork.length }),
      fork,
      paddingAfter(fork.length),
      END_OF_ARCHIVE,
    ])
    writeFileSync(join(folder, 'root.tar'), archive)
    writeFileSync(join(folder, 'root.tgz'), gzipSync(archive))
    mkdirSync(join(folder, 'over/bin'), { recursive: true })
    writeFileSync(join(folder, 'over/bin/it'), readProgram('files'))
    chmodSync(join(folder, 'over/bin/it'), 0o755)
    symlinkSync('bin', join(folder, 'over/sbin'))
    for (const name of ['root.tar', 'root.tgz'])
      expect(vmexit('run-elf', '--root', join(folder, name), '/sbin/it').stdout).toContain('@@end fork')
    symlinkSync('over', join(folder, 'link'))
    const roots = ['--root', join(folder, 'root.tar'), '--root', join(folder, 'link')]
    expect(vmexit('run-elf', ...roots, '/sbin/it', '1').stdout).toContain('@@end files')
  })

  it('gives the exit code through, and an error of its own for what is no program', () => {
    expect(vmexit('run-elf', '--root', join(folder, 'root'), '/bin/fork', 'x').status).toBe(1)
    const { stderr, status } = vmexit('run-elf', text)
    expect(stderr).toContain('cannot be executed (ENOEXEC)')
    expect(status).toBe(1)
  })
})

describe.skipIf(!existsSync(busybox))('what comes from outside', () => {
  it.skipIf(process.platform !== 'linux')('names a file of the folder that cannot be read, and what to do', () => {
    const { stderr, status } = vmexit('run-elf', '--root', '/proc/self', '/bin/true')
    expect([status, stderr]).toEqual([
      1,
      expect.stringMatching(/\/proc\/self\/.* cannot be read \(E[A-Z]+\): .*unmount/),
    ])
  })

  it('is waited for no longer than it can come: a program that nobody wakes is told of', () => {
    const { stderr, status } = vmexit('run-elf', '--root', busybox, '/bin/busybox', 'sh', '-c', 'kill -STOP $$')
    expect(stderr).toBe('vmexit: the program waits for what cannot come any more\n')
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
