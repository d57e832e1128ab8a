/**
 * `@vmexit/conformance`: the suites that any part of a kind must pass. They need no test framework: a suite is a list of
 * names and functions.
 *
 * @packageDocumentation
 */

export { type ApicSystemUnderTest, apicConformance } from './apic.ts'
export { type AtaChannelUnderTest, ataConformance } from './ata.ts'
export { Bench, type BenchEvent, type WatchedLine } from './bench.ts'
export { type DeviceConformanceOptions, deviceConformance } from './device.ts'
export type { SuiteDisk } from './disk.ts'
export { type DmaChannelUnderTest, type DmaUnderTest, dmaConformance } from './dma.ts'
export type { RandomSequences } from './file-system/random-operations.ts'
export { type FileSystemFactory, pjdfstestConformance } from './file-system/replay.ts'
export type { FileSystemLimits, LimitedFileSystemFactory } from './file-system/subject.ts'
export { type FileSystemConformanceOptions, fileSystemConformance } from './file-system/suite.ts'
export { readPjdfstestTrace, type TraceCall, type TraceOperation } from './file-system/trace.ts'
export { type FloppyUnderTest, floppyConformance } from './floppy.ts'
export { type FwCfgUnderTest, fwCfgConformance } from './fw-cfg.ts'
export type { DeviceUnderTest } from './hostile.ts'
export { type KeyboardControllerUnderTest, keyboardControllerConformance, type Motion } from './keyboard-controller.ts'
export { type PciFunctionUnderTest, pciFunctionConformance } from './pci.ts'
export { type PicPairUnderTest, picConformance } from './pic.ts'
export { type TimerUnderTest, timerConformance } from './pit.ts'
export {
  debugConsoleConformance,
  exitPortConformance,
  type PortUnderTest,
  postPortConformance,
} from './ports.ts'
export { Random } from './random.ts'
export { type ClockFactory, type ClockUnderTest, rtcConformance } from './rtc.ts'
export {
  ConformanceError,
  type ConformanceFailure,
  type ConformanceTest,
  defineSuite,
  type Expect,
  type SuiteDefinition,
  type TestDefinition,
} from './suite.ts'
export { type ModemInputs, type UartUnderTest, uartConformance } from './uart.ts'
export { type VgaUnderTest, vgaConformance } from './vga.ts'
