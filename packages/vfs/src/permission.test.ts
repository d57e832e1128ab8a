/** Who may do what: path_resolution(7), inode(7), capabilities(7), xattr(7), and the calls' own pages. */
import { describe, expect, test } from 'vitest'
import { Bench, ok, said } from '../test/bench.ts'
import { Access, At, bytesOf, Capability, type Credentials, MountFlag, Open, UTIME_NOW, UTIME_OMIT } from './index.ts'

const { O_CREAT, O_NOATIME, O_RDONLY, O_RDWR, O_TRUNC, O_WRONLY } = Open

/** User 1000 with some capabilities. */
function capable(...capabilities: readonly number[]): Credentials {
  return { uid: 1000, gid: 1000, groups: [], has: (capability) => capabilities.includes(capability) }
}

describe('permission bits', () => {
  test('are the owner’s, else the group’s, else those of others: the first that fits decides', () => {
    const bench = new Bench()
    bench.make('/f')
    ok(bench.vfs.chown(bench.task, null, '/f', 1, 2))
    ok(bench.vfs.chmod(bench.task, null, '/f', 0o047))
    const may = (task: ReturnType<Bench['user']>) => bench.read('/f', 0, null, task)
    expect([may(bench.user(1, 2)), may(bench.user(3, 2)), may(bench.user(3, 3, [9, 2])), may(bench.user(3))]).toEqual([
      'EACCES',
      '/f',
      '/f',
      '/f',
    ])
    expect(said(bench.vfs.open(bench.user(3, 2), null, '/f', O_WRONLY))).toBe('EACCES')
    expect(said(bench.vfs.open(bench.user(3), null, '/f', O_RDWR))).toBe('ok')
  })

  test('are overridden by capabilities, but nobody runs what has no x', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/d/', '/d/f')
    ok(vfs.chmod(bench.task, null, '/d/f', 0))
    ok(vfs.chmod(bench.task, null, '/d', 0))
    const task = bench.user(1000)
    const tries = () => [
      said(vfs.access(task, null, '/d/f', Access.R_OK)),
      said(vfs.access(task, null, '/d/f', Access.W_OK)),
      said(vfs.access(task, null, '/d/f', Access.X_OK)),
      said(vfs.mkdir(task, null, '/d/x', 0o755)),
    ]
    expect(tries()).toEqual(['EACCES', 'EACCES', 'EACCES', 'EACCES'])
    task.credentials = capable(Capability.DAC_READ_SEARCH)
    expect(tries()).toEqual(['ok', 'EACCES', 'EACCES', 'EACCES'])
    task.credentials = capable(Capability.DAC_OVERRIDE)
    expect(tries()).toEqual(['ok', 'ok', 'EACCES', 'ok'])
  })

  test('O_TRUNC asks for writing, of FIFOs too', () => {
    const bench = new Bench()
    ok(bench.vfs.mknod(bench.task, null, '/p', 0o010644))
    expect(said(bench.vfs.open(bench.user(1), null, '/p', O_RDONLY | O_TRUNC))).toBe('EACCES')
  })

  test('links of others are not followed in /tmp, nor made to their files, if the layer is told to protect them', () => {
    for (const protect of [false, true]) {
      const bench = new Bench({}, undefined, { protectedHardlinks: protect, protectedSymlinks: protect })
      const { vfs } = bench
      bench.make('/tmp/', '/f')
      ok(vfs.chmod(bench.task, null, '/tmp', 0o1777))
      const [a, b] = [bench.user(1), bench.user(2)]
      ok(vfs.symlink(a, '/f', null, '/tmp/l'))
      const answers = [
        bench.read('/tmp/l', 0, null, a),
        bench.read('/tmp/l', 0, null, b),
        said(vfs.link(b, null, '/f', null, '/tmp/f')),
      ]
      expect(answers).toEqual(protect ? ['/f', 'EACCES', 'EPERM'] : ['/f', '/f', 'ok'])
    }
  })

  test('access asks for the real user, and AT_EACCESS for the effective one', () => {
    const bench = new Bench()
    bench.make('/f')
    ok(bench.vfs.chmod(bench.task, null, '/f', 0o600))
    bench.task.realCredentials = bench.user(1000).credentials
    expect(said(bench.vfs.access(bench.task, null, '/f', Access.R_OK))).toBe('EACCES')
    expect(said(bench.vfs.access(bench.task, null, '/f', Access.R_OK, At.AT_EACCESS))).toBe('ok')
  })

  test('a sticky directory keeps entries for their owners, its own owner, and CAP_FOWNER', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/tmp/')
    ok(vfs.chmod(bench.task, null, '/tmp', 0o1777))
    ok(vfs.chown(bench.task, null, '/tmp', 5, 5))
    const remove = (as: Credentials) => {
      bench.make('/tmp/f')
      ok(vfs.chown(bench.task, null, '/tmp/f', 6, 6))
      const task = bench.user(1)
      task.credentials = as
      const answers = [said(vfs.rename(task, null, '/tmp/f', null, '/tmp/f2')), said(vfs.unlink(task, null, '/tmp/f2'))]
      vfs.unlink(bench.task, null, '/tmp/f')
      return answers
    }
    expect(remove(bench.user(7).credentials)).toEqual(['EPERM', 'ENOENT'])
    expect(remove(bench.user(6).credentials)).toEqual(['ok', 'ok'])
    expect(remove(bench.user(5).credentials)).toEqual(['ok', 'ok'])
    expect(remove(capable(Capability.FOWNER))).toEqual(['ok', 'ok'])
  })
})

