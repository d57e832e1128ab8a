/** What holds of tmpfs beyond what holds of any file system: Linux's habits, limits and charges. */
import { describe, expect, test } from 'vitest'
import {
  bytesOf,
  Errno,
  Fallocate,
  FIRST_COOKIE,
  Mode,
  NOT_YET,
  Seek,
  SettableTime,
  Stat,
  StatFs,
  TmpFs,
} from '../index.ts'
import type { TmpInode } from './inode.ts'

const time = new SettableTime(1_000)
const file = Mode.IFREG | 0o644

function made(inode: TmpInode | number): TmpInode {
  if (typeof inode === 'number') throw new Error(`no inode but ${inode}`)
  return inode
}

function names(fs: TmpFs, dir: TmpInode, cookie = FIRST_COOKIE, room = Infinity): [names: string[], next: number] {
  const found: string[] = []
  let next = cookie
  const entry = (name: string, _ino: number, _type: number, after: number) => {
    if (found.length >= room) return false
    found.push(name)
    next = after
    return true
  }
  expect(fs.readdir(dir, cookie, { entry })).toBe(0)
  return [found, next]
}

function blocks(fs: TmpFs, inode: TmpInode): number {
  const stat = new Stat()
  fs.getattr(inode, stat)
  return stat.blocks
}

describe('directories', () => {
  test('list their newest entry first, and have 20 bytes an entry', () => {
    const fs = new TmpFs({ time })
    for (const name of ['a', 'b', 'c']) fs.create(fs.root, name, file, 0, 0, 0)
    expect(names(fs, fs.root)[0]).toEqual(['c', 'b', 'a'])
    fs.rename(fs.root, 'a', fs.root, 'b', 0, 0, 0)
    expect(names(fs, fs.root)[0]).toEqual(['b', 'c'])
    expect(fs.root.size).toBe(80)
  })

  test('are read on from where a reader stopped, whatever comes and goes', () => {
    const fs = new TmpFs({ time })
    for (let i = 0; i < 100; i++) fs.create(fs.root, `f${i}`, file, 0, 0, 0)
    const [first, next] = names(fs, fs.root, FIRST_COOKIE, 30)
    for (const name of first) fs.unlink(fs.root, name)
    for (let i = 0; i < 60; i++) if (i % 2) fs.unlink(fs.root, `f${i}`)
    fs.create(fs.root, 'new', file, 0, 0, 0)
    const [second] = names(fs, fs.root, next)
    expect(second).toEqual(
      Array.from({ length: 70 }, (_, i) => 69 - i).flatMap((i) => (i < 60 && i % 2 ? [] : `f${i}`)),
    )
  })
})

describe('data', () => {
  test('is sparse: a byte far away takes one page, and holes are found', () => {
    const fs = new TmpFs({ time })
    const inode = made(fs.create(fs.root, 'f', file, 0, 0, 0))
    const far = 2 ** 45
    expect(fs.write(inode, bytesOf('x'), 0, 1, far)).toBe(1)
    expect([inode.size, blocks(fs, inode)]).toEqual([far + 1, 8])
    expect(fs.seek(inode, 0, Seek.SEEK_DATA)).toBe(far)
    expect(fs.seek(inode, far, Seek.SEEK_HOLE)).toBe(far + 1)
    expect(fs.seek(inode, 0, Seek.SEEK_HOLE)).toBe(0)
    expect(fs.seek(inode, far + 1, Seek.SEEK_DATA)).toBe(-Errno.ENXIO)
  })

  test('that fallocate has reserved is charged, reads as zeros, and is a hole until it is written', () => {
    const fs = new TmpFs({ time, sizeBytes: 8 * 4096 })
    const inode = made(fs.create(fs.root, 'f', file, 0, 0, 0))
    expect(fs.fallocate(inode, 0, 0, 9 * 4096)).toBe(-Errno.ENOSPC)
    expect([inode.size, blocks(fs, inode)]).toEqual([0, 0])
    expect(fs.fallocate(inode, Fallocate.FALLOC_FL_KEEP_SIZE, 0, 8 * 4096)).toBe(0)
    expect([inode.size, blocks(fs, inode)]).toEqual([0, 64])
    expect(fs.write(inode, bytesOf('abc'), 0, 3, 4096)).toBe(3)
    expect(fs.seek(inode, 0, Seek.SEEK_DATA)).toBe(4096)
    expect(fs.fallocate(inode, Fallocate.FALLOC_FL_KEEP_SIZE | Fallocate.FALLOC_FL_PUNCH_HOLE, 0, 8192)).toBe(0)
    expect(fs.seek(inode, 0, Seek.SEEK_DATA)).toBe(-Errno.ENXIO)
    expect(blocks(fs, inode)).toBe(48)
    // The file ends at 4099: what is reserved beyond goes with a hole there, or with a cut to where it ends.
    expect(fs.fallocate(inode, Fallocate.FALLOC_FL_KEEP_SIZE | Fallocate.FALLOC_FL_PUNCH_HOLE, 12_288, 4096)).toBe(0)
    expect(blocks(fs, inode)).toBe(40)
    fs.truncate(inode, inode.size)
    expect(blocks(fs, inode)).toBe(0)
  })
})

