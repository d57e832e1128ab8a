/** The comparison: every workload under every technique. The same each time: there is no clock in it. */
import type { CostProfile, Counts } from '@vmexit/core'
import type { PcHardware } from '@vmexit/vmexit'
import { charge } from './charge.ts'
import { arranged, type Cell, COMPARISON_VERSION, type Comparison } from './comparison.ts'
import { type Shard, shardColumns } from './shard.ts'
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
  /** Measures only some of the columns; the others are missing in the result. */
  readonly shard?: Shard | undefined
  readonly signal?: AbortSignal | undefined
  /** Gives what there is when the signal aborts, instead of rejecting. */
  readonly keepPartial?: boolean | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/**
 * Measures, column by column, and prices. Rejects with the signal's reason when it aborts, unless what there is is to be kept.
 * @throws VmexitError `compare-checksum` where a program computes something else under another technique; `compare-shard`; what
 * techniques throw.
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { workloads, techniques, kernel, profile, engine, shard, signal, keepPartial = false, onProgress } = options
  const columns = shard === undefined ? techniques : shardColumns(techniques, shard)
  const total = workloads.length * columns.length
  const cells: Omit<Cell, 'ratio'>[] = []
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
    partial: interrupted ? 'interrupted' : columns === techniques ? undefined : `shard ${shard!.index}/${shard!.of}`,
  }
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
