/** Who a task is behind execve(2): set-id bits, capabilities of files, and root's (capabilities(7), "Transformation of capabilities during execve()"). */
import { type File, type Inode, Mode, MountFlag } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { UserNamespace } from '../namespaces/user.ts'
import type { Task } from '../system.ts'
import { ALL_CAPABILITIES, Cap, type CapabilitySet, SecureBit } from '../tasks/capabilities.ts'
import { type Ids, isCapable } from '../tasks/credentials.ts'

/** What becomes of a task's identity. */
export interface Privileges {
  readonly ids: Ids
  /** AT_SECURE: the program has rights that its caller has not. */
  readonly isSecure: boolean
}

/** Capabilities of a file: the attribute `security.capability`. */
interface FileCapabilities {
  readonly permitted: CapabilitySet
  readonly inheritable: CapabilitySet
  readonly isEffective: boolean
}

const REVISIONS: Readonly<Record<number, { readonly bytes: number; readonly words: number }>> = {
  1: { bytes: 12, words: 1 },
  2: { bytes: 20, words: 2 },
  3: { bytes: 24, words: 2 },
}
const EFFECTIVE = 1

/** The attribute, if it counts in a user namespace: its root must be root there or above. */
function fileCapabilities(inode: Inode, user: UserNamespace): FileCapabilities | undefined {
  const value = inode.fs.getxattr(inode, 'security.capability')
  if (typeof value === 'number' || value.length < 4) return undefined
  const view = new DataView(value.buffer, value.byteOffset, value.length)
  const magic = view.getUint32(0, true)
  const revision = REVISIONS[magic >>> 24]
  if (revision === undefined || value.length !== revision.bytes) return undefined
  const root = revision.bytes === 24 ? view.getUint32(20, true) : 0
  let isRoot = false
  for (let at: UserNamespace | null = user; at !== null; at = at.parent) isRoot ||= at.uids.fromKernel(root) === 0
  if (!isRoot) return undefined
  const read = (which: number): bigint => {
    let set = 0n
    for (let word = 0; word < revision.words; word++)
      set |= BigInt(view.getUint32(4 + word * 8 + which * 4, true)) << BigInt(word * 32)
    return set & ALL_CAPABILITIES
  }
  return { permitted: read(0), inheritable: read(1), isEffective: (magic & EFFECTIVE) !== 0 }
}

/** Somebody traces it who must not trace the program that it would be: then it gets no rights by that. */
function isWatched({ tracing, ids }: Task): boolean {
  return tracing !== undefined && !isCapable(tracing.tracer.leader.ids, Cap.SYS_PTRACE, ids.user)
}

/** Who the task is as the program of a file; EPERM where it would not get what the file must have. */
export function privilegesOf(task: Task, { inode, path }: File): Privileges | number {
  const { ids: before, kernel } = task
  const { user, caps: old } = before
  const owner = kernel.fileSystemOwners.get(inode.fs) ?? kernel.ns.user
  const mayGain = (path.mount.flags & MountFlag.NOSUID) === 0 && user.isWithin(owner)
  const gainsNothing = task.noNewPrivileges || isWatched(task)
  const isKnown = user.maps(inode) && !gainsNothing
  const bits = mayGain && isKnown ? inode.mode : 0
  let euid = (bits & Mode.ISUID) !== 0 ? inode.uid : before.euid
  let egid = (bits & (Mode.ISGID | Mode.IXGRP)) === (Mode.ISGID | Mode.IXGRP) ? inode.gid : before.egid
  const root = user.uids.toKernel(0)

  const file = mayGain ? fileCapabilities(inode, user) : undefined
  let permitted = 0n
  let isEffective = false
  if (file !== undefined) {
    permitted = (old.bounding & file.permitted) | (old.inheritable & file.inheritable)
    isEffective = file.isEffective
    if (isEffective && (permitted & file.permitted) !== file.permitted) return -Errno.EPERM
  }
  const isSetRoot = euid === root && before.uid !== root
  if ((before.secureBits & SecureBit.NOROOT) === 0 && !(file !== undefined && isSetRoot)) {
    if (euid === root || before.uid === root) permitted = old.bounding | old.inheritable
    if (euid === root) isEffective = true
  }
  const isSetId = euid !== before.uid || egid !== before.gid
  if (gainsNothing && (isSetId || (permitted & ~old.permitted) !== 0n)) {
    euid = before.euid
    egid = before.egid
    permitted &= old.permitted
  }
  const ambient = file !== undefined || euid !== before.euid || egid !== before.egid ? 0n : old.ambient
  permitted |= ambient
  const effective = isEffective ? permitted : ambient
  const hasGrown = before.uid !== root && (isEffective || (permitted & ~ambient) !== 0n)
  return {
    isSecure: isSetId || hasGrown,
    ids: {
      ...before,
      ...{ euid, suid: euid, fsuid: euid, egid, sgid: egid, fsgid: egid },
      secureBits: before.secureBits & ~SecureBit.KEEP_CAPS,
      caps: { ...old, permitted, effective, ambient },
    },
  }
}

/** The program may be looked into by others of its user: not where it has other rights than its caller. */
export function isDumpableAfter(before: Ids, after: Ids): boolean {
  if (before.euid !== after.euid || before.egid !== after.egid) return false
  return (after.caps.permitted & ~before.caps.permitted) === 0n || after.caps.permitted === before.caps.permitted
}
