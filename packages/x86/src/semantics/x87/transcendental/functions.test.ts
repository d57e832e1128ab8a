/** Transcendental functions: known values, special cases of the manual's tables, and identities to the last bits. */
import { describe, expect, it } from 'vitest'
import { extended, textOf } from '../../../../test/x87/machine.ts'
import {
  angleOf,
  cosine,
  isOutOfRange,
  logarithmOfOnePlusTimes,
  logarithmTimes,
  powerMinusOne,
  sine,
  tangent,
} from './functions.ts'
import type { Rounded } from './real.ts'

const NEAREST = 0x37f
const DOWN = 0x77f
const UP = 0xb7f
const names = {
  zero: '00000000000000000000',
  negativeZero: '80000000000000000000',
  one: '3fff8000000000000000',
  minusOne: 'bfff8000000000000000',
  half: '3ffe8000000000000000',
  two: '40008000000000000000',
  infinity: '7fff8000000000000000',
  negativeInfinity: 'ffff8000000000000000',
  nan: '7fffc000000000000001',
  signalling: '7fff8000000000000001',
  indefinite: 'ffffc000000000000000',
  tiny: '00000000000000000001',
  pi: '4000c90fdaa22168c235',
  large: '403e8000000000000000',
} as const
type Name = keyof typeof names
const x = (name: Name | string) => extended(names[name as Name] ?? name)
const text = ({ value }: Rounded): string => {
  const found = Object.entries(names).find(([, digits]) => digits === textOf(value))
  return found ? found[0] : textOf(value)
}
const flags = (r: Rounded): number => r.flags & 0x3f

describe('sine, cosine, tangent', () => {
  it('has the values that longer arithmetic gives', () => {
    // sin 1, cos 1, tan 1 to 64 bits.
    expect(textOf(sine(x('one'), NEAREST).value)).toBe('3ffed76aa47848677021')
    expect(textOf(cosine(x('one'), NEAREST).value)).toBe('3ffe8a51407da8345c92')
    expect(textOf(tangent(x('one'), NEAREST).value)).toBe('3fffc75922e5f71d2dc5')
  })
  it('reduces by the π of 66 bits: the sine of π shows where that π ends', () => {
    // The operand is larger by a quarter of its last place, 2^−64.
    expect(textOf(sine(x('pi'), NEAREST).value)).toBe('bfbf8000000000000000')
  })
  it('is odd and even, inexact but at zero, and never rounds past one', () => {
    expect(text(sine(x('negativeZero'), NEAREST))).toBe('negativeZero')
    expect([text(cosine(x('zero'), DOWN)), flags(cosine(x('zero'), DOWN))]).toEqual(['one', 0])
    expect([text(cosine(x('3fc08000000000000000'), NEAREST)), text(cosine(x('3fc08000000000000000'), UP))]).toEqual([
      'one',
      'one',
    ])
    expect(textOf(cosine(x('3fc08000000000000000'), DOWN).value)).toBe('3ffeffffffffffffffff')
    expect(flags(cosine(x('3fc08000000000000000'), UP))).toBe(0x20)
  })
  it('leaves a denormal what it is, with underflow', () => {
    expect([text(sine(x('tiny'), NEAREST)), flags(sine(x('tiny'), NEAREST))]).toEqual(['tiny', 0x32])
    expect(text(sine(x('tiny'), DOWN))).toBe('zero')
    expect(textOf(tangent(x('tiny'), UP).value)).toBe('00000000000000000002')
  })
  it('does not take infinities, nor arguments of 2^63', () => {
    expect([text(sine(x('infinity'), NEAREST)), flags(sine(x('infinity'), NEAREST))]).toEqual(['indefinite', 1])
    expect([isOutOfRange(x('large')), isOutOfRange(x('403dffffffffffffffff')), isOutOfRange(x('infinity'))]).toEqual([
      true,
      false,
      false,
    ])
  })
})

