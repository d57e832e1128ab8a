/** A container: the workloads in one, and what it adds to a bare process. */
import { pentium4 } from '@vmexit/core'
import { describe, expect, test } from 'vitest'
import {
  calibrateContainer,
  chosen,
  compare,
  containerTechnique,
  type KernelCalibration,
  processTechnique,
  type Technique,
  workloads,
} from '../index.ts'

const kernel = { name: 'teaching', image: new Uint8Array() }
const measure = (technique: Technique, rows = workloads) =>
  technique.measure({ workloads: rows, kernel, engine: undefined, signal: undefined, onMeasured() {} })

test('a repetition in a container is what it is outside of one, event for event: what differs is the kernel’s work', async () => {
  expect(await measure(containerTechnique())).toEqual(await measure(processTechnique()))
})

test('an abort in the middle is the signal’s reason, and a program that fails is named', async () => {
  const signal = AbortSignal.abort(new Error('enough'))
  const request = { workloads, kernel, engine: undefined, signal, onMeasured() {} }
  await expect(containerTechnique().measure(request)).rejects.toThrow('enough')
  const [syscall] = workloads
  const none = { ...syscall!, image: () => new Uint8Array(16) }
  await expect(measure(containerTechnique(), [none])).rejects.toThrow()
})

describe('what a container adds', () => {
  const files = chosen('workload', workloads, ['files', 'fork', 'integer'])
  const columns = [processTechnique(), containerTechnique()]

  test('is charged beside the kernel’s work, for files and processes and not for arithmetic', async () => {
    const { cells } = await compare({ workloads: files, techniques: columns, kernel, profile: pentium4 })
    const added = cells.filter(({ technique }) => technique === 'container').map(({ charges }) => charges)
    expect(added.map((charges) => (charges['container-instructions']?.count ?? 0) > 0)).toEqual([true, true, false])
    expect(cells[4]!.cycles).toBe(cells[5]!.cycles)
  })

  test('is what it adds in a kernel that has containers, and its share of that in one that has none', () => {
    const own = containerTechnique()
    const events = { 'file-calls': 5, forks: 1 }
    const [debian, teaching] = ['debian', 'teaching'].map((name) => own.charged(events, name))
    expect(debian!['container-instructions']).toBeGreaterThan(teaching!['container-instructions']!)
    expect(own.basis!('debian')).toContain('as many instructions as one of its own adds (calibrated: role C)')
    expect(own.basis!('teaching')).toContain('the share that one adds in the kernel debian')
  })

  test('has no price where nothing was calibrated', () => {
    const none: readonly KernelCalibration[] = []
    const technique = containerTechnique({ calibrations: none })
    expect(technique.charged({ 'system-calls': 3 }, 'teaching')).toEqual({ 'system-calls': 3, 'kernel-work': 3 })
    expect(technique.basis!('teaching')).toContain('so no cycles')
  })

  test('comes from differences, and what is known of one event is taken off another', () => {
    const contained = new Map(Object.entries({ mmap: 1100, fork: 560 }))
    const native = new Map(Object.entries({ mmap: 1000, fork: 500 }))
    const bare = new Map(Object.entries({ mmap: { pages: 10 }, fork: { pages: 2, forks: 1 } }))
    const { instructions } = calibrateContainer(contained, native, bare, 7)
    expect(instructions).toMatchObject({ pages: 10, forks: 40, signals: 0 })
  })
})
