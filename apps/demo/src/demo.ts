/** The comparison that the demo makes, a few telling workloads under every technique, and what it prints of it. */
import {
  type Comparison,
  chosen,
  compare,
  comparisonText,
  DEFAULT_PROFILE,
  type Progress,
  profileNamed,
  techniquesOn,
  whereTimeGoes,
  workloads,
  wrapped,
} from '@vmexit/compare'
import { readTeachingKernel } from '@vmexit/guests/node'

const ROWS = ['syscall', 'cpuid', 'pgfault', 'ptemod', 'switch', 'fork', 'random', 'integer']
const WIDTH = 98

export function demoComparison(onProgress?: (progress: Progress) => void, signal?: AbortSignal): Promise<Comparison> {
  const kernel = { name: 'teaching', image: readTeachingKernel('teaching') }
  return compare({
    workloads: chosen('workload', workloads, ROWS),
    techniques: techniquesOn(kernel),
    kernel,
    starts: true,
    profile: profileNamed(DEFAULT_PROFILE),
    signal,
    onProgress,
  })
}

/** Both tables, and where the time goes. */
export function demoText(comparison: Comparison): string {
  const sentences = whereTimeGoes(comparison).map((sentence) => `${wrapped(sentence, WIDTH).join('\n')}\n`)
  return [comparisonText(comparison), ...sentences].join('\n')
}
