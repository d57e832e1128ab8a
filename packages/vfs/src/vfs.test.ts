/** Open files, mounts in use and tasks, as programs meet them: open(2), lseek(2), write(2), mount(2), pivot_root(2), unshare(2). */
import { describe, expect, test } from 'vitest'
import { Bench, ok, said } from '../test/bench.ts'
import {
  At,
  byteStringOf,
  bytesOf,
  Errno,
  type File,
  Mode,
  MountFlag,
  makeDevice,
  Open,
  Seek,
  Stat,
  StatFs,
  toByteString,
  toText,
} from './index.ts'

const { O_APPEND, O_CREAT, O_EXCL, O_PATH, O_RDONLY, O_RDWR, O_TMPFILE, O_WRONLY } = Open

function contents(bench: Bench, file: File): string {
  const into = new Uint8Array(1000)
  return byteStringOf(into.subarray(0, bench.vfs.pread(file, into, 0, 1000, 0)))
}

function listed(bench: Bench, file: File): string[] {
  const names: string[] = []
  expect(bench.vfs.getdents(file, { entry: (name) => names.push(name) > 0 })).toBe(0)
  return names
}

describe('an open file', () => {
  test('has one position for all its descriptors, which pread and pwrite leave alone', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    const f = bench.open('/f', O_CREAT | O_RDWR)
    const twin = vfs.dup(f)
    expect([vfs.write(task, f, bytesOf('abc')), vfs.write(task, twin, bytesOf('def'))]).toEqual([3, 3])
    expect([vfs.pwrite(task, f, bytesOf('X'), 0, 1, 1), vfs.lseek(f, 0, Seek.SEEK_CUR)]).toEqual([1, 6])
    expect([vfs.lseek(f, -2, Seek.SEEK_END), vfs.read(twin, new Uint8Array(10)), contents(bench, f)]).toEqual([
      4,
      2,
      'aXcdef',
    ])
    expect([said(vfs.lseek(f, -1, Seek.SEEK_SET)), said(vfs.lseek(f, 0, 9)), vfs.lseek(f, 100, Seek.SEEK_SET)]).toEqual(
      ['EINVAL', 'EINVAL', 100],
    )
    expect([vfs.write(task, f, bytesOf('!')), contents(bench, f).length]).toEqual([1, 101])
    vfs.close(f)
    expect(vfs.write(task, twin, bytesOf('still'))).toBe(5)
  })

  test('with O_APPEND writes at the end, wherever it stands', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    const [a, b] = [bench.open('/f', O_CREAT | O_WRONLY | O_APPEND), bench.open('/f', O_RDWR | O_APPEND)]
    for (const [file, text] of [
      [a, 'one '],
      [b, 'two '],
      [a, 'three'],
    ] as const)
      vfs.write(task, file, bytesOf(text))
    vfs.pwrite(task, b, bytesOf('!'), 0, 1, 0)
    expect(contents(bench, b)).toBe('one two three!')
  })

  test('reads and writes only as it was opened', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/f', '/d/')
    const [reader, writer, path, dir] = [
      bench.open('/f', O_RDONLY),
      bench.open('/f', O_WRONLY),
      bench.open('/f', O_PATH),
      bench.open('/d', O_RDONLY),
    ]
    const one = new Uint8Array(1)
    expect(
      [vfs.write(task, reader, one), vfs.read(writer, one), vfs.read(path, one), vfs.read(dir, one)].map(said),
    ).toEqual(['EBADF', 'EBADF', 'EBADF', 'EISDIR'])
    expect(
      [vfs.ftruncate(task, reader, 0), vfs.ftruncate(task, path, 0), vfs.fallocate(task, reader, 0, 0, 1)].map(said),
    ).toEqual(['EINVAL', 'EBADF', 'EBADF'])
    expect(
      [vfs.lseek(path, 0, Seek.SEEK_SET), vfs.fsync(path), vfs.getdents(reader, { entry: () => true })].map(said),
    ).toEqual(['EBADF', 'EBADF', 'ENOTDIR'])
  })

  test('stops at the task’s limit: short first, then EFBIG', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    task.fileSizeLimit = 10
    const f = bench.open('/f', O_CREAT | O_RDWR)
    expect([vfs.write(task, f, new Uint8Array(20)), vfs.write(task, f, new Uint8Array(1))]).toEqual([10, -Errno.EFBIG])
    expect([vfs.ftruncate(task, f, 11), vfs.ftruncate(task, f, 9), vfs.truncate(task, '/f', 2 ** 53)]).toEqual([
      -Errno.EFBIG,
      0,
      -Errno.EFBIG,
    ])
  })

  test('that a program runs from is not written to, and none runs from what is open for writing', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/bin')
    const [program, writer] = [bench.open('/bin', O_RDONLY), bench.open('/bin', O_WRONLY)]
    expect(said(vfs.denyWriting(program))).toBe('ETXTBSY')
    vfs.close(writer)
    expect(vfs.denyWriting(program)).toBe(0)
    expect([said(vfs.open(task, null, '/bin', O_RDWR)), said(vfs.truncate(task, '/bin', 0))]).toEqual([
      'ETXTBSY',
      'ETXTBSY',
    ])
    vfs.allowWriting(program)
    expect(said(vfs.open(task, null, '/bin', O_RDWR))).toBe('ok')
  })

  test('made by O_TMPFILE gets a name by linkat with AT_EMPTY_PATH, unless O_EXCL', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/d/', '/f')
    const f = bench.open('/d', O_TMPFILE | O_RDWR)
    vfs.write(task, f, bytesOf('hello'))
    expect([listed(bench, bench.open('/d', O_RDONLY)), f.inode.nlink]).toEqual([['.', '..'], 0])
    expect([vfs.link(task, f.path, '', null, '/d/f', At.AT_EMPTY_PATH), bench.read('/d/f')]).toEqual([0, 'hello'])
    vfs.unlink(task, null, '/d/f')
    expect(said(vfs.link(task, f.path, '', null, '/d/f', At.AT_EMPTY_PATH))).toBe('ENOENT')
    const g = bench.open('/d', O_TMPFILE | O_RDWR | O_EXCL)
    expect(said(vfs.link(task, g.path, '', null, '/d/g', At.AT_EMPTY_PATH))).toBe('ENOENT')
    expect(
      [O_TMPFILE, O_TMPFILE | O_RDWR | O_CREAT].map((flags) => said(vfs.open(task, null, '/d', flags, 0o600))),
    ).toEqual(['EINVAL', 'EINVAL'])
    expect(said(vfs.open(task, null, '/f', O_TMPFILE | O_RDWR, 0o600))).toBe('ENOTDIR')
  })

  test('of a FIFO, a socket or a device is what the kernel makes of it, and without one ENXIO', () => {
    const bench = new Bench()
    for (const [name, mode] of [
      ['fifo', Mode.IFIFO],
      ['socket', Mode.IFSOCK],
      ['device', Mode.IFCHR],
    ] as const) {
      ok(bench.vfs.mknod(bench.task, null, `/${name}`, mode | 0o666, makeDevice(1, 3)))
      expect([bench.read(`/${name}`), bench.stat(`/${name}`).rdev]).toEqual([
        'ENXIO',
        name === 'device' ? makeDevice(1, 3) : 0,
      ])
    }
    expect(said(bench.vfs.open(bench.task, null, '/fifo', O_PATH))).toBe('ok')
    let released = 0
    const zero = {
      seekable: false,
      read: (into: Uint8Array, start: number, length: number) => {
        into.fill(7, start, start + length)
        return length
      },
      write: (_: Uint8Array, __: number, length: number) => length,
      release: () => released++,
    }
    const hooked = new Bench({ openSpecial: () => zero })
    ok(hooked.vfs.mknod(hooked.task, null, '/zero', Mode.IFCHR | 0o666, makeDevice(1, 5)))
    const file = hooked.open('/zero')
    const into = new Uint8Array(3)
    expect([hooked.vfs.read(file, into), [...into], said(hooked.vfs.lseek(file, 0, 0))]).toEqual([
      3,
      [7, 7, 7],
      'ESPIPE',
    ])
    expect(said(hooked.vfs.pread(file, into, 0, 3, 0))).toBe('ESPIPE')
    hooked.vfs.close(file)
    expect(released).toBe(1)
  })

  test('keeps its path through renames of it and above it, and says when it has none', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/a/', '/a/b/', '/a/b/f', '/c/')
    const f = bench.open('/a/b/f')
    vfs.rename(task, null, '/a/b/f', null, '/a/b/g')
    vfs.rename(task, null, '/a/b', null, '/c/d')
    expect(vfs.pathName(task, f.path)).toBe('/c/d/g')
    vfs.unlink(task, null, '/c/d/g')
    expect(vfs.pathName(task, f.path)).toBe('/c/d/g (deleted)')
    vfs.chdir(task, null, '/c/d')
    vfs.rmdir(task, null, '/c/d')
    expect(said(vfs.getcwd(task))).toBe('ENOENT')
  })
})

