/**
 * `@vmexit/linux`: a kernel in TypeScript that runs real i386 Linux programs.
 *
 * @packageDocumentation
 */
export { HostInput, HostOutput } from './files/host-streams.ts'
export { createKernel, type KernelOptions, type LinuxKernel, type StepOutcome } from './kernel.ts'
export { HostTerminal } from './tty/pty.ts'
export { populate } from './populate.ts'
export { ProcFs } from './proc/proc-fs.ts'
