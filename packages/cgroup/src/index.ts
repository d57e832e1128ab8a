/**
 * `@vmexit/cgroup`: a cgroup v2 hierarchy: its tree, the controllers cpu, memory, pids, io and cpuset, its files as texts.
 *
 * @packageDocumentation
 */
export { Account } from './account.ts'
export { type Controlled, type ControllerName, controllerNames, type Shared, type Writer } from './controller.ts'
export { Counter, type CounterOwner, type CounterState } from './counter.ts'
export { CpuAccount } from './cpu/account.ts'
export { Bandwidth, type BandwidthStat, type BandwidthState } from './cpu/bandwidth.ts'
export { type Entity, FairQueue } from './cpu/fair-queue.ts'
export { Runnable } from './cpu/runnable.ts'
export { type Pick, Scheduler } from './cpu/scheduler.ts'
export { Allowance, CpusetAccount, type CpusetNeeds } from './cpuset/account.ts'
export { Errno } from './errno.ts'
export { type FileEntry, Hierarchy } from './hierarchy.ts'
export {
  DeviceShare,
  IoAccount,
  type IoNeeds,
  type IoOperation,
  type IoStat,
  ioStatNames,
  type RateName,
  rateNames,
} from './io/account.ts'
export type { HierarchyOptions, Kernel } from './kernel.ts'
export {
  MemoryAccount,
  type MemoryEvent,
  type MemoryEvents,
  MemoryKind,
  type MemoryNeeds,
  memoryEvents,
} from './memory/account.ts'
export { oomVictims } from './memory/oom.ts'
export { PidsAccount } from './pids/account.ts'
export { type Activity, activities, Pressure, type PressureState, type Resource, resources } from './pressure.ts'
export type { AccountState, GroupState, HierarchyState, ThreadState } from './state.ts'
export { type Accounts, type CpuTime, Group, Process, Thread } from './tree/group.ts'
export { Members } from './tree/members.ts'
export { Tree } from './tree/tree.ts'