describe('a directory', () => {
  test('is listed with . and .., in pieces, and again from the beginning', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/d/', '/d/a', '/d/b/')
    const d = bench.open('/d', O_RDONLY)
    const entries: (readonly [string, number, number])[] = []
    for (let i = 0; i < 6; i++) {
      let room = 1
      vfs.getdents(d, { entry: (name, ino, type) => room-- > 0 && entries.push([name, ino, type]) > 0 })
    }
    const [root, dir, a, b] = ['/', '/d', '/d/a', '/d/b'].map((path) => bench.stat(path).ino)
    expect(entries).toEqual([
      ['.', dir, 4],
      ['..', root, 4],
      ['b', b, 4],
      ['a', a, 8],
    ])
    vfs.lseek(d, 0, Seek.SEEK_SET)
    expect(listed(bench, d)).toEqual(['.', '..', 'b', 'a'])
  })
})

describe('mounts', () => {
  test('show another file system until they are unmounted, which is EBUSY while they are in use', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/m/', '/m/below', '/f')
    ok(vfs.mount(task, bench.tmpfs(), '/m', { source: 'disk' }))
    bench.make('/m/f', '/m/sub/')
    expect([bench.read('/m/f'), bench.read('/m/below'), bench.stat('/m').dev === bench.stat('/').dev]).toEqual([
      '/m/f',
      'ENOENT',
      false,
    ])
    expect([vfs.rename(task, null, '/m/f', null, '/g'), vfs.link(task, null, '/m/f', null, '/g')].map(said)).toEqual([
      'EXDEV',
      'EXDEV',
    ])
    expect(
      [vfs.rmdir(task, null, '/m'), vfs.rename(task, null, '/m', null, '/n'), vfs.umount(task, '/m/sub')].map(said),
    ).toEqual(['EBUSY', 'EBUSY', 'EINVAL'])
    expect(said(vfs.mount(task, bench.tmpfs(), '/f'))).toBe('ENOTDIR')
    const f = bench.open('/m/f')
    expect(said(vfs.umount(task, '/m'))).toBe('EBUSY')
    vfs.close(f)
    const user = vfs.fork(task)
    vfs.chdir(user, null, '/m/sub')
    expect(said(vfs.umount(task, '/m'))).toBe('EBUSY')
    vfs.exit(user)
    expect([vfs.umount(task, '/m'), bench.read('/m/below'), said(vfs.umount(task, '/m'))]).toEqual([
      0,
      '/m/below',
      'EINVAL',
    ])
  })

  test('that go lazily stay usable for who is in them', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/m/')
    ok(vfs.mount(task, bench.tmpfs(), '/m'))
    bench.make('/m/f')
    const f = bench.open('/m/f')
    expect([vfs.umount(task, '/m', true), bench.read('/m/f'), contents(bench, f)]).toEqual([0, 'ENOENT', '/m/f'])
    expect(vfs.pathName(task, f.path)).toBe('(unreachable)/f')
  })

  test('of files, and of parts of file systems, see what they are bound to', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/d/', '/d/f', '/e', '/g/')
    ok(vfs.bind(task, '/d/f', '/e'))
    ok(vfs.bind(task, '/d', '/g'))
    expect([bench.read('/e'), bench.read('/g/f')]).toEqual(['/d/f', '/d/f'])
    vfs.truncate(task, '/e', 2)
    expect([bench.read('/d/f'), said(vfs.unlink(task, null, '/e')), bench.read('/g/../e')]).toEqual([
      '/d',
      'EBUSY',
      '/d',
    ])
    expect([vfs.rename(task, null, '/d/f', null, '/g/f2')].map(said)).toEqual(['EXDEV'])
    expect([vfs.umount(task, '/e'), bench.read('/e')]).toEqual([0, '/e'])
  })

  test('have one read-only view beside a writable one, and statfs of what is mounted', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/d/', '/ro/')
    ok(vfs.bind(task, '/d', '/ro')).flags |= MountFlag.RDONLY
    bench.make('/d/f')
    expect([bench.read('/ro/f'), said(vfs.unlink(task, null, '/ro/f'))]).toEqual(['/d/f', 'EROFS'])
    const stat = new StatFs()
    expect([vfs.statfs(task, '/ro', stat), stat.type]).toEqual([0, 0x0102_1994])
  })

  test('are a task’s own after unshare, and pivot_root puts another in the place of the root', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/new/', '/f')
    const inside = vfs.fork(task)
    vfs.unshareMounts(inside)
    ok(vfs.mount(inside, bench.tmpfs(), '/new'))
    ok(vfs.mkdir(inside, null, '/new/old', 0o755))
    expect([bench.read('/new/old'), bench.read('/new/old', 0, null, inside)]).toEqual(['ENOENT', 'directory'])
    const [root, old] = [ok(vfs.lookup(inside, null, '/new')), ok(vfs.lookup(inside, null, '/new/old'))]
    expect(inside.tree.pivot(root, old, inside.root)).toBe(0)
    expect([vfs.chroot(inside, root, '.'), vfs.chdir(inside, null, '/'), vfs.getcwd(inside)]).toEqual([0, 0, '/'])
    expect([bench.read('/old/f', 0, null, inside), bench.read('/f', 0, null, inside)]).toEqual(['/f', 'ENOENT'])
    expect([vfs.umount(inside, '/old', true), bench.read('/old/f', 0, null, inside), bench.read('/f')]).toEqual([
      0,
      'ENOENT',
      '/f',
    ])
  })
})

test('names in UTF-8 and names that are none both come back', () => {
  const bench = new Bench()
  const { vfs, task } = bench
  const [text, bytes] = [toByteString('naïve 🐧'), '\xff\x80']
  for (const name of [text, bytes]) ok(vfs.mkdir(task, null, name, 0o755))
  expect(listed(bench, bench.open('/', O_RDONLY)).sort()).toEqual(['.', '..', text, bytes].sort())
  expect([toText(text), vfs.stat(task, null, toByteString('naïve 🐧'), new Stat())]).toEqual(['naïve 🐧', 0])
})
