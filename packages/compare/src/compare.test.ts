import { pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { kernel, technique, workload } from '../test/made.ts'
import { chosen, compare, comparisonText, missingCells, type Progress, profileNamed } from './index.ts'

describe('compare', () => {
  const workloads = [workload('a'), workload('b')]

  test('rows and columns of one’s own join, and ratios are to native', async () => {
    const heard: Progress[] = []
    const techniques = [
      technique('native', { instructions: 10 }),
      technique('container', { instructions: 15 }),
      technique('slow', { instructions: 10, emulated: 1 }),
    ]
    const onProgress = (progress: Progress) => heard.push(progress)
    const comparison = await compare({ workloads, techniques, kernel, profile: pentium4, onProgress })
    expect(comparison.cells.map(({ workload, technique, ratio }) => [workload, technique, ratio])).toEqual([
      ['a', 'native', 1],
      ['a', 'container', 1.5],
      ['a', 'slow', undefined],
      ['b', 'native', 1],
      ['b', 'container', 1.5],
      ['b', 'slow', undefined],
    ])
    expect(JSON.parse(JSON.stringify(comparison))).toMatchObject({ profile: { name: 'P4_672' }, kernel: 'none' })
    expect(heard.at(-1)).toEqual({ technique: 'slow', workload: 'b', done: 6, total: 6 })
    const text = comparisonText(comparison)
    expect(text).toContain('modelled under P4_672,')
    expect(text).toMatch(/\na +10 +15 ×1\.50 +–\n/)
    expect(text).toContain('no price in it: emulated (slow)')
  })

  test('a technique under which a program computes something else is an error', async () => {
    const techniques = [technique('native', {}), technique('wrong', {}, '0badf00d')]
    await expect(compare({ workloads, techniques, kernel, profile: pentium4 })).rejects.toMatchObject({
      code: 'compare-checksum',
      problem: 'the workload a computes 00000000 under native, and 0badf00d under wrong',
    })
  })

  test('it ends with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const techniques = [technique('native', { instructions: 10 })]
    await expect(compare({ workloads, techniques, kernel, profile: pentium4, signal })).rejects.toThrow('enough')
  })

  test('of a run that is interrupted the cells that are done can be kept, and the rest is marked', async () => {
    const abort = new AbortController()
    const techniques = [technique('native', { instructions: 10 }), technique('other', { instructions: 15 })]
    const comparison = await compare({
      ...{ workloads, techniques, kernel, profile: pentium4 },
      signal: abort.signal,
      keepPartial: true,
      onProgress: ({ technique, workload }) => technique === 'other' && workload === 'a' && abort.abort(),
    })
    expect(comparison.partial).toBe('interrupted')
    expect(comparison.cells.map(({ workload, technique }) => `${workload} ${technique}`)).toEqual([
      'a native',
      'a other',
      'b native',
    ])
    expect(missingCells(comparison)).toEqual([{ workload: 'b', technique: 'other' }])
    const text = comparisonText(comparison)
    expect(text).toMatch(/^PARTIAL \(interrupted\): 1 of 4 cells were not measured/)
    expect(text).toMatch(/\nb +10 +…\n/)
  })

  test('an error of a technique is no interruption', async () => {
    const broken = {
      ...technique('broken', {}),
      measure: () => Promise.reject(new Error('it broke')),
    }
    const options = { workloads, techniques: [broken], kernel, profile: pentium4, keepPartial: true }
    await expect(compare(options)).rejects.toThrow('it broke')
  })
})

describe('errors name what there is', () => {
  test('rows and columns', () => {
    const all = [workload('a'), workload('b')]
    expect(chosen('workload', all, ['b', 'a', 'b']).map(({ name }) => name)).toEqual(['b', 'a'])
    expect(() => chosen('workload', all, ['x', 'a', 'y'])).toThrow("there is no workload 'x' or 'y': take some of a, b")
    expect(() => chosen('technique', all, [])).toThrow('no technique is named')
  })

  test('profiles', () => {
    expect(profileNamed('CORE2_2.66').ghz).toBe(2.66)
    expect(() => profileNamed('P4_672+toString')).toThrow("there is no cost profile 'toString': take one of P4_672,")
  })
})
