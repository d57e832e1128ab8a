/** signalfd(2): signals of whoever reads, as records. */
import { Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { readSet } from '../signals/calls.ts'
import type { SignalInfo } from '../signals/queue.ts'
import { Signal, SignalSet } from '../signals/set.ts'
import type { Kernel, Task } from '../system.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { Poll } from './open-file.ts'

/** `struct signalfd_siginfo`. */
const BYTES = 128

class SignalFd extends AnonymousFile {
  protected readonly kind = 'signalfd'
  /** The signals that are not wanted. */
  others: SignalSet

  constructor(kernel: Kernel, others: SignalSet, flags: number) {
    super(kernel, 2 | (flags & Open.O_NONBLOCK))
    this.others = others
  }

  /** Signals come to the caller's process: that is where it waits. */
  get queue(): WaitQueue | undefined {
    return this.kernel.current?.process.signalQueue
  }

  override read(into: Uint8Array, start: number, length: number): number {
    const task = this.kernel.current!
    if (length < BYTES) return -Errno.EINVAL
    let count = 0
    while (count + BYTES <= length) {
      const info = take(task, this.others)
      if (info === undefined) break
      record(new DataView(into.buffer, into.byteOffset + start + count, BYTES), info)
      count += BYTES
    }
    return count > 0 ? count : this.kernel.block(task.process.signalQueue)
  }

  override poll(): number {
    const task = this.kernel.current
    if (task === undefined) return 0
    const waits = task.pending.set.first(this.others) !== 0 || task.process.pending.set.first(this.others) !== 0
    return waits ? Poll.IN | Poll.RDNORM : 0
  }
  protected release(): void {}
}

function take({ pending, process: proc }: Task, others: SignalSet): SignalInfo | undefined {
  for (const queue of [pending, proc.pending]) {
    const signal = queue.set.first(others)
    if (signal !== 0) return queue.take(signal)
  }
  return undefined
}

function record(view: DataView, info: SignalInfo): void {
  for (let at = 0; at < BYTES; at += 4) view.setUint32(at, 0)
  const put = (at: number, value: number | undefined): void => view.setInt32(at, (value ?? 0) | 0, true)
  put(0, info.signal)
  put(8, info.code)
  put(12, info.timer === undefined ? info.pid : undefined)
  put(16, info.timer === undefined ? info.uid : undefined)
  put(20, info.fd)
  put(24, info.timer)
  put(28, info.band)
  put(32, info.overrun)
  put(40, info.signal === Signal.SIGCHLD ? info.status : 0)
  put(44, info.value)
  put(48, info.value)
  put(72, info.address)
}

export function signalfd(task: Task, fd: number, at: number, bytes: number, flags: number): number {
  if (bytes !== 8) return -Errno.EINVAL
  const set = readSet(task, at)
  if ((flags & ~(Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  const others = new SignalSet(~set.low, ~set.high)
  others.add(Signal.SIGKILL)
  others.add(Signal.SIGSTOP)
  if (fd === -1) return install(task, new SignalFd(task.kernel, others, flags), flags)
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (!(file instanceof SignalFd)) return -Errno.EINVAL
  file.others = others
  task.process.signalQueue.wake()
  return fd
}
