import { describe, expect, test } from 'vitest'
import { byteArray, cdImage, isQcow2, memoryDisk, Overlay, qcow2 } from '../index.ts'
import { InflateError, inflate } from './inflate.ts'

const clusterBytes = 512
const entries = clusterBytes / 8

/** What stands in an image of 512-byte clusters: tables at 0x400 and 0x600, data from 0x800 on. */
interface Contents {
  readonly bytes?: number
  readonly version?: number
  /** Entries of the second-level table, as upper and lower half. */
  readonly l2?: readonly (readonly [high: number, low: number])[]
  readonly data?: Uint8Array
  readonly backing?: string
  /** Numbers of 32 bits to be put into the header. */
  readonly patch?: Readonly<Record<number, number>>
}

function imageOf({
  bytes = 8 * 512,
  version = 3,
  l2 = [],
  data,
  backing,
  patch = {},
}: Contents): Uint8Array<ArrayBuffer> {
  const image = new Uint8Array(0x800 + (data?.length ?? 0))
  const view = new DataView(image.buffer)
  const header = { 0: 0x5146_49fb, 4: version, 20: 9, 28: bytes, 36: 1, 44: 0x400, 96: 4, 100: 104 }
  for (const [at, value] of Object.entries(header)) view.setUint32(Number(at), value)
  if (backing !== undefined) {
    view.setUint32(12, 0x80)
    view.setUint32(16, backing.length)
    image.set(new TextEncoder().encode(backing), 0x80)
  }
  view.setUint32(0x400, 0x8000_0000)
  view.setUint32(0x404, 0x600)
  for (const [i, [high, low]] of l2.entries()) {
    view.setUint32(0x600 + 8 * i, high)
    view.setUint32(0x604 + 8 * i, low)
  }
  if (data !== undefined) image.set(data, 0x800)
  for (const [at, value] of Object.entries(patch)) view.setUint32(Number(at), value)
  return image
}

const read = (image: Uint8Array, sector: number, options = {}) => {
  const into = new Uint8Array(512).fill(0xee)
  qcow2(image, options).read(sector, into)
  return into
}
const filled = (value: number) => new Uint8Array(512).fill(value)
const code = (code: string, words = '') => expect.objectContaining({ code, message: expect.stringContaining(words) })

test('clusters are where the tables say, or zeros', () => {
  const image = imageOf({
    l2: [
      [0x8000_0000, 0xa00],
      [0, 0],
      [0, 1],
      [0x8000_0000, 0x800],
    ],
    data: Uint8Array.of(...filled(1), ...filled(2)),
  })
  const disk = qcow2(image)
  expect([isQcow2(byteArray(image)), disk.sectors, disk.sectorBytes, disk.readOnly]).toEqual([true, 8, 512, true])
  const into = new Uint8Array(5 * 512)
  disk.read(0, into)
  expect(into).toEqual(Uint8Array.of(...filled(2), ...filled(0), ...filled(0), ...filled(1), ...filled(0)))
  expect(() => disk.write(0, filled(0))).toThrow(code('block-read-only'))
  expect(() => disk.read(8, filled(0))).toThrow(code('block-range'))
  const overlay = new Overlay(disk)
  overlay.write(1, filled(7))
  overlay.read(0, into)
  expect([into[0], into[512], into[1024]]).toEqual([2, 7, 0])
})

test('what is not there is in the image below, zeros behind its end', () => {
  const image = imageOf({
    l2: [
      [0, 0],
      [0, 1],
    ],
    backing: 'below.img',
  })
  expect(() => qcow2(image)).toThrow(code('block-backing', 'below.img'))
  expect(() => qcow2(image, { backing: cdImage(new Uint8Array(2048)) })).toThrow(code('block-backing', '2048'))
  const backing = memoryDisk(new Uint8Array(3 * 512).fill(9))
  expect([0, 1, 2, 3].map((sector) => read(image, sector, { backing })[511])).toEqual([9, 0, 9, 0])
  expect(read(imageOf({}), 0, { backing })[0]).toBe(0)
})

test('a last cluster that is cut off is filled up with zeros', () => {
  const image = imageOf({ l2: [[0, 0x800]], data: new Uint8Array(100).fill(3) })
  expect(read(image, 0)).toEqual(Uint8Array.of(...new Uint8Array(100).fill(3), ...new Uint8Array(412)))
})

