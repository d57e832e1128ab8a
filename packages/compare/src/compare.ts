/** The comparison: every workload under every technique. Plain data, and the same each time: there is no clock in it. */
import { type CostProfile, type Counts, VmexitError } from '@vmexit/core'
import type { PcHardware } from '@vmexit/vmexit'
import { type Charged, charge } from './charge.ts'
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
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: ((progress: Progress) => void) | undefined
}

/** One workload under one technique: of one repetition. */
export interface Cell extends Charged {
  readonly workload: string
  readonly technique: string
  /** By the names of the counters; `tlb-misses` of both sides, and `true-faults` whoever counts them. */
  readonly events: Counts
  /** Both stages; undefined where nothing misses. */
  readonly walkReferencesPerMiss: number | undefined
  /** Cycles, native's being 1; undefined without either. */
  readonly ratio: number | undefined
}

/** All cells, row by row. */
export interface Comparison {
  readonly kernel: string
  readonly profile: Pick<CostProfile, 'name' | 'source' | 'class' | 'ghz'>
  readonly workloads: readonly Pick<Workload, 'name' | 'title' | 'unit' | 'count'>[]
  readonly techniques: readonly Pick<Technique, 'name' | 'title' | 'about'>[]
  readonly cells: readonly Cell[]
}

/** The column that ratios are to. */
const BASELINE = 'native'

/**
 * Measures, column by column, and prices. Rejects with the signal's reason when it aborts.
 * @throws VmexitError `compare-checksum` where a program computes something else under another technique; what techniques throw.
 */
export async function compare(options: CompareOptions): Promise<Comparison> {
  const { workloads, techniques, kernel, profile, engine, signal, onProgress } = options
  const total = workloads.length * techniques.length
  const measured: Measured[][] = []
  for (const technique of techniques) {
    let done = measured.length * workloads.length
    const tell = (workload: string | undefined) => onProgress?.({ technique: technique.name, workload, done, total })
    signal?.throwIfAborted()
    tell(undefined)
    const onMeasured = (workload: string) => {
      done++
      tell(workload)
    }
    measured.push([...(await technique.measure({ workloads, kernel, engine, signal, onMeasured }))])
  }
  const cells = workloads.flatMap((workload) => {
    const row = techniques.map((technique, column) => {
      const found = measured[column]!.find((each) => each.workload === workload.name)!
      return { technique, found, charged: charge(technique.charged(found.events), profile) }
    })
    checkSame(workload, row)
    const base = row.find(({ technique }) => technique.name === BASELINE)?.charged.cycles
    return row.map(({ technique, found: { events }, charged }) => ({
      workload: workload.name,
      technique: technique.name,
      events,
      walkReferencesPerMiss: perMiss(events),
      ...charged,
      ratio: base === undefined || charged.cycles === undefined ? undefined : charged.cycles / base,
    }))
  })
  const { name, source, class: confidence, ghz } = profile
  return {
    kernel: kernel.name,
    profile: { name, source, class: confidence, ghz },
    workloads: workloads.map(({ name, title, unit, count }) => ({ name, title, unit, count })),
    techniques: techniques.map(({ name, title, about }) => ({ name, title, about })),
    cells,
  }
}

function perMiss(events: Counts): number | undefined {
  const misses = events['tlb-misses'] ?? 0
  const references = (events['walk-references'] ?? 0) + (events['second-stage-references'] ?? 0)
  return misses > 0 ? references / misses : undefined
}

function checkSame(
  { name }: Workload,
  row: readonly { readonly technique: Technique; readonly found: Measured }[],
): void {
  const [first, ...others] = row
  const other = others.find(({ found }) => found.checksum !== first!.found.checksum)
  if (other === undefined) return
  const said = [first!, other].map(({ technique, found }) => `${found.checksum} under ${technique.name}`)
  throw new VmexitError('compare-checksum', {
    problem: `the workload ${name} computes ${said.join(', and ')}`,
    remedy: 'report it: a technique must not change what a program computes',
  })
}
