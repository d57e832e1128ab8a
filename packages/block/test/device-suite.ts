/** What holds of every writable device, whatever it is made of. */
import { expect, test } from 'vitest'
import type { BlockDevice } from '../src/index.ts'

/** Bytes that differ from sector to sector, and by `seed`. */
export function pattern(length: number, seed = 1): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (i * 7 + (i >> 9) * 13 + seed) & 0xff)
}

/** Runs the suite with devices of 300 sectors of 512 bytes, all zeros, that `make` makes. */
export function deviceSuite(make: () => BlockDevice): void {
  const read = (device: BlockDevice, sector: number, count: number) => {
    const into = new Uint8Array(count * device.sectorBytes).fill(0xee)
    device.read(sector, into)
    return into
  }

  test('it has its size, and zeros', () => {
    const device = make()
    expect([device.sectors, device.sectorBytes, device.readOnly]).toEqual([300, 512, false])
    expect(read(device, 0, 300).every((byte) => byte === 0)).toBe(true)
  })

  test('what is written is read, in any pieces, and nothing beside it changes', () => {
    const device = make()
    const model = new Uint8Array(300 * 512)
    for (const [sector, count] of [
      [0, 1],
      [299, 1],
      [5, 3],
      [127, 2],
      [100, 150],
      [6, 1],
      [0, 300],
      [130, 1],
    ] as const) {
      const bytes = pattern(count * 512, sector + count)
      device.write(sector, bytes)
      model.set(bytes, sector * 512)
      expect(read(device, 0, 300)).toEqual(model)
      expect(read(device, sector, count)).toEqual(bytes)
    }
    device.flush()
    expect(read(device, 127, 5)).toEqual(model.subarray(127 * 512, 132 * 512))
  })

  test('what was written does not change when the buffer it came from does', () => {
    const device = make()
    const bytes = pattern(512)
    device.write(3, bytes)
    bytes.fill(0)
    expect(read(device, 3, 1)).toEqual(pattern(512))
  })

  test('nothing at all may be read and written', () => {
    const device = make()
    device.read(300, new Uint8Array(0))
    device.write(0, new Uint8Array(0))
  })

  test.each([
    ['behind the end', 300, 512],
    ['over the end', 299, 1024],
    ['before the beginning', -1, 512],
    ['half a sector', 0, 256],
    ['between sectors', 0.5, 512],
    ['nowhere', Number.NaN, 512],
  ])('%s there is nothing', (_, sector, bytes) => {
    const device = make()
    for (const access of ['read', 'write'] as const) {
      expect(() => device[access](sector, new Uint8Array(bytes))).toThrow(
        expect.objectContaining({ code: 'block-range' }),
      )
    }
    expect(read(device, 0, 300).every((byte) => byte === 0)).toBe(true)
  })
}
