/** signalfd(2): signals that are read instead of delivered. */
import { Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { SignalInfo } from '../signals/queue.ts'
import { SignalSet } from '../signals/set.ts'
import type { Kernel, Task } from '../system.ts'
import type { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { install } from './control.ts'
import { Poll } from './open-file.ts'

/** Bytes of `struct signalfd_siginfo`. */
const RECORD = 128

class SignalFd extends AnonymousFile {
  protected readonly kind = 'signalfd'
  /** What it is not for. */
  others: SignalSet

  constructor(kernel: Kernel, others: SignalSet, flags: number) {
    super(kernel, 2 | (flags & Open.O_NONBLOCK))
    this.others = others
  }
  /** Of whoever asks: it tells each process of its own signals. */
  get queue(): WaitQueue {
    return this.kernel.current!.process.signalQueue
  }
  override read(into: Uint8Array, start: number, length: number): number {
    if (length < RECORD) return -Errno.EINVAL
    const task = this.kernel.current!
    let done = 0
    for (const queue of [task.pending, task.process.pending]) {
      for (let found = queue.set.first(this.others); found !== 0; found = queue.set.first(this.others)) {
        if (done + RECORD > length) return done
        writeRecord(into.subarray(start + done, start + done + RECORD), queue.take(found))
        done += RECORD
      }
    }
    return done > 0 ? done : this.kernel.block(this.queue)
  }
  override poll(): number {
    const { pending, process: proc } = this.kernel.current!
    const waits = pending.set.first(this.others) !== 0 || proc.pending.set.first(this.others) !== 0
    return waits ? Poll.IN | Poll.RDNORM : 0
  }
  protected release(): void {}
}

function writeRecord(bytes: Uint8Array, info: SignalInfo): void {
  bytes.fill(0)
  const view = new DataView(bytes.buffer, bytes.byteOffset, RECORD)
  const fields = [
    [0, info.signal],
    [8, info.code],
    [12, info.pid],
    [16, info.uid],
    [40, info.status],
    [44, info.value],
    [48, info.value],
    [72, info.address],
  ] as const
  for (const [at, value] of fields) if (value !== undefined) view.setInt32(at, value, true)
}

/** signalfd4(2): a new one, or `fd` for other signals. */
export function signalfd(task: Task, fd: number, at: number, bytes: number, flags: number): number {
  const { memory } = task.kernel
  if (bytes !== 8 || (flags & ~(Open.O_CLOEXEC | Open.O_NONBLOCK)) !== 0) return -Errno.EINVAL
  const wanted = new SignalSet()
  // Of those that cannot be blocked nothing is told.
  wanted.setMask(memory.get32(at) | 0, memory.get32(at + 4) | 0)
  const others = new SignalSet(~wanted.low, ~wanted.high)
  if (fd === -1) return install(task, new SignalFd(task.kernel, others, flags), flags)
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  if (!(file instanceof SignalFd)) return -Errno.EINVAL
  file.others = others
  task.process.signalQueue.wake()
  return fd
}
