/** The namespaces that a kernel begins with. */
import type { Group } from '@vmexit/cgroup'
import type { MountTree } from '@vmexit/vfs'
import type { NetNamespace } from '../net/namespace.ts'
import type { Namespaces } from '../tasks/namespaces.ts'
import { IpcNamespace } from './ipc.ts'
import { CgroupNamespace, MountNamespace, TimeNamespace, UtsNamespace } from './kinds.ts'
import { NamespaceNumbers } from './namespace.ts'
import { PidNamespace } from './pid.ts'
import { UserNamespace } from './user.ts'

/** One of each kind. */
export function firstNamespaces<Task>(
  hostname: string,
  tree: MountTree,
  root: Group,
  network: (owner: UserNamespace) => NetNamespace,
): Namespaces<Task> {
  const numbers = new NamespaceNumbers()
  const user = new UserNamespace(numbers, null)
  const pid = new PidNamespace<Task>(numbers, null, user)
  const time = new TimeNamespace(numbers, user)
  return {
    ...{ user, pid, pidForChildren: pid, time, timeForChildren: time },
    uts: new UtsNamespace(numbers, user, { hostname, domainname: '(none)' }, true),
    mnt: new MountNamespace(numbers, user, tree, true),
    ipc: new IpcNamespace(numbers, user, true),
    net: network(user),
    cgroup: new CgroupNamespace(numbers, user, root, true),
  }
}
