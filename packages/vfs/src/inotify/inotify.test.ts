/** inotify(7). The events and their order are those that Linux 6.18 gives on its tmpfs. */
import { describe, expect, test } from 'vitest'
import { Bench, ok, said } from '../../test/bench.ts'
import { bytesOf, type Inotify, InotifyMask, Mode, Open, Rename } from '../index.ts'

const {
  IN_ALL_EVENTS,
  IN_CREATE,
  IN_DELETE,
  IN_DONT_FOLLOW,
  IN_EXCL_UNLINK,
  IN_MASK_ADD,
  IN_MASK_CREATE,
  IN_ONESHOT,
  IN_ONLYDIR,
} = InotifyMask

/** A layer with a directory /w. */
function watched() {
  const bench = new Bench()
  bench.make('/w/')
  return { bench, inotify: bench.vfs.inotify() }
}

/** What waits, as `watch MASK name`; a cookie is a `+`. */
function events(inotify: Inotify): string[] {
  return inotify.read(1000).map(({ descriptor, mask, cookie, name }) => {
    const bits = Object.entries(InotifyMask).filter(([key, bit]) => mask & bit && key !== 'IN_ALL_EVENTS')
    const words = bits.map(([key]) => key.slice(3)).join('|')
    return `${descriptor} ${words}${cookie > 0 ? '+' : ''}${name === '' ? '' : ` ${name}`}`
  })
}

/** The same event seen from the directory, watch 1, and from the file, watch `own`. */
function both(mask: string, name: string, own: number): string[] {
  return [`1 ${mask} ${name}`, `${own} ${mask}`]
}

describe('events', () => {
  test('of a file that is made, written, read, cut, changed, linked, moved and removed while it is open', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    vfs.watch(task, inotify, '/w', IN_ALL_EVENTS)
    const f = bench.open('/w/f', Open.O_RDWR | Open.O_CREAT)
    expect(vfs.watch(task, inotify, '/w/f', IN_ALL_EVENTS)).toBe(2)
    expect(events(inotify)).toEqual(['1 CREATE f', '1 OPEN f'])
    vfs.write(task, f, bytesOf('abc'))
    vfs.pread(f, new Uint8Array(3), 0, 3, 0)
    expect(events(inotify)).toEqual([...both('MODIFY', 'f', 2), ...both('ACCESS', 'f', 2)])
    vfs.ftruncate(task, f, 1)
    vfs.fallocate(task, f, 0, 0, 100)
    vfs.truncate(task, '/w/f', 0)
    // Seen from two watches in turn, three changes are six events: none is the same as the one before it.
    expect(events(inotify)).toEqual([1, 2, 3].flatMap(() => both('MODIFY', 'f', 2)))
    vfs.chmod(task, null, '/w/f', 0o600)
    vfs.setxattr(task, f.path, 'user.a', bytesOf('1'))
    expect(events(inotify)).toEqual([...both('ATTRIB', 'f', 2), ...both('ATTRIB', 'f', 2)])
    vfs.link(task, null, '/w/f', null, '/w/g')
    vfs.unlink(task, null, '/w/g')
    expect(events(inotify)).toEqual(['2 ATTRIB', '1 CREATE g', '2 ATTRIB', '1 DELETE g'])
    vfs.rename(task, null, '/w/f', null, '/w/h')
    expect(events(inotify)).toEqual(['1 MOVED_FROM+ f', '1 MOVED_TO+ h', '2 MOVE_SELF'])
    vfs.unlink(task, null, '/w/h')
    expect(events(inotify)).toEqual(['2 ATTRIB', '1 DELETE h'])
    vfs.close(f)
    expect(events(inotify)).toEqual([...both('CLOSE_WRITE', 'h', 2), '2 DELETE_SELF', '2 IGNORED'])
  })

  test('of files that are replaced, removed while closed, and exchanged', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    bench.make('/w/a', '/w/b', '/w/t', '/w/x', '/w/y')
    vfs.watch(task, inotify, '/w', IN_ALL_EVENTS)
    vfs.watch(task, inotify, '/w/a', IN_ALL_EVENTS)
    vfs.watch(task, inotify, '/w/t', IN_ALL_EVENTS)
    vfs.rename(task, null, '/w/b', null, '/w/a')
    expect(events(inotify)).toEqual(['1 MOVED_FROM+ b', '1 MOVED_TO+ a', '2 ATTRIB', '2 DELETE_SELF', '2 IGNORED'])
    vfs.unlink(task, null, '/w/t')
    expect(events(inotify)).toEqual(['3 ATTRIB', '3 DELETE_SELF', '3 IGNORED', '1 DELETE t'])
    vfs.rename(task, null, '/w/x', null, '/w/y', Rename.RENAME_EXCHANGE)
    const cookies = inotify.read(4).map(({ cookie }) => cookie)
    expect([cookies[0] === cookies[1], cookies[2] === cookies[3], cookies[0] === cookies[2]]).toEqual([
      true,
      true,
      false,
    ])
  })

  test('of directories, links and FIFOs say ISDIR where it is one', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    vfs.watch(task, inotify, '/w', IN_ALL_EVENTS)
    bench.make('/w/s/', '/w/l -> t')
    vfs.mknod(task, null, '/w/p', Mode.IFIFO | 0o644)
    expect(events(inotify)).toEqual(['1 CREATE|ISDIR s', '1 CREATE l', '1 CREATE p'])
    vfs.watch(task, inotify, '/w/s', IN_ALL_EVENTS)
    const s = bench.open('/w/s', Open.O_RDONLY)
    vfs.getdents(s, { entry: () => true })
    vfs.close(s)
    const each = (mask: string) => both(`${mask}|ISDIR`, 's', 2)
    expect(events(inotify)).toEqual([...each('OPEN'), ...each('ACCESS'), ...each('CLOSE_NOWRITE')])
    vfs.rename(task, null, '/w/s', null, '/w/s2')
    expect(events(inotify)).toEqual(['1 MOVED_FROM|ISDIR+ s', '1 MOVED_TO|ISDIR+ s2', '2 MOVE_SELF'])
    vfs.rmdir(task, null, '/w/s2')
    expect(events(inotify)).toEqual(['2 DELETE_SELF', '2 IGNORED', '1 DELETE|ISDIR s2'])
  })

  test('of O_TRUNC come after the open, and of nothing written or read there are none', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    bench.make('/w/t')
    vfs.watch(task, inotify, '/w', IN_ALL_EVENTS)
    const t = bench.open('/w/t', Open.O_RDWR | Open.O_TRUNC)
    expect(events(inotify)).toEqual(['1 OPEN t', '1 MODIFY t'])
    vfs.write(task, t, new Uint8Array(0))
    vfs.read(t, new Uint8Array(10))
    expect(events(inotify)).toEqual([])
  })
})

