/**
 * Upper layers that are full, and stores that answer *not yet*: whichever call below comes to nothing, the overlay shows
 * what it showed, and the same call succeeds when there is room, or when the store has what it needs.
 */
import { type Changes, Errno, type Inode, Mode, NOT_YET, Rename, SettableTime, TmpFs, type TmpInode } from '@vmexit/vfs'
import { describe, expect, test } from 'vitest'
import { at, harvest, plant, write } from '../test/tree.ts'
import type { OverlayDirectory, OverlayFile } from './inode.ts'
import { OverlayFs } from './overlay.ts'
import type { OverlayOptions } from './union.ts'

const time = new SettableTime(1_000)

/** A tmpfs one of whose calls fails: the one that `left` counts down to. */
class FailingTmpFs extends TmpFs {
  left = Number.POSITIVE_INFINITY
  error = -Errno.ENOSPC as number

  #fails(): boolean {
    return --this.left === 0
  }

  override create(dir: TmpInode, name: string, mode: number, uid: number, gid: number, rdev: number) {
    return this.#fails() ? this.error : super.create(dir, name, mode, uid, gid, rdev)
  }

  override mkdir(dir: TmpInode, name: string, mode: number, uid: number, gid: number) {
    return this.#fails() ? this.error : super.mkdir(dir, name, mode, uid, gid)
  }

  override symlink(dir: TmpInode, name: string, target: string, uid: number, gid: number) {
    return this.#fails() ? this.error : super.symlink(dir, name, target, uid, gid)
  }

  override tmpfile(dir: TmpInode, mode: number, uid: number, gid: number) {
    return this.#fails() ? this.error : super.tmpfile(dir, mode, uid, gid)
  }

  override link(inode: TmpInode, dir: TmpInode, name: string) {
    return this.#fails() ? this.error : super.link(inode, dir, name)
  }

  override rename(a: TmpInode, b: string, c: TmpInode, d: string, flags: number, uid: number, gid: number) {
    return this.#fails() ? this.error : super.rename(a, b, c, d, flags, uid, gid)
  }

  override setattr(inode: TmpInode, changes: Changes) {
    return this.#fails() ? this.error : super.setattr(inode, changes)
  }

  override setxattr(inode: TmpInode, name: string, value: Uint8Array, flags: number) {
    return this.#fails() ? this.error : super.setxattr(inode, name, value, flags)
  }

  override write(inode: TmpInode, from: Uint8Array, start: number, length: number, position: number) {
    return this.#fails() ? this.error : super.write(inode, from, start, length, position)
  }

  override truncate(inode: TmpInode, size: number) {
    return this.#fails() ? this.error : super.truncate(inode, size)
  }
}

/** A tmpfs that answers the first time that it is asked for something: *not yet*. */
class SlowTmpFs extends TmpFs {
  slow = false
  readonly #asked = new Set<string>()

  #first(what: string, inode: Inode, more: string | number): boolean {
    const key = `${what} ${inode.ino} ${more}`
    if (!this.slow || this.#asked.has(key)) return false
    this.#asked.add(key)
    return true
  }

  override lookup(dir: TmpInode, name: string) {
    return this.#first('lookup', dir, name) ? NOT_YET : super.lookup(dir, name)
  }

  override read(inode: TmpInode, into: Uint8Array, start: number, length: number, position: number) {
    return this.#first('read', inode, position) ? NOT_YET : super.read(inode, into, start, length, position)
  }

  override getxattr(inode: TmpInode, name: string) {
    return this.#first('getxattr', inode, name) ? NOT_YET : super.getxattr(inode, name)
  }

  override readdir(
    dir: TmpInode,
    ...rest: Parameters<TmpFs['readdir']> extends [unknown, ...infer Rest] ? Rest : never
  ) {
    return this.#first('readdir', dir, rest[0]) ? NOT_YET : super.readdir(dir, ...rest)
  }
}

const lowerTree = {
  big: 'x'.repeat(10_000),
  d: { f: 'text', s: { g: 'more', h: '' }, l: '->f' },
  e: { w: '', v: '' },
  gone: { x: '' },
}

/** An answer as a number: 0 for an inode. */
function plain(answer: number | object): number {
  return typeof answer === 'number' ? answer : 0
}

type Act = (fs: OverlayFs, root: OverlayDirectory) => number | object

const dir = (root: OverlayDirectory, path: string) => at(root, path) as OverlayDirectory
const file = (root: OverlayDirectory, path: string) => at(root, path) as OverlayFile

