/** What any codecs must do, whatever host they are of. */
import { gzipSync } from 'fflate'
import { describe, expect, test } from 'vitest'
import type { Bytes, Codecs } from '../src/index.ts'
import { bytesOfText, collected, inPieces, joined, Random, zstdOf } from './fixtures.ts'

export function codecsSuite(name: string, codecs: Codecs): void {
  describe(name, () => {
    const random = new Random(7)
    const data = Uint8Array.from({ length: 300_000 }, (_, n) => (n % 3 === 0 ? random.below(256) : 65))

    test('hashes', () => {
      for (const [algorithm, hex] of [
        ['sha256', 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'],
        [
          'sha512',
          'ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f',
        ],
      ] as const) {
        const hash = codecs.hash(algorithm)
        for (const letter of 'abc') hash.update(bytesOfText(letter))
        expect(hash.hex()).toBe(hex)
      }
    })

    const whole = async (format: 'gzip' | 'zstd', source: Bytes) => await collected(codecs.decompress(format, source))

    test.each([
      ['gzip', (bytes: Uint8Array) => gzipSync(bytes)],
      ['zstd', (bytes: Uint8Array) => zstdOf(bytes)],
    ] as const)('%s, in pieces, and several one behind the other', async (format, compress) => {
      for (const piece of [1000, 1 << 20]) expect(await whole(format, inPieces(compress(data), piece))).toEqual(data)
      const several = joined([compress(data), compress(bytesOfText('and more'))])
      expect(await whole(format, inPieces(several, 777))).toEqual(joined([data, bytesOfText('and more')]))
      // Also where one ends with a piece, and where many lie in one.
      const many = Array.from({ length: 20 }, (_, n) => compress(data.subarray(0, 1000 * n)))
      const expected = joined(many.map((_, n) => data.subarray(0, 1000 * n)))
      expect(await whole(format, many)).toEqual(expected)
      expect(await whole(format, [joined(many)])).toEqual(expected)
      const all = compress(data)
      const parts = [all.subarray(0, all.length >> 1), all.subarray(0, 100), new Uint8Array(100).fill(7)]
      for (const part of parts) await expect(whole(format, [part]), `${part.length} bytes`).rejects.toThrow()
    })

    test('frames of zstd that are to be skipped', async () => {
      const skipped = Uint8Array.of(0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3)
      const all = joined([skipped, zstdOf(bytesOfText('a')), skipped, skipped, zstdOf(bytesOfText('b')), skipped])
      for (const piece of [1, 5, 11, 1000]) expect(await whole('zstd', inPieces(all, piece))).toEqual(bytesOfText('ab'))
    })

    test('errors of the source end it', async () => {
      async function* broken(): AsyncGenerator<Uint8Array> {
        yield gzipSync(data).subarray(0, 1000)
        throw new Error('the disk is gone')
      }
      await expect(whole('gzip', broken())).rejects.toThrow('the disk is gone')
    })
  })
}
