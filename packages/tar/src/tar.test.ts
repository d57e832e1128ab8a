import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { collect } from '../test/collect.ts'
import { END_OF_ARCHIVE, encodeEntry, paddingAfter, type TarEntryToWrite, TarReader } from './index.ts'

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

function archiveOf(...entries: [TarEntryToWrite, Uint8Array?][]): Uint8Array<ArrayBuffer> {
  const parts = entries.flatMap(([entry, data = new Uint8Array()]) => [
    encodeEntry(entry),
    data,
    paddingAfter(data.length),
  ])
  return new Uint8Array(concatenated([...parts, END_OF_ARCHIVE]))
}
function concatenated(parts: readonly Uint8Array[]): number[] {
  return parts.flatMap((part) => [...part])
}

const MANY: [TarEntryToWrite, Uint8Array?][] = [
  [{ type: 'directory', name: 'd', mode: 0o755 }],
  [
    {
      type: 'file',
      name: 'd/f',
      mode: 0o6711,
      size: 5,
      uid: 2 ** 32 - 2,
      gid: 7,
      userName: 'who',
      modified: { seconds: 12, nanoseconds: 34 },
      accessed: { seconds: -5, nanoseconds: 0 },
      attributes: new Map([
        ['user.bytes', Uint8Array.of(0, 255, 10, 61)],
        ['security.capability', Uint8Array.of(1)],
        ['user.a=b%3D', Uint8Array.of(1)],
      ]),
    },
    text('hello'),
  ],
  [{ type: 'file', name: '\u00ff\u0080 no utf-8', mode: 0o644, size: 1 }, text('!')],
  [{ type: 'hardlink', name: `${'l'.repeat(300)}`, mode: 0o644, target: 'd/f' }],
  [{ type: 'symlink', name: 's', mode: 0o777, target: '../..' }],
  [{ type: 'block', name: 'b', mode: 0o660, major: 4095, minor: 1048575 }],
  [{ type: 'fifo', name: 'p', mode: 0o600 }],
  [
    {
      type: 'file',
      name: 'holes',
      mode: 0o644,
      size: 2 ** 40,
      extents: [
        { position: 512, length: 3 },
        { position: 70_000, length: 600 },
      ],
    },
    new Uint8Array(603).fill(7),
  ],
  [{ type: 'file', name: 'all hole', mode: 0o644, size: 2 ** 40, extents: [] }],
]

describe('an archive', () => {
  it.each([1, 511, 512, 513, 1 << 20])('gives back what was written, in pieces of %i', (piece) => {
    const found = collect(archiveOf(...MANY), piece)
    expect(found.map(({ entry }) => entry.name)).toEqual(MANY.map(([{ name }]) => name))
    for (const [n, [entry, data]] of MANY.entries()) {
      expect(found[n]!.entry).toMatchObject({ ...entry })
      if (data && !entry.extents) expect(found[n]!.data).toEqual(data)
    }
    expect(found.at(-2)!.data[514]).toBe(7)
    expect(found.at(-2)!.data[515]).toBe(0)
    expect(found.at(-2)!.data[70_599]).toBe(7)
  })

  it('says where data lies, so that it can be read later', () => {
    const archive = archiveOf(...MANY)
    const { position, entry } = collect(archive)[1]!
    expect(archive.subarray(position, position + entry.size)).toEqual(text('hello'))
  })

  it('may lack its end, and may be followed by anything', () => {
    const archive = archiveOf([{ type: 'file', name: 'f', mode: 0o644, size: 1 }, text('x')])
    expect(collect(archive.subarray(0, 1024))).toHaveLength(1)
    expect(collect(Uint8Array.from([...archive, 1, 2, 3]))).toHaveLength(1)
  })
})

