/** inotify(7): what happens to watched files, to be read. The file system layer makes the events. */
import { type ByteString, type Inotify, type InotifyEvent, Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel, Task } from '../system.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { Poll } from './open-file.ts'

/** `struct inotify_event` without its name, whose length is a multiple of it too. */
const HEAD = 16
const FIONREAD = 0x541b

const sizeOf = ({ name }: InotifyEvent): number =>
  name === '' ? HEAD : HEAD + Math.ceil((name.length + 1) / HEAD) * HEAD

class InotifyFile extends AnonymousFile {
  protected readonly kind = 'inotify'
  readonly queue: WaitQueue = new WaitQueue()
  readonly instance: Inotify
  /** Taken from the instance, and not read yet. */
  readonly #events: InotifyEvent[] = []

  constructor(kernel: Kernel, flags: number) {
    super(kernel, flags & Open.O_NONBLOCK)
    this.instance = kernel.vfs.inotify({ readable: () => this.queue.wake() })
  }
  override read(into: Uint8Array, start: number, length: number): number {
    this.#events.push(...this.instance.read(Number.POSITIVE_INFINITY))
    if (this.#events.length === 0) return this.kernel.block(this.queue)
    let done = 0
    for (let event = this.#events[0]; event !== undefined; event = this.#events[0]) {
      if (done + sizeOf(event) > length) break
      writeEvent(into, start + done, event)
      done += sizeOf(event)
      this.#events.shift()
    }
    return done > 0 ? done : -Errno.EINVAL
  }
  override poll(): number {
    return this.#events.length + this.instance.pending > 0 ? Poll.IN | Poll.RDNORM : 0
  }
  override ioctl(request: number, argument: number): number {
    if (request !== FIONREAD) return -Errno.ENOTTY
    this.#events.push(...this.instance.read(Number.POSITIVE_INFINITY))
    this.kernel.memory.set32(
      argument,
      this.#events.reduce((sum, event) => sum + sizeOf(event), 0),
    )
    return 0
  }
  protected release(): void {
    this.instance.close()
  }
}

function writeEvent(into: Uint8Array, at: number, event: InotifyEvent): void {
  const size = sizeOf(event)
  into.fill(0, at, at + size)
  const view = new DataView(into.buffer, into.byteOffset + at, size)
  const { descriptor, mask, cookie, name } = event
  for (const [n, word] of [descriptor, mask, cookie, size - HEAD].entries()) view.setInt32(n * 4, word, true)
  for (let n = 0; n < name.length; n++) into[at + HEAD + n] = name.charCodeAt(n)
}

function instanceOf(task: Task, fd: number): Inotify | number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  return file instanceof InotifyFile ? file.instance : -Errno.EINVAL
}

/** inotify_init1(2). */
export function inotifyInit(task: Task, flags: number): number {
  if ((flags & ~(Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  return install(task, new InotifyFile(task.kernel, flags), flags)
}

export function inotifyAddWatch(task: Task, fd: number, path: ByteString, mask: number): number {
  const instance = instanceOf(task, fd)
  return typeof instance === 'number' ? instance : task.kernel.vfs.watch(task.context, instance, path, mask)
}

export function inotifyRmWatch(task: Task, fd: number, watch: number): number {
  const instance = instanceOf(task, fd)
  return typeof instance === 'number' ? instance : instance.unwatch(watch)
}
