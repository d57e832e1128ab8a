/**
 * `@vmexit/linux`: a kernel in TypeScript that runs real i386 Linux programs.
 *
 * @packageDocumentation
 */
export { i386 } from './abi/i386/table.ts'
export { supportPage } from './abi/support.ts'
export { type CallRow, type CallTable, callNumbers, type Decoder, type Support } from './abi/table.ts'
export { CgroupFs } from './cgroups/cgroup-fs.ts'
export { TmpFsCharges } from './cgroups/charges.ts'
export { ControlGroups } from './cgroups/groups.ts'
export type { KernelGroups } from './cgroups/hierarchy.ts'
export { checkKernel } from './check.ts'
export type { Descriptors } from './files/descriptors.ts'
export { HostInput, HostOutput } from './files/host-streams.ts'
export type { NodeAttributes, NodeFs, NodeInode } from './files/node-fs.ts'
export type { KernelOperations, OpenFile } from './files/open-file.ts'
export { createKernel, type KernelOptions, type LinuxKernel, type StepOutcome } from './kernel.ts'
export type { Machine, MachineOptions } from './machine.ts'
export type { AddressSpace, Mapping, TlbControl } from './memory/address-space.ts'
export type { FilePages, PageCache } from './memory/file-pages.ts'
export type { Frames } from './memory/frames.ts'
export type { PageTable } from './memory/page-table.ts'
export type { UserMemory } from './memory/user-memory.ts'
export type { Area, Areas } from './memory/vma.ts'
export type { IpcNamespace } from './namespaces/ipc.ts'
export type { CgroupNamespace, MountNamespace, TimeNamespace, UtsNamespace } from './namespaces/kinds.ts'
export type { Namespace, NamespaceKind, NamespaceNumbers } from './namespaces/namespace.ts'
export type { PidNamespace } from './namespaces/pid.ts'
export type { IdExtent, IdMap, OwnedNamespace, UserNamespace } from './namespaces/user.ts'
export { buffersOf } from './net/buffer-account.ts'
export type { TimeOfKernel } from './net/clock.ts'
export { NetNamespace, type NetOptions, type OpenSocket } from './net/namespace.ts'
export { Network } from './net/network.ts'
export type { Credentials, Incoming, Outgoing, Queued, UnixEnd, UnixWorld } from './net/unix/end.ts'
export type { Carrier, Rights } from './net/unix/rights.ts'
export { populate } from './populate.ts'
export type { ProcDirectory, ProcFile, ProcLink, ProcNode } from './proc/node.ts'
export { ProcFs } from './proc/proc-fs.ts'
export type { EndedTracee, OwedEvent, TraceStop, Tracing } from './ptrace/tracing.ts'
export type { Random } from './random.ts'
export { type Host, type RunOutcome, runKernel } from './run.ts'
export { type BpfInstruction, isValidFilter } from './seccomp/bpf.ts'
export { type Seccomp, type SeccompFilter, SeccompMode } from './seccomp/filter.ts'
export { compileSeccomp, type OciArgument, type OciSeccomp, type OciSyscall } from './seccomp/oci.ts'
export type { SignalAction, SignalActions, SignalInfo, SignalQueue } from './signals/queue.ts'
export { Signal, type SignalSet } from './signals/set.ts'
export { Strace } from './strace.ts'
export { SysFs } from './sys/sys-fs.ts'
export type {
  AltStack,
  CallObserver,
  CpuTimerSet,
  Kernel,
  Process,
  Session,
  Task,
  TaskState,
  Terminal,
  Times,
} from './system.ts'
export type { Account, MemoryPayer } from './tasks/account.ts'
export { applyLimit } from './tasks/apply-limit.ts'
export { Cap, type CapabilitySet, type CapabilitySets, capabilitySet } from './tasks/capabilities.ts'
export type { Ids } from './tasks/credentials.ts'
export type { Futexes } from './tasks/futex.ts'
export type { KernelStack } from './tasks/kernel-stack.ts'
export { Limit, type Limits } from './tasks/limits.ts'
export type { Namespaces } from './tasks/namespaces.ts'
export type { ProcessSettings } from './tasks/process-settings.ts'
export type { Registers } from './tasks/registers.ts'
export type { Spawn } from './tasks/spawn.ts'
export type { Timer, Timers } from './tasks/timers.ts'
export type { TlsEntry } from './tasks/tls.ts'
export type { Sleeper, WaitQueue } from './tasks/wait-queue.ts'
export type { WallClock } from './tasks/wall-clock.ts'
export { HostTerminal } from './tty/pty.ts'
export type { Termios } from './tty/termios.ts'
export type { Tty } from './tty/tty.ts'
