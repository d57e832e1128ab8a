/** Archives of the tars that people have: GNU's in all its formats, and Python's. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { collect } from '../test/collect.ts'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter } from './index.ts'

const hasTar = spawnSync('tar', ['--version']).stdout?.toString().includes('GNU tar') ?? false
const dir = mkdtempSync(join(tmpdir(), 'vmexit-tar-'))
afterAll(() => rmSync(dir, { recursive: true }))

const LONG = `deep/${'d'.repeat(90)}/${'n'.repeat(180)}`

/** A tree with a bit of everything. */
function makeTree(): void {
  const tree = join(dir, 'tree')
  mkdirSync(join(tree, 'deep', 'd'.repeat(90)), { recursive: true })
  writeFileSync(join(tree, 'plain'), 'hello')
  utimesSync(join(tree, 'plain'), 1, 1234567890.5)
  writeFileSync(join(tree, LONG), 'x'.repeat(1000))
  writeFileSync(join(tree, 'größe'), '')
  symlinkSync('plain', join(tree, 'link'))
  symlinkSync('t'.repeat(150), join(tree, 'longlink'))
  linkSync(join(tree, 'plain'), join(tree, 'zhard'))
  const sparse = openSync(join(tree, 'sparse'), 'w')
  for (let n = 0; n < 30; n++) writeSync(sparse, `piece ${n}`, n * 100_000)
  closeSync(sparse)
  truncateSync(join(tree, 'sparse'), 4_000_000)
}

describe.skipIf(!hasTar)('archives of GNU tar', () => {
  makeTree()
  const sparse = readFileSync(join(dir, 'tree/sparse'))

  it.each([
    ['ustar', []],
    ['gnu', ['--sparse']],
    ['oldgnu', ['--sparse']],
    ['posix', ['--sparse', '--sparse-version=0.0']],
    ['posix', ['--sparse', '--sparse-version=0.1']],
    ['posix', ['--sparse', '--sparse-version=1.0']],
  ])('are read in format %s %j', (format, more) => {
    const exclude = format === 'ustar' ? ['--exclude=*nnnn*', '--exclude=longlink'] : []
    const args = ['--sort=name', `--format=${format}`, ...exclude, ...more, '-C', join(dir, 'tree'), '-cf', '-', '.']
    const archive = execFileSync('tar', args, { maxBuffer: 1 << 26 })
    const found = new Map(collect(archive, 777).map((each) => [each.entry.name, each]))
    const text = (name: string): string => new TextDecoder().decode(found.get(name)?.data)
    expect(found.get('.')?.entry.type).toBe('directory')
    expect(found.get('./plain')?.entry).toMatchObject({ type: 'file', size: 5, mode: 0o644 })
    expect(text('./plain')).toBe('hello')
    expect(found.get('./plain')?.entry.modified.seconds).toBe(1234567890)
    expect(found.get('./zhard')?.entry).toMatchObject({ type: 'hardlink', target: './plain', size: 0 })
    expect(found.get('./link')?.entry).toMatchObject({ type: 'symlink', target: 'plain' })
    expect(found.get('./gr\u00c3\u00b6\u00c3\u009fe')?.entry.size).toBe(0)
    if (format !== 'ustar') {
      expect(text(`./${LONG}`)).toBe('x'.repeat(1000))
      expect(found.get('./longlink')?.entry.target).toBe('t'.repeat(150))
      expect(found.get('./sparse')?.entry.extents?.length).toBeGreaterThan(3)
    }
    expect(found.get('./sparse')?.entry.size).toBe(4_000_000)
    expect(Buffer.compare(found.get('./sparse')!.data, sparse)).toBe(0)
    if (format === 'posix') expect(found.get('./plain')?.entry.modified.nanoseconds).toBe(500_000_000)
  })

  it('of ours are read by it, names, times, owners, links and holes', () => {
    const bytes = new TextEncoder().encode('data behind a hole')
    const archive = Buffer.concat([
      encodeEntry({ type: 'directory', name: 'd', mode: 0o1777 }),
      encodeEntry({
        type: 'file',
        name: LONG,
        mode: 0o4755,
        size: 0,
        uid: 3_000_000,
        modified: { seconds: 86400, nanoseconds: 750_000_000 },
      }),
      encodeEntry({ type: 'hardlink', name: 'again', mode: 0o4755, target: LONG }),
      encodeEntry({ type: 'symlink', name: 'gr\u00c3\u00b6\u00c3\u009fe', mode: 0o777, target: 'x'.repeat(120) }),
      encodeEntry({
        type: 'file',
        name: 'holes',
        mode: 0o600,
        size: 5_000_000,
        extents: [{ position: 3_000_000, length: bytes.length }],
      }),
      bytes,
      paddingAfter(bytes.length),
      END_OF_ARCHIVE,
    ])
    const list = execFileSync('tar', ['--numeric-owner', '--full-time', '-tvf', '-'], {
      input: archive,
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C.UTF-8' },
    }).toString()
    expect(list).toContain('drwxrwxrwt 0/0')
    expect(list).toMatch(/-rwsr-xr-x 3000000\/0 +0 1970-01-02 00:00:00.75 deep/)
    expect(list).toContain(`again link to ${LONG}`)
    expect(list).toContain(`größe -> ${'x'.repeat(120)}`)
    const out = mkdtempSync(join(dir, 'out-'))
    execFileSync('tar', ['-C', out, '-xf', '-', 'holes'], { input: archive })
    const read = readFileSync(join(out, 'holes'))
    expect(read.length).toBe(5_000_000)
    expect(read.subarray(3_000_000, 3_000_018).toString()).toBe('data behind a hole')
  })
})

const hasPython = spawnSync('python3', ['--version']).status === 0

it.skipIf(!hasPython)('attributes and devices come through Python unharmed', () => {
  const program = `
import tarfile, io, sys
t = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=tarfile.PAX_FORMAT)
i = tarfile.TarInfo('null'); i.type = tarfile.CHRTYPE; i.devmajor, i.devminor = 1, 3; i.mode = 0o666
t.addfile(i)
i = tarfile.TarInfo('f'); i.size = 3; i.pax_headers = {'SCHILY.xattr.user.k': 'v=\\n1', 'uid': '4294967294'}
t.addfile(i, io.BytesIO(b'abc'))
t.close()`
  const [device, file] = collect(execFileSync('python3', ['-c', program]))
  expect(device!.entry).toMatchObject({ type: 'character', major: 1, minor: 3, mode: 0o666 })
  expect(file!.entry.uid).toBe(4294967294)
  expect(new TextDecoder().decode(file!.entry.attributes.get('user.k'))).toBe('v=\n1')
})
