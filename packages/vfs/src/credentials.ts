/** Who asks: user, groups and capabilities (credentials(7), capabilities(7)), as the checks of files need them. */

/** Capabilities that calls on files ask for, by their numbers. */
// biome-ignore format: a table
export const Capability = {
  CHOWN: 0, DAC_OVERRIDE: 1, DAC_READ_SEARCH: 2, FOWNER: 3, FSETID: 4, SYS_ADMIN: 21, SYS_RESOURCE: 24, MKNOD: 27,
  SETFCAP: 31,
} as const

/** Whose a file is. */
export interface Owned {
  readonly uid: number
  readonly gid: number
}

/** The identity for checks: the file system user and group of a task, which are the effective ones as a rule. */
export interface Credentials {
  readonly uid: number
  readonly gid: number
  /** Supplementary groups. */
  readonly groups: readonly number[]
  /**
   * Whether it has an effective capability, by number: over a file, for those of a user namespace count for files of its own
   * users alone (Linux's `capable_wrt_inode_uidgid`), or without one over everything.
   */
  has(capability: number, over?: Owned): boolean
}

/** A user without capabilities. */
export function userCredentials(uid: number, gid: number, groups: readonly number[] = []): Credentials {
  return { uid, gid, groups, has: () => false }
}

/** A user with the capabilities of a list; with all of them without one. */
export function privilegedCredentials(uid: number, gid: number, capabilities?: readonly number[]): Credentials {
  const has = (capability: number) => capabilities === undefined || capabilities.includes(capability)
  return { uid, gid, groups: [], has }
}

/** Root, with all capabilities. */
export const rootCredentials: Credentials = privilegedCredentials(0, 0)

/** Whether a group is the task's own or one of its supplementary ones. */
export function inGroup(who: Credentials, gid: number): boolean {
  return who.gid === gid || who.groups.includes(gid)
}
