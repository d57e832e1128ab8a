/** Who may do what with a network (capabilities(7)): the one place where sockets ask. */
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import type { NetNamespace } from './namespace.ts'

/** CAP_NET_ADMIN: devices, addresses, routes, options beyond what everybody has. */
export function mayAdminister(task: Task, { owner }: NetNamespace): boolean {
  return task.capable(Cap.NET_ADMIN, owner)
}
/** CAP_NET_RAW: raw and packet sockets. */
export function maySendRaw(task: Task, { owner }: NetNamespace): boolean {
  return task.capable(Cap.NET_RAW, owner)
}
/** CAP_NET_BIND_SERVICE: ports below `privilegedPorts`. */
export function mayBind(task: Task, namespace: NetNamespace, port: number): boolean {
  return port >= namespace.privilegedPorts || task.capable(Cap.NET_BIND_SERVICE, namespace.owner)
}
/** CAP_SETUID and its like: to claim to be somebody else in SCM_CREDENTIALS. */
export function mayImpersonate(task: Task): boolean {
  const { user } = task.ids
  return (
    task.capable(Cap.SYS_ADMIN, task.ns.pid.owner) && task.capable(Cap.SETUID, user) && task.capable(Cap.SETGID, user)
  )
}
/** CAP_SYS_RESOURCE: more files on their way than RLIMIT_NOFILE. */
export function mayExceedLimits(task: Task): boolean {
  return task.capable(Cap.SYS_RESOURCE) || task.capable(Cap.SYS_ADMIN)
}
