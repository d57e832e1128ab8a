/** Requests of files that stand for namespaces (ioctl_ns(2)): what kind it is, whose, and what is above. */
import { Errno } from '../errno.ts'
import { VfsFile } from '../files/vfs-file.ts'
import type { Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { NamespaceFlag } from './namespace.ts'
import { nsFsOf } from './ns-fs.ts'
import { PidNamespace } from './pid.ts'
import { type OwnedNamespace, UserNamespace } from './user.ts'

const Request = { GET_USERNS: 0xb701, GET_PARENT: 0xb702, GET_NSTYPE: 0xb703, GET_OWNER_UID: 0xb704 } as const

export function namespaceIoctl(task: Task, one: OwnedNamespace, request: number, argument: number): number {
  switch (request) {
    case Request.GET_NSTYPE:
      return NamespaceFlag[one.kind]
    case Request.GET_OWNER_UID:
      if (!(one instanceof UserNamespace)) return -Errno.EINVAL
      task.kernel.memory.set32(argument, task.ids.user.uids.shown(one.uid))
      return 0
    case Request.GET_USERNS: {
      const owner = one instanceof UserNamespace ? one.parent : one.owner
      return owner?.isWithin(task.ids.user) === true ? descriptorOf(task, owner) : -Errno.EPERM
    }
    case Request.GET_PARENT: {
      if (one instanceof UserNamespace)
        return one.parent?.isWithin(task.ids.user) === true ? descriptorOf(task, one.parent) : -Errno.EPERM
      if (!(one instanceof PidNamespace)) return -Errno.EINVAL
      const parent = (one as PidNamespace<Task>).parent
      return parent?.isWithin(task.ns.pid) === true ? descriptorOf(task, parent) : -Errno.EPERM
    }
    default:
      return -Errno.ENOTTY
  }
}

function descriptorOf({ kernel, files, process: proc }: Task, one: OwnedNamespace): number {
  const opened = nsFsOf(kernel).openFile(one)
  if (typeof opened === 'number') return opened
  const file = new VfsFile(kernel, opened)
  const fd = files.add(file, true, proc.limits.soft[Limit.NOFILE]!)
  if (fd < 0) file.close(undefined)
  return fd
}
