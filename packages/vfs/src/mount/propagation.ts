/**
 * How mounts spread: shared, slave, private and unbindable mounts (mount_namespaces(7); Linux's sharedsubtree document).
 *
 * A mount is in one group at most as a peer, and under one at most as a slave. What happens at a peer happens at all of
 * them and at their slaves, and if those are shared again, at their peers.
 */
import type { Dentry } from '../dentry.ts'
import { type Mount, PeerGroup } from './mount.ts'

/** What a mount can be made; `slave` of what is shared alone leaves the mount private. */
export type Propagation = 'shared' | 'private' | 'slave' | 'unbindable'

/** How a copy of a mount stands to it: a peer of its group, or a slave; one with a new group of its own, if asked for. */
export type CopyKind = 'peer' | 'slave' | 'shared slave' | 'private'

/** Changes what a mount is. `newGroup` numbers groups. */
export function setPropagation(mount: Mount, to: Propagation, newGroup: () => number): void {
  if (to === 'shared') {
    mount.unbindable = false
    makeShared(mount, newGroup)
    return
  }
  const { group } = mount
  if (group !== null) leaveGroup(mount)
  if (to === 'slave') {
    // Alone in its group, it has no one to receive from but whom the group received from.
    if (group !== null && group.members.size > 0) setMaster(mount, group)
    return
  }
  setMaster(mount, null)
  mount.unbindable = to === 'unbindable'
}

/** Gives a mount that is not shared a group. */
export function makeShared(mount: Mount, newGroup: () => number): void {
  if (mount.group !== null) return
  mount.group = new PeerGroup(newGroup())
  mount.group.members.add(mount)
}

/** Relates a copy to what it is a copy of. */
export function relateCopy(copy: Mount, original: Mount, kind: CopyKind, newGroup: () => number): void {
  if (kind === 'private') return
  if (kind === 'peer') {
    if (original.group !== null) {
      copy.group = original.group
      copy.group.members.add(copy)
    }
    setMaster(copy, original.master)
    return
  }
  setMaster(copy, original.group ?? original.master)
  if (kind === 'shared slave') makeShared(copy, newGroup)
}

/** A mount is no more: who received from it goes on receiving from its peers, or from whom it received. */
export function withdraw(mount: Mount): void {
  if (mount.group !== null) leaveGroup(mount)
  setMaster(mount, null)
}

function setMaster(mount: Mount, master: PeerGroup | null): void {
  mount.master?.slaves.delete(mount)
  mount.master = master
  master?.slaves.add(mount)
}

function leaveGroup(mount: Mount): void {
  const group = mount.group!
  group.members.delete(mount)
  mount.group = null
  if (group.members.size > 0) return
  for (const slave of [...group.slaves]) setMaster(slave, mount.master)
}

/** A mount that receives what happens at another, and from which one on the way. */
export interface Receiver {
  readonly mount: Mount
  /** The mount whose copy the receiver's copy is made of: the origin, or the first receiver of a slave's group. */
  readonly from: Mount
  readonly kind: CopyKind
}

/** Who receives what happens at `dentry` of a shared mount, those first that others receive through. */
export function receivers(origin: Mount, dentry: Dentry): Receiver[] {
  const found: Receiver[] = []
  const seen = new Set<Mount>([origin])
  const visit = (group: PeerGroup, source: Mount) => {
    for (const mount of group.members) {
      if (seen.has(mount)) continue
      seen.add(mount)
      found.push({ mount, from: source, kind: 'peer' })
    }
    for (const mount of group.slaves) {
      if (seen.has(mount)) continue
      seen.add(mount)
      found.push({ mount, from: source, kind: mount.group === null ? 'slave' : 'shared slave' })
      if (mount.group !== null) visit(mount.group, mount)
    }
  }
  if (origin.group !== null) visit(origin.group, origin)
  return found.filter(({ mount }) => mount.tree !== null && dentry.isWithin(mount.root))
}
