import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { ended, folder, programs, put } from '../../test/guests.ts'
import { createApt } from './apt.ts'
import type { Outcome } from './run.ts'

const outOfStep = ended(
  100,
  '',
  'E: Failed to fetch http://x/Packages.xz  File has unexpected size (1 != 2). Mirror sync in progress? [IP: 192.0.2.1 80]\n',
)

async function apt(aptGet: (args: readonly string[], cwd: string | undefined) => Outcome, show = '') {
  const directory = folder()
  const said = { waits: [] as number[], warnings: [] as string[], asked: [] as string[] }
  // The keys are there already, as after an earlier run, wherever this test runs.
  put(join(directory, 'keyring/usr/share/keyrings/debian-archive-keyring.gpg'), 'keys')
  const run = programs({
    'apt-get': aptGet,
    'apt-cache': (args) => {
      said.asked.push(args.at(-1) ?? '')
      return ended(0, show)
    },
  })
  const created = await createApt({
    directory,
    host: 'amd64',
    run,
    progress: () => {},
    warn: (line) => said.warnings.push(line),
    pause: async (milliseconds) => void said.waits.push(milliseconds),
    configuration: join(directory, 'no-etc'),
  })
  return { ...created, said, directory }
}

test('a mirror that is out of step for a moment is asked again', async () => {
  let attempts = 0
  const { update, said } = await apt(() => (++attempts < 3 ? outOfStep : ended(0)))
  await update(async () => false)
  expect(said).toMatchObject({ waits: [2000, 5000], warnings: [] })
})

test('a mirror that stays out of step does not stop us if the other indices have all that is wanted', async () => {
  const { update, said } = await apt(() => outOfStep)
  await update(async () => true)
  expect(said.waits).toEqual([2000, 5000])
  expect(said.warnings).toEqual([expect.stringContaining('Mirror sync in progress?)')])
})

test('a network that fails, of which apt only warns, is tried again too', async () => {
  let attempts = 0
  const warned = ended(0, '', 'W: Failed to fetch http://x/InRelease  Connection timed out\n')
  const { update, said } = await apt(() => (++attempts < 2 ? warned : ended(0, '', 'W: Target is configured twice\n')))
  await update(async () => false)
  expect(said.waits).toEqual([2000])
})

test('without indices at all, the error says what apt said', async () => {
  const { update, said } = await apt(() => outOfStep)
  await expect(update(async () => false)).rejects.toMatchObject({
    code: 'guests-indices',
    message: expect.stringContaining('File has unexpected size (1 != 2)'),
  })
  expect(said.waits).toHaveLength(4)
})

test('apt works in a folder of its own, with indices for i386 beside those of the host', async () => {
  const calls: (readonly string[])[] = []
  const { update, directory } = await apt((args) => {
    calls.push(args)
    return ended(0)
  })
  await update(async () => true)
  expect(calls).toEqual([['-c', join(directory, 'apt.conf'), 'update']])
  const conf = readFileSync(join(directory, 'apt.conf'), 'utf8')
  expect(conf).toContain('APT::Architectures { "amd64"; "i386"; };')
  for (const line of conf.split('\n').filter((one) => one.startsWith('Dir::'))) {
    expect(line).toMatch(line.includes('/dev/null') ? /"\/dev\/null";$/ : directory)
  }
  expect(existsSync(join(directory, 'lists/partial'))).toBe(true)
})

test('packages of all architectures are found beside those of one', async () => {
  const show = [
    'Package: seabios\nVersion: 1.16\nArchitecture: all\n',
    'Package: libc6\nVersion: 2.36\nArchitecture: i386\n',
    'Package: libc6\nVersion: 2.36\nArchitecture: amd64\n',
  ].join('\n')
  const { records } = await apt(() => ended(0), show)
  const wanted = [
    { name: 'seabios', architecture: 'amd64' },
    { name: 'libc6', architecture: 'i386' },
    { name: 'gone', architecture: 'i386' },
  ]
  const found = await records(wanted)
  expect(found.map((versions) => versions.map(({ architecture }) => architecture))).toEqual([['all'], ['i386'], []])
})

test('a package that comes in half is not left where whole ones are', async () => {
  const target = folder()
  let failing = true
  const { download } = await apt((args, cwd) => {
    const name = args.at(-1) ?? ''
    writeFileSync(join(cwd ?? '', `${name.replace(/[:=].*/, '')}_1_i386.deb`), failing ? 'hal' : 'whole')
    return failing ? ended(100, '', 'E: Hash Sum mismatch\n') : ended(0)
  })
  const record = { name: 'a', version: '1', architecture: 'i386', dependencies: [], needs: [], provides: [] }
  expect(await download([record], target)).toBe('Hash Sum mismatch')
  expect(readdirSync(target)).toEqual([])
  failing = false
  expect(await download([record], target)).toBeUndefined()
  expect(readdirSync(target)).toEqual(['a_1_i386.deb'])
})
