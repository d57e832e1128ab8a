/** inotify(7): the file system layer makes the events, here they are read. */
import { type Inotify, type InotifyEvent, Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { Poll } from './open-file.ts'

const HEADER = 16
const FIONREAD = 0x541b

class InotifyFile extends AnonymousFile {
  protected readonly kind = 'inotify'
  readonly queue: WaitQueue = new WaitQueue()
  readonly instance: Inotify

  constructor(kernel: Kernel, flags: number) {
    super(kernel, flags & Open.O_NONBLOCK)
    this.instance = kernel.vfs.inotify({ readable: () => void this.queue.wake() })
  }

  override get canTell(): boolean {
    return true
  }
  override read(into: Uint8Array, start: number, length: number): number {
    const { instance } = this
    let count = 0
    for (let next = instance.first; next !== undefined; next = instance.first) {
      const bytes = HEADER + room(next)
      if (count + bytes > length) return count > 0 ? count : -Errno.EINVAL
      put(new DataView(into.buffer, into.byteOffset + start + count, bytes), next)
      instance.read(1)
      count += bytes
    }
    return count > 0 ? count : this.kernel.block(this.queue)
  }
  override poll(): number {
    return this.instance.pending > 0 ? Poll.IN | Poll.RDNORM : 0
  }
  override ioctl(request: number, argument: number): number {
    if (request !== FIONREAD) return -Errno.ENOTTY
    this.kernel.memory.set32(
      argument,
      this.instance.pendingEvents.reduce((sum, event) => sum + HEADER + room(event), 0),
    )
    return 0
  }
  protected release(): void {
    this.instance.close()
  }
}

/** Bytes of a name with the zeros behind it: a multiple of the header's. */
function room({ name }: InotifyEvent): number {
  return name === '' ? 0 : Math.ceil((name.length + 1) / HEADER) * HEADER
}

/** `struct inotify_event`. */
function put(view: DataView, event: InotifyEvent): void {
  const { descriptor, mask, cookie, name } = event
  view.setInt32(0, descriptor, true)
  view.setUint32(4, mask >>> 0, true)
  view.setUint32(8, cookie, true)
  view.setUint32(12, room(event), true)
  for (let n = 0; n < room(event); n++) view.setUint8(HEADER + n, n < name.length ? name.charCodeAt(n) : 0)
}

export function inotifyInit(task: Task, flags: number): number {
  if ((flags & ~(Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  return install(task, new InotifyFile(task.kernel, flags), flags)
}

/** The path is read when the rest is in order. */
export function inotifyAddWatch(task: Task, fd: number, readPath: () => string, mask: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  const both = 0x3000_0000
  if ((mask & 0xfff) === 0 || (mask & both) === both || !(file instanceof InotifyFile)) return -Errno.EINVAL
  return task.kernel.vfs.watch(task.context, file.instance, readPath(), mask >>> 0)
}

export function inotifyRmWatch(task: Task, fd: number, watch: number): number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  return file instanceof InotifyFile ? file.instance.unwatch(watch) : -Errno.EINVAL
}
