/**
 * `@vmexit/guests`: programs to measure guests with, an initramfs of them, and what a repetition of their work costs.
 *
 * @packageDocumentation
 */

export { type InitramfsOptions, workloadInitramfs } from './initramfs.ts'
export { type Marker, MarkerReader } from './markers.ts'
export { type Program, type ProgramName, programs, readProgram } from './programs.ts'
export { type Exit, type Slope, SlopeMeter, slopeOf } from './slopes.ts'
