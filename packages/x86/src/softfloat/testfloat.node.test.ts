/**
 * Berkeley TestFloat's vectors, results and flags, through every engine that can run a routine.
 * They lie beside the project root in `shared/vectors/testfloat`; without them there is nothing to run.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { evaluating, generating } from '../../test/softfloat/engines.ts'
import { operations } from '../../test/softfloat/testfloat-operations.ts'

const folder = new URL('../../../../../shared/vectors/testfloat/', import.meta.url)
const engines = [evaluating, generating]
const ROUNDING: Readonly<Record<string, number>> = { near_even: 0, min: 1, max: 2, minMag: 3 }

if (!existsSync(folder)) {
  test.skip('the vectors of shared/vectors/testfloat are absent', () => {})
} else {
  const files = readdirSync(folder).filter((file) => file.endsWith('.txt.gz'))
  for (const engine of engines) {
    describe(engine.name, () => {
      test.each(files)('%s', (file) => {
        const [, name, rounding] = /^(\w+?)(?:_r(near_even|minMag|min|max))?\.txt\.gz$/.exec(file)!
        const operation = operations[name!]
        expect(operation, `an operation for ${file}`).toBeDefined()
        const lines = gunzipSync(readFileSync(new URL(file, folder)))
          .toString()
          .trim()
          .split('\n')
        const wrong: string[] = []
        for (const line of lines) {
          const fields = line.split(' ')
          const flags = parseInt(fields.pop()!, 16)
          const wanted = fields.pop()!.toUpperCase()
          const got = operation!(engine.run, fields, ROUNDING[rounding ?? 'near_even']!)
          if (got.result !== wanted || testFloatFlags(got.flags) !== flags) {
            wrong.push(`${line}: ${got.result} ${testFloatFlags(got.flags).toString(16)}`)
          }
        }
        expect(wrong.slice(0, 8), `${wrong.length} of ${lines.length}`).toEqual([])
      })
    })
  }
}

/** TestFloat's flag bits from the x86's; it knows no denormal-operand flag. */
function testFloatFlags(flags: number): number {
  const bit = (x86: number, theirs: number): number => (flags & x86 ? theirs : 0)
  return bit(32, 1) | bit(16, 2) | bit(8, 4) | bit(4, 8) | bit(1, 16)
}
