/**
 * Who may do what with an inode (path_resolution(7), inode(7), capabilities(7); Linux's `inode_permission`,
 * `may_delete`, `may_create`, `setattr_prepare`, `inode_init_owner` and `file_remove_privs`). Answers are 0 or a negated
 * error number.
 */
import { Capability, type Credentials, inGroup } from './credentials.ts'
import { Errno } from './errno.ts'
import type { Inode } from './file-system.ts'
import { Access, isDirectory, isRegular, Mode } from './flags.ts'

const { EACCES, EISDIR, ENOTDIR, EPERM, EROFS } = Errno
const { R_OK, W_OK, X_OK } = Access

/** Whether `who` may do with an inode what the bits of `wanted` (`Access`) say: EACCES; EROFS to write on such a file system. */
export function permission(who: Credentials, inode: Inode, wanted: number): number {
  if (wanted & W_OK && inode.fs.readOnly && isStored(inode.mode)) return -EROFS
  const { mode } = inode
  const shift = who.uid === inode.uid ? 6 : inGroup(who, inode.gid) ? 3 : 0
  if ((wanted & ~(mode >>> shift) & 7) === 0) return 0
  return overrides(who, inode, wanted) ? 0 : -EACCES
}

function overrides(who: Credentials, inode: Inode, wanted: number): boolean {
  const { mode } = inode
  if (isDirectory(mode)) {
    return who.has(Capability.DAC_OVERRIDE, inode) || (!(wanted & W_OK) && who.has(Capability.DAC_READ_SEARCH, inode))
  }
  if (wanted === R_OK && who.has(Capability.DAC_READ_SEARCH, inode)) return true
  return (!(wanted & X_OK) || (mode & 0o111) !== 0) && who.has(Capability.DAC_OVERRIDE, inode)
}

/** Whether a read-only file system matters to it: FIFOs, sockets and devices are written elsewhere. */
export function isStored(mode: number): boolean {
  const type = mode & Mode.IFMT
  return type === Mode.IFREG || type === Mode.IFDIR || type === Mode.IFLNK
}

/** Whether `who` owns an inode, or may do as its owner. */
export function ownerOrCapable(who: Credentials, inode: Inode): boolean {
  return who.uid === inode.uid || who.has(Capability.FOWNER, inode)
}

/** Whether an entry may be added to a directory. */
export function mayCreate(who: Credentials, dir: Inode): number {
  return permission(who, dir, W_OK | X_OK)
}

/** Whether `victim` may be removed from `dir`, as a directory or not: also EPERM by the sticky bit, ENOTDIR, EISDIR. */
export function mayDelete(who: Credentials, dir: Inode, victim: Inode, asDirectory: boolean): number {
  const answer = permission(who, dir, W_OK | X_OK)
  if (answer < 0) return answer
  if (dir.mode & Mode.ISVTX && who.uid !== victim.uid && who.uid !== dir.uid && !who.has(Capability.FOWNER, victim))
    return -EPERM
  if (asDirectory) return isDirectory(victim.mode) ? 0 : -ENOTDIR
  return isDirectory(victim.mode) ? -EISDIR : 0
}

/** The group that a new inode gets: its directory's if that has the set-group-id bit. */
export function newGroup(who: Credentials, dir: Inode): number {
  return dir.mode & Mode.ISGID ? dir.gid : who.gid
}

/**
 * The mode that a new inode gets when `mode` is asked for: directories inherit the set-group-id bit; what is asked for as an
 * executable loses it where its group is foreign, and then all lose what the umask says.
 */
export function newMode(who: Credentials, dir: Inode, mode: number, umask: number): number {
  const masked = mode & ~umask
  if (!(dir.mode & Mode.ISGID)) return masked
  if (isDirectory(mode)) return masked | Mode.ISGID
  const executable = (mode & (Mode.ISGID | Mode.IXGRP)) === (Mode.ISGID | Mode.IXGRP)
  return executable && !groupOrCapable(who, dir, dir.gid) ? masked & ~Mode.ISGID : masked
}

/** Whether set-group-id may be kept for a group of an inode's. */
export function groupOrCapable(who: Credentials, inode: Inode, gid: number): boolean {
  return inGroup(who, gid) || who.has(Capability.FSETID, inode)
}

/** Whether `who` may give an inode to these owners; −1 is no change. */
export function mayChown(who: Credentials, inode: Inode, uid: number, gid: number): number {
  if (who.has(Capability.CHOWN, inode)) return 0
  const owner = who.uid === inode.uid
  if (uid !== -1 && !(owner && uid === inode.uid)) return -EPERM
  if (gid !== -1 && !(owner && (inGroup(who, gid) || gid === inode.gid))) return -EPERM
  return 0
}

/** The mode of a file whose owner changes: set-id bits go, whoever does it. A directory keeps them. */
export function modeAfterChown(who: Credentials, inode: Inode): number {
  return isDirectory(inode.mode) ? inode.mode : withoutSetId(who, inode)
}

/** The mode of a file whose contents change: set-id bits go, unless FSETID. */
export function modeAfterWrite(who: Credentials, inode: Inode): number {
  if ((inode.mode & (Mode.ISUID | Mode.ISGID)) === 0 || !isRegular(inode.mode)) return inode.mode
  return who.has(Capability.FSETID, inode) ? inode.mode : withoutSetId(who, inode)
}

function withoutSetId(who: Credentials, inode: Inode): number {
  const mode = inode.mode & ~Mode.ISUID
  return mode & Mode.IXGRP || !groupOrCapable(who, inode, inode.gid) ? mode & ~Mode.ISGID : mode
}