test('a file system that is unmounted for the last time takes its watches along', () => {
  const { bench, inotify } = watched()
  const { vfs, task } = bench
  bench.make('/v/')
  ok(vfs.mount(task, bench.tmpfs(), '/w'))
  ok(vfs.bind(task, '/w', '/v'))
  vfs.watch(task, inotify, '/w', IN_CREATE)
  ok(vfs.umount(task, '/w'))
  expect(events(inotify)).toEqual([])
  ok(vfs.umount(task, '/v'))
  expect(events(inotify)).toEqual(['1 UNMOUNT', '1 IGNORED'])
})

describe('an instance', () => {
  test('makes one of events that are the same as the last one, overflows, and says when there is something to read', () => {
    const { bench } = watched()
    const { vfs, task } = bench
    let readable = 0
    const inotify = vfs.inotify({ queueLimit: 4, readable: () => readable++ })
    vfs.watch(task, inotify, '/w', IN_CREATE | IN_DELETE | InotifyMask.IN_MODIFY)
    const f = bench.open('/w/f', Open.O_CREAT | Open.O_RDWR)
    for (let i = 0; i < 5; i++) vfs.write(task, f, bytesOf('x'))
    expect([events(inotify), readable]).toEqual([['1 CREATE f', '1 MODIFY f'], 1])
    for (let i = 0; i < 9; i++) bench.make(`/w/${i}`)
    const words = events(inotify)
    expect([words.length, words.at(-1), readable]).toEqual([5, '-1 Q_OVERFLOW', 2])
  })

  test('takes masks, adds to them, and refuses what inotify_add_watch refuses', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    bench.make('/w/f', '/w/l -> f')
    const add = (path: string, mask: number) => vfs.watch(task, inotify, path, mask)
    expect([add('/w', IN_CREATE), add('/w', IN_DELETE | IN_MASK_ADD), add('/w/f', IN_DELETE)]).toEqual([1, 1, 2])
    expect(said(add('/w', IN_CREATE | IN_MASK_CREATE))).toBe('EEXIST')
    expect(said(add('/w', IN_CREATE | IN_MASK_CREATE | IN_MASK_ADD))).toBe('EINVAL')
    expect(said(add('/w', 0))).toBe('EINVAL')
    expect(said(add('/w/f', IN_CREATE | IN_ONLYDIR))).toBe('ENOTDIR')
    expect(said(add('/none', IN_CREATE))).toBe('ENOENT')
    expect([add('/w/l', IN_CREATE), add('/w/l', IN_CREATE | IN_DONT_FOLLOW)]).toEqual([2, 3])
    ok(vfs.chmod(task, null, '/w/f', 0))
    expect(said(vfs.watch(bench.user(1), inotify, '/w/f', IN_CREATE))).toBe('EACCES')
    bench.make('/w/new')
    vfs.unlink(task, null, '/w/new')
    expect(events(inotify)).toEqual(['1 CREATE new', '1 DELETE new'])
    expect([inotify.unwatch(1), said(inotify.unwatch(1)), events(inotify)]).toEqual([0, 'EINVAL', ['1 IGNORED']])
  })

  test('with IN_ONESHOT is told once; with IN_EXCL_UNLINK not of entries that are gone', () => {
    const { bench, inotify } = watched()
    const { vfs, task } = bench
    vfs.watch(task, inotify, '/w', IN_CREATE | IN_ONESHOT)
    bench.make('/w/a', '/w/b')
    expect(events(inotify)).toEqual(['1 CREATE a', '1 IGNORED'])
    vfs.watch(task, inotify, '/w', InotifyMask.IN_MODIFY | IN_EXCL_UNLINK)
    const a = bench.open('/w/a')
    vfs.unlink(task, null, '/w/a')
    vfs.write(task, a, bytesOf('x'))
    expect(events(inotify)).toEqual([])
    inotify.close()
    bench.make('/w/c')
    expect(inotify.pending).toBe(0)
  })
})