describe('owners', () => {
  test('chown is for CAP_CHOWN; an owner may give a file to a group of its own', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/f')
    ok(vfs.chown(bench.task, null, '/f', 1000, 1000))
    const task = bench.user(1000, 1000, [50])
    const give = (uid: number, gid: number) => said(vfs.chown(task, null, '/f', uid, gid))
    expect([give(1000, 50), give(-1, 50), give(-1, 60), give(0, -1), give(-1, -1)]).toEqual([
      'ok',
      'ok',
      'EPERM',
      'EPERM',
      'ok',
    ])
    expect(said(vfs.chown(bench.user(1), null, '/f', -1, -1))).toBe('ok')
    // Even that takes set-id bits away, which is the owner's to do.
    ok(vfs.chmod(bench.task, null, '/f', 0o4755))
    expect(said(vfs.chown(bench.user(1), null, '/f', -1, -1))).toBe('EPERM')
    ok(vfs.chmod(bench.task, null, '/f', 0o755))
    task.credentials = capable(Capability.CHOWN)
    expect(give(0, 60)).toBe('ok')
  })

  test('a new owner loses set-id bits, whoever gives the file; a directory keeps them', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/f', '/d/')
    for (const path of ['/f', '/d']) {
      ok(vfs.chmod(task, null, path, 0o6755))
      ok(vfs.chown(task, null, path, 1, 1))
    }
    expect([bench.stat('/f').mode & 0o7777, bench.stat('/d').mode & 0o7777]).toEqual([0o755, 0o6755])
  })

  test('chmod is for the owner, who gets no set-group-id for a foreign group', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/f')
    ok(vfs.chown(bench.task, null, '/f', 1000, 7))
    const task = bench.user(1000)
    expect([said(vfs.chmod(task, null, '/f', 0o6777)), bench.stat('/f').mode & 0o7777]).toEqual(['ok', 0o4777])
    expect(said(vfs.chmod(bench.user(1001), null, '/f', 0o644))).toBe('EPERM')
    task.credentials = capable(Capability.FSETID)
    expect([said(vfs.chmod(task, null, '/f', 0o6777)), bench.stat('/f').mode & 0o7777]).toEqual(['ok', 0o6777])
  })

  test('a set-group-id directory hands its group down, and to directories the bit', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/d/')
    ok(vfs.chown(bench.task, null, '/d', 0, 77))
    ok(vfs.chmod(bench.task, null, '/d', 0o2777))
    const task = bench.user(1000)
    ok(vfs.mkdir(task, null, '/d/sub', 0o755))
    ok(vfs.open(task, null, '/d/f', O_CREAT, 0o2775))
    const [sub, f] = [bench.stat('/d/sub'), bench.stat('/d/f')]
    expect([sub.gid, sub.mode & 0o7777, sub.uid]).toEqual([77, 0o2755, 1000])
    expect([f.gid, f.mode & 0o7777]).toEqual([77, 0o755])
    // What counts is that an executable was asked for, whatever the umask leaves of it.
    task.umask = 0o077
    ok(vfs.open(task, null, '/d/g', O_CREAT, 0o2775))
    expect(bench.stat('/d/g').mode & 0o7777).toBe(0o700)
  })

  test('writing and cutting take set-id bits and file capabilities away', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/f', '/g')
    for (const path of ['/f', '/g']) ok(vfs.chmod(bench.task, null, path, 0o6777))
    const f = ok(vfs.lookup(bench.task, null, '/f'))
    const capability = 'security.capability'
    ok(vfs.setxattr(bench.task, f, capability, bytesOf('cap')))
    const user = bench.user(1000)
    ok(vfs.write(user, bench.open('/f', O_WRONLY, user), bytesOf('x')))
    expect([bench.stat('/f').mode & 0o7777, said(vfs.getxattr(user, f, capability))]).toEqual([0o777, 'ENODATA'])
    ok(vfs.truncate(user, '/g', 0))
    expect(bench.stat('/g').mode & 0o7777).toBe(0o777)
    ok(vfs.chmod(bench.task, null, '/g', 0o6777))
    const root = bench.open('/g', O_WRONLY)
    ok(vfs.write(bench.task, root, bytesOf('x')))
    expect(bench.stat('/g').mode & 0o7777).toBe(0o6777)
    ok(vfs.setxattr(bench.task, root.path, capability, bytesOf('cap')))
    ok(vfs.write(bench.task, root, bytesOf('x')))
    expect(said(vfs.getxattr(bench.task, root.path, capability))).toBe('ENODATA')
  })

  test('times are the owner’s to set; whoever may write may set them to now', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/f')
    ok(vfs.chmod(bench.task, null, '/f', 0o666))
    const user = bench.user(1000)
    const [now, omit, set] = [UTIME_NOW, UTIME_OMIT, 5].map((nanoseconds) => ({ seconds: 1, nanoseconds }))
    const touch = (times: Parameters<typeof vfs.utimens>[3]) => said(vfs.utimens(user, null, '/f', times))
    expect([
      touch(null),
      touch([now!, now!]),
      touch([now!, omit!]),
      touch([set!, set!]),
      touch([omit!, omit!]),
    ]).toEqual(['ok', 'ok', 'EPERM', 'EPERM', 'ok'])
    expect(touch([{ seconds: 1, nanoseconds: 1e9 }, now!])).toBe('EINVAL')
    ok(vfs.chmod(bench.task, null, '/f', 0o644))
    expect(touch(null)).toBe('EACCES')
    expect(said(vfs.open(user, null, '/f', O_RDONLY | O_NOATIME))).toBe('EPERM')
  })
})

