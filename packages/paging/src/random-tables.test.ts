/** Random entries, random controls: the walker against a slow one in BigInt, written from the manual's bit tables. */
import { describe, expect, test } from 'vitest'
import { generator, Words } from '../test/words.ts'
import { Access } from './access.ts'
import { type WalkControls, walkControls } from './controls.ts'
import { FORMAT_4LEVEL, FORMAT_32BIT, FORMAT_PAE, type TableFormat } from './format.ts'
import { WalkResult } from './result.ts'
import { Walker } from './walker.ts'

const field = (value: bigint, high: number, low: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n)

type Outcome = { physical: bigint; size: number } | { code: 'absent' | 'reserved' }

/** Does a present entry of `level` have a reserved bit set? Straight from the lists in 4.3, 4.4.2 and 4.5. */
function reserved(name: TableFormat['name'], level: number, leaf: boolean, entry: bigint, c: WalkControls): boolean {
  const m = c.maxPhysicalAddress
  const high = (top: number): boolean => m <= top && field(entry, top, m) !== 0n
  if (name === '32-bit') {
    if (level === 1) return !c.pat && field(entry, 7, 7) === 1n
    if (!leaf) return false
    const width = Math.min(40, m)
    if (field(entry, 21, c.pse36 ? width - 19 : 13) !== 0n) return true
    return !c.pat && field(entry, 12, 12) === 1n
  }
  if (name === 'PAE' && level === 3) return field(entry, 2, 1) !== 0n || field(entry, 8, 5) !== 0n || high(63)
  if (!c.nx && field(entry, 63, 63) === 1n) return true
  if (high(name === 'PAE' ? 62 : 51)) return true
  if (level === 1) return !c.pat && field(entry, 7, 7) === 1n
  if (!leaf) return field(entry, 7, 7) === 1n
  return field(entry, level === 2 ? 20 : 29, 13) !== 0n || (!c.pat && field(entry, 12, 12) === 1n)
}

function oracle(name: TableFormat['name'], words: Words, linear: bigint, c: WalkControls): Outcome {
  const wide = name !== '32-bit'
  const levels = { '32-bit': 2, PAE: 3, '4-level': 4, EPT: 0, IOMMU: 0 }[name]
  let base = 0x1000n
  for (let level = levels; ; level--) {
    const indexBits = !wide ? 10 : name === 'PAE' && level === 3 ? 2 : 9
    const shift = 12 + (level - 1) * (wide ? 9 : 10)
    const index = field(linear, shift + indexBits - 1, shift)
    const at = Number(base + index * (wide ? 8n : 4n))
    const entry = wide ? words.get64(at) : BigInt(words.words.get(at) ?? 0)
    if (field(entry, 0, 0) === 0n) return { code: 'absent' }
    const ps = field(entry, 7, 7) === 1n
    const leaf =
      level === 1 || (ps && ((level === 2 && (wide || c.pse)) || (level === 3 && name === '4-level' && c.pages1G)))
    if (reserved(name, level, leaf, entry, c)) return { code: 'reserved' }
    if (!leaf) {
      base = wide ? field(entry, 51, 12) << 12n : field(entry, 31, 12) << 12n
      continue
    }
    const top = wide ? 51 : 31
    let page = field(entry, top, shift) << BigInt(shift)
    if (!wide && level === 2 && c.pse36) page |= field(entry, 20, 13) << 32n
    return { physical: page | (linear & ((1n << BigInt(shift)) - 1n)), size: shift }
  }
}

describe.each([FORMAT_32BIT, FORMAT_PAE, FORMAT_4LEVEL])('$name', (format) => {
  test('random tables are walked as the manual says', () => {
    const random = generator(format.entryBytes * 7919 + format.indexBits.length)
    const walker = new Walker(format)
    const out = new WalkResult()
    const wide = format.entryBytes === 8
    const bit = (oneIn: number): boolean => random(oneIn) === 0
    const seen = { ok: 0, absent: 0, reserved: 0, large: 0 }
    for (let round = 0; round < 20_000; round++) {
      const controls = walkControls({
        wp: false,
        nx: bit(2),
        pse: bit(2),
        pse36: bit(2),
        pat: !bit(4),
        pages1G: bit(2),
        maxPhysicalAddress: 32 + random(21),
      })
      const levels = format.indexBits.length
      const top = wide ? levels * 9 + (levels === 3 ? 5 : 12) : 32
      const linear = BigInt(random(2 ** 16)) * 2n ** BigInt(top - 16) + BigInt(random(2 ** Math.min(31, top - 16)))
      const words = new Words()
      // Entries of the tables at 0x1000 to 0x4000 that this address uses, with a sprinkle of odd bits.
      for (let level = levels; level >= 1; level--) {
        const bits = format.indexBits[level - 1]
        const shift = 12 + (level - 1) * (wide ? 9 : 10)
        const index = Number(field(linear, shift + bits - 1, shift))
        let entry = level === 1 ? BigInt(random(2 ** 20)) << 12n : BigInt(0x1000 * (levels - level + 2))
        entry |= bit(8) ? 0n : 1n
        if (!(format === FORMAT_PAE && level === 3)) entry |= BigInt(random(64)) << 1n
        if (bit(4)) entry |= 0x80n
        if (bit(4)) entry |= BigInt(random(512)) << 12n
        if (bit(6)) entry |= 1n << 21n
        if (bit(2) && (entry & 0x80n) !== 0n) entry &= ~0x3fff_f000n | (BigInt(random(1024)) << 12n)
        if (wide && bit(3)) entry |= 1n << BigInt(32 + random(32))
        if (format === FORMAT_PAE && level === 3 && bit(4)) entry |= 1n << BigInt(random(12))
        const at = 0x1000 * (levels - level + 1) + index * format.entryBytes
        if (wide) words.put64(at, entry)
        else words.put32(at, Number(entry & 0xffff_ffffn))
      }
      const expected = oracle(format.name, words, linear, controls)
      walker.walk(words, 0x1000, Number(linear), Access.READ | Access.PEEK, controls, out)
      if ('code' in expected) {
        seen[expected.code]++
        if (out.fault !== 'page-fault' || out.errorCode !== (expected.code === 'absent' ? 0 : 9))
          expect(out).toMatchObject(expected)
      } else {
        seen.ok++
        if (expected.size > 12) seen.large++
        const actual = { physical: BigInt(out.physical), size: out.pageShift }
        if (!out.ok || actual.physical !== expected.physical || actual.size !== expected.size)
          expect(actual).toEqual(expected)
      }
    }
    expect(Math.min(...Object.values(seen))).toBeGreaterThan(100)
  })
})
