/** What options change, and what layers may say that make no sense. */
import { bytesOf, Errno, Mode, Open, SettableTime, StatFs, TmpFs } from '@vmexit/vfs'
import { describe, expect, test } from 'vitest'
import { at, attribute, harvest, inodeOf, plant, read, type Tree, write } from '../test/tree.ts'
import type { OverlayDirectory, OverlayFile } from './inode.ts'
import { OverlayFs } from './overlay.ts'
import { OverlayError } from './union.ts'

const time = new SettableTime(1_000)
const tmpfs = (tree: Tree = {}) => plant(new TmpFs({ time }).root, tree)

describe('without an upper layer', () => {
  test('nothing can be changed', () => {
    const fs = new OverlayFs({ lower: [tmpfs({ a: 'x' }), tmpfs({ d: {} })] })
    expect(fs.readOnly).toBe(true)
    const file = at(fs.root, 'a') as OverlayFile
    const answers = [
      fs.create(fs.root, 'n', Mode.IFREG, 0, 0, 0),
      fs.mkdir(fs.root, 'n', 0o755, 0, 0),
      fs.unlink(fs.root, 'a'),
      fs.rmdir(fs.root, 'd'),
      fs.rename(fs.root, 'a', fs.root, 'b', 0),
      fs.write(file, bytesOf('y'), 0, 1, 0),
      fs.truncate(file, 0),
      fs.setxattr(file, 'user.a', bytesOf('y'), 0),
      fs.open(file, Open.O_RDWR),
    ]
    expect(new Set(answers)).toEqual(new Set([-Errno.EROFS]))
    expect([fs.open(file, 0), read(file)]).toEqual([0, 'x'])
  })
})

describe('attributes of the overlay', () => {
  test('are in user.overlay with userxattr, and hidden', () => {
    const upper = tmpfs()
    const fs = new OverlayFs({ lower: [tmpfs({ d: { x: '' } })], upper, userxattr: true })
    fs.unlink(at(fs.root, 'd') as OverlayDirectory, 'x')
    fs.rmdir(fs.root, 'd')
    const dir = inodeOf(fs.mkdir(fs.root, 'd', 0o755, 0, 0)) as OverlayDirectory
    expect(attribute(at(upper, 'd'), 'user.overlay.opaque')).toBe('y')
    expect(fs.listxattr(dir)).toEqual([])
  })

  test('of an overlay inside are put aside, so that a layer for Linux can be made on one', () => {
    const upper = tmpfs()
    const fs = new OverlayFs({ lower: [tmpfs({ d: {} })], upper })
    const dir = at(fs.root, 'd') as OverlayDirectory
    expect(fs.setxattr(dir, 'trusted.overlay.opaque', bytesOf('y'), 0)).toBe(0)
    expect(attribute(at(upper, 'd'), 'trusted.overlay.overlay.opaque')).toBe('y')
    expect([attribute(dir, 'trusted.overlay.opaque'), fs.listxattr(dir)]).toEqual(['y', ['trusted.overlay.opaque']])
    expect(fs.removexattr(dir, 'trusted.overlay.opaque')).toBe(0)
    expect(fs.removexattr(dir, 'trusted.overlay.opaque')).toBe(-Errno.ENODATA)
  })
})

