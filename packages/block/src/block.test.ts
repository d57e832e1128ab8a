import { describe, expect, test } from 'vitest'
import { deviceSuite, pattern } from '../test/device-suite.ts'
import { type BlockDevice, byteArray, cdImage, memoryDisk, Overlay, rawImage, readOnly, sparseDisk } from './index.ts'

const size = 300 * 512

describe('a raw image', () => deviceSuite(() => rawImage(new Uint8Array(size))))
describe('a disk in memory', () => deviceSuite(() => memoryDisk(new Uint8Array(size))))
describe('a sparse disk', () => deviceSuite(() => memoryDisk(size)))
describe('an overlay', () => deviceSuite(() => new Overlay(memoryDisk(new Uint8Array(size)))))
describe('an overlay of small clusters', () => {
  deviceSuite(() => new Overlay(memoryDisk(new Uint8Array(size)), { clusterBytes: 4096 }))
})
describe('an overlay over an overlay', () => {
  deviceSuite(
    () => new Overlay(new Overlay(readOnly(memoryDisk(size)), { clusterBytes: 8192 }), { clusterBytes: 4096 }),
  )
})

const sector = (device: BlockDevice, number: number) => {
  const into = new Uint8Array(device.sectorBytes)
  device.read(number, into)
  return into
}
const code = (code: string, words = '') => expect.objectContaining({ code, message: expect.stringContaining(words) })

describe('images that are no whole number of sectors', () => {
  test('are refused, with what to do', () => {
    expect(() => rawImage(new Uint8Array(1000))).toThrow(code('block-size', '{ pad: true }'))
    expect(() => cdImage(new Uint8Array(2048 + 512))).toThrow(code('block-size', '1536 zeros'))
    expect(() => memoryDisk(1000)).toThrow(code('block-size'))
    expect(() => memoryDisk(-512)).toThrow(code('block-size', 'a whole number'))
    expect(() => memoryDisk(Number.NaN)).toThrow(code('block-size'))
  })

  test('are filled up with zeros if asked to, and cannot be written', () => {
    const image = rawImage(pattern(1000), { pad: true })
    expect([image.sectors, image.readOnly]).toEqual([2, true])
    const expected = new Uint8Array(1024)
    expected.set(pattern(1000))
    const into = new Uint8Array(1024).fill(0xee)
    image.read(0, into)
    expect(into).toEqual(expected)
    expect(sector(image, 1)).toEqual(expected.subarray(512))
    expect(() => image.write(1, new Uint8Array(512))).toThrow(code('block-read-only'))
  })

  test('that are whole are written also with padding on', () => {
    expect(rawImage(new Uint8Array(1024), { pad: true }).readOnly).toBe(false)
  })
})

describe('read-only', () => {
  test.each([
    ['by wrapper', readOnly(memoryDisk(pattern(1024)))],
    ['by option', rawImage(pattern(1024), { readOnly: true })],
    ['for the store cannot be written', rawImage({ ...byteArray(pattern(1024)), write: undefined } as never)],
  ])('%s: reads go through, writes are refused with what to do', (_, device) => {
    expect(device.readOnly).toBe(true)
    expect(sector(device, 1)).toEqual(pattern(1024).subarray(512))
    expect(() => device.write(0, new Uint8Array(512))).toThrow(code('block-read-only', 'put an overlay over it'))
    device.flush()
  })

  test('a CD has sectors of 2048 bytes', () => {
    const cd = cdImage(pattern(4096))
    expect([cd.sectorBytes, cd.sectors, cd.readOnly]).toEqual([2048, 2, true])
    expect(sector(cd, 1)).toEqual(pattern(4096).subarray(2048))
  })
})

