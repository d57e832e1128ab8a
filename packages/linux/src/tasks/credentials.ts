/** Users and groups of a task (credentials(7)). */
import { type Credentials, privilegedCredentials } from '@vmexit/vfs'

/** The ids of a task. Never changed, only replaced. */
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
}

export const ROOT: Ids = { uid: 0, euid: 0, suid: 0, fsuid: 0, gid: 0, egid: 0, sgid: 0, fsgid: 0, groups: [0] }

/** Ids of one user and group. */
export function userIds(uid: number, gid: number, groups: readonly number[] = []): Ids {
  return { uid, euid: uid, suid: uid, fsuid: uid, gid, egid: gid, sgid: gid, fsgid: gid, groups }
}

const ALL = privilegedCredentials(0, 0)

/** What files are asked with: root has every capability, others none. */
export function fileCredentials(ids: Ids): Credentials {
  return {
    uid: ids.fsuid,
    gid: ids.fsgid,
    groups: ids.groups,
    has: (capability) => ids.euid === 0 && ALL.has(capability),
  }
}

/** The same for access(2), which asks with the real ids. */
export function realCredentials(ids: Ids): Credentials {
  return { uid: ids.uid, gid: ids.gid, groups: ids.groups, has: (capability) => ids.uid === 0 && ALL.has(capability) }
}
