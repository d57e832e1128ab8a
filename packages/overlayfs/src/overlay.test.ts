/** What an overlay does with its layers: copy-up, whiteouts, opaque directories, redirects. */
import { bytesOf, Change, Changes, Errno, Mode, Rename, SettableTime, Stat, TmpFs } from '@vmexit/vfs'
import { describe, expect, test } from 'vitest'
import { at, attribute, harvest, inodeOf, namesIn, plant, read, type Tree, write } from '../test/tree.ts'
import type { OverlayDirectory, OverlayFile } from './inode.ts'
import { OverlayFs } from './overlay.ts'
import type { OverlayOptions } from './union.ts'

const time = new SettableTime(1_000)

/** An overlay over tmpfs: the layers top to bottom, the first being the upper one. */
function overlay(trees: readonly Tree[], options: Partial<OverlayOptions> = {}) {
  const [upper, ...lower] = trees.map((tree) => plant(new TmpFs({ time }).root, tree)) as [TmpFs['root']]
  const fs = new OverlayFs({ upper, lower, ...options })
  return { fs, root: fs.root, upper, lower: lower as TmpFs['root'][] }
}

function dirAt(root: OverlayDirectory, path: string): OverlayDirectory {
  return at(root, path) as OverlayDirectory
}

function fileAt(root: OverlayDirectory, path: string): OverlayFile {
  return at(root, path) as OverlayFile
}

describe('data of a file', () => {
  test('are those of the lower layer until it is copied up, through overlays of overlays too', () => {
    const { fs, root, lower } = overlay([{ own: 'x' }, { f: 'lower', g: 'lower' }])
    const [f, own] = [fileAt(root, 'f'), fileAt(root, 'own')]
    expect(fs.realInode(f)).toBe(at(lower[0]!, 'f'))
    expect(fs.realInode(own)).toBe(own)
    const above = new OverlayFs({ lower: [root], upper: new TmpFs({ time }).root })
    expect(above.realInode(fileAt(above.root, 'f'))).toBe(at(lower[0]!, 'f'))
    write(f, 'upper')
    expect(fs.realInode(f)).toBe(f)
    expect(fs.realInode(fileAt(root, 'g'))).toBe(at(lower[0]!, 'g'))
  })

  test('stay those of the lower layer where attributes alone are copied up, and are its own where chunks of them are', () => {
    const lazyCopyUp = { chunkBytes: 4, fromBytes: 8 }
    const { fs, root, lower } = overlay([{}, { f: 'attributes', g: 'some chunks' }], {
      ...{ redirectDir: 'on', metacopy: true, lazyCopyUp },
    })
    const [f, g] = [fileAt(root, 'f'), fileAt(root, 'g')]
    const changes = new Changes()
    changes.mask = Change.MODE
    changes.mode = 0o600
    expect(fs.setattr(f, changes)).toBe(0)
    expect(fs.realInode(f)).toBe(at(lower[0]!, 'f'))
    expect(fs.write(g, bytesOf('SOME'), 0, 4, 0)).toBe(4)
    expect(fs.realInode(g)).toBe(g)
  })
})

