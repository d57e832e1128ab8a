import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { isVmexitError } from '@vmexit/core'
import { describe, expect, it } from 'vitest'
import { page, setting } from './docs.ts'
import { ENGINES } from './engines.ts'
import { Meter, type Sample } from './meter.ts'
import { parseOptions } from './options.ts'
import { figure, geometricMean, type Round, summarize } from './results.ts'
import { KERNELS, SYSTEMS } from './systems.ts'
import { asText, comparisonTable, titleOf } from './tables.ts'
import { runV86 } from './v86.ts'
import { runVmexit } from './vmexit.ts'

const folder = fileURLToPath(new URL('../guest/', import.meta.url))
const rom = readFileSync(join(folder, 'bench.rom'))

/** Why the image cannot be built here, if so: other versions of the compiler give other code. */
function obstacle(): string | undefined {
  try {
    const version = execFileSync('gcc', ['-dumpfullversion'], { encoding: 'utf8' }).trim()
    if (version.startsWith('12.2.') && process.arch === 'x64') return undefined
    return `the image was built with gcc 12.2 for x86-64, here is ${version} for ${process.arch}`
  } catch {
    return 'there is no gcc'
  }
}

describe('the ROM', () => {
  const reason = obstacle()
  it.skipIf(reason !== undefined)(`is what its sources give${reason === undefined ? '' : ` (${reason})`}`, () => {
    const out = mkdtempSync(join(tmpdir(), 'guest-'))
    try {
      execFileSync('sh', [join(folder, 'build.sh'), out])
      expect(readFileSync(join(out, 'bench.rom')).equals(rom)).toBe(true)
    } finally {
      rmSync(out, { recursive: true })
    }
  })

  const EXPECTED = ['sieve 00008444', 'crc32 b1952134', 'shellsort 3b692870', 'quicksort ef18cc76', 'fib 0002ff42']
  const computed = ({ samples }: Meter) => samples.map(({ kernel, checksum }) => `${kernel} ${checksum}`)

  it('computes what it should under v86', async () => {
    const meter = new Meter(KERNELS.length)
    await runV86(false, rom, meter)
    expect(computed(meter)).toEqual(EXPECTED)
  })

  const fast = ENGINES.filter(({ rival }) => rival !== undefined)
  it.each(fast)('computes the same under the $title', async ({ engine }) => {
    const meter = new Meter(KERNELS.length)
    await runVmexit(engine, rom, meter)
    expect(computed(meter)).toEqual(EXPECTED)
    expect(meter.samples.every(({ instructions }) => instructions > 8_000_000)).toBe(true)
  })
})

describe('the meter', () => {
  it('takes the time from the end of one mark to the beginning of the other', () => {
    let now = 0
    const meter = new Meter(2, () => now)
    const send = (text: string, instructions: number) => {
      let done = false
      for (const byte of new TextEncoder().encode(text)) {
        now++
        done = meter.feed(byte, instructions)
      }
      return done
    }
    expect(send('+a-b\n', 100)).toBe(false)
    now += 50
    expect(send('-a-b 00ff\n', 1100)).toBe(false)
    expect(send('+c\n', 1100)).toBe(false)
    expect(send('-c 1\n', 1101)).toBe(true)
    expect(meter.samples).toEqual([
      { kernel: 'a-b', checksum: '00ff', cpuMs: 51, instructions: 1000 },
      { kernel: 'c', checksum: '1', cpuMs: 1, instructions: 1 },
    ])
  })
})

describe('the figures', () => {
  const samples = (cpuMs: number, instructions: number): Sample[] =>
    KERNELS.map((kernel) => ({ kernel, checksum: '1', cpuMs, instructions }))
  const rounds: Round[] = [
    { system: 'vmexit-interpreter', samples: samples(10, 5_000_000) },
    { system: 'v86-nojit', samples: samples(60, 0) },
    { system: 'vmexit-interpreter', samples: [...samples(10, 5_000_000), ...samples(30, 5_000_000)] },
    { system: 'v86-nojit', samples: samples(160, 0) },
  ]

  it('are medians over rounds, of means', () => {
    expect(figure([3, 1, 2])).toEqual({ median: 2, least: 1, most: 3 })
    expect(geometricMean([2, 8])).toBe(4)
    const results = summarize(rounds)
    expect(results.measured[0]).toEqual({
      system: 'vmexit-interpreter',
      kernel: 'sieve',
      ms: { median: 15, least: 10, most: 20 },
      mips: 1000 / 3,
    })
    const [compared, ...others] = results.comparisons
    expect(others).toEqual([])
    expect(titleOf(compared!)).toBe('The interpreter against v86 without its JIT')
    expect(compared!.ratios['fib']).toEqual({ median: 7, least: 6, most: 8 })
    expect(compared!.ratio).toBeCloseTo(7)
    expect(asText(comparisonTable(results, compared!))).toContain('sieve                  5.0  110.0 (60.0–160.0)')
    expect(page(results, setting(2))).toContain('| geometric mean |  |  |  |  |  | 7.00 |')
  })

  it('compare nothing that has no rival, and count nothing that vmexit has not run', () => {
    const alone = summarize(rounds.filter(({ system }) => system === 'v86-nojit'))
    expect(alone.comparisons).toEqual([])
    expect(alone.instructions['fib']).toBe(0)
  })

  it('are refused where systems disagree', () => {
    const wrong = { system: 'v86-nojit', samples: samples(60, 0).map((each) => ({ ...each, checksum: '2' })) } as const
    expect(() => summarize([rounds[0]!, wrong])).toThrow('sieve: vmexit-interpreter computed 1, v86-nojit 2')
    const counted = { system: 'vmexit-reference', samples: samples(9, 4) } as const
    expect(() => summarize([rounds[0]!, counted])).toThrow(
      'vmexit-interpreter retired 5000000 instructions, vmexit-reference 4',
    )
  })
})

describe('the command line', () => {
  it('says what is wrong with it', () => {
    const fails = (...args: string[]) => {
      try {
        parseOptions(args)
      } catch (error) {
        if (isVmexitError(error, 'bench-option')) return error.message
      }
      return undefined
    }
    const known = `there is no system 'bochs': say ${SYSTEMS.map(({ name }) => name).join(', ')}`
    expect(fails('--system', 'bochs')).toBe(known)
    expect(fails('--systems', 'v86,bochs')).toBe(known)
    expect(fails('--rounds', '0')).toBe("'0' rounds: give a number from 1 to 999")
    expect(fails('--at-least', 'x')).toBe("'x' is no ratio: give a number such as 4")
    expect(parseOptions(['--systems', 'v86-nojit,vmexit-interpreter']).systems).toEqual([
      'vmexit-interpreter',
      'v86-nojit',
    ])
    expect(fails('now')).toMatch(/^Unexpected argument 'now'/)
  })
})
