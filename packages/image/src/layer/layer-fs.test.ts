import { OverlayFs } from '@vmexit/overlayfs'
import { packTree, TarReader, Unpacker } from '@vmexit/tar'
import { Errno, type FileSystem, Mode, SettableTime, Stat, TmpFs, Vfs } from '@vmexit/vfs'
import { describe, expect, test } from 'vitest'
import { bytesOfText, joined, Random, readFile, seen, tarOf } from '../../test/fixtures.ts'
import { portableCodecs } from '../codecs.ts'
import { decodeCatalog, encodeCatalog } from './catalog.ts'
import { LayerIndexer } from './indexer.ts'
import { LayerFs } from './layer-fs.ts'

const limits = { entries: 1000, metadataBytes: 1 << 20 }

function layerOf(archive: Uint8Array, piece = archive.length): LayerFs {
  const indexer = new LayerIndexer('a layer', limits)
  for (let at = 0; at < archive.length; at += piece) indexer.push(archive.subarray(at, at + piece))
  const catalog = decodeCatalog(portableCodecs, encodeCatalog(portableCodecs, indexer.finish()))!
  return new LayerFs(catalog, {
    size: archive.length,
    read(into, start, length, position) {
      // A few bytes at a time, as a disk may.
      const part = archive.subarray(position, position + Math.min(length, 700))
      into.set(part, start)
      return part.length
    },
    close() {},
  })
}

/** The tree that unpacking makes. */
function unpacked(archive: Uint8Array): FileSystem {
  const time = new SettableTime()
  const fs = new TmpFs({ time, mode: 0o755 })
  const vfs = new Vfs({ time })
  const task = vfs.newTask(vfs.newTree(fs))
  task.umask = 0
  const unpacker = new Unpacker({ vfs, task, whiteouts: 'overlay' })
  const reader = new TarReader(unpacker)
  reader.push(archive)
  reader.finish()
  unpacker.finish()
  return fs
}

const packed = (fs: FileSystem): Uint8Array => joined(packTree(seen(fs)))

describe('a layer is what its archive unpacks to', () => {
  test('links, devices, owners, times, attributes, holes', () => {
    const archive = tarOf(
      { name: '.', type: 'directory', mode: 0o1777, uid: 5 },
      { name: 'bin', type: 'symlink', target: 'usr/bin' },
      { name: 'usr/bin/sh', data: 'shell', mode: 0o4755, uid: 1, gid: 2, modified: { seconds: 7, nanoseconds: 9 } },
      { name: 'bin/ash', type: 'hardlink', target: 'bin/sh' },
      { name: 'dev/null', type: 'character', major: 1, minor: 3, mode: 0o666 },
      { name: 'run/p', type: 'fifo' },
      { name: 'x', data: 'x', attributes: new Map([['security.capability', Uint8Array.of(0, 255)]]) },
    )
    const fs = layerOf(archive)
    expect(packed(fs)).toEqual(packed(unpacked(archive)))
    expect(readFile(fs, '/usr/bin/ash')).toBe('shell')
    const stat = new Stat()
    const { vfs, task } = seen(fs)
    vfs.stat(task, null, '/usr/bin/sh', stat)
    expect([stat.mode & 0o7777, stat.nlink, stat.mtimeNanoseconds]).toEqual([0o4755, 2, 9])
    vfs.stat(task, null, '/', stat)
    expect([stat.mode & 0o7777, stat.uid, stat.nlink]).toEqual([0o1777, 5, 5])
    vfs.stat(task, null, '/dev/null', stat)
    expect([stat.mode & Mode.IFMT, stat.rdev]).toEqual([Mode.IFCHR, 0x100003])
  })

  test('sparse files, read across data and holes', () => {
    const extents = [
      { position: 1000, length: 5 },
      { position: 9000, length: 6 },
    ]
    const data = joined([bytesOfText('helloworld!')])
    const header = tarOf({ name: 's', extents, size: 20_000, data: new Uint8Array() })
    // The data stands behind the header and its map, before the end.
    const archive = joined([header.subarray(0, header.length - 1024), data, new Uint8Array(512 - data.length + 1024)])
    const fs = layerOf(archive)
    const text = readFile(fs, '/s') as string
    expect(text).toBe(readFile(unpacked(archive), '/s'))
    expect([text.length, text.slice(999, 1006), text.slice(8999, 9007)]).toEqual([20_000, '\0hello\0', '\0world!\0'])
  })

  test('in random archives with names, whiteouts and links that come again and again', () => {
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed)
      const name = (): string =>
        Array.from({ length: 1 + random.below(3) }, () => random.of(['a', 'b', 'c', 'd'])).join('/')
      const entry = (n: number) => {
        switch (random.below(8)) {
          case 0:
            return { name: name(), type: 'directory' as const, mode: 0o700 + random.below(64) }
          case 1:
            return { name: name(), type: 'symlink' as const, target: random.of(['a', '../b', '/c', '.', 'a/b']) }
          case 2:
            return { name: name(), type: 'hardlink' as const, target: name() }
          case 3:
            return { name: name().replace(/[^/]+$/, '.wh.$&') }
          case 4:
            return { name: `${name()}/.wh..wh..opq` }
          case 5:
            return { name: name(), type: 'character' as const, major: random.below(2), minor: random.below(2) }
          default:
            return { name: name(), data: 'x'.repeat(random.below(2000)), uid: n }
        }
      }
      const archive = tarOf(...Array.from({ length: 12 }, (_, n) => entry(n)))
      let expected: Uint8Array | undefined
      try {
        expected = packed(unpacked(archive))
      } catch {
        // The same is refused here.
      }
      if (expected === undefined) expect(() => layerOf(archive), `seed ${seed}`).toThrow()
      else expect(packed(layerOf(archive, 1 + random.below(5000))), `seed ${seed}`).toEqual(expected)
    }
  })
})