describe('layers', () => {
  test('are seen as one, the upper ones in front', () => {
    const { root } = overlay([
      { a: 'upper', d: { x: '1' } },
      { a: 'lower', d: { x: '2', y: '2' } },
      { d: { z: '3' }, e: '->a' },
    ])
    expect(harvest(root)).toEqual({ a: 'upper', d: { x: '1', y: '2', z: '3' }, e: '->a' })
  })

  test('hide by whiteouts, by files, and by opaque directories', () => {
    const { root, lower } = overlay([
      { w: null },
      { w: 'x', f: 'file', d: { new: '' } },
      { f: { sub: 'x' }, d: { old: '' } },
    ])
    at(lower[0]!, 'd').fs.setxattr(at(lower[0]!, 'd'), 'trusted.overlay.opaque', bytesOf('y'), 0)
    expect(harvest(root)).toEqual({ d: { new: '' }, f: 'file' })
    expect(root.fs.lookup(root, 'w')).toBe(-Errno.ENOENT)
  })

  test('hide by whiteouts that are attributes', () => {
    const { root, lower } = overlay([{}, { d: { gone: '' } }, { d: { gone: 'x', kept: 'y' } }])
    const dir = at(lower[0]!, 'd')
    dir.fs.setxattr(dir, 'trusted.overlay.opaque', bytesOf('x'), 0)
    const gone = at(dir, 'gone')
    gone.fs.setxattr(gone, 'trusted.overlay.whiteout', bytesOf('y'), 0)
    expect(harvest(root)).toEqual({ d: { kept: 'y' } })
  })

  test('may be a thousand', () => {
    const trees = Array.from({ length: 1001 }, (_, i) => ({ d: { [`f${i}`]: `${i}` } }))
    const { root } = overlay(trees)
    expect(namesIn(dirAt(root, 'd'))).toHaveLength(1001)
    expect(read(at(root, 'd/f1000'))).toBe('1000')
    expect(() => overlay([...trees, {}])).toThrow('1001 lower layers')
  })

  test('cannot be in each other', () => {
    const fs = new TmpFs({ time })
    plant(fs.root, { a: { b: {} }, u: {} })
    expect(() => new OverlayFs({ lower: [fs.root, fs.root] })).toThrow('twice')
    const union = new OverlayFs({ lower: [at(fs.root, 'a/b'), at(fs.root, 'a')], upper: at(fs.root, 'u') })
    expect(union.lookup(union.root, 'b')).toBe(-Errno.ELOOP)
  })

  test('can be overlays', () => {
    const inner = overlay([{ a: 'inner' }, { b: 'below', w: 'x' }])
    inner.fs.unlink(inner.root, 'w')
    const upper = new TmpFs({ time }).root
    const outer = new OverlayFs({ lower: [inner.root], upper })
    expect(harvest(outer.root)).toEqual({ a: 'inner', b: 'below' })
    write(at(outer.root, 'b'), 'BELOW')
    expect([harvest(upper), harvest(inner.root)]).toEqual([{ b: 'BELOW' }, { a: 'inner', b: 'below' }])
  })
})

