/** What a hierarchy asks of the kernel, or of whatever it keeps the quotas for, and tells it. */
import type { MemoryAccount } from './memory/account.ts'
import type { Group, Process } from './tree/group.ts'

/** Everything but the time may be left out: nobody is told then, nothing is reclaimed, and a full group refuses. */
export interface Kernel {
  /** Virtual time in nanoseconds; it never goes back. */
  now(): number
  /** A file's contents have changed by themselves: wake who polls it, raise IN_MODIFY. */
  changed?(group: Group, file: string): void
  /** A process is to stand still (SIGSTOP's like, that nothing but thawing ends), or may go on. */
  freeze?(member: Process, frozen: boolean): void
  /** A process is to be killed, as by SIGKILL, even if it is frozen. It reports its threads' `exit` as ever. */
  kill?(member: Process): void
  /** A process has moved from one group to its present one. */
  moved?(member: Process, from: Group): void
  /** Free memory charged to this account or below; answer how many bytes were freed. `unprotected` says what to spare. */
  reclaim?(memory: MemoryAccount, bytes: number): number
  /**
   * An account is full, and reclaim frees nothing. Kill (`oomVictims` says whom) and answer whether to try again: false
   * where killing takes time, and the process in need has to come back later.
   */
  outOfMemory?(memory: MemoryAccount): boolean
}

/** A hierarchy's limits and the machine around it. */
export interface HierarchyOptions {
  readonly kernel: Kernel
  /** CPUs; 1 unless stated. */
  readonly cpus?: number
  /** Memory nodes; 1 unless stated. */
  readonly nodes?: number
  /** The most groups below the root; 16384 unless stated. What is beyond is EAGAIN, whatever the files allow. */
  readonly maxGroups?: number
  /** The most levels below the root; 64 unless stated. */
  readonly maxDepth?: number
  /** Whether there is a block device of that number, such as `8:0`: others are ENODEV. None unless stated. */
  hasDevice?(device: string): boolean
}
