import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isVmexitError } from '@vmexit/core'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  Errno,
  type FileSystem,
  type Inode,
  Mode,
  Open,
  Stat,
  type TaskContext,
  TmpFs,
  toByteString,
  Vfs,
} from '../index.ts'
import { type HostVolume, hostDirectory, hostVolume } from './index.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder()
const time = { seconds: 1, nanoseconds: 0 }

let base: string
let path: string
let volume: HostVolume
let vfs: Vfs
let task: TaskContext
beforeEach(() => {
  base = mkdtempSync(join(realpathSync(tmpdir()), 'vmexit-volume-'))
  path = join(base, 'volume')
  mkdirSync(path)
  writeFileSync(join(base, 'secret'), 'secret')
  volume = hostVolume(path, { descriptors: 4 })
  vfs = new Vfs({ time })
  task = inside(volume)
})
afterEach(() => {
  volume[Symbol.dispose]()
  rmSync(base, { recursive: true })
})

/** A task at the root of a file system. */
function inside(fs: FileSystem): TaskContext {
  return vfs.newTask(vfs.newTree(fs))
}

function write(at: string, text: string, flags: number = Open.O_CREAT | Open.O_TRUNC, who = task): number {
  const file = vfs.open(who, null, toByteString(at), Open.O_WRONLY | flags, 0o644)
  if (typeof file === 'number') return file
  const count = vfs.write(who, file, encoder.encode(text))
  vfs.close(file)
  return count
}

function read(at: string, who = task): string | number {
  const file = vfs.open(who, null, toByteString(at), Open.O_RDONLY)
  if (typeof file === 'number') return file
  const into = new Uint8Array(1000)
  const count = vfs.read(file, into)
  vfs.close(file)
  return count < 0 ? count : decoder.decode(into.subarray(0, count))
}

function lookup(...names: string[]): Inode | number {
  let at: Inode | number = volume.root
  for (const name of names) at = typeof at === 'number' ? at : volume.lookup(at, name)
  return at
}

const descriptors = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).startsWith(base)
    } catch {
      return false
    }
  }).length

describe('what is written is on the host', () => {
  test('files, directories and links, with their permissions', () => {
    expect(write('/a', 'one')).toBe(3)
    expect(write('/a', ' two', Open.O_APPEND)).toBe(4)
    expect(vfs.mkdir(task, null, '/d', 0o750)).toBe(0)
    expect(vfs.symlink(task, '../anything', null, '/d/link')).toBe(0)
    expect(vfs.link(task, null, '/a', null, '/d/b')).toBe(0)
    expect(vfs.chmod(task, null, '/a', 0o4711)).toBe(0)
    expect(
      vfs.utimens(task, null, '/a', [
        { seconds: 5, nanoseconds: 0 },
        { seconds: 7, nanoseconds: 500_000_000 },
      ]),
    ).toBe(0)
    expect(readFileSync(join(path, 'a'), 'utf8')).toBe('one two')
    expect(statSync(join(path, 'd')).mode & 0o7777).toBe(0o750)
    expect(readlinkSync(join(path, 'd/link'))).toBe('../anything')
    const { mode, nlink, mtimeMs } = statSync(join(path, 'd/b'))
    expect([mode & 0o7777, nlink, mtimeMs]).toEqual([0o4711, 2, 7500])
    expect(vfs.rename(task, null, '/d', null, '/e')).toBe(0)
    expect(read('/e/b')).toBe('one two')
    expect(vfs.truncate(task, '/a', 3)).toBe(0)
    expect([vfs.unlink(task, null, '/a'), read('/e/b')]).toEqual([0, 'one'])
    expect([vfs.rmdir(task, null, '/e'), vfs.unlink(task, null, '/e/b'), vfs.unlink(task, null, '/e/link')]).toEqual([
      -Errno.ENOTEMPTY,
      0,
      0,
    ])
    expect(vfs.rmdir(task, null, '/e')).toBe(0)
    expect(readdirSync(path)).toEqual([])
  })

  test('names of any bytes, and the longest', () => {
    for (const name of ['\u00ff\u00fe', ' ', '-rf', '\n', 'x'.repeat(255)]) {
      const file = vfs.open(task, null, `/${name}`, Open.O_CREAT | Open.O_WRONLY, 0o600)
      expect(typeof file).not.toBe('number')
    }
    expect(readdirSync(path, { encoding: 'latin1' })).toContain('\u00ff\u00fe')
  })

  test.runIf(process.getuid?.() === 0)('owners, where this may give files away', () => {
    write('/f', '')
    expect(vfs.chown(task, null, '/f', 5, 6)).toBe(0)
    const { uid, gid } = statSync(join(path, 'f'))
    expect([uid, gid]).toEqual([5, 6])
  })

  test('a file without a name lives as long as it is open', () => {
    write('/f', 'text')
    const file = vfs.open(task, null, '/f', Open.O_RDWR)
    if (typeof file === 'number') throw new Error(`${file}`)
    expect(vfs.unlink(task, null, '/f')).toBe(0)
    for (let n = 0; n < 20; n++) write(`/other${n}`, 'x')
    expect(vfs.write(task, file, encoder.encode('TE'))).toBe(2)
    const into = new Uint8Array(4)
    expect([vfs.pread(file, into, 0, 4, 0), decoder.decode(into)]).toEqual([4, 'TExt'])
    vfs.close(file)
  })

  test('what is changed on the host is seen', () => {
    write('/f', 'ours')
    writeFileSync(join(path, 'f'), 'theirs, and longer')
    writeFileSync(join(path, 'g'), 'new')
    expect([read('/f'), read('/g')]).toEqual(['theirs, and longer', 'new'])
  })
})