describe('metacopy', () => {
  const options = { redirectDir: 'on', metacopy: true } as const

  test('copies attributes alone until data are written, wherever the file has gone', () => {
    const [upper, lower] = [tmpfs({ e: {} }), tmpfs({ d: { f: 'text' } })]
    const fs = new OverlayFs({ lower: [lower], upper, ...options })
    const dir = at(fs.root, 'd') as OverlayDirectory
    const file = at(fs.root, 'd/f') as OverlayFile
    expect(fs.setxattr(file, 'user.a', bytesOf('v'), 0)).toBe(0)
    expect(fs.rename(dir, 'f', at(fs.root, 'e') as OverlayDirectory, 'g', 0)).toBe(0)
    expect(attribute(at(upper, 'e/g'), 'trusted.overlay.redirect')).toBe('/d/f')
    expect([read(at(upper, 'e/g')), read(file)]).toEqual(['\0\0\0\0', 'text'])
    const again = at(new OverlayFs({ lower: [lower], upper, ...options }).root, 'e/g')
    expect([read(again), attribute(again, 'user.a')]).toEqual(['text', 'v'])
    write(again, 'T')
    expect(read(at(upper, 'e/g'))).toBe('Text')
    const refused = new OverlayFs({ lower: [lower], upper })
    expect(read(at(refused.root, 'e/g'))).toBe('Text')
  })

  test('is refused where it is not asked for', () => {
    const [upper, lower] = [tmpfs(), tmpfs({ f: 'text' })]
    const fs = new OverlayFs({ lower: [lower], upper, ...options })
    fs.setxattr(at(fs.root, 'f') as OverlayFile, 'user.a', bytesOf('v'), 0)
    const without = new OverlayFs({ lower: [lower], upper })
    expect(without.lookup(without.root, 'f')).toBe(-Errno.EPERM)
  })
})

describe('layers that make no sense', () => {
  test.each([
    ['a/b', -Errno.EINVAL],
    ['/a//b', -Errno.EINVAL],
    ['/', -Errno.EINVAL],
    ['', -Errno.EINVAL],
    ['..', -Errno.EACCES],
    ['/../a', -Errno.EACCES],
    ['/a/./b', -Errno.EACCES],
  ])('a redirect to “%s” is refused', (redirect, answer) => {
    const upper = tmpfs({ d: {} })
    upper.fs.setxattr(at(upper, 'd'), 'trusted.overlay.redirect', bytesOf(redirect), 0)
    const fs = new OverlayFs({ lower: [tmpfs({ a: { b: {} } })], upper })
    expect(fs.lookup(fs.root, 'd')).toBe(answer)
  })

  test('redirects that lead back end with the layers', () => {
    const layer = () => {
      const root = tmpfs({ a: { b: {} } })
      root.fs.setxattr(at(root, 'a'), 'trusted.overlay.redirect', bytesOf('/a/b'), 0)
      root.fs.setxattr(at(root, 'a/b'), 'trusted.overlay.redirect', bytesOf('/a'), 0)
      return root
    }
    const fs = new OverlayFs({ lower: Array.from({ length: 50 }, layer), upper: tmpfs() })
    expect(harvest(fs.root)).toMatchObject({ a: {} })
  })

  test('all problems of options are told at once', () => {
    const upper = new OverlayFs({ lower: [tmpfs()], upper: tmpfs() }).root
    const make = () => new OverlayFs({ lower: [], upper, metacopy: true, userxattr: true })
    expect(make).toThrow(OverlayError)
    expect(make).toThrow(/an overlay.*redirectDir.*userxattr/)
    expect(() => new OverlayFs({ lower: [] })).toThrow('no layers')
    expect(() => new OverlayFs({ lower: [inodeOf(tmpfs({ f: '' }).fs.root), at(tmpfs({ f: '' }), 'f')] })).toThrow(
      'directory',
    )
  })
})

test('a file without a name can get one, and statfs is the upper layer’s', () => {
  const upper = new TmpFs({ time, sizeBytes: 40_960 }).root
  const fs = new OverlayFs({ lower: [tmpfs({ d: {} })], upper })
  const dir = at(fs.root, 'd') as OverlayDirectory
  const file = inodeOf(fs.tmpfile(dir, Mode.IFREG | 0o600, 1, 2)) as OverlayFile
  fs.open(file, Open.O_RDWR)
  write(file, 'text')
  expect([file.nlink, fs.link(file, dir, 'n'), file.nlink]).toEqual([0, 0, 1])
  fs.release(file)
  expect([harvest(upper), fs.lookup(dir, 'n')]).toEqual([{ d: { n: 'text' } }, file])
  const statfs = new StatFs()
  fs.statfs(statfs)
  expect([statfs.type, statfs.blocks, statfs.bfree, fs.sync(file), fs.sync()]).toEqual([0x794c7630, 10, 9, 0, 0])
})
