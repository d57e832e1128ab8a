/**
 * sysfs as a file system (sysfs(5)): objects of the kernel as directories, their attributes as files of a page. Names cannot be made
 * or removed by programs; owners and modes can be changed, and are forgotten with the mount.
 */
import { type ByteString, Change, type Changes, Errno, type FileOperations, type Inode, Mode, Open } from '@vmexit/vfs'
import { type NodeAttributes, NodeFs, NodeInode } from '../files/node-fs.ts'
import type { NetNamespace } from '../net/namespace.ts'
import type { Kernel } from '../system.ts'
import { MOUNT_POINT, rootNode } from './root.ts'

const MAGIC = 0x6265_6572
const PAGE = 4096
const [READABLE, WRITABLE] = [0o444, 0o222]

/** /sys of a kernel. */
export class SysFs extends NodeFs {
  readonly type = 'sysfs'

  /** It shows the devices of a network namespace: the first one unless stated. */
  constructor(kernel: Kernel, namespace: NetNamespace = kernel.ns.net) {
    super(MAGIC, rootNode(kernel, namespace), kernel.time, PAGE)
  }

  /** An attribute is opened for what it can do, even by those who may do everything. */
  override open(inode: Inode, flags: number): FileOperations | number {
    const { node, mode } = inode as NodeInode
    const access = flags & Open.O_ACCMODE
    if (node.kind === 'file' && (flags & Open.O_PATH) === 0) {
      if (access !== Open.O_RDONLY && (node.write === undefined || (mode & WRITABLE) === 0)) return -Errno.EACCES
      if (access !== Open.O_WRONLY && (mode & READABLE) === 0) return -Errno.EACCES
    }
    return super.open(inode, flags)
  }
  /** Not even root has one made: Linux says EACCES of files, and EPERM of all else. */
  override create(_dir: Inode, _name: ByteString, mode: number): number {
    return (mode & Mode.IFMT) === Mode.IFREG ? -Errno.EACCES : -Errno.EPERM
  }
  override setattr(inode: Inode, changes: Changes): number {
    const { mask } = changes
    const { uid, gid, mode } = inode
    const changed: NodeAttributes = {
      uid: (mask & Change.UID) !== 0 ? changes.uid : uid,
      gid: (mask & Change.GID) !== 0 ? changes.gid : gid,
      permissions: (mask & Change.MODE) !== 0 ? changes.mode & 0o7777 : mode & ~Mode.IFMT,
    }
    if ((mask & (Change.UID | Change.GID | Change.MODE)) !== 0) (inode as NodeInode).changed = changed
    return 0
  }
}

/** Whether a directory is one that only mounts are for: what covers it hides nothing. */
export function isMountPoint(inode: Inode | null | undefined): boolean {
  return inode instanceof NodeInode && inode.node === MOUNT_POINT
}
