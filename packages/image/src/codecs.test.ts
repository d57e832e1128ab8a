import { gzipSync } from 'fflate'
import { expect, test } from 'vitest'
import { codecsSuite } from '../test/codecs.suite.ts'
import { bytesOfText, collected, inPieces, textOf } from '../test/fixtures.ts'
import { compressionOf, portableCodecs, uncompressed } from './codecs.ts'

codecsSuite('in JavaScript', portableCodecs)

test('what is compressed is told by its first bytes, however few come at a time', async () => {
  const text = bytesOfText('a text')
  for (const piece of [1, 3, 100]) {
    expect(textOf(await collected(uncompressed(portableCodecs, inPieces(text, piece))))).toBe('a text')
    expect(textOf(await collected(uncompressed(portableCodecs, inPieces(gzipSync(text), piece))))).toBe('a text')
  }
  expect((await collected(uncompressed(portableCodecs, []))).length).toBe(0)
  expect((await collected(uncompressed(portableCodecs, [text.subarray(0, 2)]))).length).toBe(2)
  expect(compressionOf(Uint8Array.of(0x5f, 0x2a, 0x4d, 0x18))).toBe('zstd')
})

test('who leaves early lets the source go', async () => {
  let isGone = false
  async function* source(): AsyncGenerator<Uint8Array> {
    try {
      for (;;) yield gzipSync(new Uint8Array(100))
    } finally {
      isGone = true
    }
  }
  for await (const _ of uncompressed(portableCodecs, source())) break
  expect(isGone).toBe(true)
})