describe('copy-up', () => {
  test('brings over data, mode, owner, times and attributes, and the directories above', () => {
    const { fs, root, upper, lower } = overlay([{}, { d: { f: 'text' } }])
    const changes = new Changes()
    Object.assign(changes, { mask: 31, mode: 0o4711, uid: 5, gid: 6, atimeSeconds: 1, atimeNanoseconds: 2 })
    Object.assign(changes, { mtimeSeconds: 3, mtimeNanoseconds: 999_999_999 })
    const below = at(lower[0]!, 'd/f')
    below.fs.setattr(below, changes)
    below.fs.setxattr(below, 'user.a', bytesOf('b'), 0)
    const file = fileAt(root, 'd/f')
    const { ino } = file
    time.advance(5)
    Object.assign(changes, { mask: Change.UID, uid: 7 })
    expect(fs.setattr(file, changes)).toBe(0)
    const stat = new Stat()
    const copy = at(upper, 'd/f')
    copy.fs.getattr(copy, stat)
    expect(stat).toMatchObject({
      mode: Mode.IFREG | 0o4711,
      uid: 7,
      gid: 6,
      size: 4,
      atimeSeconds: 1,
      atimeNanoseconds: 2,
    })
    expect(stat).toMatchObject({ mtimeSeconds: 3, mtimeNanoseconds: 999_999_999 })
    expect([read(copy), attribute(copy, 'user.a'), file.ino]).toEqual(['text', 'b', ino])
    expect([below.uid, fs.listxattr(file)]).toEqual([5, ['user.a']])
  })

  test('of a file that is open: its readers see what is written from then on', () => {
    const { fs, root, lower } = overlay([{}, { f: 'old' }])
    const file = fileAt(root, 'f')
    fs.open(file, 0)
    write(file, 'new')
    expect([read(file), read(at(lower[0]!, 'f'))]).toEqual(['new', 'old'])
    fs.unlink(root, 'f')
    expect([file.nlink, read(file), harvest(root)]).toEqual([0, 'new', {}])
    fs.release(file)
  })

  test('keeps holes', () => {
    const { root, upper, lower } = overlay([{}, { f: '' }])
    write(at(lower[0]!, 'f'), 'x', 2 ** 40)
    write(at(root, 'f'), 'y', 0)
    const stat = new Stat()
    const copy = at(upper, 'f')
    copy.fs.getattr(copy, stat)
    expect([stat.size, stat.blocks]).toEqual([2 ** 40 + 1, 16])
  })

  test('without enough space is ENOSPC, and leaves nothing behind', () => {
    const upper = new TmpFs({ time, sizeBytes: 8192 }).root
    const lower = plant(new TmpFs({ time }).root, { d: { big: 'x'.repeat(20_000) } })
    const fs = new OverlayFs({ upper, lower: [lower] })
    const file = fileAt(fs.root, 'd/big')
    expect(fs.open(file, 2)).toBe(-Errno.ENOSPC)
    expect(fs.write(file, bytesOf('y'), 0, 1, 0)).toBe(-Errno.ENOSPC)
    expect(harvest(upper)).toEqual({ d: {} })
    expect(read(file)).toBe('x'.repeat(20_000))
    expect(fs.truncate(file, 5)).toBe(0)
    expect(harvest(upper)).toEqual({ d: { big: 'xxxxx' } })
  })

  test('parts hard links, unless they are indexed', () => {
    for (const index of [false, true]) {
      const lower = plant(new TmpFs({ time }).root, { a: 'text' })
      lower.fs.link(at(lower, 'a'), lower, 'b')
      const upper = new TmpFs({ time }).root
      const { root } = new OverlayFs({ upper, lower: [lower], index })
      expect(at(root, 'a').ino).toBe(at(root, 'b').ino)
      expect(at(root, 'a').nlink).toBe(2)
      write(at(root, 'a'), 'TEXT')
      expect(read(at(root, 'b'))).toBe(index ? 'TEXT' : 'text')
      expect([at(root, 'a').nlink, at(root, 'b').nlink]).toEqual(index ? [2, 2] : [1, 2])
      expect(at(root, 'a').ino === at(root, 'b').ino).toBe(index)
      root.fs.unlink(root, 'a')
      expect(read(at(root, 'b'))).toBe(index ? 'TEXT' : 'text')
      expect(at(root, 'b').nlink).toBe(index ? 1 : 2)
    }
  })
})

