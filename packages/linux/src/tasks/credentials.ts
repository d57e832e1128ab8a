/** Users, groups and capabilities of a task (credentials(7), capabilities(7)). */
import type { Credentials } from '@vmexit/vfs'
import type { UserNamespace } from '../namespaces/user.ts'
import { ALL_SETS, type CapabilitySets, FILE_CAPABILITIES, hasCapability, NO_SETS, SecureBit } from './capabilities.ts'

/** Who a task is. Never changed, only replaced. Ids are those of the first user namespace. */
export interface Ids {
  readonly uid: number
  readonly euid: number
  readonly suid: number
  readonly fsuid: number
  readonly gid: number
  readonly egid: number
  readonly sgid: number
  readonly fsgid: number
  readonly groups: readonly number[]
  readonly caps: CapabilitySets
  readonly secureBits: number
  /** The namespace that ids and capabilities count in. */
  readonly user: UserNamespace
}

/** Ids of one user and group of the first namespace: root has all capabilities, others none. */
export function userIds(user: UserNamespace, uid: number, gid: number, groups: readonly number[] = []): Ids {
  return {
    ...{ uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups },
    ...{ caps: uid === 0 ? ALL_SETS : NO_SETS, secureBits: 0, user },
  }
}

/** Has somebody an effective capability in a user namespace? The maker of one has all in it, from outside. */
export function isCapable(ids: Ids, capability: number, target: UserNamespace): boolean {
  for (let at: UserNamespace | null = target; at !== null; at = at.parent) {
    if (at === ids.user) return hasCapability(ids.caps.effective, capability)
    if (at.level <= ids.user.level) return false
    if (at.parent === ids.user && at.uid === ids.euid) return true
  }
  return false
}

function credentials(ids: Ids, uid: number, gid: number, effective: CapabilitySets['effective']): Credentials {
  const { user } = ids
  return {
    ...{ uid, gid, groups: ids.groups },
    has: (capability, over) =>
      hasCapability(effective, capability) && (over === undefined ? user.parent === null : user.maps(over)),
  }
}

/** What files are asked with. */
export function fileCredentials(ids: Ids): Credentials {
  return credentials(ids, ids.fsuid, ids.fsgid, ids.caps.effective)
}

/** The same for access(2), which asks with the real ids: root's has what is permitted, others' nothing. */
export function realCredentials(ids: Ids): Credentials {
  const { permitted, effective } = ids.caps
  const fixed = (ids.secureBits & SecureBit.NO_SETUID_FIXUP) !== 0
  return credentials(ids, ids.uid, ids.gid, fixed ? effective : ids.uid === ids.user.uids.toKernel(0) ? permitted : 0n)
}

/** Ids that follow others, with what becomes of capabilities by a change of users. */
export function withUsers(before: Ids, users: Pick<Ids, 'uid' | 'euid' | 'suid' | 'fsuid'>): Ids {
  const after = { ...before, ...users }
  if ((before.secureBits & SecureBit.NO_SETUID_FIXUP) !== 0) return after
  const root = before.user.uids.toKernel(0)
  let { permitted, effective, ambient } = before.caps
  const anyRoot = (ids: Ids): boolean => ids.uid === root || ids.euid === root || ids.suid === root
  if (anyRoot(before) && !anyRoot(after)) {
    if ((before.secureBits & SecureBit.KEEP_CAPS) === 0) permitted = effective = 0n
    ambient = 0n
  }
  if (before.euid === root && after.euid !== root) effective = 0n
  if (before.euid !== root && after.euid === root) effective = permitted
  return { ...after, caps: { ...before.caps, permitted, effective, ambient } }
}

/** setfsuid(2)'s change: capabilities over files go and come with it. */
export function withFileUser(before: Ids, fsuid: number): Ids {
  const after = { ...before, fsuid }
  if ((before.secureBits & SecureBit.NO_SETUID_FIXUP) !== 0) return after
  const root = before.user.uids.toKernel(0)
  let { effective } = before.caps
  if (before.fsuid === root && fsuid !== root) effective &= ~FILE_CAPABILITIES
  if (before.fsuid !== root && fsuid === root) effective |= before.caps.permitted & FILE_CAPABILITIES
  return { ...after, caps: { ...before.caps, effective } }
}

/** Somebody who has entered a user namespace, or made it: all capabilities in it, and none elsewhere. */
export function inNamespace(ids: Ids, user: UserNamespace): Ids {
  return { ...ids, user, secureBits: 0, caps: ALL_SETS }
}
