/** The smaller kinds of namespaces: names of the host, clocks, mounts, groups of control, networks (namespaces(7)). */
import type { Group } from '@vmexit/cgroup'
import type { MountTree } from '@vmexit/vfs'
import { Namespace, type NamespaceNumbers } from './namespace.ts'
import type { UserNamespace } from './user.ts'

/** Host and domain name (uts_namespaces(7)). */
export class UtsNamespace extends Namespace {
  readonly kind = 'uts'
  readonly owner: UserNamespace
  hostname: string
  domainname: string

  constructor(
    numbers: NamespaceNumbers,
    owner: UserNamespace,
    from: { hostname: string; domainname: string },
    isFirst = false,
  ) {
    super('uts', numbers, isFirst)
    this.owner = owner
    this.hostname = from.hostname
    this.domainname = from.domainname
  }
}

/** Offsets of clocks, in nanoseconds (time_namespaces(7)). They can be set until somebody is in it. */
export class TimeNamespace extends Namespace {
  readonly kind = 'time'
  readonly owner: UserNamespace
  monotonic = 0
  boottime = 0
  isFrozen = false

  constructor(numbers: NamespaceNumbers, owner: UserNamespace, from?: TimeNamespace) {
    super('time', numbers, from === undefined)
    this.owner = owner
    if (from === undefined) this.isFrozen = true
    else {
      this.monotonic = from.monotonic
      this.boottime = from.boottime
    }
  }
}

/** A tree of mounts (mount_namespaces(7)). It goes with the last that is in it. */
export class MountNamespace extends Namespace {
  readonly kind = 'mnt'
  readonly owner: UserNamespace
  readonly tree: MountTree

  constructor(numbers: NamespaceNumbers, owner: UserNamespace, tree: MountTree, isFirst = false) {
    super('mnt', numbers, isFirst)
    this.owner = owner
    this.tree = tree
    // The first one is the kernel's for ever.
    if (isFirst) this.enter()
  }
  protected override end(): void {
    this.tree.dispose()
  }
}

/** The group that programs see as the root of all (cgroup_namespaces(7)). */
export class CgroupNamespace extends Namespace {
  readonly kind = 'cgroup'
  readonly owner: UserNamespace
  readonly root: Group

  constructor(numbers: NamespaceNumbers, owner: UserNamespace, root: Group, isFirst = false) {
    super('cgroup', numbers, isFirst)
    this.owner = owner
    this.root = root
  }
}
