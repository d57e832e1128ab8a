/**
 * `@vmexit/linux`: a kernel in TypeScript that runs real i386 Linux programs.
 *
 * @packageDocumentation
 */
export { i386 } from './abi/i386/table.ts'
export { supportPage } from './abi/support.ts'
export type { CallRow, CallTable, Decoder, Support } from './abi/table.ts'
export { checkKernel } from './check.ts'
export { HostInput, HostOutput } from './files/host-streams.ts'
export type { OpenFile } from './files/open-file.ts'
export { createKernel, type KernelOptions, type LinuxKernel, type StepOutcome } from './kernel.ts'
export type { MachineOptions } from './machine.ts'
export { populate } from './populate.ts'
export { ProcFs } from './proc/proc-fs.ts'
export { type Host, type RunOutcome, runKernel } from './run.ts'
export { Strace } from './strace.ts'
export type { CallObserver, Process, Task } from './system.ts'
export { type Account, type Resource, unlimited } from './tasks/account.ts'
export type { Spawn } from './tasks/spawn.ts'
export { HostTerminal } from './tty/pty.ts'
