import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { setting } from '../docs.ts'
import { ENGINES } from '../engines.ts'
import { asText } from '../tables.ts'
import { parseMemoryOptions } from './options.ts'
import { memoryPage } from './page.ts'
import { judgeMemory, type Look, memoryTable, verdictLine } from './results.ts'

const looks = (...mebibytes: number[]): Look[] =>
  mebibytes.map((resident, tenth) => ({
    instructions: (tenth + 1) * 1e9,
    programs: (tenth + 1) * 100,
    rss: resident * 2 ** 20,
    settled: 90 * 2 ** 20,
    heapUsed: 40 * 2 ** 20,
    external: 80 * 2 ** 20,
    generated: { modules: 7 + tenth },
  }))

describe('the verdict', () => {
  const settledAt = (...mebibytes: number[]) =>
    looks(...mebibytes.map(() => 200)).map((look, index) => ({ ...look, settled: mebibytes[index]! * 2 ** 20 }))

  it('allows 5 % over the level after the first tenth, and any fall', () => {
    expect(judgeMemory(settledAt(100, 104, 90))).toEqual({ growth: 0, settled: expect.closeTo(0.04), holds: true })
    expect(judgeMemory(settledAt(100, 106, 90))).toEqual({ growth: 0, settled: expect.closeTo(0.06), holds: false })
    expect(judgeMemory(settledAt(100, 90))).toEqual({ growth: 0, settled: expect.closeTo(-0.1), holds: true })
    expect(verdictLine(judgeMemory(settledAt(100, 106)))).toMatch(/\+6\.0 % .* does NOT hold/)
  })

  it('shows what garbage makes of it, and does not judge that', () => {
    const verdict = judgeMemory(looks(100, 120))
    expect(verdict).toEqual({ growth: expect.closeTo(0.2), settled: 0, holds: true })
    expect(verdictLine(verdict)).toContain('With garbage it is +20.0 %')
  })
})

describe('the table', () => {
  it('has what was resident, and what the engine generated', () => {
    const text = asText(memoryTable(looks(100, 104)))
    expect(text).toMatch(/^10⁹ instr\. .*generated modules$/m)
    expect(text).toMatch(/^2\.0 +200 +104\.0 +\+4\.0 % +90\.0 +\+0\.0 % +40\.0 +80\.0 +8$/m)
    const page = memoryPage(looks(100, 104), 'interpreter', setting(1))
    expect(page).toMatch(/^\| 2\.0 \| 200 \| 104\.0 \| \+4\.0 % \| 90\.0 \| \+0\.0 % \| 40\.0 \| 80\.0 \| 8 \|$/m)
  })
})

describe('the command line', () => {
  it('says what is wrong with it', () => {
    const fails = (...args: string[]) => {
      try {
        parseMemoryOptions(args)
      } catch (error) {
        if (isVmexitError(error, 'bench-option')) return error.message
      }
      return undefined
    }
    const known = ENGINES.map(({ engine }) => engine)
    expect(parseMemoryOptions([])).toMatchObject({ engine: known[0], instructions: 1e11 })
    expect(fails('--engine', 'v86')).toBe(`there is no engine 'v86': say ${known.join(', ')}`)
    expect(fails('--instructions', '1e6')).toBe("'1e6' instructions: give a whole number from 1e9, such as 1e11")
    expect(fails('a', 'b')).toBe("'b' comes after the folder: name one folder")
  })
})
