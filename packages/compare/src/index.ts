/**
 * `@vmexit/compare`: the same programs under every technique, counted, and priced under one named profile.
 *
 * @packageDocumentation
 */

export { type BaselineDifference, baselineText, type Change, compareToBaseline, parseComparison } from './baseline.ts'
export { type Charge, type Charged, charge } from './charge.ts'
export { chosen } from './chosen.ts'
export { type CompareOptions, compare } from './compare.ts'
export { type Cell, COMPARISON_VERSION, type Column, type Comparison, cellOf, missingCells } from './comparison.ts'
export { comparisonText, wrapped } from './comparison-text.ts'
export { comparisonCsv } from './csv.ts'
export { type PcTechniqueOptions, pcTechnique, pcTechniques } from './pc-technique.ts'
export { calibrations } from './process/calibrations.generated.ts'
export {
  calibrate,
  KERNEL_EVENTS,
  type KernelCalibration,
  type KernelEvent,
  kernelInstructions,
} from './process/kernel-work.ts'
export { type ProcessTechniqueOptions, processTechnique } from './process/technique.ts'
export { DEFAULT_PROFILE, profileNamed } from './profile-named.ts'
export { comparisonHtml, type ReportOptions, type ReportTable } from './report/report.ts'
export { repriced } from './repriced.ts'
export { chargeWords, whereTimeGoes } from './sentences.ts'
export { mergeComparisons, parseShard, type Shard } from './shard.ts'
export type { Kernel, Measured, MeasureRequest, Progress, Technique } from './technique.ts'
export { techniques } from './techniques.ts'
export { comparisonTrace, type TraceEvent } from './trace.ts'
export { type Workload, workloads } from './workload.ts'
