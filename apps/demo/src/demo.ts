/** The comparison that the demo makes: a few telling workloads under every technique. */
import {
  type Comparison,
  chosen,
  compare,
  DEFAULT_PROFILE,
  type Progress,
  profileNamed,
  techniques,
  workloads,
} from '@vmexit/compare'
import { readTeachingKernel } from '@vmexit/guests/node'

const ROWS = ['syscall', 'cpuid', 'pgfault', 'ptemod', 'switch', 'fork', 'random', 'integer']

export function demoComparison(onProgress?: (progress: Progress) => void, signal?: AbortSignal): Promise<Comparison> {
  return compare({
    workloads: chosen('workload', workloads, ROWS),
    techniques,
    kernel: { name: 'teaching', image: readTeachingKernel('teaching') },
    profile: profileNamed(DEFAULT_PROFILE),
    signal,
    onProgress,
  })
}