describe('the other functions', () => {
  it('has the values that longer arithmetic gives', () => {
    expect(textOf(powerMinusOne(x('half'), NEAREST).value)).toBe('3ffdd413cccfe7799211') // √2 − 1
    expect(textOf(angleOf(x('one'), x('one'), NEAREST).value)).toBe('3ffec90fdaa22168c235') // π ÷ 4
    expect(textOf(logarithmTimes(x('4002a000000000000000'), x('one'), NEAREST).value)).toBe('4000d49a784bcd1b8afe') // log₂ 10
    expect(textOf(logarithmOfOnePlusTimes(x('3ffd8000000000000000'), x('one'), NEAREST).value)).toBe(
      '3ffda4d3c25e68dc57f2',
    ) // log₂ 1.25
  })
  it('is exact where the result is', () => {
    const eight = logarithmTimes(x('40028000000000000000'), x('two'), DOWN)
    expect([textOf(eight.value), eight.flags]).toEqual(['4001c000000000000000', 0])
    expect([text(powerMinusOne(x('one'), NEAREST)), flags(powerMinusOne(x('one'), NEAREST))]).toEqual(['one', 0])
    expect(textOf(powerMinusOne(x('minusOne'), NEAREST).value)).toBe('bffe8000000000000000')
  })
  it('brackets what is not between its values rounded down and up', () => {
    for (const argument of [
      '3ffe8765432187654321',
      '3fb08765432187654321',
      '3ff9ffffffffffffffff',
      'bffd8000000000000001',
    ]) {
      for (const compute of [powerMinusOne, sine, tangent, cosine]) {
        const [down, near, up] = [DOWN, NEAREST, UP].map((fcw) => textOf(compute(x(argument), fcw).value))
        expect(down).not.toBe(up)
        expect([down, up]).toContain(near)
      }
    }
  })

  // SDM vol. 2, tables of FPATAN (ST(1) \ ST(0)), FYL2X and FYL2XP1.
  it.each<[y: Name, x: Name, result: string]>([
    ['infinity', 'negativeInfinity', '400096cbe3f9990e91a8'],
    ['infinity', 'one', '3fffc90fdaa22168c235'],
    ['infinity', 'infinity', '3ffec90fdaa22168c235'],
    ['one', 'negativeInfinity', 'pi'],
    ['one', 'infinity', 'zero'],
    ['zero', 'minusOne', 'pi'],
    ['zero', 'negativeZero', 'pi'],
    ['negativeZero', 'zero', 'negativeZero'],
    ['zero', 'one', 'zero'],
    ['minusOne', 'zero', 'bfffc90fdaa22168c235'],
    ['nan', 'one', 'nan'],
  ])('FPATAN: ST(1) %s, ST(0) %s gives %s', (y, a, result) => expect(text(angleOf(x(a), x(y), NEAREST))).toBe(result))

  it.each<[y: Name, x: Name, result: string, flags: number]>([
    ['one', 'minusOne', 'indefinite', 1],
    ['one', 'zero', 'negativeInfinity', 4],
    ['minusOne', 'zero', 'infinity', 4],
    ['infinity', 'zero', 'negativeInfinity', 0],
    ['zero', 'zero', 'indefinite', 1],
    ['infinity', 'half', 'negativeInfinity', 0],
    ['infinity', 'one', 'indefinite', 1],
    ['infinity', 'two', 'infinity', 0],
    ['zero', 'half', 'negativeZero', 0],
    ['minusOne', 'one', 'negativeZero', 0],
    ['zero', 'infinity', 'indefinite', 1],
    ['minusOne', 'infinity', 'negativeInfinity', 0],
    ['one', 'signalling', '7fffc000000000000001', 1],
  ])('FYL2X: ST(1) %s, ST(0) %s gives %s', (y, a, result, raised) => {
    const r = logarithmTimes(x(a), x(y), NEAREST)
    expect([text(r), flags(r)]).toEqual([names[result as Name] ? result : text({ value: x(result), flags: 0 }), raised])
  })

  it.each<[y: Name, x: Name, result: string, flags: number]>([
    ['one', 'negativeZero', 'negativeZero', 0],
    ['infinity', 'zero', 'indefinite', 1],
    ['infinity', 'half', 'infinity', 0],
    ['negativeInfinity', 'half', 'negativeInfinity', 0],
    ['minusOne', 'zero', 'negativeZero', 0],
  ])('FYL2XP1: ST(1) %s, ST(0) %s gives %s', (y, a, result, raised) => {
    const r = logarithmOfOnePlusTimes(x(a), x(y), NEAREST)
    expect([text(r), flags(r)]).toEqual([result, raised])
  })
})