describe('nothing leads out of it', () => {
  test('names that are none, asked of the file system itself', () => {
    mkdirSync(join(path, 'd'))
    for (const fs of [volume, hostDirectory(path)])
      for (const name of ['..', '.', '', '../secret', '/etc/passwd', 'd/../../secret', 'd\0'])
        expect(fs.lookup(fs.root, name)).toBe(-Errno.ENOENT)
    for (const name of ['..', '../x', 'd/x'])
      expect(volume.create(volume.root, name, Mode.IFREG | 0o600, 0, 0, 0)).toBe(-Errno.ENOENT)
    expect(readdirSync(base).sort()).toEqual(['secret', 'volume'])
  })

  test('symbolic links that the container makes', () => {
    const targets = ['../secret', join(base, 'secret'), '/proc/self/root/etc/passwd', '..', '/']
    for (const [n, target] of targets.entries()) {
      expect(vfs.symlink(task, toByteString(target), null, `/l${n}`)).toBe(0)
      // In the container's own tree there is no such thing.
      expect(read(`/l${n}`)).toSatisfy((answer) => typeof answer === 'number')
      expect(read(`/l${n}/secret`)).toSatisfy((answer) => typeof answer === 'number')
      expect(write(`/l${n}`, 'x', 0)).toBeLessThan(0)
    }
    expect(readFileSync(join(base, 'secret'), 'utf8')).toBe('secret')
  })

  test('a directory that becomes a link while it is held', () => {
    vfs.mkdir(task, null, '/d', 0o755)
    write('/d/secret', 'mine')
    const held = lookup('d')
    if (typeof held === 'number') throw new Error('no d')
    renameSync(join(path, 'd'), join(path, 'moved'))
    symlinkSync(base, join(path, 'd'))
    // Whoever holds it is in the directory that it was, and nowhere else.
    const found = volume.lookup(held, 'secret')
    if (typeof found !== 'number') {
      const into = new Uint8Array(10)
      expect(decoder.decode(into.subarray(0, volume.read(found, into, 0, 10, 0)))).toBe('mine')
    } else expect(found).toBe(-Errno.ESTALE)
    const made = volume.create(held, 'new', Mode.IFREG | 0o600, 0, 0, 0)
    expect(typeof made === 'number' ? made : 0).toSatisfy((answer) => answer === 0 || answer === -Errno.ESTALE)
    expect(existsSync(join(base, 'new'))).toBe(false)
    // By name there is a link now, which the host does not follow.
    expect(read('/d/secret')).toSatisfy((answer) => typeof answer === 'number')
  })

  test('directories on the way that are exchanged, a thousand times', () => {
    mkdirSync(join(base, 'outside/in'), { recursive: true })
    writeFileSync(join(base, 'outside/in/f'), 'OUT')
    mkdirSync(join(path, 'a/in'), { recursive: true })
    writeFileSync(join(path, 'a/in/f'), 'own')
    for (let n = 0; n < 1000; n++) {
      const isAway = n % 2 === 0
      const dir = lookup('a', 'in')
      if (isAway) {
        renameSync(join(path, 'a'), join(path, 'b'))
        symlinkSync(join(base, 'outside'), join(path, 'a'))
      }
      const file = typeof dir === 'number' ? dir : volume.lookup(dir, 'f')
      if (typeof file !== 'number') {
        const into = new Uint8Array(3)
        expect([volume.read(file, into, 0, 3, 0), decoder.decode(into)]).toEqual([3, 'own'])
        expect(volume.write(file, encoder.encode('own'), 0, 3, 0)).toBe(3)
      }
      if (isAway) {
        rmSync(join(path, 'a'))
        renameSync(join(path, 'b'), join(path, 'a'))
      }
    }
    expect(readFileSync(join(base, 'outside/in/f'), 'utf8')).toBe('OUT')
  })

  test('a tree as deep as the host makes it, of which nothing is held open', () => {
    const DEPTH = 1000
    const kept = hostVolume(path, { descriptors: 2 })
    let at = kept.root
    for (let n = 0; n < DEPTH; n++) {
      const below = kept.mkdir(at, 'd', 0o755, 0, 0)
      if (typeof below === 'number') throw new Error(`${n}: ${below}`)
      at = below
    }
    for (const name of ['a', 'b', 'c']) expect(typeof kept.mkdir(kept.root, name, 0o755, 0, 0)).toBe('object')
    for (const name of ['a', 'b', 'c']) kept.readdir(kept.lookup(kept.root, name) as Inode, 0, { entry: () => true })
    expect(kept.getattr(at, new Stat())).toBe(0)
    // (The root's of both volumes among them.)
    expect(descriptors()).toBeLessThan(8)
    expect(typeof kept.mkdir(at, 'last', 0o755, 0, 0)).toBe('object')
    kept[Symbol.dispose]()
    // (Node deletes by whole paths, which are too long.)
    execFileSync('rm', ['-rf', join(path, 'd')])
  })

  test('two directories of which each was once seen in the other', () => {
    expect([vfs.mkdir(task, null, '/a', 0o755), vfs.mkdir(task, null, '/a/b', 0o755)]).toEqual([0, 0])
    const [a, b] = [lookup('a') as Inode, lookup('a', 'b') as Inode]
    // Somebody else turns them round, while they are held here.
    renameSync(join(path, 'a/b'), join(path, 'b'))
    renameSync(join(path, 'a'), join(path, 'b/a'))
    expect(volume.lookup(b, 'a')).toBe(a)
    for (const name of ['1', '2', '3', '4', '5', '6']) {
      mkdirSync(join(path, name))
      volume.readdir(lookup(name) as Inode, 0, { entry: () => true })
    }
    expect(volume.getattr(a, new Stat())).toBe(-Errno.ESTALE)
    expect([lookup('b'), lookup('b', 'a'), volume.getattr(a, new Stat())]).toEqual([b, a, 0])
  })

  test('devices, FIFOs and sockets are not made, and not opened on the host', () => {
    for (const type of [Mode.IFCHR, Mode.IFBLK, Mode.IFIFO, Mode.IFSOCK])
      expect(vfs.mknod(task, null, '/node', type | 0o666, 0x10_0003)).toBe(-Errno.EPERM)
  })
})