describe('limits', () => {
  test('size= cuts a write short, and the next one is ENOSPC', () => {
    const fs = new TmpFs({ time, sizeBytes: 2 * 4096 })
    const inode = made(fs.create(fs.root, 'f', file, 0, 0, 0))
    expect(fs.write(inode, new Uint8Array(10_000).fill(7), 0, 10_000, 100)).toBe(2 * 4096 - 100)
    expect(fs.write(inode, new Uint8Array(1), 0, 1, 2 * 4096)).toBe(-Errno.ENOSPC)
    expect(inode.size).toBe(2 * 4096)
    expect(fs.unlink(fs.root, 'f')).toBe(0)
    const free = new StatFs()
    fs.statfs(free)
    expect([free.blocks, free.bfree]).toEqual([2, 2])
  })

  test('nr_inodes= counts further names too', () => {
    const fs = new TmpFs({ time, inodes: 3 })
    const inode = made(fs.create(fs.root, 'f', file, 0, 0, 0))
    expect(fs.link(inode, fs.root, 'g')).toBe(0)
    expect(fs.link(inode, fs.root, 'h')).toBe(-Errno.ENOSPC)
    expect(fs.mkdir(fs.root, 'd', 0o755, 0, 0)).toBe(-Errno.ENOSPC)
    fs.unlink(fs.root, 'f')
    expect(fs.symlink(fs.root, 'l', 'f', 0, 0)).toBeTypeOf('object')
  })

  test('whoever pays gets everything back', () => {
    const taken = { bytes: 0, inodes: 0 }
    const charges = {
      errno: Errno.ENOMEM,
      charge: (kind: 'bytes' | 'inodes', amount: number) => {
        if (kind === 'bytes' && taken.bytes + amount > 10_000) return false
        taken[kind] += amount
        return true
      },
      release: (kind: 'bytes' | 'inodes', amount: number) => {
        taken[kind] -= amount
      },
    }
    const fs = new TmpFs({ time, charges })
    const inode = made(fs.create(fs.root, 'f', file, 0, 0, 0))
    expect(fs.open(inode, 0)).toBe(0)
    expect(fs.write(inode, new Uint8Array(20_000), 0, 20_000, 0)).toBe(8192)
    expect(fs.write(inode, new Uint8Array(1), 0, 1, 8192)).toBe(-Errno.ENOMEM)
    expect(fs.setxattr(inode, 'user.a', new Uint8Array(2000), 0)).toBe(-Errno.ENOMEM)
    expect(fs.setxattr(inode, 'user.a', new Uint8Array(1000), 0)).toBe(0)
    expect(fs.symlink(fs.root, 'l', 'x'.repeat(200), 0, 0)).toBe(-Errno.ENOMEM)
    fs.unlink(fs.root, 'f')
    expect(taken).toEqual({ bytes: 8192 + 1006, inodes: 2 })
    fs.release(inode)
    expect(taken).toEqual({ bytes: 0, inodes: 1 })
  })
})

test('no answer of tmpfs is NOT_YET, which is below every error number', () => {
  expect(NOT_YET).toBeLessThan(-4095)
})
