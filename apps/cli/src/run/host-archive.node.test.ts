/** Archives that a container sends, which may be anything, and what this machine makes of them. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite } from '@vmexit/tar'
import { expect, onTestFinished, test } from 'vitest'
import { packHost, unpackHost } from './host-archive.ts'

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'vmexit-cp-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Entries of mode 0755 unless they say otherwise; a file says `new`. */
type Entry = Omit<TarEntryToWrite, 'mode'> & { readonly mode?: number }

async function* archive(...entries: readonly Entry[]): AsyncGenerator<Uint8Array> {
  for (const given of entries) {
    const entry = { mode: 0o755, ...given }
    const isFile = entry.type === 'file'
    yield encodeEntry(isFile ? { ...entry, size: 3 } : entry)
    if (isFile) yield* [new TextEncoder().encode('new'), paddingAfter(3)]
  }
  yield END_OF_ARCHIVE
}

const skipped: string[] = []
const how = { archive: false, skipped: (name: string) => void skipped.push(name) }

test('what goes out and comes in again is the same', async () => {
  const root = folder()
  mkdirSync(join(root, 'from/empty'), { recursive: true, mode: 0o750 })
  writeFileSync(join(root, 'from/f'), 'x'.repeat(300_000), { mode: 0o640 })
  symlinkSync('f', join(root, 'from/l'))
  const pieces = [...packHost(Buffer.from(join(root, 'from')), 'x', { archive: false, contents: false })]
  await unpackHost(
    (async function* () {
      yield* pieces
    })(),
    'x',
    Buffer.from(join(root, 'to')),
    how,
  )
  expect(readFileSync(join(root, 'to/f'), 'utf8')).toBe('x'.repeat(300_000))
  expect([lstatSync(join(root, 'to/f')).mode & 0o777, lstatSync(join(root, 'to/empty')).mode & 0o777]).toEqual([
    0o640, 0o750,
  ])
  expect(readlinkSync(join(root, 'to/l'))).toBe('f')
  expect(lstatSync(join(root, 'to/f')).mtimeMs).toBeCloseTo(lstatSync(join(root, 'from/f')).mtimeMs, 0)
})

test('no archive writes outside of its place, by whatever names and links', async () => {
  const root = folder()
  mkdirSync(join(root, 'outside'))
  const refused = async (...entries: readonly Entry[]): Promise<void> => {
    rmSync(join(root, 'to'), { recursive: true, force: true })
    const place = Buffer.from(join(root, 'to'))
    await expect(unpackHost(archive(...entries), 'x', place, how)).rejects.toMatchObject({ code: 'cp-archive' })
  }
  const top = { type: 'directory', name: 'x', mode: 0o755 } as const
  await refused(top, { type: 'file', name: 'x/../outside/f' })
  await refused(top, { type: 'file', name: '/x/f' })
  await refused(top, { type: 'file', name: 'y/f' })
  await refused(top, { type: 'symlink', name: 'x/l', target: '../outside' }, { type: 'file', name: 'x/l/f' })
  await refused(top, { type: 'hardlink', name: 'x/h', target: '../outside/f' })
  await refused(
    top,
    { type: 'symlink', name: 'x/l', target: '../outside' },
    { type: 'hardlink', name: 'x/h', target: 'x/l/f' },
  )
  const link = { type: 'symlink', name: 'x/l', target: '../outside' } as const
  for (const name of ['x/./l/f', 'x//l/f', './x/l/f']) await refused(top, link, { type: 'file', name })
  await refused(top, link, { type: 'hardlink', name: 'x/h', target: 'x/l' }, { type: 'file', name: 'x/h/f' })
  expect(lstatSync(join(root, 'outside')).nlink).toBe(2)
  expect(() => lstatSync(join(root, 'outside/f'))).toThrow('ENOENT')
})

test('what is in the way is replaced, but no folder by a file or the other way about', async () => {
  const root = folder()
  symlinkSync(join(root, 'elsewhere'), join(root, 'f'))
  writeFileSync(join(root, 'elsewhere'), 'old')
  await unpackHost(archive({ type: 'file', name: 'x', mode: 0o600 }), 'x', Buffer.from(join(root, 'f')), how)
  expect([readFileSync(join(root, 'f'), 'utf8'), readFileSync(join(root, 'elsewhere'), 'utf8')]).toEqual(['new', 'old'])
  mkdirSync(join(root, 'd'))
  const over = (place: string, type: 'file' | 'directory') =>
    unpackHost(archive({ type, name: 'x' }), 'x', Buffer.from(join(root, place)), how)
  await expect(over('d', 'file')).rejects.toThrow('a folder is in its place')
  await expect(over('f', 'directory')).rejects.toThrow('a file is in the place of a folder')
  await unpackHost(
    archive({ type: 'character', name: 'x', major: 1, minor: 3 }),
    'x',
    Buffer.from(join(root, 'n')),
    how,
  )
  expect(skipped).toEqual(['x'])
})
