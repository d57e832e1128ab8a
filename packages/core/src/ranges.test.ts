import { expect, test } from 'vitest'
import { Ranges } from './ranges.ts'

test('finds by address, at both ends and not beyond', () => {
  const ranges = new Ranges<string>()
  ranges.add(0x100, 0x10, 'b')
  ranges.add(0x20, 1, 'a')
  ranges.add(2 ** 51, 2 ** 40, 'c')
  const at = (address: number) => ranges.find(address)
  expect([at(0x1f), at(0x20), at(0x21)]).toEqual([undefined, 'a', undefined])
  expect([at(0xff), at(0x100), at(0x10f), at(0x110)]).toEqual([undefined, 'b', 'b', undefined])
  expect([at(2 ** 51 - 1), at(2 ** 51 + 2 ** 40 - 1), at(2 ** 51 + 2 ** 40)]).toEqual([undefined, 'c', undefined])
  expect(ranges.values()).toEqual(['a', 'b', 'c'])
})

test('a removed range is not remembered', () => {
  const ranges = new Ranges<string>()
  ranges.add(0, 4, 'a')
  expect(ranges.find(2)).toBe('a')
  ranges.remove(0)
  expect(ranges.find(2)).toBeUndefined()
})

test.each([
  ['before', 0x0, 0x10, undefined],
  ['reaching in from below', 0x0, 0x11, 'a'],
  ['inside', 0x14, 1, 'a'],
  ['around', 0x0, 0x100, 'a'],
  ['reaching out above', 0x1f, 2, 'a'],
  ['between two', 0x20, 0x10, undefined],
  ['over the second', 0x20, 0x11, 'b'],
  ['after', 0x40, 0x10, undefined],
])('overlap: %s', (_, base, size, expected) => {
  const ranges = new Ranges<string>()
  ranges.add(0x10, 0x10, 'a')
  ranges.add(0x30, 0x10, 'b')
  expect(ranges.overlapping(base, size)).toBe(expected)
})

test('agrees with a plain list on random ranges', () => {
  let seed = 7
  const random = (below: number) => (seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff) % below
  const ranges = new Ranges<number>()
  const owner = new Array<number | undefined>(256)
  for (let id = 0; id < 500; id++) {
    const base = random(240)
    const size = 1 + random(16)
    const held = owner.slice(base, base + size).find((x) => x !== undefined)
    expect(ranges.overlapping(base, size)).toBe(held)
    if (held === undefined) {
      ranges.add(base, size, id)
      owner.fill(id, base, base + size)
    } else {
      ranges.remove(owner.indexOf(held))
      owner.fill(undefined, owner.indexOf(held), owner.lastIndexOf(held) + 1)
    }
    expect(Array.from({ length: 256 }, (_, address) => ranges.find(address))).toEqual(Array.from(owner))
  }
})