/** Calls that take several steps below. */
const acts: Readonly<Record<string, Act>> = {
  'opening for writing': (fs, root) => {
    const answer = fs.open(file(root, 'big'), 2)
    if (answer === 0) fs.release(file(root, 'big'))
    return answer
  },
  truncating: (fs, root) => fs.truncate(file(root, 'd/s/g'), 2),
  'setting an attribute': (fs, root) => fs.setxattr(file(root, 'd/l'), 'trusted.a', new Uint8Array(1), 0),
  'creating in a lower directory': (fs, root) => fs.create(dir(root, 'd/s'), 'n', Mode.IFREG | 0o600, 0, 0, 0),
  'creating over a whiteout': (fs, root) => fs.create(root, 'gone', Mode.IFREG | 0o600, 0, 0, 0),
  'mkdir over a whiteout': (fs, root) => fs.mkdir(root, 'gone', 0o700, 0, 0),
  'symlink over a whiteout': (fs, root) => fs.symlink(root, 'gone', 'target', 0, 0),
  linking: (fs, root) => fs.link(file(root, 'd/f'), dir(root, 'd/s'), 'n'),
  'linking over a whiteout': (fs, root) => fs.link(file(root, 'd/f'), root, 'gone'),
  unlinking: (fs, root) => fs.unlink(dir(root, 'd/s'), 'g'),
  'removing a directory of whiteouts': (fs, root) => fs.rmdir(root, 'e'),
  'renaming a file': (fs, root) => fs.rename(dir(root, 'd'), 'f', dir(root, 'd/s'), 'h', 0),
  'renaming a directory': (fs, root) => fs.rename(root, 'd', root, 'gone', 0),
  'renaming a directory onto one of whiteouts': (fs, root) => fs.rename(dir(root, 'd'), 's', root, 'e', 0),
  exchanging: (fs, root) => fs.rename(root, 'd', root, 'big', Rename.RENAME_EXCHANGE),
}

/** An overlay in which some names have been removed. */
function overlay<Upper extends TmpFs, Lower extends TmpFs>(
  upper: Upper,
  lower: Lower,
  options: Partial<OverlayOptions>,
) {
  plant(lower.root, lowerTree)
  const fs = new OverlayFs({ upper: upper.root, lower: [lower.root], redirectDir: 'on', ...options })
  const { root } = fs
  for (const name of ['w', 'v']) fs.unlink(dir(root, 'e'), name)
  fs.unlink(dir(root, 'gone'), 'x')
  fs.rmdir(root, 'gone')
  return { fs, root, upper, lower }
}

describe.each([{}, { metacopy: true }, { index: true }])('with %o', (options) => {
  test.each(Object.entries(acts))('%s fails as a whole, or not at all', (_, act) => {
    const [fine, sound] = [new FailingTmpFs({ time }), new TmpFs({ time })]
    const whole = overlay(fine, sound, options)
    expect(plain(act(whole.fs, whole.root))).toBe(0)
    const after = harvest(whole.root)
    for (const error of [-Errno.ENOSPC, NOT_YET]) {
      for (let step = 1; ; step++) {
        const { fs, root, upper, lower } = overlay(new FailingTmpFs({ time }), new TmpFs({ time }), options)
        const before = harvest(root)
        upper.left = step
        upper.error = error
        const answer = act(fs, root)
        const reached = upper.left <= 0
        upper.left = Number.POSITIVE_INFINITY
        const failed = typeof answer === 'number' && answer < 0
        expect(harvest(root), `step ${step}`).toEqual(failed ? before : after)
        // A mount of the layers as they are now shows the same.
        const again = new OverlayFs({ upper: upper.root, lower: [lower.root], redirectDir: 'on', metacopy: true })
        expect(harvest(again.root), `step ${step}, mounted again`).toEqual(failed ? before : after)
        if (failed) expect(plain(act(fs, root)), `step ${step}, once more`).toBe(0)
        expect(harvest(root)).toEqual(after)
        expect(harvest(lower.root)).toEqual(lowerTree)
        if (!reached) break
      }
    }
  })
})

test('a lower layer that has to be waited for is asked again and again, and each part of a copy-up but once', () => {
  for (const act of Object.values(acts)) {
    const whole = overlay(new TmpFs({ time }), new TmpFs({ time }), {})
    act(whole.fs, whole.root)
    const { upper, lower } = overlay(new TmpFs({ time }), new SlowTmpFs({ time }), {})
    const again = new OverlayFs({ upper: upper.root, lower: [lower.root], redirectDir: 'on' })
    lower.slow = true
    let tries = 0
    const patiently: Act = (fs, root) => {
      for (;;) {
        try {
          return act(fs, root)
        } catch (error) {
          if (!String(error).includes(String(NOT_YET))) throw error
          if (tries++ > 1000) throw error
        }
      }
    }
    let answer = patiently(again, again.root)
    while (answer === NOT_YET && tries++ < 1000) answer = patiently(again, again.root)
    expect(plain(answer)).toBe(0)
    lower.slow = false
    expect(harvest(again.root)).toEqual(harvest(whole.root))
  }
})

test('a full upper layer takes what fits when room has been made', () => {
  const { fs, root } = overlay(new TmpFs({ time, sizeBytes: 8192 }), new TmpFs({ time }), {})
  expect(fs.open(file(root, 'big'), 1)).toBe(-Errno.ENOSPC)
  expect(fs.truncate(file(root, 'big'), 5000)).toBe(0)
  write(file(root, 'big'), 'y', 6000)
  expect(file(root, 'big').size).toBe(6001)
})
