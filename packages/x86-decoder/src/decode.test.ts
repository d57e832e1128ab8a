import { expect, test } from 'vitest'
import { DecodeError, decode } from './decode.ts'
import { createDecoder } from './decoder.ts'

function failure(bytes: number[], bits: 16 | 32 | 64): DecodeError {
  try {
    decode(Uint8Array.from(bytes), { bits })
  } catch (error) {
    if (error instanceof DecodeError) return error
  }
  throw new Error('it decoded')
}

test('each call gives a record of its own', () => {
  const bytes = Uint8Array.of(0x90, 0xf4)
  const [nop, hlt] = [decode(bytes, { bits: 32 }), decode(bytes, { bits: 32, offset: 1 })]
  expect([nop.op, hlt.op]).toEqual(['nop', 'hlt'])
})

test('a failure says which bytes, why, and what to do', () => {
  expect(failure([0x0f], 32)).toMatchObject({ code: 'truncated', name: 'DecodeError' })
  expect(failure([0x0f], 32).message).toBe(
    'cannot decode [0f] as 32-bit code: the instruction goes on behind the last byte; pass more bytes',
  )
  expect(failure([0x0f, 0x04], 32).message).toMatch(
    /^cannot decode \[0f 04\] as 32-bit code: .*#UD; check bits and offset$/,
  )
  expect(failure(new Array(16).fill(0x66), 64)).toMatchObject({ code: 'tooLong' })
})

test('a decoder with fewer features may be passed', () => {
  const decoder = createDecoder({ features: [] })
  expect(() => decode(Uint8Array.of(0x0f, 0xa2), { bits: 32, decoder })).toThrow(DecodeError)
})
