import { describe, expect, test } from 'vitest'
import { HostMemory } from './host-memory.ts'

describe.each(['auto', 'arraybuffer'] as const)('host memory (%s)', (backing) => {
  test('keeps contents when it grows, and says so to those who hold views', () => {
    const host = new HostMemory({ backing, initialBytes: 65536, growthBytes: 65536 })
    let grown = 0
    const stop = host.onGrow(() => grown++)
    const first = host.reserve(4096, 'first')
    host.u32[first.address >>> 2] = 0x12345678
    const old = host.u8
    host.reserve(1_000_000, 'second')
    expect(grown).toBe(1)
    expect(host.u8).not.toBe(old)
    expect(host.view.getUint32(first.address, true)).toBe(0x12345678)
    stop()
    host.reserve(1_000_000, 'third')
    expect(grown).toBe(1)
  })

  test('hands out whole zeroed pages, never offset 0, and freed ones again', () => {
    const host = new HostMemory({ backing })
    const spans = [1, 4097, 8192, 100].map((bytes, index) => host.reserve(bytes, `span ${index}`))
    expect(spans.map((span) => span.bytes)).toEqual([4096, 8192, 8192, 4096])
    expect(spans.every((span) => span.address > 0 && span.address % 4096 === 0)).toBe(true)
    host.u8.fill(0xaa, spans[1].address, spans[1].address + 8192)
    host.u8.fill(0xbb, spans[2].address, spans[2].address + 8192)
    host.free(spans[2])
    host.free(spans[1])
    const again = host.reserve(16384, 'joined')
    expect(again.address).toBe(spans[1].address)
    expect(host.u8.subarray(again.address, again.address + 16384).every((byte) => byte === 0)).toBe(true)
    expect(host.spans.map((span) => span.name)).toEqual(['span 0', 'joined', 'span 3'])
  })

  test('a span freed at the top is zero when handed out again', () => {
    const host = new HostMemory({ backing })
    const span = host.reserve(8192, 'a')
    host.u8.fill(1, span.address, span.address + 8192)
    host.free(span)
    const again = host.reserve(4096, 'b')
    expect(again.address).toBe(span.address)
    expect(host.u8[again.address]).toBe(0)
  })

  test('says who uses what when it is exhausted, and changes nothing', () => {
    const host = new HostMemory({ backing, initialBytes: 65536, maximumBytes: 131072 })
    host.reserve(65536, 'frames')
    expect(() => host.reserve(65536, 'tables')).toThrow(
      expect.objectContaining({
        code: 'memory-exhausted',
        message: expect.stringMatching(/at tables.*frames 65536.*raise maximumBytes/),
      }),
    )
    expect(host.reserve(32768, 'tables').bytes).toBe(32768)
  })
})

test.each([
  { initialBytes: 0 },
  { initialBytes: 2 ** 20, maximumBytes: 65536 },
  { maximumBytes: 100 },
  { maximumBytes: 2 ** 33 },
  { growthBytes: Number.NaN },
  { initialBytes: 1.5 },
])('an option that cannot stand is a typed error: %o', (options) => {
  expect(() => new HostMemory(options)).toThrow(expect.objectContaining({ code: 'memory-size' }))
})

test('freeing a span twice, or elsewhere, is a typed error', () => {
  const host = new HostMemory()
  const span = host.reserve(4096, 'a')
  host.free(span)
  expect(() => host.free(span)).toThrow(expect.objectContaining({ code: 'span-unknown' }))
  expect(() => new HostMemory().free(host.reserve(4096, 'b'))).toThrow(
    expect.objectContaining({ code: 'span-unknown' }),
  )
})

test('random reservations never overlap', () => {
  const host = new HostMemory()
  let seed = 12345
  const random = (below: number): number => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
    return Math.floor((seed / 2 ** 32) * below)
  }
  const live: ReturnType<typeof host.reserve>[] = []
  for (let step = 0; step < 2000; step++) {
    if (live.length > 20 || (live.length > 0 && random(2) === 0)) host.free(live.splice(random(live.length), 1)[0])
    else live.push(host.reserve(1 + random(40_000), `span ${step}`))
    const sorted = [...live].sort((a, b) => a.address - b.address)
    for (let index = 1; index < sorted.length; index++) {
      expect(sorted[index - 1].address + sorted[index - 1].bytes).toBeLessThanOrEqual(sorted[index].address)
    }
  }
  expect(host.byteLength).toBeLessThan(2 ** 25)
})
