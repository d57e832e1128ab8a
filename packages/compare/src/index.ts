/**
 * `@vmexit/compare`: the same programs under every technique, counted, and priced under one named profile.
 *
 * @packageDocumentation
 */

export { type BaselineDifference, baselineText, type Change, compareToBaseline, parseComparison } from './baseline.ts'
export { type Charge, type Charged, type Charging, charge } from './charge.ts'
export { chosen } from './chosen.ts'
export { type CompareOptions, compare } from './compare.ts'
export { type Cell, COMPARISON_VERSION, type Column, type Comparison, cellOf, missingCells } from './comparison.ts'
export { comparisonText } from './comparison-text.ts'
export {
  CONTAINER_EVENTS,
  type ContainerCalibration,
  type ContainerEvent,
  calibrateContainer,
  containerInstructions,
} from './container/container-work.ts'
export { type ContainerTechniqueOptions, containerTechnique } from './container/technique.ts'
export { comparisonCsv } from './csv.ts'
export { type ExplainOptions, explainEvent } from './explain/explain.ts'
export { EVENT_KINDS, type EventKind, type Explanation, type Floor, type Step, Steps } from './explain/explanation.ts'
export { explanationText } from './explain/explanation-text.ts'
export { type Held, heldAgainst } from './held.ts'
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
export { instructionsOf, type MeasuredStart, type Start, type StartPoint } from './start/start.ts'
export type { EventRequest, Kernel, Measured, MeasureRequest, Progress, StartRequest, Technique } from './technique.ts'
export { techniques, techniquesOn } from './techniques.ts'
export { comparisonTrace, type TraceEvent } from './trace.ts'
export { type Workload, workloads } from './workload.ts'
export { wrapped } from './wrapped.ts'
