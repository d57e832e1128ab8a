import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { parseOptions } from './options.ts'
import { plain, report } from './report.ts'
import { differences, runGuest } from './run.ts'

describe('the demo', () => {
  it('runs the guest to its end under all engines, with equal counts and state', async () => {
    const lines: string[] = []
    const interpreter = await runGuest('interpreter', (text) => lines.push(text))
    const reference = await runGuest('reference')
    expect(lines.join('')).toBe(interpreter.console)
    expect(interpreter.console).toContain('primes below 200000: 17984\n')
    expect(interpreter.console).toContain('kernel: #PF page fault at 00010000, error code 7\n')
    expect(interpreter.exceptions.map(({ name }) => name)).toEqual(['#DE', '#UD', '#GP', '#PF'])
    expect(differences(interpreter, reference)).toEqual([])
    const jit = await runGuest('jit')
    expect(differences(jit, reference)).toEqual([])
    expect(report([jit, interpreter, reference], plain)).toMatch(/Instructions retired +([\d,]+) +\1 +\1\n/)

    const changed = { ...reference, counts: [{ ...reference.counts[0]!, count: 1 }], console: '' }
    expect(differences(interpreter, changed)[0]).toBe('the text on the console')
    expect(report([interpreter, changed], plain)).toContain('differ in: the text on the console')
  })

  it('says what is wrong with a command line', () => {
    const fails = (args: string[]) => {
      try {
        parseOptions(args)
      } catch (error) {
        if (isVmexitError(error, 'demo-option')) return error.message
      }
      return undefined
    }
    expect(fails(['--engine', 'steam'])).toBe("there is no engine 'steam': say jit, interpreter, reference or all")
    expect(fails(['--engine', 'toString'])).toContain('there is no engine')
    expect(fails(['--fast'])).toBe("Unknown option '--fast': see --help")
    expect(parseOptions(['--json'])).toEqual({ engines: ['jit', 'interpreter', 'reference'], json: true, help: false })
  })
})
