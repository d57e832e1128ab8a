import { Volume } from 'memfs'
import { describe, expect, test } from 'vitest'
import {
  Change,
  Changes,
  Errno,
  Fallocate,
  FIRST_COOKIE,
  type FileSystem,
  type Inode,
  Mode,
  makeDevice,
  Rename,
  Seek,
  SettableTime,
  Stat,
  Vfs,
} from '../index.ts'
import { memfsFileSystem } from './index.ts'

const { IFREG, IFCHR } = Mode

function mounted(json: Record<string, string | null> = {}) {
  const volume = Volume.fromJSON(json)
  const time = new SettableTime(1_700_000_000, 123_456_789)
  return { volume, time, fs: memfsFileSystem(volume, { time }) }
}

function found(answer: Inode | number): Inode {
  if (typeof answer === 'number') throw new Error(`answered ${answer}`)
  return answer
}

function at(fs: FileSystem, ...names: string[]): Inode {
  return names.reduce((dir, name) => found(fs.lookup(dir, name)), fs.root)
}

function statOf(fs: FileSystem, inode: Inode): Stat {
  const stat = new Stat()
  expect(fs.getattr(inode, stat)).toBe(0)
  return stat
}

function list(fs: FileSystem, dir: Inode, cookie = FIRST_COOKIE, most = Number.POSITIVE_INFINITY) {
  const names: string[] = []
  let last = cookie
  fs.readdir(dir, cookie, {
    entry(name, _ino, _type, next) {
      if (names.length >= most) return false
      names.push(name)
      last = next
      return true
    },
  })
  return { names, last }
}

const bytes = (text: string) => new TextEncoder().encode(text)

describe('what is made through the file system, memfs has', () => {
  test('files with contents, mode, owner and times', () => {
    const { volume, fs } = mounted()
    const file = found(fs.create(fs.root, 'f', IFREG | 0o644, 1000, 100, 0))
    expect(fs.write(file, bytes('xhellox'), 1, 5, 2)).toBe(5)
    expect([...(volume.readFileSync('/f') as Uint8Array)]).toEqual([0, 0, ...bytes('hello')])
    const stat = volume.statSync('/f', { bigint: false })
    expect(stat).toMatchObject({ mode: IFREG | 0o644, uid: 1000, gid: 100, size: 7, nlink: 1, ino: file.ino })
    expect(stat.mtimeMs).toBe(1_700_000_000_123)
    expect(stat.birthtime.getTime()).toBe(1_700_000_000_123)
  })

  test('directories, symbolic links, hard links and device nodes', () => {
    const { volume, fs } = mounted()
    const dir = found(fs.mkdir(fs.root, 'd', 0o755, 1, 2))
    found(fs.symlink(dir, 'l', 'f', 0, 0))
    const file = found(fs.create(dir, 'f', IFREG | 0o644, 0, 0, 0))
    fs.write(file, bytes('x'), 0, 1, 0)
    expect(fs.link(file, fs.root, 'g')).toBe(0)
    found(fs.create(dir, 'null', IFCHR | 0o666, 0, 0, makeDevice(259, 0x12345)))
    expect(volume.readFileSync('/d/l', 'utf8')).toBe('x')
    expect(volume.readFileSync('/g', 'utf8')).toBe('x')
    expect(volume.statSync('/g', { bigint: false }).nlink).toBe(2)
    expect(volume.statSync('/d/null', { bigint: false }).rdev).toBe(0x123 * 0x10_0000 + 0x1_0345)
    expect(statOf(fs, at(fs, 'd', 'null')).rdev).toBe(makeDevice(259, 0x12345))
    expect(volume.readdirSync('/d')).toEqual(['f', 'l', 'null'])
  })

  test('renames: the paths of what lies below follow', () => {
    const { volume, fs } = mounted({ '/a/b/c': 'x', '/d/e': 'old' })
    const [a, d] = [at(fs, 'a'), at(fs, 'd')]
    expect(fs.rename(a, 'b', d, 'B', 0, 0, 0)).toBe(0)
    expect(volume.readFileSync('/d/B/c', 'utf8')).toBe('x')
    expect(volume.realpathSync('/d/B/c')).toBe('/d/B/c')
    expect(a.nlink).toBe(2)
    expect(d.nlink).toBe(3)
    expect(fs.rename(d, 'B', d, 'e', Rename.RENAME_EXCHANGE, 0, 0)).toBe(0)
    expect(volume.readFileSync('/d/B', 'utf8')).toBe('old')
    expect(volume.readFileSync('/d/e/c', 'utf8')).toBe('x')
  })

  test('no inode is left behind, and one that is open keeps its data', () => {
    const { volume, fs } = mounted()
    const before = Object.keys(volume._core.inodes).length
    const file = found(fs.create(fs.root, 'f', IFREG | 0o644, 0, 0, 0))
    fs.open(file, 0)
    fs.write(file, bytes('kept'), 0, 4, 0)
    found(fs.create(fs.root, 'g', IFREG | 0o644, 0, 0, 0))
    found(fs.mkdir(fs.root, 'd', 0o755, 0, 0))
    expect(fs.rename(fs.root, 'g', fs.root, 'f', 0, 0, 0)).toBe(0)
    expect(fs.unlink(fs.root, 'f')).toBe(0)
    expect(fs.rmdir(fs.root, 'd')).toBe(0)
    const into = new Uint8Array(4)
    expect(fs.read(file, into, 0, 4, 0)).toBe(4)
    expect([...into]).toEqual([...bytes('kept')])
    expect(Object.keys(volume._core.inodes).length).toBe(before + 1)
    fs.release(file)
    expect(Object.keys(volume._core.inodes).length).toBe(before)
  })

  test('memfs’s watchers are told', () => {
    const { volume, fs } = mounted({ '/d': null })
    const seen: string[] = []
    const watcher = volume.watch('/', { recursive: true }, (type: string, name: string) => seen.push(`${type} ${name}`))
    const file = found(fs.create(at(fs, 'd'), 'f', IFREG | 0o644, 0, 0, 0))
    fs.write(file, bytes('x'), 0, 1, 0)
    fs.rename(at(fs, 'd'), 'f', fs.root, 'g', 0, 0, 0)
    fs.unlink(fs.root, 'g')
    watcher.close()
    expect(seen).toEqual(['rename d/f', 'change d/f', 'rename d/f', 'rename g', 'rename g'])
  })
})

