/** `vmexit fs`, as a person uses it. */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeEntry } from '@vmexit/tar'
import { afterAll, describe, expect, test } from 'vitest'

const timeout = 60_000
const folder = mkdtempSync(join(tmpdir(), 'vmexit-fs-'))
afterAll(() => rmSync(folder, { recursive: true }))
const hasTar = spawnSync('tar', ['--version']).status === 0

/** Runs `vmexit fs` in the folder. */
async function fs(...args: string[]): Promise<{ code: unknown; out: string; said: string }> {
  const command = ['--conditions=@vmexit/source', join(import.meta.dirname, '..', 'main.ts'), 'fs', ...args]
  return await new Promise((resolve) => {
    const child = execFile(process.execPath, command, { cwd: folder }, (error, out, said) =>
      resolve({ code: error?.code ?? 0, out, said }),
    )
    child.stdin!.end()
  })
}

mkdirSync(join(folder, 'base/etc'), { recursive: true })
writeFileSync(join(folder, 'base/etc/motd'), 'hello\n')
writeFileSync(join(folder, 'base/etc/keep'), 'kept\n')
symlinkSync('motd', join(folder, 'base/etc/link'))
mkdirSync(join(folder, 'patch/etc'), { recursive: true })
writeFileSync(join(folder, 'patch/etc/.wh.keep'), '')
writeFileSync(join(folder, 'patch/etc/motd'), 'bye\n')

test('a directory is changed in memory alone, and the changes go on as a layer', { timeout }, async () => {
  const lines = ['rm etc/motd', 'write new "a b"', 'mv etc moved', 'diff']
  const { code, out, said } = await fs(
    'shell',
    'base',
    '--changes',
    'mine.tar.gz',
    ...lines.flatMap((each) => ['-c', each]),
  )
  expect({ code, said }).toEqual({ code: 0, said: '' })
  expect(out).toBe('D /etc\nA /moved\nA /moved/keep\nA /moved/link\nA /new\n')
  expect(readFileSync(join(folder, 'base/etc/motd'), 'utf8')).toBe('hello\n')
  const again = await fs('shell', 'base', '--changes', 'mine.tar.gz', '-c', 'ls', '-c', 'ls moved', '-c', 'cat new')
  expect(again.out).toBe('moved\nnew\nkeep\nlink\na b\n')
})

test('a text of several pieces comes out of the shell as it is', { timeout }, async () => {
  const text = 'xé'.repeat(50_000)
  writeFileSync(join(folder, 'base/text'), text)
  const { out } = await fs('shell', 'base', '-c', 'cat text')
  rmSync(join(folder, 'base/text'))
  expect(out === text).toBe(true)
})

test('names cannot write to a terminal what they like', { timeout }, async () => {
  mkdirSync(join(folder, 'odd'))
  writeFileSync(join(folder, 'odd/a\x1b[31m\nb\\é'), '')
  const shown = 'a\\033[31m\\012b\\é'
  expect((await fs('ls', 'odd')).out).toBe(`${shown}\n`)
  expect((await fs('diff', 'base', 'odd')).out).toBe(`A /${shown}\n`)
  expect((await fs('shell', 'odd', '-c', 'find')).out).toBe(`./${shown}\n`)
  expect((await fs('cat', 'odd', '/\x1b[31m')).said).toContain('cannot read /\\033[31m (ENOENT)')
  writeFileSync(join(folder, 'odd.tar'), encodeEntry({ type: 'file', name: '../\x1b[31m', mode: 0 }))
  expect((await fs('ls', 'odd.tar')).said).toContain("the name '../\\033[31m' leads upwards")
  expect(JSON.parse((await fs('ls', '--json', 'odd')).out)[0].name).toBe('a\x1b[31m\nb\\é')
})

test('what is refused is named, with the reason', { timeout }, async () => {
  expect((await fs('ls', 'nothing')).said).toContain("there is no layer 'nothing'")
  expect((await fs('cat', 'base', '/none')).said).toContain('cannot read /none (ENOENT)')
  expect((await fs('shell', 'base', '-c', 'frob')).said).toContain("there is no command 'frob'")
  expect((await fs('shell', 'base', '-c', 'constructor')).said).toContain("there is no command 'constructor'")
  expect((await fs('ls', '--frob')).said).toContain("vmexit: unknown option '--frob'")
  writeFileSync(join(folder, 'text.tar'), 'this is no archive, and is long enough to be looked at as one. '.repeat(20))
  const { code, said } = await fs('ls', 'text.tar')
  expect(code).toBe(1)
  expect(said).toContain('vmexit: text.tar: the archive is damaged')
})

test.skipIf(!existsSync('/dev/full'))('an output that is full is told in a line', { timeout }, async () => {
  const full = openSync('/dev/full', 'w')
  const args = ['--conditions=@vmexit/source', join(import.meta.dirname, '..', 'main.ts'), 'fs', 'export', 'base']
  const { status, stderr } = spawnSync(process.execPath, args, { cwd: folder, stdio: ['ignore', full, 'pipe'] })
  closeSync(full)
  expect({ status, said: `${stderr}` }).toEqual({
    status: 1,
    said: 'vmexit: ENOSPC: no space left on device, write\n',
  })
})

test('an export that is interrupted leaves nothing behind', { timeout }, async () => {
  mkdirSync(join(folder, 'large'))
  writeFileSync(join(folder, 'large/hole'), '')
  truncateSync(join(folder, 'large/hole'), 2 ** 36)
  const main = join(import.meta.dirname, '..', 'main.ts')
  const args = ['--conditions=@vmexit/source', main, 'fs', 'export', 'large', '-o', 'large.tar.gz']
  const child = spawn(process.execPath, args, { cwd: folder, stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  while (!existsSync(join(folder, 'large.tar.gz.part'))) await new Promise((resolve) => setTimeout(resolve, 50))
  child.kill('SIGINT')
  expect(await ended).toBe(130)
  expect(readdirSync(folder).filter((name) => name.startsWith('large.'))).toEqual([])
})

describe.skipIf(!hasTar)('archives', () => {
  test('are layers, in the order of an image', { timeout }, async () => {
    execFileSync('tar', ['-C', join(folder, 'base'), '-czf', join(folder, 'base.tar.gz'), '.'])
    execFileSync('tar', ['-C', join(folder, 'patch'), '-cf', join(folder, 'patch.tar'), '.'])
    expect((await fs('ls', '-R', 'base.tar.gz', 'patch.tar')).out).toBe('/etc\n/etc/link\n/etc/motd\n')
    expect((await fs('cat', 'base.tar.gz', 'patch.tar', '/etc/link')).out).toBe('bye\n')
    expect((await fs('diff', 'base.tar.gz', 'patch.tar')).out).toBe('C /etc\nD /etc/keep\nC /etc/motd\n')
    const [motd] = JSON.parse((await fs('ls', '--json', '--at', 'etc/motd', 'base', 'patch.tar')).out)
    expect(motd).toMatchObject({ type: 'file', size: 4, name: '/etc/motd' })
  })

  test('are exported whole, for any other tar', { timeout }, async () => {
    execFileSync('tar', ['-C', join(folder, 'patch'), '-cf', join(folder, 'patch.tar'), '.'])
    expect((await fs('export', 'base', 'patch.tar', '-o', 'all.tar.gz')).code).toBe(0)
    const list = execFileSync('tar', ['-tzf', join(folder, 'all.tar.gz')]).toString()
    expect(list).toBe('etc/\netc/link\netc/motd\n')
  })
})
