/** Control groups as the rest of the kernel knows them. */
import type { Process as GroupMember, Hierarchy, IoOperation } from '@vmexit/cgroup'
import type { Inode } from '@vmexit/vfs'
import type { Account } from '../tasks/account.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'

/** The hierarchy of a kernel. */
export interface KernelGroups {
  readonly tree: Hierarchy
  /** Woken when a file of a group has changed by itself. */
  readonly changed: WaitQueue
  /** How often that has been. */
  changesOf(group: object, file: string): number
  /** Bytes have gone to or from a file: where its file system is a block device's, the current task's group pays. */
  transferred(inode: Inode, operation: IoOperation, bytes: number): void
  /** Whom a process is charged to: its group's accounts, whichever that is at the time. */
  accountOf(member: GroupMember): Account
}