describe('what memfs changes meanwhile is seen', () => {
  test('entries that come, go and change', () => {
    const { volume, fs } = mounted({ '/a': '1' })
    const a = at(fs, 'a')
    expect(fs.revalidate!(fs.root, 'a', a)).toBe(1)
    expect(fs.revalidate!(fs.root, 'b', null)).toBe(1)
    volume.writeFileSync('/b', '2')
    volume.renameSync('/b', '/a')
    volume.mkdirSync('/d')
    expect(fs.revalidate!(fs.root, 'a', a)).toBe(0)
    expect(fs.revalidate!(fs.root, 'd', null)).toBe(0)
    expect(list(fs, fs.root).names.sort()).toEqual(['a', 'd'])
    expect(fs.root.nlink).toBe(3)
    volume.rmdirSync('/d')
    expect(fs.root.nlink).toBe(2)
    expect(a.nlink).toBe(1)
  })

  test('a directory that memfs has removed has no links, and a file that it has unlinked still its data', () => {
    const { volume, fs } = mounted({ '/d/f': 'data' })
    const [dir, file] = [at(fs, 'd'), at(fs, 'd', 'f')]
    fs.open(file, 0)
    volume.unlinkSync('/d/f')
    volume.rmdirSync('/d')
    expect([dir.nlink, file.nlink]).toEqual([0, 0])
    expect(fs.read(file, new Uint8Array(4), 0, 4, 0)).toBe(4)
    fs.release(file)
    const made = [1, 2, 3].map((n) => found(fs.create(fs.root, `${n}`, IFREG | 0o644, 0, 0, 0)).ino)
    expect(new Set(made).size).toBe(3)
  })

  test('by a layer above that remembers entries: removed, replaced and renamed directories', () => {
    const { volume, time, fs } = mounted({ '/a/b/f': '1', '/c/f': '2' })
    const vfs = new Vfs({ time })
    const task = vfs.newTask(vfs.newTree(fs))
    const stat = new Stat()
    const size = (path: string) => vfs.stat(task, null, path, stat) || stat.size
    expect([size('/a/b/f'), size('/c/f'), size('/none')]).toEqual([1, 1, -Errno.ENOENT])
    volume.renameSync('/a/b', '/moved')
    volume.writeFileSync('/c/f', '22')
    volume.writeFileSync('/none', '333')
    expect([size('/a/b/f'), size('/moved/f'), size('/c/f'), size('/none')]).toEqual([-Errno.ENOENT, 1, 2, 3])
    expect(vfs.chdir(task, null, '/c')).toBe(0)
    volume.rmSync('/c', { recursive: true })
    expect(vfs.mkdir(task, null, 'd', 0o755)).toBe(-Errno.ENOENT)
    expect(vfs.rename(task, null, '/none', null, 'd')).toBe(-Errno.ENOENT)
    expect(volume.readdirSync('/')).toEqual(['a', 'moved', 'none'])
  })

  test('its times replace those that are kept, and nanoseconds stay where it set none', () => {
    const { volume, time, fs } = mounted({ '/f': '' })
    const file = at(fs, 'f')
    const changes = Object.assign(new Changes(), { mask: Change.ATIME | Change.MTIME })
    Object.assign(changes, { atimeSeconds: 1, atimeNanoseconds: 2, mtimeSeconds: -3, mtimeNanoseconds: 999_999_999 })
    time.advance(1)
    expect(fs.setattr(file, changes)).toBe(0)
    const stat = statOf(fs, file)
    expect([stat.atimeSeconds, stat.atimeNanoseconds]).toEqual([1, 2])
    expect([stat.mtimeSeconds, stat.mtimeNanoseconds]).toEqual([-3, 999_999_999])
    expect([stat.ctimeSeconds, stat.ctimeNanoseconds]).toEqual([1_700_000_001, 123_456_789])
    expect(volume.statSync('/f', { bigint: false }).mtimeMs).toBe(-2001)
    volume.utimesSync('/f', 5, 6.5)
    const after = statOf(fs, file)
    expect([after.mtimeSeconds, after.mtimeNanoseconds]).toEqual([6, 500_000_000])
  })
})

