/**
 * `@vmexit/conformance`: the suites that any part of a kind must pass. They need no test framework: a suite is a list of
 * names and functions.
 *
 * @packageDocumentation
 */

export { Bench, type BenchEvent, type WatchedLine } from './bench.ts'
export { type DeviceConformanceOptions, deviceConformance } from './device.ts'
export type { DeviceUnderTest } from './hostile.ts'
export { Random } from './random.ts'
export {
  ConformanceError,
  type ConformanceFailure,
  type ConformanceTest,
  defineSuite,
  type Expect,
  type SuiteDefinition,
  type TestDefinition,
} from './suite.ts'
