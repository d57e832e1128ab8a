/** The comparison: every workload under every technique. The same each time: there is no clock in it. */
import { type CostProfile, type Counts, VmexitError } from '@vmexit/core'
import type { PcHardware } from '@vmexit/vmexit'
import { charge } from './charge.ts'
import { arranged, type Cell, COMPARISON_VERSION, type Comparison } from './comparison.ts'
import { type Shard, shardColumns } from './shard.ts'
import { pricedStart, type Start } from './start/start.ts'
import type { Kernel, Measured, Progress, Technique } from './technique.ts'
import type { Workload } from './workload.ts'

/** What is compared. */
export interface CompareOptions {
  /** The rows. A workload runs behind those above it, on the same kernel. */
  readonly workloads: readonly Workload[]
  /** The columns. */
  readonly techniques: readonly Technique[]
  readonly kernel: Kernel
  /** The one profile of all cells. */
  readonly profile: CostProfile
  /** How CPUs are made fast; counts are equal under each. */
  readonly engine?: PcHardware['engine']
  /** Measures the start of each technique as well. */
  readonly starts?: boolean | undefined
  /** Measures only some of the columns; the others are missing in the result. */
  readonly shard?: Shard | undefined
  readonly signal?: AbortSignal | undefined
  /** Gives what there is when the signal aborts, instead of rejecting. */
  readonly keepPartial?: boolean | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Measures, column by column, and prices. Rejects with the signal's reason when it aborts, unless what there is is to be kept.
 * @throws VmexitError `compare-checksum` where a program computes something else under another technique; `compare-shard`;
 * `compare-technique` where one cannot be on the kernel; what techniques throw.
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { workloads, techniques, kernel, profile, engine, shard, signal, onProgress } = options
  const { starts = false, keepPartial = false } = options
  checkColumns(techniques, kernel)
  const columns = shard === undefined ? techniques : shardColumns(techniques, shard)
  const total = workloads.length * columns.length
  const cells: Omit<Cell, 'ratio'>[] = []
  const started: Start[] = []
  let interrupted = false
  try {
    for (const [column, technique] of columns.entries()) {
      let done = column * workloads.length
      const tell = (workload?: string) => onProgress?.({ technique: technique.name, workload, done, total })
      signal?.throwIfAborted()
      tell()
      const measured: Measured[] = []
      const onMeasured = (one: Measured) => {
        measured.push(one)
        done++
        tell(one.workload)
      }
      try {
        if (starts && technique.start !== undefined) {
          const start = await technique.start({ kernel, engine, signal })
          started.push(pricedStart(technique, start, kernel.name, profile))
        }
        const all = await technique.measure({ workloads, kernel, engine, signal, onMeasured })
        measured.splice(0, measured.length, ...all)
      } finally {
        cells.push(...measured.map((one) => cellFrom(technique, one, kernel.name, profile)))
      }
    }
  } catch (reason) {
    if (!keepPartial || signal?.aborted !== true) throw reason
    interrupted = true
  }
  const { name, source, class: confidence, ghz } = profile
  return {
    version: COMPARISON_VERSION,
    kernel: kernel.name,
    profile: { name, source, class: confidence, ghz },
    workloads: workloads.map(({ name, title, unit, count }) => ({ name, title, unit, count })),
    techniques: techniques.map((technique) => {
      const { name, title, about } = technique
      return { name, title, about, basis: technique.basis?.(kernel.name) }
    }),
    cells: arranged(workloads, techniques, cells),
    starts: started,
    partial: interrupted ? 'interrupted' : columns === techniques ? undefined : `shard ${shard!.index}/${shard!.of}`,
  }
}

function checkColumns(techniques: readonly Technique[], kernel: Kernel): void {
  const refused = techniques.filter((technique) => technique.refuses?.(kernel) !== undefined)
  if (refused.length === 0) return
  throw new VmexitError('compare-technique', {
    problem: refused.map((technique) => `${technique.name} is not possible: ${technique.refuses?.(kernel)}`).join('; '),
    remedy: `leave ${refused.map(({ name }) => name).join(' and ')} out, or take another kernel`,
  })
}

function cellFrom(technique: Technique, measured: Measured, kernel: string, profile: CostProfile): Omit<Cell, 'ratio'> {
  const { workload, checksum, events } = measured
  return {
    workload,
    technique: technique.name,
    checksum,
    events,
    walkReferencesPerMiss: perMiss(events),
    ...charge(technique.charged(events, kernel), profile),
  }
}

function perMiss(events: Counts): number | undefined {
  const misses = events['tlb-misses'] ?? 0
  const references = (events['walk-references'] ?? 0) + (events['second-stage-references'] ?? 0)
  return misses > 0 ? references / misses : undefined
}
