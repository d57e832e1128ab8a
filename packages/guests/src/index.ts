/**
 * `@vmexit/guests`: programs to measure guests with, an initramfs of them, and what a repetition of their work costs.
 *
 * @packageDocumentation
 */

export { type Program, type ProgramName, programs, readProgram } from './programs.ts'
