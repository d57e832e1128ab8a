import { describe, expect, test } from 'vitest'
import { price } from './price.ts'
import { combineProfiles, defineProfile, parseProfiles } from './profile.ts'
import { containerCosts, core2, kvm2012, pentium4 } from './published.ts'

describe('price', () => {
  test('counts become cycles and seconds, cause by cause', () => {
    const bill = price({ 'vm-entry': 1000, 'vm-exit-pf': 1000, vmread: 10_000, cli: 0 }, pentium4)
    expect(bill.cycles).toBe(1000 * (2409 + 1931) + 10_000 * 178)
    expect(bill.seconds).toBeCloseTo(bill.cycles / 3.8e9)
    expect(bill.perCause.vmread).toEqual({ count: 10_000, each: 178, cycles: 1_780_000 })
    expect(bill.perCause).not.toHaveProperty('cli')
  })

  test('what has no price is named, not dropped', () => {
    expect(price({ 'vm-entry': 1, 'dma-reads': 5, constructor: 1 }, core2).unpriced).toEqual([
      'dma-reads',
      'constructor',
    ])
  })

  test('an unknown frequency gives cycles and no time', () => {
    expect(price({ vmcall: 2 }, kvm2012)).toMatchObject({ cycles: 7796, seconds: undefined })
  })

  test('times become cycles once a CPU is known', () => {
    expect(price({ 'fork-exec': 1 }, containerCosts).unpriced).toEqual(['fork-exec'])
    const both = combineProfiles('both', [core2, containerCosts])
    expect(price({ 'fork-exec': 2, vmread: 1 }, both).cycles).toBeCloseTo(2 * 3.5e6 * 2.66 + 52)
  })
})

describe('profiles', () => {
  test('a later profile replaces the prices of an earlier one', () => {
    const mine = defineProfile({ name: 'mine', source: 'measured', class: 'R', cycles: { vmread: 20 } })
    expect(combineProfiles('both', [core2, mine])).toMatchObject({ ghz: 2.66, cycles: { vmread: 20, vmwrite: 44 } })
  })

  test('every mistake is listed', () => {
    const json = { a: { ghz: -1, class: 'R', cycles: { vmread: '3' } }, b: 7, c: { clock: 1, ns: [] } }
    expect(() => parseProfiles(json)).toThrow(
      'cost profiles are wrong (a.ghz is -1, not a positive number; a.cycles.vmread is 3, not a price; ' +
        'b is not an object; c.clock is unknown; c.class is not text; c.ns is not an object of prices by event): ',
    )
    expect(() => parseProfiles([])).toThrow('profiles are not an object of profiles by name')
    expect(() => defineProfile({ name: 'x', source: '', class: 'R', cycles: { a: Number.NaN } })).toThrow('x.cycles.a')
  })
})