describe('what cannot be read is an error', () => {
  test.each([
    ['nothing', new Uint8Array(0), 'block-image', 'no header'],
    ['something else', new Uint8Array(1024), 'block-image', 'no header'],
    ['version 1', imageOf({ version: 1 }), 'block-format', 'its version is 1'],
    ['version 4', imageOf({ version: 4 }), 'block-format', '-O raw'],
    ['encrypted', imageOf({ patch: { 32: 1 } }), 'block-format', 'encrypted'],
    ['clusters of 256 bytes', imageOf({ patch: { 20: 8 } }), 'block-image', '2^8'],
    ['clusters of 4 MiB', imageOf({ patch: { 20: 22 } }), 'block-image', '2^22'],
    ['clusters of 2^32 bytes', imageOf({ patch: { 20: 32 } }), 'block-image', '2^32'],
    ['a disk of half a sector', imageOf({ bytes: 256 }), 'block-image', '256 bytes'],
    ['a disk of 2^60 bytes', imageOf({ patch: { 24: 1 << 28 } }), 'block-image', 'its disk has'],
    ['a disk larger than the tables', imageOf({ bytes: (entries + 1) * 512 }), 'block-image', 'has 1 entries'],
    ['an endless first-level table', imageOf({ patch: { 36: 0xffff_ffff } }), 'block-image', 'entries'],
    ['a first-level table behind the end', imageOf({ patch: { 36: 1000 } }), 'block-image', 'at byte 1024 of 2048'],
    ['a first-level table nowhere', imageOf({ patch: { 40: 0x1000 } }), 'block-image', 'first-level table is at'],
    ['a first-level table between clusters', imageOf({ patch: { 44: 0x408 } }), 'block-image', '1032'],
    ['marked as corrupt', imageOf({ patch: { 76: 2 } }), 'block-image', 'corrupt'],
    ['data elsewhere', imageOf({ patch: { 76: 4 } }), 'block-format', 'another file'],
    ['zstd', imageOf({ patch: { 76: 8 } }), 'block-format', 'zlib'],
    ['subclusters', imageOf({ patch: { 76: 16 } }), 'block-format', 'subclusters'],
    ['the future', imageOf({ patch: { 76: 32 } }), 'block-format', 'not known'],
    ['the far future', imageOf({ patch: { 72: 1 } }), 'block-format', 'not known'],
    ['a short header', imageOf({ patch: { 100: 72 } }), 'block-image', '72 bytes'],
    ['a header that is cut off', imageOf({}).slice(0, 90), 'block-image', 'cut off'],
    ['a name behind the end', imageOf({ patch: { 12: 0x700, 16: 10 } }), 'block-image', 'the name'],
    ['a long name', imageOf({ patch: { 12: 0x80, 16: 5000 } }), 'block-image', 'the name'],
  ])('%s', (_, image, error, words) => {
    expect(() => qcow2(image)).toThrow(code(error, words))
  })

  test.each([
    ['a table behind the end', imageOf({ patch: { 1028: 0x8000 } }), 'a table is at byte 32768'],
    ['a table that is cut off', imageOf({}).slice(0, 0x700), 'a table is at byte 1536'],
    ['a cluster behind the end', imageOf({ l2: [[0x10, 0]] }), 'a cluster is at byte'],
    ['compressed data behind the end', imageOf({ l2: [[0x4000_0000, 0x9000]] }), 'a compressed cluster is at byte'],
    ['compressed data that end', imageOf({ l2: [[0x4000_0000, 0x800]], data: Uint8Array.of(0x63) }), 'cut off'],
    ['compressed data that are none', imageOf({ l2: [[0x4000_0000, 0x800]], data: filled(0xff) }), 'no known kind'],
    ['every bit set', imageOf({ l2: [[0xffff_ffff, 0xffff_ffff]] }), 'a compressed cluster is at byte'],
  ])('%s, when it is read', (_, image, words) => {
    const disk = qcow2(image)
    expect(() => disk.read(0, filled(0))).toThrow(code('block-image', words))
    expect(() => disk.read(0, filled(0))).toThrow(code('block-image', words))
  })

  test('tables between clusters of 1024 bytes', () => {
    const image = new Uint8Array(4096)
    image.set(imageOf({ patch: { 20: 10, 1028: 0x600 } }))
    expect(() => qcow2(image).read(0, filled(0))).toThrow(code('block-image', 'between clusters'))
  })

  test('an image whose first-level table points to itself is read, as what it is', () => {
    const image = imageOf({ patch: { 1028: 0x400 } })
    // The entry is that of a cluster too: the table's own bytes.
    expect(read(image, 0)).toEqual(image.slice(0x400, 0x600))
  })
})

test('damaged images are read or refused, whatever is in them', () => {
  let x = 0x1234_5678
  const next = (below: number) => {
    x ^= x << 13
    x ^= x >>> 17
    x ^= x << 5
    return (x >>> 0) % below
  }
  const good = imageOf({
    l2: [
      [0, 0x800],
      [0x4000_0000, 0x800],
      [0, 1],
    ],
    data: filled(0x4b),
    backing: 'b',
  })
  const backing = memoryDisk(512 * 4)
  for (let i = 0; i < 3000; i++) {
    const image = good.slice()
    for (let n = 1 + next(4); n > 0; n--) image[next(4) === 0 ? next(image.length) : next(112)] = next(256)
    try {
      const disk = qcow2(image, { backing })
      for (let sector = 0; sector < Math.min(8, disk.sectors); sector++) disk.read(sector, filled(0))
    } catch (error) {
      expect(error).toEqual(expect.objectContaining({ code: expect.stringMatching(/^block-(image|format)$/) }))
    }
  }
})

describe('DEFLATE', () => {
  const bytes = (hex: string) => Uint8Array.from(hex.match(/../g)!, (byte) => Number.parseInt(byte, 16))

  test('fixed codes, and a match that overlaps itself', () => {
    // 'aaaaaaaaaa' as a literal and a match of nine at distance one.
    const into = new Uint8Array(10)
    inflate(bytes('4b4c840100'), into)
    expect(new TextDecoder().decode(into)).toBe('aaaaaaaaaa')
  })

  test('stored blocks', () => {
    const into = new Uint8Array(3)
    inflate(bytes('000100feff61010200fdff6263'), into)
    expect(new TextDecoder().decode(into)).toBe('abc')
  })

  test.each([
    ['the end too soon', '4b840100'],
    ['a match before the data', '0302'],
    ['a stored block of damaged length', '0101000000'],
    ['no kind', '07'],
    ['nothing', ''],
    ['an oversubscribed code', '05e0ff7fdbb66ddbb66ddb'],
  ])('%s is an error', (_, hex) => {
    expect(() => inflate(hex === '' ? new Uint8Array(0) : bytes(hex), new Uint8Array(100))).toThrow(InflateError)
  })
})