describe('what memfs has no place for', () => {
  test('extended attributes belong to the file under each of its names', () => {
    const { fs } = mounted({ '/f': '' })
    const value = new Uint8Array([0, 255])
    expect(fs.setxattr(at(fs, 'f'), 'user.a', value, 0)).toBe(0)
    fs.link(at(fs, 'f'), fs.root, 'g')
    fs.rename(fs.root, 'f', fs.root, 'h', 0, 0, 0)
    expect(fs.getxattr(at(fs, 'g'), 'user.a')).toEqual(value)
    expect(fs.listxattr(at(fs, 'h'))).toEqual(['user.a'])
    expect(fs.removexattr(at(fs, 'g'), 'user.a')).toBe(0)
    expect(fs.getxattr(at(fs, 'h'), 'user.a')).toBe(-Errno.ENODATA)
  })

  test('names and targets of any bytes, each for itself', () => {
    const { volume, fs } = mounted()
    const names = ['\xff', '\xc3\xa9', '\xe9', '\xed\xb2\x80', 'a\x80\xe2\x82\xac', '\xf0\x9f\x98\x80', '\xef\xbb\xbfx']
    for (const name of names) found(fs.symlink(fs.root, name, `${name}/x`, 0, 0))
    expect(list(fs, fs.root).names).toEqual(names)
    for (const name of names) expect(fs.readlink(at(fs, name))).toBe(`${name}/x`)
    expect(volume.readlinkSync('/é')).toBe('é/x')
    expect(volume.readdirSync('/')).toContain('😀')
  })

  test('a listing goes on where it stopped, whatever came and went', () => {
    const { volume, fs } = mounted(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`/f${i}`, ''])))
    const first = list(fs, fs.root, FIRST_COOKIE, 50)
    for (let i = 0; i < 100; i += 2) volume.unlinkSync(`/f${i}`)
    for (let i = 1; i < 50; i += 4) fs.unlink(fs.root, `f${i}`)
    volume.writeFileSync('/new', '')
    const rest = list(fs, fs.root, first.last)
    expect(rest.names.filter((name) => name !== 'new')).toEqual(Array.from({ length: 25 }, (_, i) => `f${51 + 2 * i}`))
    expect(new Set([...first.names, ...rest.names]).size).toBe(first.names.length + rest.names.length)
  })

  test('a file that ends in a large hole takes no memory, and is as long as it says', () => {
    const { volume, fs } = mounted()
    const file = found(fs.create(fs.root, 'f', IFREG | 0o644, 0, 0, 0))
    fs.write(file, bytes('data'), 0, 4, 0)
    expect(fs.truncate(file, 999_999_999_999)).toBe(0)
    expect(file.size).toBe(999_999_999_999)
    expect(statOf(fs, file).blocks).toBe(8)
    const into = new Uint8Array(8).fill(1)
    expect(fs.read(file, into, 0, 8, 2)).toBe(8)
    expect([...into]).toEqual([...bytes('ta'), 0, 0, 0, 0, 0, 0])
    expect(fs.seek(file, 0, Seek.SEEK_HOLE)).toBe(4)
    expect(fs.seek(file, 5, Seek.SEEK_DATA)).toBe(-Errno.ENXIO)
    expect(fs.write(file, bytes('x'), 0, 1, 2 ** 40 - 1e12)).toBe(-Errno.ENOSPC)
    fs.write(file, bytes('x'), 0, 1, 9)
    expect(file.size).toBe(999_999_999_999)
    expect(volume.statSync('/f', { bigint: false }).size).toBe(10)
    volume.appendFileSync('/f', 'memfs')
    expect(file.size).toBe(15)
  })

  test('ranges are zeroed and sizes set beforehand', () => {
    const { volume, fs } = mounted({ '/f': '123456' })
    const { FALLOC_FL_KEEP_SIZE, FALLOC_FL_PUNCH_HOLE, FALLOC_FL_COLLAPSE_RANGE } = Fallocate
    expect(fs.fallocate(at(fs, 'f'), FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, 1, 2)).toBe(0)
    expect(fs.fallocate(at(fs, 'f'), 0, 4, 4)).toBe(0)
    expect(fs.fallocate(at(fs, 'f'), FALLOC_FL_COLLAPSE_RANGE, 0, 4)).toBe(-Errno.EOPNOTSUPP)
    expect(volume.readFileSync('/f', 'utf8')).toBe('1\0\x00456\0\0')
  })
})
