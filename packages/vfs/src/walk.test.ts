/** Path walk and openat2's resolve flags, with the cases of path_resolution(7) and openat2(2). */
import { describe, expect, test } from 'vitest'
import { Bench, ok, said } from '../test/bench.ts'
import { type FileSystem, type Inode, isSymlink, Mode, NOT_YET, Open, Resolve, Stat, TmpFs } from './index.ts'

const {
  RESOLVE_BENEATH,
  RESOLVE_CACHED,
  RESOLVE_IN_ROOT,
  RESOLVE_NO_MAGICLINKS,
  RESOLVE_NO_SYMLINKS,
  RESOLVE_NO_XDEV,
} = Resolve

/** /jail/{etc/passwd, abs -> /etc/passwd, up -> .., out -> ../etc/passwd, in -> etc/passwd}, /etc/passwd, a mount on /jail/mnt. */
function jail() {
  const bench = new Bench()
  bench.make('/etc/', '/etc/passwd', '/jail/', '/jail/etc/', '/jail/etc/passwd', '/jail/mnt/')
  bench.make('/jail/abs -> /etc/passwd', '/jail/up -> ..', '/jail/out -> ../etc/passwd', '/jail/in -> etc/passwd')
  ok(bench.vfs.mount(bench.task, bench.tmpfs(), '/jail/mnt'))
  bench.make('/jail/mnt/f', '/jail/mnt/back -> ../etc/passwd')
  return { bench, at: bench.open('/jail', Open.O_PATH) }
}

describe('openat2', () => {
  test.each([
    ['nothing', 0, { abs: '/etc/passwd', out: '/etc/passwd', in: '/jail/etc/passwd', '../etc/passwd': '/etc/passwd' }],
    [
      'RESOLVE_BENEATH refuses what leaves the directory, even for a moment',
      RESOLVE_BENEATH,
      {
        in: '/jail/etc/passwd',
        'etc/../etc/passwd': '/jail/etc/passwd',
        abs: 'EXDEV',
        out: 'EXDEV',
        up: 'EXDEV',
        '..': 'EXDEV',
        '../jail/etc/passwd': 'EXDEV',
        '/etc/passwd': 'EXDEV',
        'mnt/back': '/jail/etc/passwd',
        '.': 'directory',
      },
    ],
    [
      'RESOLVE_IN_ROOT takes the directory for the root',
      RESOLVE_IN_ROOT,
      {
        '/etc/passwd': '/jail/etc/passwd',
        abs: '/jail/etc/passwd',
        out: '/jail/etc/passwd',
        '../../etc/passwd': '/jail/etc/passwd',
        'up/etc/passwd': '/jail/etc/passwd',
        'mnt/../../../etc/passwd': '/jail/etc/passwd',
      },
    ],
    [
      'RESOLVE_NO_SYMLINKS follows none, at the end neither',
      RESOLVE_NO_SYMLINKS,
      { in: 'ELOOP', 'up/etc/passwd': 'ELOOP', 'etc/passwd': '/jail/etc/passwd' },
    ],
    [
      'RESOLVE_NO_XDEV crosses no mount, upwards neither',
      RESOLVE_NO_XDEV,
      { 'mnt/f': 'EXDEV', mnt: 'EXDEV', '../etc/passwd': '/etc/passwd', 'etc/passwd': '/jail/etc/passwd' },
    ],
    ['RESOLVE_CACHED asks no slow file system', RESOLVE_CACHED, { 'etc/passwd': '/jail/etc/passwd' }],
  ] as const)('%s', (_, resolve, expected) => {
    const { bench, at } = jail()
    const found = Object.keys(expected).map((path) => [path, bench.read(path, resolve, at)])
    expect(Object.fromEntries(found)).toEqual(expected)
  })

  test('flags that make no sense are EINVAL, and what cannot be cached is EAGAIN', () => {
    const { bench, at } = jail()
    expect(bench.read('in', RESOLVE_BENEATH | RESOLVE_IN_ROOT, at)).toBe('EINVAL')
    expect(bench.read('in', 64, at)).toBe('EINVAL')
    const { vfs, task } = bench
    for (const flags of [Open.O_CREAT, Open.O_TRUNC | Open.O_WRONLY, Open.O_TMPFILE | Open.O_RDWR]) {
      expect(said(vfs.open(task, at.path, 'in', flags, 0o644, RESOLVE_CACHED))).toBe('EAGAIN')
    }
  })

  test('RESOLVE_NO_XDEV from within a mount does not go up out of it', () => {
    const { bench } = jail()
    const mnt = bench.open('/jail/mnt', Open.O_PATH)
    expect(bench.read('../etc/passwd', RESOLVE_NO_XDEV, mnt)).toBe('EXDEV')
    expect(bench.read('f', RESOLVE_NO_XDEV, mnt)).toBe('/jail/mnt/f')
  })
})