describe('a damaged archive', () => {
  const code = (run: () => unknown): string | undefined => {
    try {
      run()
    } catch (error) {
      return isVmexitError(error) ? error.code : String(error)
    }
    return undefined
  }

  it('is told by its checksum, and truncation by its end', () => {
    const archive = archiveOf(...MANY)
    const flipped = archive.slice()
    flipped[3]! ^= 1
    expect(code(() => collect(flipped))).toBe('tar-damaged')
    expect(code(() => collect(text('this is no archive at all'.repeat(40))))).toBe('tar-damaged')
    expect(code(() => collect(archive.subarray(0, 512 + 512 + 300)))).toBe('tar-truncated')
    // Nothing is missing where only zeros are: what fills the last block, and the end mark.
    const small = Uint8Array.of(...encodeEntry({ type: 'file', name: 'a', mode: 0o644, size: 3 }), 1, 2, 3)
    expect(collect(small).map(({ data }) => data.length)).toEqual([3])
    expect(code(() => collect(small.subarray(0, 514)))).toBe('tar-truncated')
  })

  it('is a file with a hole at its end, where it has a size and no map', () => {
    const archive = encodeEntry({ type: 'file', name: 's', mode: 0o644, size: 5000, extents: [] })
    const key = 'GNU.sparse.major'
    const at = String.fromCharCode(...archive).indexOf(key)
    archive[at + key.length - 1]!++
    const [found] = collect(archive)
    expect(found!.entry).toMatchObject({ size: 5000, extents: [{ position: 0, length: 512 }] })
  })

  it('never does worse than a typed error, whatever byte is wrong', () => {
    const archive = archiveOf(...MANY)
    let seed = 12345
    const random = (below: number): number => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
      return (seed >>> 8) % below
    }
    const codes = new Map<string | undefined, number>()
    for (let n = 0; n < 3000; n++) {
      const wrong = archive.slice()
      for (let flips = 1 + random(3); flips > 0; flips--) {
        const at = random(wrong.length)
        wrong[at] = random(256)
        repair(wrong, at - (at % 512))
      }
      const told = code(() => collect(wrong, 4096))
      codes.set(told, (codes.get(told) ?? 0) + 1)
    }
    expect([...codes.keys()].filter((each) => each !== undefined && !each.startsWith('tar-'))).toEqual([])
    expect(codes.get('tar-damaged')).toBeGreaterThan(100)
  })

  it('is refused before it takes memory: a header of a gigabyte, sizes below zero', () => {
    const huge = archiveOf([{ type: 'file', name: 'x', mode: 0, size: 2 ** 30 }])
    huge[156] = 'x'.charCodeAt(0)
    repair(huge, 0)
    expect(code(() => collect(huge))).toBe('tar-damaged')
    const negative = archiveOf([{ type: 'file', name: 'x', mode: 0 }])
    negative.fill(0xff, 124, 136)
    repair(negative, 0)
    expect(code(() => collect(negative))).toBe('tar-damaged')
  })

  it('has no name with a byte 0, which would be another name to whoever is handed it', () => {
    const named = (name: string): Uint8Array => archiveOf([{ type: 'file', name, mode: 0 }])
    expect(code(() => collect(named('a\0b'.padEnd(120, 'c'))))).toBe('tar-damaged')
  })

  it('of a set of volumes is not supported, and that is said', () => {
    const archive = archiveOf([{ type: 'file', name: 'x', mode: 0 }])
    archive[156] = 'M'.charCodeAt(0)
    repair(archive, 0)
    expect(code(() => collect(archive))).toBe('tar-unsupported')
  })
})

it('a reader tells when it has seen the end', () => {
  const reader = new TarReader({ entry: () => {} })
  reader.push(END_OF_ARCHIVE.subarray(0, 600))
  expect(reader.ended).toBe(false)
  reader.push(END_OF_ARCHIVE.subarray(600))
  expect(reader.ended).toBe(true)
})

/** Makes the checksum of the header at `at` right, if one is there. */
function repair(archive: Uint8Array, at: number): void {
  const block = archive.subarray(at, at + 512)
  if (new TextDecoder().decode(block.subarray(257, 262)) !== 'ustar') return
  block.fill(0x20, 148, 156)
  const sum = block.reduce((total, byte) => total + byte, 0)
  block.set(text(`${sum.toString(8).padStart(6, '0')}\0 `), 148)
}