test('read-only is read-only, also for who owns it', () => {
  write('/f', 'text')
  using fixed = hostVolume(path, { readOnly: true })
  const who = inside(fixed)
  expect(read('/f', who)).toBe('text')
  const { O_CREAT, O_TRUNC } = Open
  expect([write('/f', 'x', O_TRUNC, who), write('/g', 'x', O_CREAT, who)]).toEqual([-Errno.EROFS, -Errno.EROFS])
  expect([
    vfs.unlink(who, null, '/f'),
    vfs.mkdir(who, null, '/d', 0o755),
    vfs.chmod(who, null, '/f', 0),
    vfs.rename(who, null, '/f', null, '/g'),
    fixed.unlink(fixed.root, 'f'),
    fixed.setattr(fixed.root, { ...new Stat(), mask: 1, mode: 0 }),
  ]).toEqual(Array.from({ length: 6 }, () => -Errno.EROFS))
  expect(readdirSync(path)).toEqual(['f'])
})

test('one file is all that is seen of where it lies, and stays the one that it was', () => {
  writeFileSync(join(path, 'one'), 'first')
  writeFileSync(join(path, 'two'), 'other')
  using file = hostVolume(join(path, 'one'))
  expect(file.file).toBe('one')
  expect(file.lookup(file.root, 'two')).toBe(-Errno.ENOENT)
  const tree = vfs.newTree(new TmpFs({ time }))
  const who = vfs.newTask(tree)
  const own = vfs.newTask(vfs.newTree(file))
  write('/place', '', Open.O_CREAT, who)
  const from = vfs.lookup(own, null, '/one')
  const at = vfs.lookup(who, null, '/place')
  if (typeof from === 'number' || typeof at === 'number') throw new Error('not there')
  expect(typeof tree.bind(from, at, false)).not.toBe('number')
  expect(write('/place', 'FIRST', 0, who)).toBe(5)
  writeFileSync(join(path, 'new'), 'replaced')
  renameSync(join(path, 'new'), join(path, 'one'))
  expect(read('/place', who)).toBe('FIRST')
  expect(write('/place', 'again', 0, who)).toBe(5)
  expect(readFileSync(join(path, 'one'), 'utf8')).toBe('replaced')
  expect(file.unlink(file.root, 'one')).toBe(-Errno.EPERM)
})

test.runIf(process.platform === 'linux')('few files of the host are open, and none when it is disposed of', () => {
  for (let n = 0; n < 20; n++) {
    vfs.mkdir(task, null, `/d${n}`, 0o755)
    write(`/d${n}/f`, `${n}`)
  }
  for (let n = 0; n < 20; n++) expect(read(`/d${n}/f`)).toBe(`${n}`)
  expect(descriptors()).toBeLessThan(12)
  const own = hostVolume(path)
  own.lookup(own.root, 'd1')
  own[Symbol.dispose]()
  volume[Symbol.dispose]()
  expect(descriptors()).toBe(0)
  volume = hostVolume(path)
})

test('what is no directory and no file is refused, by name', () => {
  for (const name of [join(base, 'none'), '/dev/null'])
    expect(() => hostVolume(name)).toThrow(expect.toSatisfy((error) => isVmexitError(error, 'vfs-host')))
  chmodSync(path, 0o755)
  expect(lstatSync(path).isDirectory()).toBe(true)
})
