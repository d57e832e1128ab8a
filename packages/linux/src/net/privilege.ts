/** Who may do what with a network (capabilities(7)): the one place where sockets ask. */
import type { Task } from '../system.ts'
import { Cap } from '../tasks/capabilities.ts'
import type { NetNamespace } from './namespace.ts'

/** CAP_NET_ADMIN: devices, addresses, routes, options beyond what everybody has. */
export function mayAdminister(task: Task, namespace: NetNamespace): boolean {
  return task.capable(Cap.NET_ADMIN, namespace.owner)
}
/** CAP_NET_RAW: raw and packet sockets. */
export function maySendRaw(task: Task, namespace: NetNamespace): boolean {
  return task.capable(Cap.NET_RAW, namespace.owner)
}
/** CAP_NET_BIND_SERVICE: ports below `privilegedPorts`. */
export function mayBind(task: Task, namespace: NetNamespace, port: number): boolean {
  return port >= namespace.privilegedPorts || task.capable(Cap.NET_BIND_SERVICE, namespace.owner)
}
/** To claim in SCM_CREDENTIALS to be another process, user or group than its own. */
export function mayImpersonate(task: Task, which: 'process' | 'user' | 'group'): boolean {
  if (which === 'process') return task.capable(Cap.SYS_ADMIN, task.ns.pid.owner)
  return task.capable(which === 'user' ? Cap.SETUID : Cap.SETGID, task.ids.user)
}
/** CAP_SYS_RESOURCE, or CAP_SYS_ADMIN: more files on their way than RLIMIT_NOFILE. */
export function mayExceedLimits(task: Task): boolean {
  return task.capable(Cap.SYS_RESOURCE) || task.capable(Cap.SYS_ADMIN)
}
