/** The comparison that the pages of techniques take their numbers from: a few programs on the teaching kernel, under all of them. */
import {
  type Cell,
  type Comparison,
  cellOf,
  chosen,
  compare,
  DEFAULT_PROFILE,
  profileNamed,
  techniques,
  workloads,
} from '@vmexit/compare'
import { readTeachingKernel } from '@vmexit/guests/node'

const ROWS: readonly string[] = ['syscall', 'in', 'cpuid', 'pgfault', 'ptemod', 'switch', 'fork', 'random', 'integer']

export function compareTechniques(): Promise<Comparison> {
  return compare({
    workloads: chosen('workload', workloads, ROWS),
    techniques: chosen('technique', techniques, [
      'native',
      'software-emulation',
      'vtx-shadow',
      'vtx-nested',
      'vtx-nested-2m',
      'process',
    ]),
    kernel: { name: 'teaching', image: readTeachingKernel('teaching') },
    profile: profileNamed(DEFAULT_PROFILE),
  })
}

/** The cell, which is there. */
export function cell(comparison: Comparison, workload: string, technique: string): Cell {
  const found = cellOf(comparison, workload, technique)
  if (found === undefined) throw new Error(`no ${workload} under ${technique}`)
  return found
}

/** How many of an event, in two digits behind the point at most; a slope may be a hair off. */
export function count(comparison: Comparison, workload: string, technique: string, event: string): number {
  const value = Math.round((cell(comparison, workload, technique).events[event] ?? 0) * 100) / 100
  return value === 0 ? 0 : value
}

export function titleOf(comparison: Comparison, workload: string): string {
  return comparison.workloads.find(({ name }) => name === workload)!.title
}
