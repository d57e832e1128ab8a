/** Files that are copied up by chunk read as if they had been copied whole, and take only what is written. */
import { byteStringOf, bytesOf, Errno, Fallocate, Mode, Seek, SettableTime, Stat, TmpFs } from '@vmexit/vfs'
import { expect, test } from 'vitest'
import { at, attribute, inodeOf, plant, write } from '../test/tree.ts'
import type { OverlayFile } from './inode.ts'
import { OverlayFs } from './overlay.ts'

const time = new SettableTime(1_000)
const options = { redirectDir: 'on', metacopy: true, lazyCopyUp: { chunkBytes: 4096, fromBytes: 8192 } } as const

function layers(sizeBytes = 2 ** 30) {
  const lower = plant(new TmpFs({ time }).root, { f: '' })
  const data = new Uint8Array(50_000).map((_, index) => 97 + (Math.floor(index / 4096) % 26))
  lower.fs.write(at(lower, 'f'), data, 0, data.length, 0)
  const upper = new TmpFs({ time, sizeBytes }).root
  const fs = new OverlayFs({ lower: [lower], upper, ...options })
  return { fs, lower, upper, data, file: at(fs.root, 'f') as OverlayFile }
}

function all(file: OverlayFile): string {
  const bytes = new Uint8Array(file.size)
  return byteStringOf(bytes.subarray(0, file.fs.read(file, bytes, 0, bytes.length, 0)))
}

function pages(upper: ReturnType<typeof layers>['upper']): number {
  const stat = new Stat()
  const copy = at(upper, 'f')
  copy.fs.getattr(copy, stat)
  return stat.blocks / 8
}

test('a write copies the chunks that it touches, and the rest is read from below', () => {
  const { fs, upper, data, file, lower } = layers()
  expect(fs.open(file, 2)).toBe(0)
  expect([pages(upper), file.size]).toEqual([0, 50_000])
  write(file, 'XYZ', 4095)
  const expected = byteStringOf(data.with(4095, 88).with(4096, 89).with(4097, 90))
  expect([pages(upper), all(file) === expected]).toEqual([2, true])
  fs.release(file)
  // Another mount of the same layers goes on.
  const again = at(new OverlayFs({ lower: [lower], upper, ...options }).root, 'f') as OverlayFile
  expect(all(again)).toBe(expected)
  write(again, 'w', 49_999)
  expect([pages(upper), all(again)]).toEqual([3, expected.slice(0, -1) + 'w'])
})

test('it is complete when all chunks are there, by writes or by complete()', () => {
  const { fs, upper, data, file } = layers()
  write(file, 'X')
  expect(attribute(at(upper, 'f'), 'trusted.overlay.metacopy')).toBe('')
  expect(fs.complete()).toBe(0)
  expect(fs.listxattr(file)).toEqual([])
  expect(attribute(at(upper, 'f'), 'trusted.overlay.metacopy')).toBeUndefined()
  expect([pages(upper), all(file)]).toEqual([13, byteStringOf(data.with(0, 88))])
})

test('a full upper layer is ENOSPC, and what has been written stays', () => {
  const { fs, data, file } = layers(3 * 4096)
  write(file, 'X')
  expect(fs.complete()).toBe(-Errno.ENOSPC)
  expect(fs.write(file, bytesOf('y'), 0, 1, 40_000)).toBe(-Errno.ENOSPC)
  expect(all(file)).toBe(byteStringOf(data.with(0, 88)))
})

test('the same operations at random do the same to a file that is copied whole', () => {
  for (let seed = 1; seed <= 30; seed++) {
    let state = seed
    const below = (limit: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return (state >>> 8) % limit
    }
    const lazy = layers()
    const { root } = new TmpFs({ time })
    const whole = inodeOf(root.fs.create(root, 'w', Mode.IFREG | 0o644, 0, 0, 0))
    whole.fs.write(whole, lazy.data, 0, lazy.data.length, 0)
    for (let step = 0; step < 12; step++) {
      const [position, length] = [below(60_000), 1 + below(6000)]
      const kind = below(6)
      const [answer, expected] = [lazy.file, whole].map((file) => {
        if (kind < 2) return file.fs.write(file, new Uint8Array(length).fill(65 + step), 0, length, position)
        if (kind === 2) return file.fs.truncate(file, position)
        if (kind === 3) return file.fs.fallocate(file, Fallocate.FALLOC_FL_PUNCH_HOLE | 1, position, length)
        return file.fs.seek(file, position, kind === 4 ? Seek.SEEK_DATA : Seek.SEEK_HOLE)
      })
      // Past the end of the lower data it knows of the hole in the last page, too.
      const early = kind === 5 && answer! < expected! && all(lazy.file)[answer!] === '\0'
      expect([early ? expected : answer, lazy.file.size], `seed ${seed}, step ${step}, ${kind}`).toEqual([
        expected,
        whole.size,
      ])
      expect(all(lazy.file) === all(whole as OverlayFile), `seed ${seed}, step ${step}, ${kind}`).toBe(true)
    }
    expect(lazy.fs.complete()).toBe(0)
    expect(all(lazy.file) === all(whole as OverlayFile)).toBe(true)
  }
})
