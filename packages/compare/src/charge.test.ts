import { cascadeLake, core2, nehalem, pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { charge, DEFAULT_PROFILE, profileNamed } from './index.ts'

describe('a charge', () => {
  test('of what Adams and Agesen measured is what they published: calibrated, so this proves the sums only', () => {
    expect(charge({ 'vm-exits-io': 1 }, pentium4).cycles).toBe(15_826)
    expect(charge({ 'vm-exits-exception-or-nmi': 1, 'traced-writes': 1 }, pentium4).cycles).toBe(12_733)
    expect(charge({ 'vm-exits-exception-or-nmi': 1, 'true-faults': 1 }, pentium4).cycles).toBe(11_242)
  })

  test('of an exit is a whole round trip where that was published', () => {
    expect(charge({ 'vm-exits-cpuid': 2 }, cascadeLake).cycles).toBe(2 * 1350)
    expect(charge({ 'vm-exits-cr-access': 1 }, cascadeLake).cycles).toBe(1150)
    expect(charge({ 'vm-exits-cr-access': 1 }, nehalem).cycles).toBe(2000 + 2300 + 200)
    expect(charge({ 'vm-exits-invlpg': 1 }, core2).cycles).toBe(937 + 1186 + 10 * 52)
  })

  test('that lacks a price is none, and says what lacks', () => {
    expect(charge({ instructions: 10, 'walk-references': 2, emulated: 0 }, pentium4)).toMatchObject({
      cycles: undefined,
      unpriced: ['walk-references'],
      charges: { instructions: { count: 10, each: 1 } },
    })
    expect(charge({ instructions: 4, 'port-reads': 1 }, cascadeLake).unpriced).toEqual(['port-reads'])
    expect(charge({ 'walk-references': 2 }, profileNamed(DEFAULT_PROFILE)).cycles).toBe(14)
  })
})
