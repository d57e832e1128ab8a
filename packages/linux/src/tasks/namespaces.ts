/** The namespaces that a task is in (namespaces(7)). */

import type { IpcNamespace } from '../namespaces/ipc.ts'
import type { CgroupNamespace, MountNamespace, TimeNamespace, UtsNamespace } from '../namespaces/kinds.ts'
import type { Namespace, NamespaceKind } from '../namespaces/namespace.ts'
import type { PidNamespace } from '../namespaces/pid.ts'
import type { UserNamespace } from '../namespaces/user.ts'
import type { NetNamespace } from '../net/namespace.ts'

/** One set, shared by tasks that were not separated. Never changed, only replaced. */
export interface Namespaces<Task> {
  readonly cgroup: CgroupNamespace
  readonly ipc: IpcNamespace
  readonly mnt: MountNamespace
  readonly net: NetNamespace
  readonly pid: PidNamespace<Task>
  readonly time: TimeNamespace
  readonly user: UserNamespace
  readonly uts: UtsNamespace
  /** Those that children are born into. */
  readonly pidForChildren: PidNamespace<Task>
  readonly timeForChildren: TimeNamespace
}

const KINDS: readonly NamespaceKind[] = ['cgroup', 'ipc', 'mnt', 'net', 'time', 'uts']

/** A task is in them from now on. */
export function enterNamespaces<Task>(ns: Namespaces<Task>): void {
  for (const kind of KINDS) (ns[kind] as Namespace).enter()
}
/** And no longer. */
export function leaveNamespaces<Task>(ns: Namespaces<Task>): void {
  for (const kind of KINDS) (ns[kind] as Namespace).leave()
}