test('an overlay of layers hides what they say', () => {
  const below = layerOf(tarOf({ name: 'etc/motd', data: 'old' }, { name: 'etc/keep', data: 'kept' }, { name: 'd/x' }))
  const above = layerOf(tarOf({ name: 'etc/.wh.motd' }, { name: 'd/.wh..wh..opq' }, { name: 'd/y', data: 'y' }))
  const fs = new OverlayFs({ lower: [above.root, below.root] })
  expect(readFile(fs, '/etc/motd')).toBe(-Errno.ENOENT)
  expect(readFile(fs, '/etc/keep')).toBe('kept')
  expect(readFile(fs, '/d/x')).toBe(-Errno.ENOENT)
  expect(readFile(fs, '/d/y')).toBe('y')
})

test('nothing can be changed, and a read that fails is an error number', () => {
  const archive = tarOf({ name: 'f', data: 'hello' })
  const indexer = new LayerIndexer('a layer', limits)
  indexer.push(archive)
  const fs = new LayerFs(indexer.finish(), { size: 0, read: () => 0, close() {} })
  expect(readFile(fs, '/f')).toBe('')
  const { vfs, task } = seen(fs)
  const file = vfs.open(task, null, '/f', 0)
  expect(typeof file === 'object' && vfs.read(file, new Uint8Array(9))).toBe(-Errno.EIO)
  expect(vfs.mkdir(task, null, '/d', 0o755)).toBe(-Errno.EROFS)
})

test('a catalog that is damaged, or of another version, is made again', () => {
  const indexer = new LayerIndexer('a layer', limits)
  indexer.push(tarOf({ name: 'f', data: 'hello' }))
  const bytes = encodeCatalog(portableCodecs, indexer.finish())
  expect(decodeCatalog(portableCodecs, bytes)).toBeDefined()
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = bytes.slice()
    damaged[at]! ^= 4
    expect(decodeCatalog(portableCodecs, damaged)).toBeUndefined()
  }
  expect(decodeCatalog(portableCodecs, new Uint8Array())).toBeUndefined()
})
