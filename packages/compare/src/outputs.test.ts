/** What a comparison becomes: CSV, a trace, a report, and the difference to a baseline. */
import { kvm2012, pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { kernel, technique, workload } from '../test/made.ts'
import {
  baselineText,
  type Comparison,
  compare,
  compareToBaseline,
  comparisonCsv,
  comparisonHtml,
  comparisonText,
  comparisonTrace,
  heldAgainst,
  mergeComparisons,
  parseComparison,
  whereTimeGoes,
} from './index.ts'

const rows = { workloads: [workload('a'), workload('b')], kernel, profile: pentium4 }
const techniques = [
  technique('native', { instructions: 100, 'tlb-misses': 2, 'walk-references': 0 }),
  technique('vtx', { instructions: 100, 'vm-exits': 2, 'vm-exits-io': 2 }),
  technique('slow', { emulated: 100 }),
]
const measured = () => compare({ ...rows, techniques })
const filed = (comparison: object) => parseComparison(JSON.stringify(comparison), 'before.json')

describe('CSV', () => {
  test('has a line for each cell, an event that is not counted being empty', async () => {
    const [head, first, second, third, ...more] = comparisonCsv(await measured()).split('\n')
    expect(head).toBe(
      'kernel,profile,workload,technique,checksum,cycles,ratio,references-per-miss,' +
        'instructions,tlb-misses,walk-references,vm-exits,vm-exits-io,emulated,unpriced',
    )
    expect(first).toBe('none,P4_672,a,native,00000000,,,0,100,2,0,,,,tlb-misses')
    expect(second).toMatch(/^none,P4_672,a,vtx,00000000,,,,100,,,2,2,,vm-exits$/)
    expect(third).toBe('none,P4_672,a,slow,00000000,,,,,,,,,100,emulated')
    expect(more).toHaveLength(4)
  })

  test('quotes what has commas and quotes', async () => {
    const comparison = await compare({ ...rows, techniques: [technique('a,"b"', { instructions: 1 })] })
    expect(comparisonCsv(comparison)).toContain('none,P4_672,a,"a,""b""",00000000,1,,')
  })
})

describe('starts', () => {
  const start = { first: { instructions: 40 }, exit: { instructions: 50 }, imageBytes: 93, residentBytes: 8192 }
  const starting = (exit = 50) =>
    techniques.slice(0, 2).map((each) => ({
      ...each,
      start: async () => ({ ...start, exit: { instructions: exit } }),
    }))
  const measuredWith = (exit?: number) => compare({ ...rows, techniques: starting(exit), starts: true })

  test('are in the tables, in two lines of CSV, and in a report', async () => {
    const comparison = await measuredWith()
    expect(comparisonText(comparison)).toMatch(/\n {2}native +40 +40 +0\.000 +50 +50 +1 +8 +131,072\n/)
    const lines = comparisonCsv(comparison).split('\n')
    expect(lines[0]).toContain('image-bytes,resident-bytes')
    expect(lines[5]).toMatch(/^none,P4_672,start-first,native,,40,,,40,.*,93,8192,$/)
    expect(lines[6]).toMatch(/^none,P4_672,start-exit,native,,50,,,50,/)
    const report = comparisonHtml(comparison)
    for (const id of ['starts', 'start-figures']) expect(report).toContain(`<h2 id="${id}">`)
    expect(report).not.toMatch(/NaN|undefined|Infinity/)
  })

  test('survive files, merge, and a baseline names what of them is other', async () => {
    const before = filed(await measuredWith())
    expect(compareToBaseline(before, await measuredWith())).toMatchObject({ compared: 8, equal: 8 })
    expect(compareToBaseline(before, await measuredWith(51)).changes.map(({ what, now }) => [what, now])).toEqual([
      ...[
        ['instructions', 51],
        ['cycles', 51],
        ['instructions', 51],
        ['cycles', 51],
      ],
    ])
    const parts = await Promise.all(
      [1, 2].map((index) => compare({ ...rows, techniques: starting(), starts: true, shard: { index, of: 2 } })),
    )
    expect(mergeComparisons(parts).starts).toEqual((await measuredWith()).starts)
    const other = { ...parts[0]!, starts: parts[0]!.starts.map((each) => ({ ...each, imageBytes: 1 })) }
    expect(() => mergeComparisons([parts[0]!, other])).toThrow('two parts have different starts of native')
    expect(() => filed({ ...before, starts: [{ technique: 'native' }] })).toThrow('is no comparison')
  })

  test('are kept where the run is interrupted behind them', async () => {
    const abort = new AbortController()
    const [first, second] = starting()
    const stopping = { ...second!, start: async () => abort.abort() ?? Promise.reject(abort.signal.reason) }
    const options = { ...rows, techniques: [first!, stopping], starts: true, signal: abort.signal, keepPartial: true }
    const comparison = await compare(options)
    expect(comparison).toMatchObject({ partial: 'interrupted', starts: [{ technique: 'native' }] })
    expect(comparison.cells).toHaveLength(2)
  })
})

describe('a container', () => {
  test('is held against the guest’s own, and has a sentence', async () => {
    const columns = [
      technique('native', { instructions: 1000 }),
      technique('guest-container', { instructions: 1400 }),
      technique('process', { instructions: 10, 'kernel-instructions': 990 }),
      technique('container', { instructions: 10, 'kernel-instructions': 990, 'container-instructions': 500 }),
    ]
    const comparison = await compare({ ...rows, workloads: [workload('exec'), workload('fork')], techniques: columns })
    expect(heldAgainst(comparison)).toEqual([
      { workload: 'exec', charged: 1500, counted: 1400, byConstruction: false },
      { workload: 'fork', charged: 1500, counted: 1400, byConstruction: true },
    ])
    expect(comparisonText(comparison)).toMatch(/\n {2}exec +1,500 +1,400 +×1\.07\n {2}fork +1,500 +1,400 +×1\.07 \*\n$/)
    expect(whereTimeGoes(comparison)[3]).toBe(
      'A container adds most to “Title of exec” (×1.50 a bare process: 500 cycles more), and nothing, within five percent, to 0 of 2 workloads.',
    )
    expect(comparisonHtml(comparison)).toContain('<h2 id="held">')
  })

  test('is refused by a kernel that has none, with what to do', async () => {
    const refusing = { ...technique('guest-container', {}), refuses: () => 'it has none' }
    await expect(compare({ ...rows, techniques: [refusing] })).rejects.toMatchObject({
      code: 'compare-technique',
      message: expect.stringContaining('guest-container is not possible: it has none: leave guest-container out'),
    })
  })
})

describe('a trace', () => {
  const priced = [
    technique('native', { instructions: 3800 }),
    technique('vtx', { instructions: 3800, 'vm-exits-io': 1 }),
    technique('slow', { emulated: 100 }),
  ]

  test('has a thread for each technique, and in each cell what it consists of, in microseconds of the profile', async () => {
    const { traceEvents, otherData } = comparisonTrace(await compare({ ...rows, techniques: priced }))
    const native = traceEvents.filter(({ tid, ph }) => tid === 1 && ph === 'X')
    expect(native.map(({ name, ts, dur }) => [name, ts, dur])).toEqual([
      ['a', 0, 1],
      ['instructions', 0, 1],
      ['b', 1, 1],
      ['instructions', 1, 1],
    ])
    const vtx = traceEvents.filter(({ tid, cat }) => tid === 2 && cat === 'charge')
    expect(vtx[1]).toMatchObject({ name: 'vm-exits-io', ts: 1, dur: 4.165 })
    expect(traceEvents.some(({ tid, ph }) => tid === 3 && ph === 'X')).toBe(false)
    expect(otherData['no price']).toBe('a under slow, b under slow')
  })

  test('says so where the profile has no frequency', async () => {
    const { otherData } = comparisonTrace(await compare({ ...rows, techniques: priced, profile: kvm2012 }))
    expect(otherData['time']).toContain('a microsecond is a thousand cycles')
  })
})

describe('a baseline', () => {
  test('that is equal is equal to the digit; any change of a count is named with both values', async () => {
    const before = filed(await measured())
    expect(baselineText(compareToBaseline(before, await measured()))).toBe(
      'Beside the baseline: 6 of 6 cells are equal, to the digit\n',
    )
    const changed = [
      techniques[0]!,
      technique('vtx', { instructions: 100, 'vm-exits': 3, 'vm-exits-io': 2 }),
      technique('new', {}),
    ]
    const difference = compareToBaseline(before, await compare({ ...rows, techniques: changed }))
    expect(difference.changes[0]).toEqual({ workload: 'a', technique: 'vtx', what: 'vm-exits', before: 2, now: 3 })
    expect(baselineText(difference)).toBe(`Beside the baseline: 2 of 4 cells are equal, to the digit
  a under vtx: vm-exits 2 → 3 (+50.00 %)
  b under vtx: vm-exits 2 → 3 (+50.00 %)
  only in the baseline: a under slow, b under slow
  not in the baseline: a under new, b under new
`)
  })

  test('of another version, or that is none, is refused with the reason', async () => {
    const now = await measured()
    expect(() => filed({ ...now, version: 7 })).toThrow(
      'before.json is a comparison of version 7, and this is version 2',
    )
    expect(() => filed({ ...now, cells: [{}] })).toThrow('before.json is no comparison')
    expect(() => parseComparison('{"version": 1', 'x')).toThrow('x is no JSON, or only the beginning of it')
    expect(() => compareToBaseline({ ...now, kernel: 'debian' }, now)).toThrow('the baseline is of the kernel debian')
  })
})

describe('a report', () => {
  const priced = [
    technique('native', { instructions: 100 }),
    technique('vtx', { instructions: 100, 'vm-exits': 2, 'vm-exits-io': 2, 'second-stage-references': 0 }),
  ].map((each) => ({ ...each, charged: ({ 'vm-exits': _, ...events }: Readonly<Record<string, number>>) => events }))

  test('has its charts, beside each the cost model, and fetches nothing', async () => {
    const text = comparisonHtml(await compare({ ...rows, techniques: priced }))
    for (const id of ['overhead', 'timeline', 'exits', 'figures', 'prices', 'techniques'])
      expect(text).toContain(`<h2 id="${id}">`)
    expect(text.match(/Cost model: P4_672 at 3\.8 GHz/g)).toHaveLength(4)
    expect(text).not.toMatch(/<script|<link|<img|src=|@import|https?:/)
    expect(text).not.toMatch(/NaN|undefined|Infinity|\[object/)
  })

  test('shows whatever a file says as text', async () => {
    const comparison = await compare({ ...rows, techniques: priced })
    const evil = '"><script>alert(1)</script>'
    const hostile: Comparison = {
      ...comparison,
      kernel: evil,
      profile: { ...comparison.profile, name: evil, source: evil },
      workloads: comparison.workloads.map((each) => ({ ...each, title: evil, unit: evil })),
      techniques: comparison.techniques.map((each) => ({ ...each, title: evil, about: evil, basis: evil })),
      cells: comparison.cells.map((cell) => ({ ...cell, events: { ...cell.events, [`vm-exits-${evil}`]: 3 } })),
      partial: evil,
    }
    expect(comparisonHtml(hostile)).not.toContain('<script')
  })

  test('is whole where next to nothing was measured', async () => {
    const none: Comparison = { ...(await compare({ ...rows, techniques: priced })), cells: [], partial: 'interrupted' }
    const text = comparisonHtml(none)
    expect(text).toContain('4 of 4 cells were not measured')
    expect(text).not.toMatch(/NaN|undefined|Infinity/)
  })
})

describe('where the time goes', () => {
  test('is three sentences about the dearest cells and the cheap ones, with their figures', async () => {
    const columns = [
      technique('native', { instructions: 1000 }),
      technique('vtx', { instructions: 1000, 'vm-exits-io': 2 }),
      technique('slow', { emulated: 9 }),
    ]
    expect(whereTimeGoes(await compare({ ...rows, techniques: columns }))).toEqual([
      'Most time goes to vtx in “Title of a”: 32,652 cycles instead of 1,000 (×32.7), 100 % of the difference for 2 exits for io.',
      'No other technique has a workload that is dearer than native.',
      'No workload costs the same, within five percent, under every technique; slow has counts and no price.',
    ])
  })

  test('names the next technique by the largest ratios', async () => {
    const columns = [
      technique('native', { instructions: 1000 }),
      technique('vtx', { instructions: 1000, 'vm-exits-io': 2 }),
      technique('other', { instructions: 1000, 'vm-exits-io': 1 }),
    ]
    expect(whereTimeGoes(await compare({ ...rows, techniques: columns }))[1]).toBe(
      'Under other the dearest beside native are “Title of a” (×16.8: 100 % of the difference for 1 exit for io) and ' +
        '“Title of b” (×16.8: 100 % of the difference for 1 exit for io).',
    )
  })

  test('says so where there is nothing to set side by side', async () => {
    const [first] = whereTimeGoes(await compare({ ...rows, techniques: [technique('x', { instructions: 1 })] }))
    expect(first).toContain('Nothing can be set beside native')
  })
})