describe('copy-on-write', () => {
  const covered = () => {
    const bytes = pattern(size)
    const base = memoryDisk(bytes)
    return { bytes, base, overlay: new Overlay(base, { clusterBytes: 4096 }) }
  }

  test('the base stays as it was, until the changes are committed', () => {
    const { bytes, overlay } = covered()
    overlay.write(9, new Uint8Array(512))
    expect(bytes).toEqual(pattern(size))
    expect(sector(overlay, 8)).toEqual(pattern(size).subarray(8 * 512, 9 * 512))
    expect(overlay.changedBytes).toBe(4096)
    overlay.commit()
    expect(overlay.changedBytes).toBe(0)
    const expected = pattern(size)
    expected.fill(0, 9 * 512, 10 * 512)
    expect(bytes).toEqual(expected)
  })

  test('changes are discarded', () => {
    const { overlay } = covered()
    overlay.write(0, new Uint8Array(size))
    // 37 whole clusters and half of one.
    expect(overlay.changedBytes).toBe(size)
    overlay.discard()
    expect(overlay.changedBytes).toBe(0)
    expect(sector(overlay, 77)).toEqual(pattern(size).subarray(77 * 512, 78 * 512))
  })

  test('over a base that cannot be written, committing is an error and keeps the changes', () => {
    const overlay = new Overlay(readOnly(memoryDisk(size)))
    overlay.write(3, pattern(512))
    expect(() => overlay.commit()).toThrow(code('block-read-only'))
    expect(sector(overlay, 3)).toEqual(pattern(512))
  })

  test('a base that fails is an error, and nothing is written by halves', () => {
    let broken = true
    const base = memoryDisk(pattern(size))
    const failing: BlockDevice = {
      ...{ sectorBytes: 512, sectors: 300, readOnly: false },
      read(at, into) {
        if (broken) throw new Error('scratched')
        base.read(at, into)
      },
      write: () => {},
      flush: () => {},
    }
    const overlay = new Overlay(failing, { clusterBytes: 4096 })
    expect(() => overlay.write(1, new Uint8Array(512))).toThrow('scratched')
    broken = false
    expect(overlay.changedBytes).toBe(0)
    expect(sector(overlay, 1)).toEqual(pattern(size).subarray(512, 1024))
    // A whole cluster needs nothing of the base.
    broken = true
    overlay.write(8, new Uint8Array(4096))
    expect(overlay.changedBytes).toBe(4096)
  })

  test('changes are saved and restored, over the same base elsewhere', () => {
    const here = covered().overlay
    here.write(10, pattern(1024, 99))
    here.write(299, pattern(512, 98))
    const state = structuredClone(here.save())
    here.write(10, new Uint8Array(512))
    const there = covered().overlay
    there.write(100, new Uint8Array(512))
    there.restore(state)
    expect(there.changedBytes).toBe(4096 + 2048)
    expect(sector(there, 10)).toEqual(pattern(1024, 99).subarray(0, 512))
    expect(sector(there, 299)).toEqual(pattern(512, 98))
    expect(sector(there, 100)).toEqual(pattern(size).subarray(100 * 512, 101 * 512))
    expect(there.save()).toEqual(state)
    here.restore(state)
    expect(sector(here, 10)).toEqual(pattern(1024, 99).subarray(0, 512))
  })

  test('changes of a disk of another size, or cut off, are refused', () => {
    const { overlay } = covered()
    overlay.write(10, pattern(1024, 99))
    const state = overlay.save()
    const mismatch = code('state-mismatch')
    expect(() => sparseDisk(1 << 20, { clusterBytes: 4096 }).restore(state)).toThrow(mismatch)
    expect(() => sparseDisk(size).restore(state)).toThrow(mismatch)
    expect(() => overlay.restore({ ...state, contents: [new Uint8Array(1)] })).toThrow(mismatch)
    expect(() => overlay.restore({ ...state, contents: [] })).toThrow(mismatch)
    expect(() => overlay.restore({ ...state, clusters: [1e9] })).toThrow(mismatch)
    expect(sector(overlay, 10)).toEqual(pattern(1024, 99).subarray(0, 512))
  })

  test.each([0, 512, 5000, 2 ** 22, Number.NaN])('clusters of %s bytes are refused', (clusterBytes) => {
    expect(() => new Overlay(memoryDisk(512), { clusterBytes })).toThrow(code('block-cluster', 'power of two'))
  })

  test('CDs can be written through an overlay', () => {
    const overlay = new Overlay(cdImage(pattern(3 * 2048)))
    overlay.write(2, pattern(2048, 5))
    expect(sector(overlay, 2)).toEqual(pattern(2048, 5))
    expect(sector(overlay, 1)).toEqual(pattern(3 * 2048).subarray(2048, 4096))
  })
})

test('a sparse disk of a terabyte takes memory only where it was written', () => {
  const disk = sparseDisk(2 ** 40)
  disk.write(2 ** 31 - 1, pattern(512))
  disk.write(2 ** 30, pattern(512, 2))
  expect(sector(disk, 2 ** 31 - 1)).toEqual(pattern(512))
  expect(disk.changedBytes).toBe(2 * 65536)
})
