import { pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import { chosen, compare, comparisonText, type Progress, profileNamed, type Technique, type Workload } from './index.ts'

const kernel = { name: 'none', image: new Uint8Array() }
const workload = (name: string): Workload => ({
  name,
  title: `Title of ${name}`,
  unit: `one ${name}`,
  count: 1,
  image: () => new Uint8Array(),
  does: {},
})

/** A technique that is no PC: it costs so many instructions. */
function technique(name: string, instructions: number, checksum = '00000000'): Technique {
  return {
    name,
    title: name,
    about: '',
    charged: ({ instructions: count = 0, emulated = 0 }) => ({ instructions: count, emulated }),
    measure: async ({ workloads, onMeasured }) =>
      workloads.map(({ name: row }) => {
        onMeasured(row)
        return { workload: row, checksum, events: { instructions, emulated: name === 'slow' ? 1 : 0 } }
      }),
  }
}

describe('compare', () => {
  const workloads = [workload('a'), workload('b')]

  test('rows and columns of one’s own join, and ratios are to native', async () => {
    const heard: Progress[] = []
    const techniques = [technique('native', 10), technique('container', 15), technique('slow', 10)]
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
    expect(text).toMatch(/\na +10 +15 +×1\.50 +–\n/)
    expect(text).toContain('no price in it: emulated (slow)')
  })

  test('a technique under which a program computes something else is an error', async () => {
    const techniques = [technique('native', 10), technique('wrong', 10, '0badf00d')]
    await expect(compare({ workloads, techniques, kernel, profile: pentium4 })).rejects.toMatchObject({
      code: 'compare-checksum',
      problem: 'the workload a computes 00000000 under native, and 0badf00d under wrong',
    })
  })

  test('it ends with the reason of its signal', async () => {
    const signal = AbortSignal.abort(new Error('enough'))
    const techniques = [technique('native', 10)]
    await expect(compare({ workloads, techniques, kernel, profile: pentium4, signal })).rejects.toThrow('enough')
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