describe('extended attributes', () => {
  const value = bytesOf('v')

  test('user.* are for whoever may read and write, on files and directories alone', () => {
    const bench = new Bench()
    const { vfs } = bench
    bench.make('/f', '/l -> f', '/tmp/')
    ok(vfs.chmod(bench.task, null, '/tmp', 0o1777))
    const user = bench.user(1000)
    const [f, l] = [ok(vfs.lookup(user, null, '/f')), ok(vfs.lookup(user, null, '/l', At.AT_SYMLINK_NOFOLLOW))]
    expect(said(vfs.setxattr(user, f, 'user.a', value))).toBe('EACCES')
    ok(vfs.setxattr(bench.task, f, 'user.a', value))
    expect(vfs.getxattr(user, f, 'user.a')).toEqual(value)
    expect(said(vfs.setxattr(bench.task, l, 'user.a', value))).toBe('EPERM')
    expect(said(vfs.getxattr(bench.task, l, 'user.a'))).toBe('ENODATA')
    expect(said(vfs.setxattr(user, ok(vfs.lookup(user, null, '/tmp')), 'user.a', value))).toBe('EPERM')
  })

  test('trusted.* are for administrators, who alone see them; security.* are read by all', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/f')
    const user = bench.user(1000)
    const f = ok(vfs.lookup(task, null, '/f'))
    for (const name of ['trusted.a', 'security.a', 'security.capability']) {
      ok(vfs.setxattr(task, f, name, value))
      expect(said(vfs.setxattr(user, f, name, value))).toBe('EPERM')
    }
    expect([said(vfs.getxattr(user, f, 'trusted.a')), said(vfs.getxattr(user, f, 'security.a'))]).toEqual([
      'ENODATA',
      'ok',
    ])
    expect(vfs.listxattr(user, f)).toEqual(['security.a', 'security.capability'])
    expect(vfs.listxattr(task, f)).toHaveLength(3)
    user.credentials = capable(Capability.SETFCAP)
    expect(said(vfs.setxattr(user, f, 'security.capability', value))).toBe('ok')
    expect(said(vfs.setxattr(user, f, 'security.a', value))).toBe('EPERM')
  })

  test('other name spaces are EOPNOTSUPP, and sizes have limits', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/f')
    const f = ok(vfs.lookup(task, null, '/f'))
    const set = (name: string, bytes: Uint8Array = value) => said(vfs.setxattr(task, f, name, bytes))
    expect([set('system.posix_acl_access'), set('foo.bar'), set('user.'), set('')]).toEqual([
      'EOPNOTSUPP',
      'EOPNOTSUPP',
      'EINVAL',
      'ERANGE',
    ])
    expect([set(`user.${'n'.repeat(251)}`), set('user.a', new Uint8Array(65_537))]).toEqual(['ERANGE', 'E2BIG'])
  })
})

