/** Calls about the whole system: uname(2), sysinfo(2), getrandom(2), syslog(2). */
import type { ByteString } from '@vmexit/vfs'
import { Errno } from './errno.ts'
import type { Task } from './system.ts'
import { Cap } from './tasks/capabilities.ts'

/** What the kernel says it is: the release that programs of Debian 12 expect at least. */
export const RELEASE = '6.1.0-vmexit'
export const VERSION = '#1 vmexit'
const FIELD = 65

export function uname(task: Task, at: number): number {
  const { uts } = task.ns
  const fields = ['Linux', uts.hostname, RELEASE, VERSION, 'i686', uts.domainname]
  const bytes = new Uint8Array(FIELD * 6)
  for (const [n, field] of fields.entries())
    for (let c = 0; c < Math.min(field.length, FIELD - 1); c++) bytes[n * FIELD + c] = field.charCodeAt(c)
  task.kernel.memory.write(at, bytes)
  return 0
}

export function setName(task: Task, which: 'hostname' | 'domainname', at: number, length: number): number {
  if (!task.capable(Cap.SYS_ADMIN, task.ns.uts.owner)) return -Errno.EPERM
  if (length < 0 || length > 64) return -Errno.EINVAL
  const bytes = new Uint8Array(length)
  task.kernel.memory.read(at, bytes)
  const name: ByteString = String.fromCharCode(...bytes)
  task.ns.uts[which] = name
  return 0
}

export function sysinfo(task: Task, at: number): number {
  const { kernel } = task
  const { frames } = kernel
  const bytes = new Uint8Array(64)
  const view = new DataView(bytes.buffer)
  const words = [
    Math.floor((kernel.now + task.ns.time.boottime) / 1e9),
    0,
    0,
    0,
    frames.count * 4096,
    (frames.count - frames.used) * 4096,
    0,
    0,
    0,
    0,
  ]
  for (const [n, word] of words.entries()) view.setUint32(n * 4, word, true)
  view.setUint16(40, kernel.processes.size, true)
  view.setUint32(52, 1, true)
  kernel.memory.write(at, bytes)
  return 0
}

export function getrandom(task: Task, at: number, length: number, flags: number): number {
  if ((flags & ~7) !== 0) return -Errno.EINVAL
  const count = Math.min(length, 0x10_0000)
  const bytes = new Uint8Array(count)
  task.kernel.random.fill(bytes)
  task.kernel.memory.write(at, bytes)
  return count
}
