import { expect, test } from 'vitest'
import { ByteWriter } from './bytes.ts'

function written(write: (out: ByteWriter) => void): Uint8Array {
  const out = new ByteWriter(1)
  write(out)
  return out.toBytes()
}

/** LEB128 read back the plain way. */
function read(bytes: Uint8Array, signed: boolean): bigint {
  let value = 0n
  bytes.forEach((byte, i) => {
    value |= BigInt(byte & 0x7f) << BigInt(7 * i)
  })
  expect(bytes.map((byte) => byte >> 7).join('')).toMatch(/^1*0$/)
  return signed ? BigInt.asIntN(7 * bytes.length, value) : value
}

const edges = [0, 6, 7, 13, 14, 20, 21, 27, 28, 30, 31, 32, 34, 35, 41, 48, 55, 56, 61, 62, 63]
  .map((bit) => 1n << BigInt(bit))
  .flatMap((power) => [power - 1n, power, power + 1n, -power - 1n, -power, -power + 1n])

test('unsigned LEB128 is minimal and reads back', () => {
  for (const value of [...edges, (1n << 32n) - 1n].filter((edge) => edge >= 0n && edge < 1n << 32n)) {
    const bytes = written((out) => out.u32(Number(value)))
    expect(read(bytes, false)).toBe(value)
    expect(bytes.length).toBe(Math.max(1, Math.ceil(value.toString(2).length / 7)))
  }
})

test('signed LEB128 of 32 bits is minimal and reads back', () => {
  for (const value of edges.filter((edge) => BigInt.asIntN(32, edge) === edge)) {
    const bytes = written((out) => out.s32(Number(value)))
    expect(read(bytes, true)).toBe(value)
    expect(bytes).toEqual(written((out) => out.s64(Number(value), value < 0n ? -1 : 0)))
  }
})

test('signed LEB128 of 64 bits is minimal and reads back', () => {
  for (const value of edges.filter((edge) => BigInt.asIntN(64, edge) === edge)) {
    const bytes = written((out) => out.s64(Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n))))
    expect(read(bytes, true)).toBe(value)
    if (bytes.length > 1) expect(BigInt.asIntN(7 * (bytes.length - 1), value)).not.toBe(value)
  }
})

test.each([
  [63, [0x3f]],
  [64, [0xc0, 0x00]],
  [-64, [0x40]],
  [-65, [0xbf, 0x7f]],
  [2 ** 31 - 1, [0xff, 0xff, 0xff, 0xff, 0x07]],
  [-(2 ** 31), [0x80, 0x80, 0x80, 0x80, 0x78]],
])('signed LEB128 of %i has the bytes of the standard', (value, bytes) => {
  expect([...written((out) => out.s32(value))]).toEqual(bytes)
})

test('names are UTF-8 behind their byte count, as TextEncoder writes them', () => {
  for (const text of ['', 'main', 'é', '€', '😀', 'a😀é€z', 'lone \ud800 half', '\udc00', 'x'.repeat(200)]) {
    const utf8 = new TextEncoder().encode(text)
    const bytes = written((out) => out.name(text))
    expect(bytes.subarray(bytes.length - utf8.length)).toEqual(utf8)
    expect(read(bytes.subarray(0, bytes.length - utf8.length), false)).toBe(BigInt(utf8.length))
  }
})

test('a sized run keeps its content, whatever the width of its size', () => {
  for (const size of [0, 1, 127, 128, 20_000]) {
    const content = new Uint8Array(size).fill(7)
    const bytes = written((out) => {
      const start = out.beginSized()
      out.raw(content)
      out.endSized(start)
      out.u8(9)
    })
    expect(bytes).toEqual(written((out) => (out.u32(size), out.raw(content), out.u8(9))))
  }
})
