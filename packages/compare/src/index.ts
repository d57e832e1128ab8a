/**
 * `@vmexit/compare`: the same programs under every technique, counted, and priced under one named profile.
 *
 * @packageDocumentation
 */

export { type Charge, type Charged, charge } from './charge.ts'
export { chosen } from './chosen.ts'
export { type Cell, type CompareOptions, type Comparison, compare } from './compare.ts'
export { comparisonText } from './comparison-text.ts'
export { type PcTechniqueOptions, pcTechnique, techniques } from './pc-technique.ts'
export { DEFAULT_PROFILE, profileNamed } from './profile-named.ts'
export type { Kernel, Measured, MeasureRequest, Progress, Technique } from './technique.ts'
export { type Workload, workloads } from './workload.ts'