describe('mounts', () => {
  test('a read-only one refuses every change with EROFS, and only the mount is read-only', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/d/', '/d/f', '/ro/')
    const mount = ok(vfs.bind(task, '/d', '/ro'))
    mount.flags |= MountFlag.RDONLY
    const f = ok(vfs.lookup(task, null, '/ro/f'))
    const answers = [
      vfs.open(task, null, '/ro/f', O_WRONLY),
      vfs.open(task, null, '/ro/f', O_RDONLY | O_TRUNC),
      vfs.open(task, null, '/ro/new', O_CREAT, 0o644),
      vfs.mkdir(task, null, '/ro/new', 0o755),
      vfs.unlink(task, null, '/ro/f'),
      vfs.rename(task, null, '/ro/f', null, '/ro/g'),
      vfs.chmod(task, null, '/ro/f', 0),
      vfs.chown(task, null, '/ro/f', 1, 1),
      vfs.utimens(task, null, '/ro/f', null),
      vfs.truncate(task, '/ro/f', 0),
      vfs.setxattr(task, f, 'user.a', new Uint8Array(1)),
      vfs.access(task, null, '/ro/f', Access.W_OK),
    ]
    expect(answers.map(said)).toEqual(answers.map(() => 'EROFS'))
    expect([said(vfs.mkdir(task, null, '/ro/f', 0o755)), bench.read('/ro/f')]).toEqual(['EEXIST', '/d/f'])
    expect(said(vfs.open(task, null, '/d/f', O_WRONLY))).toBe('ok')
    expect(said(vfs.rename(task, null, '/d/f', null, '/ro/f'))).toBe('EXDEV')
    expect(said(vfs.link(task, null, '/d/f', null, '/ro/g'))).toBe('EROFS')
  })

  test('nodev, noexec and nosymfollow refuse what they say; atime follows the mount’s rule', () => {
    const bench = new Bench()
    const { vfs, task } = bench
    bench.make('/f', '/l -> f')
    ok(vfs.chmod(task, null, '/f', 0o755))
    ok(vfs.mknod(task, null, '/null', 0o020666, 0x10_0003))
    const mount = ok(vfs.mountAt(task, '/'))
    const atime = (flags: number) => {
      mount.flags = flags
      bench.time.advance(1)
      bench.read('/f')
      return bench.stat('/f').atimeSeconds === bench.time.seconds
    }
    const { NOATIME, NODEV, NODIRATIME, NOEXEC, NOSYMFOLLOW, RELATIME } = MountFlag
    expect([atime(RELATIME), atime(RELATIME), atime(NOATIME), atime(0), atime(NODIRATIME)]).toEqual([
      true,
      false,
      false,
      true,
      true,
    ])
    bench.time.advance(24 * 60 * 60)
    expect([atime(RELATIME), atime(RELATIME)]).toEqual([true, false])
    mount.flags = NODEV | NOEXEC | NOSYMFOLLOW
    expect([bench.read('/null'), bench.read('/l')]).toEqual(['EACCES', 'ELOOP'])
    expect(said(vfs.access(task, null, '/f', Access.X_OK))).toBe('EACCES')
  })
})
