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
  if ((flags & 6) === 6) return -Errno.EINVAL
  const { memory, random } = task.kernel
  const wanted = Math.min(length, 0x10_0000)
  let done = 0
  while (done < wanted) {
    const bytes = new Uint8Array(memory.part(at + done, wanted - done))
    try {
      memory.writable(at + done, 1)
    } catch (reason) {
      if (done > 0) break
      throw reason
    }
    random.fill(bytes)
    memory.write(at + done, bytes)
    done += bytes.length
  }
  return done
}

/** syslog(2): a log that is empty. */
export function syslog(task: Task, type: number, at: number, bytes: number): number {
  if (!task.capable(Cap.SYSLOG) && !task.capable(Cap.SYS_ADMIN) && type !== 3 && type !== 10) return -Errno.EPERM
  if (type < 0 || type > 10) return -Errno.EINVAL
  if (type >= 2 && type <= 4 && (at === 0 || bytes < 0)) return -Errno.EINVAL
  return type === 8 && (bytes < 1 || bytes > 8) ? -Errno.EINVAL : 0
}