describe('names', () => {
  test('that go are whited out where a lower layer has them', () => {
    const { fs, root, upper } = overlay([{ own: '' }, { f: '', d: { x: '' } }])
    fs.unlink(root, 'f')
    fs.unlink(root, 'own')
    expect(fs.rmdir(root, 'd')).toBe(-Errno.ENOTEMPTY)
    fs.unlink(dirAt(root, 'd'), 'x')
    expect(harvest(upper)).toEqual({ d: { x: null }, f: null })
    expect(fs.rmdir(root, 'd')).toBe(0)
    expect([harvest(upper), harvest(root)]).toEqual([{ d: null, f: null }, {}])
  })

  test('that come back are new, and their directories opaque', () => {
    const { fs, root, upper } = overlay([
      { d: null, f: null },
      { d: { x: '' }, f: 'old' },
    ])
    inodeOf(fs.mkdir(root, 'd', 0o700, 0, 0))
    inodeOf(fs.create(root, 'f', Mode.IFREG | 0o600, 0, 0, 0))
    expect(fs.create(root, 'f', Mode.IFREG | 0o600, 0, 0, 0)).toBe(-Errno.EEXIST)
    expect([harvest(root), attribute(at(upper, 'd'), 'trusted.overlay.opaque')]).toEqual([{ d: {}, f: '' }, 'y'])
    expect(fs.getxattr(dirAt(root, 'd'), 'trusted.overlay.opaque')).toBe(-Errno.ENODATA)
  })

  test('that are renamed leave a whiteout; directories of lower layers need redirects', () => {
    const without = overlay([{}, { d: { x: 'x' }, f: 'f' }])
    expect(without.fs.rename(without.root, 'd', without.root, 'e', 0)).toBe(-Errno.EXDEV)
    expect(without.fs.rename(without.root, 'f', without.root, 'g', 0)).toBe(0)
    expect(harvest(without.upper)).toEqual({ f: null, g: 'f' })
    const { fs, root, upper, lower } = overlay([{}, { d: { x: 'x', s: { y: 'y' } }, t: {} }], { redirectDir: 'on' })
    expect(fs.rename(root, 'd', root, 'e', 0)).toBe(0)
    expect(fs.rename(dirAt(root, 'e'), 's', dirAt(root, 't'), 's', 0)).toBe(0)
    expect(harvest(root)).toEqual({ e: { x: 'x' }, t: { s: { y: 'y' } } })
    expect(attribute(at(upper, 'e'), 'trusted.overlay.redirect')).toBe('d')
    expect(attribute(at(upper, 't/s'), 'trusted.overlay.redirect')).toBe('/d/s')
    const again = new OverlayFs({ upper, lower, redirectDir: 'on' })
    expect(harvest(again.root)).toEqual(harvest(root))
    const refusing = new OverlayFs({ upper, lower, redirectDir: 'nofollow' })
    expect(refusing.lookup(refusing.root, 'e')).toBe(-Errno.EPERM)
  })

  test('can be exchanged', () => {
    const { fs, root, upper } = overlay([{ u: {} }, { d: { x: 'x' }, f: 'f' }], { redirectDir: 'on' })
    expect(fs.rename(root, 'd', root, 'f', Rename.RENAME_EXCHANGE)).toBe(0)
    expect(harvest(root)).toEqual({ d: 'f', f: { x: 'x' }, u: {} })
    expect(fs.rename(root, 'f', dirAt(root, 'u'), 'none', Rename.RENAME_EXCHANGE)).toBe(-Errno.ENOENT)
    expect(fs.rename(root, 'f', root, 'd', Rename.RENAME_NOREPLACE)).toBe(-Errno.EEXIST)
    expect(fs.rename(root, 'f', root, 'g', Rename.RENAME_WHITEOUT)).toBe(-Errno.EINVAL)
    expect(harvest(upper)).toEqual({ d: 'f', f: {}, u: {} })
  })

  test('cannot be whiteouts', () => {
    const { fs, root } = overlay([{}])
    expect(fs.create(root, 'w', Mode.IFCHR, 0, 0, 0)).toBe(-Errno.EPERM)
  })
})

describe('directories', () => {
  test('are listed once and in place, while they change under the reader', () => {
    const lower = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`f${i}`, '']))
    const { fs, root } = overlay([{ d: {} }, { d: lower }])
    const dir = dirAt(root, 'd')
    fs.open(dir, 0)
    const seen: string[] = []
    let cookie = 2
    for (let round = 0; ; round++) {
      let room = 10
      const before = cookie
      const visitor = {
        entry: (name: string, _ino: number, _type: number, next: number) => {
          if (room-- === 0) return false
          seen.push(name)
          cookie = next
          return true
        },
      }
      fs.readdir(dir, cookie, visitor)
      if (cookie === before) break
      if (round < 10) fs.create(dir, `n${round}`, Mode.IFREG, 0, 0, 0)
      for (const name of seen.slice(-5)) if (name.startsWith('f')) fs.unlink(dir, name)
    }
    expect(new Set(seen).size).toBe(seen.length)
    expect(seen.filter((name) => name.startsWith('f'))).toHaveLength(200)
    fs.release(dir)
  })

  test('show the numbers that stat shows, after a copy-up too', () => {
    const { fs, root } = overlay([{}, { d: { a: '1', b: '2' } }])
    const before = [at(root, 'd').ino, at(root, 'd/a').ino, at(root, 'd/b').ino]
    write(at(root, 'd/a'), 'x')
    inodeOf(fs.create(dirAt(root, 'd'), 'c', Mode.IFREG, 0, 0, 0))
    const listed = new Map<string, number>()
    fs.readdir(dirAt(root, 'd'), 2, { entry: (name, ino) => listed.set(name, ino).size > 0 })
    expect([at(root, 'd').ino, listed.get('a'), listed.get('b')]).toEqual(before)
    expect(listed.get('c')).toBe(at(root, 'd/c').ino)
  })
})