describe('a walk', () => {
  test('goes over mounts down and up, and stops at the root of a chroot', () => {
    const { bench } = jail()
    expect(bench.read('/jail/mnt/../etc/passwd')).toBe('/jail/etc/passwd')
    expect(bench.read('/jail/mnt/back')).toBe('/jail/etc/passwd')
    const { vfs, task } = bench
    expect([vfs.chdir(task, null, '/jail/mnt'), vfs.getcwd(task)]).toEqual([0, '/jail/mnt'])
    expect([vfs.chroot(task, null, '/jail'), vfs.getcwd(task)]).toEqual([0, '/mnt'])
    expect([bench.read('/../etc/passwd'), bench.read('/abs')]).toEqual(['/jail/etc/passwd', '/jail/etc/passwd'])
    expect([vfs.chroot(task, null, '/etc'), vfs.getcwd(task)]).toEqual([0, '(unreachable)/jail/mnt'])
    // The working directory is outside of the root: `..` leads on to the real one.
    expect([vfs.chdir(task, null, '../..'), bench.read('etc/passwd')]).toEqual([0, '/etc/passwd'])
  })

  test('of O_CREAT follows links to what is not there, O_EXCL and O_NOFOLLOW do not', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/d/', '/l -> d/new', '/m -> nowhere/new')
    const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_PATH, O_RDWR } = Open
    expect(said(vfs.open(task, null, '/l', O_CREAT | O_EXCL, 0o644))).toBe('EEXIST')
    expect(said(vfs.open(task, null, '/l', O_CREAT | O_NOFOLLOW, 0o644))).toBe('ELOOP')
    expect(said(vfs.open(task, null, '/m', O_CREAT, 0o644))).toBe('ENOENT')
    expect(said(vfs.open(task, null, '/l', O_CREAT | O_RDWR, 0o644))).toBe('ok')
    expect(bench.stat('/d/new').mode & Mode.IFMT).toBe(Mode.IFREG)
    expect(said(vfs.open(task, null, '/l', O_NOFOLLOW))).toBe('ELOOP')
    expect(isSymlink(bench.open('/l', O_NOFOLLOW | O_PATH).inode.mode)).toBe(true)
    expect(said(vfs.open(task, null, '/l', O_DIRECTORY))).toBe('ENOTDIR')
    expect(said(vfs.open(task, null, '/d', O_CREAT | O_DIRECTORY, 0o644))).toBe('EINVAL')
    expect(said(vfs.open(task, null, '/d', O_RDWR))).toBe('EISDIR')
    expect(['/.', '/', '/d/..'].map((path) => said(vfs.open(task, null, path, O_CREAT, 0o644)))).toEqual([
      'EISDIR',
      'EISDIR',
      'EISDIR',
    ])
    expect(said(vfs.open(task, null, '/.', O_CREAT | O_EXCL, 0o644))).toBe('EEXIST')
  })

  test('finds nothing below a file, and looks for search permission before anything else', () => {
    const bench = new Bench()
    bench.make('/d/', '/d/f')
    ok(bench.vfs.chmod(bench.task, null, '/d', 0o700))
    const user = bench.user(1000)
    expect(bench.read('/d/f/x')).toBe('ENOTDIR')
    expect(bench.read('/d/f', 0, null, user)).toBe('EACCES')
    expect(bench.read(`/d/${'n'.repeat(256)}`, 0, null, user)).toBe('EACCES')
    expect(bench.read('/d/none/..', 0, null, user)).toBe('EACCES')
  })

  test('does not leave a trace where the file system says not yet, and goes on when it is asked again', () => {
    let ready = false
    class Remote extends TmpFs {
      override lookup(dir: Inode, name: string) {
        return ready ? super.lookup(dir as never, name) : NOT_YET
      }
    }
    const bench = new Bench({}, (time): FileSystem => new Remote({ time, mode: 0o755 }))
    bench.fs.create(bench.fs.root, 'f', Mode.IFREG | 0o644, 0, 0, 0)
    const { vfs, task } = bench
    expect(vfs.open(task, null, '/f', Open.O_RDONLY)).toBe(NOT_YET)
    expect(vfs.mkdir(task, null, '/d', 0o755)).toBe(NOT_YET)
    expect(vfs.rename(task, null, '/f', null, '/g')).toBe(NOT_YET)
    ready = true
    expect([said(vfs.rename(task, null, '/f', null, '/g')), said(vfs.mkdir(task, null, '/d', 0o755))]).toEqual([
      'ok',
      'ok',
    ])
  })

  test('follows magic links as far as they may be followed', () => {
    const bench = new Bench()
    bench.make('/proc/', '/d/', '/d/f')
    class Proc extends TmpFs {
      target: object | number = -1
      magicLink() {
        return this.target
      }
    }
    const proc = new Proc({ time: bench.time, mode: 0o755 })
    const { vfs, task } = bench
    ok(vfs.mount(task, proc, '/proc'))
    bench.make('/proc/self -> [magic]')
    proc.target = bench.open('/d', Open.O_PATH).path
    expect(bench.read('/proc/self/f')).toBe('/d/f')
    proc.target = bench.open('/d/f').path
    expect(bench.read('/proc/self')).toBe('/d/f')
    expect(said(vfs.open(task, null, '/proc/self', Open.O_CREAT | Open.O_WRONLY, 0o644))).toBe('ok')
    expect(bench.read('/proc/self/x')).toBe('ENOTDIR')
    expect(bench.read('/proc/self', RESOLVE_NO_MAGICLINKS)).toBe('ELOOP')
    expect(bench.read('proc/self', RESOLVE_IN_ROOT)).toBe('EXDEV')
  })

  test('remembers entries in its limits, and forgets none that are in use', () => {
    class Slow extends TmpFs {
      override readonly caching = 'entries'
      lookups = 0
      override lookup(dir: Inode, name: string) {
        this.lookups++
        return super.lookup(dir as never, name)
      }
    }
    const bench = new Bench({}, (time) => new Slow({ time, mode: 0o755 }))
    const slow = bench.fs as Slow
    bench.make('/f')
    slow.lookups = 0
    for (let i = 0; i < 5; i++) bench.read('/f')
    for (let i = 0; i < 5; i++) bench.read('/absent')
    expect(slow.lookups).toBe(1)
    expect(bench.read('/f', RESOLVE_CACHED)).toBe('/f')
    expect(bench.read('/unknown', RESOLVE_CACHED)).toBe('EAGAIN')
    const file = bench.open('/f')
    const stat = new Stat()
    for (let i = 0; i < 100_000; i++) bench.vfs.stat(bench.task, null, `/none${i}`, stat)
    bench.make('/d/')
    ok(bench.vfs.rename(bench.task, null, '/f', null, '/d/g'))
    expect(bench.vfs.pathName(bench.task, file.path)).toBe('/d/g')
  })
})
