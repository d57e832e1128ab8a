/** What holds for all bytes, tried on random ones from a fixed seed. */
import { describe, expect, test } from 'vitest'
import { random, randomCode } from '../test/random.ts'
import { createInsn, DecodeError, decode } from './decode.ts'
import { createDecoder, Failure, failureName, maxLength } from './decoder.ts'
import { disassemble } from './disassemble.ts'
import type { Insn } from './insn.ts'

const codeLength = 60_000
const decoder = createDecoder()

describe.each([16, 32, 64] as const)('random bytes in %i-bit mode', (bits) => {
  const code = randomCode(codeLength, 0x5eed + bits)

  test('decode to 1–15 bytes, or to a failure', () => {
    const insn = createInsn()
    for (let offset = 0; offset < code.length; offset++) {
      const length = decoder.decode(code, offset, code.length, bits, insn)
      if (length > 0 ? length > maxLength || insn.length !== length : !failureName(length))
        expect.fail(`${offset}: ${length}`)
    }
  })

  test('leave nothing of the instruction before in the record', () => {
    const used = createInsn()
    for (let offset = 0; offset < 20_000; offset++) {
      const fresh: Insn = createInsn()
      const length = decoder.decode(code, offset, code.length, bits, used)
      decoder.decode(code, offset, code.length, bits, fresh)
      if (length > 0) expect(used).toEqual(fresh)
    }
  })

  test('every shorter cut of an instruction is truncated', () => {
    const insn = createInsn()
    for (let offset = 0; offset < code.length; offset++) {
      const length = decoder.decode(code, offset, code.length, bits, insn)
      for (let cut = 0; cut < length; cut++) {
        const failure = decoder.decode(code, offset, offset + cut, bits, insn)
        if (failure !== Failure.truncated) expect.fail(`${offset}, ${cut} of ${length} bytes: ${failure}`)
      }
    }
  })

  test('have a text without gaps', () => {
    const insn = createInsn()
    for (let offset = 0; offset < 20_000; offset++) {
      const length = decoder.decode(code, offset, code.length, bits, insn)
      if (length > 0) expect(disassemble(insn, offset)).toMatch(/^[a-z][a-z0-9 ]*( [^, ][^,]*(, [^, ][^,]*)*)?$/)
    }
  })

  test('throw nothing but DecodeError', () => {
    const next = random(bits)
    for (let n = 0; n < 2_000; n++) {
      const offset = next() % code.length
      try {
        decode(code.subarray(offset, offset + (next() % 17)), { bits })
      } catch (error) {
        expect(error).toBeInstanceOf(DecodeError)
      }
    }
  })
})
