/** Pipes and FIFOs (pipe(7)). */
import { Mode, Open, type Stat } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import { Code } from '../signals/queue.ts'
import { sendToTask } from '../signals/send.ts'
import { Signal } from '../signals/set.ts'
import type { Kernel, Task } from '../system.ts'
import { MemoryKind, type MemoryPayer } from '../tasks/account.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { AnonymousFile } from './anonymous-file.ts'
import { type KernelOperations, Poll } from './open-file.ts'

/** Writes of so many bytes are not torn. */
const PIPE_BUF = 4096
const CAPACITY = 65_536
/** The most that a program may ask for (fs.pipe-max-size), root too: it is the host's memory. */
const MOST = 1 << 20

/** A pipe's bytes, and who has its ends. */
export class Pipe {
  readonly kernel: Kernel
  #bytes: Uint8Array
  /** Lengths of what was written with O_DIRECT and is read in pieces of the same size: the first ones of the bytes. */
  readonly #packets: number[] = []
  /** Permissions and owner, as fchmod(2) and fchown(2) leave them. */
  readonly owner: { mode: number; uid: number; gid: number }
  /** Who has paid for the pages with bytes in them, and how many those are. */
  #payer: MemoryPayer | undefined
  #pages = 0
  #start = 0
  #length = 0
  readers = 0
  writers = 0
  /** Readers and writers that there ever were, for FIFOs that wait for the other end. */
  readerCount = 0
  writerCount = 0
  readonly queue: WaitQueue = new WaitQueue()
  /** How often somebody has read and written. */
  reads = 0
  writes = 0

  constructor(kernel: Kernel, capacity: number = CAPACITY) {
    this.kernel = kernel
    this.#bytes = new Uint8Array(capacity)
    const ids = kernel.current?.ids
    this.owner = { mode: 0o600, uid: ids?.fsuid ?? 0, gid: ids?.fsgid ?? 0 }
  }

  get length(): number {
    return this.#length
  }
  get capacity(): number {
    return this.#bytes.length
  }

  /** F_SETPIPE_SZ: a power of two of pages. Answers the capacity. */
  resize(wanted: number): number {
    if (wanted < 0 || wanted > 0x8000_0000) return -Errno.EINVAL
    let capacity = PIPE_BUF
    while (capacity < wanted) capacity *= 2
    if (capacity > MOST) return -Errno.EPERM
    if (capacity < this.#length) return -Errno.EBUSY
    const bytes = new Uint8Array(capacity)
    this.peek(bytes, 0, this.#length)
    this.#bytes = bytes
    this.#start = 0
    this.queue.wake()
    return capacity
  }

  /** Copies the first bytes out, and leaves them: tee(2). Answers how many. */
  peek(into: Uint8Array, start: number, length: number): number {
    const count = Math.min(length, this.#length)
    const first = Math.min(count, this.#bytes.length - this.#start)
    into.set(this.#bytes.subarray(this.#start, this.#start + first), start)
    if (first < count) into.set(this.#bytes.subarray(0, count - first), start + first)
    return count
  }

  /** Bytes, 0 at the end, or an answer. */
  read(into: Uint8Array, start: number, length: number): number {
    if (length === 0) return 0
    if (this.#length === 0) return this.writers === 0 ? 0 : this.kernel.block(this.queue)
    const packet = this.#packets.shift()
    const count = this.peek(into, start, Math.min(length, packet ?? this.#length))
    // What of a packet is not wanted is lost.
    const gone = packet ?? count
    this.#start = (this.#start + gone) % this.#bytes.length
    this.#length -= gone
    this.reads++
    if (this.#length === 0) this.#start = 0
    this.#pay(this.#length)
    if (this.queue.size > 0) this.queue.wake()
    return count
  }

  /** How many bytes went in; with less than all the call goes on when there is room. */
  write(task: Task, from: Uint8Array, start: number, length: number, inPackets = false): number {
    if (length === 0) return 0
    if (this.readers === 0) {
      sendToTask(task, { signal: Signal.SIGPIPE, code: Code.SI_USER, pid: task.process.pid, uid: task.ids.uid })
      return -Errno.EPIPE
    }
    const room = this.#bytes.length - this.#length
    if (room === 0 || (length <= PIPE_BUF && room < length)) return this.kernel.block(this.queue)
    const count = Math.min(length, room, inPackets ? PIPE_BUF : length)
    if (!this.#pay(this.#length + count)) return -Errno.ENOMEM
    if (inPackets) this.#packets.push(count)
    else if (this.#packets.length > 0) this.#packets.push(count)
    const at = (this.#start + this.#length) % this.#bytes.length
    const first = Math.min(count, this.#bytes.length - at)
    this.#bytes.set(from.subarray(start, start + first), at)
    if (first < count) this.#bytes.set(from.subarray(start + first, start + count), 0)
    this.#length += count
    this.writes++
    if (this.queue.size > 0) this.queue.wake()
    return count
  }

  /** Has the pages of so many bytes paid for: false where the writer's group refuses. */
  #pay(length: number): boolean {
    const pages = Math.ceil(length / PIPE_BUF)
    const more = pages - this.#pages
    if (more > 0) {
      this.#payer ??= this.kernel.current?.process.account.memory
      if (this.#payer?.charge(more * PIPE_BUF, MemoryKind.slabUnreclaimable) === false) {
        if (this.#pages === 0) this.#payer = undefined
        return false
      }
    } else if (more < 0) this.#payer?.uncharge(-more * PIPE_BUF, MemoryKind.slabUnreclaimable)
    this.#pages = pages
    if (pages === 0) this.#payer = undefined
    return true
  }

  poll(reads: boolean, writes: boolean): number {
    let events = 0
    if (reads) {
      if (this.#length > 0) events |= Poll.IN | Poll.RDNORM
      if (this.writers === 0 && this.writerCount > 0) events |= Poll.HUP
    }
    if (writes) {
      if (this.#bytes.length - this.#length >= PIPE_BUF) events |= Poll.OUT | Poll.WRNORM
      if (this.readers === 0) events |= Poll.ERR
    }
    return events
  }

  open(reads: boolean, writes: boolean): void {
    if (reads) {
      this.readers++
      this.readerCount++
    }
    if (writes) {
      this.writers++
      this.writerCount++
    }
    this.queue.wake()
  }
  close(reads: boolean, writes: boolean): void {
    if (reads) this.readers--
    if (writes) this.writers--
    if (this.readers + this.writers === 0) this.#pay(0)
    this.queue.wake()
  }
}

const FIONREAD = 0x541b

/** FIONREAD, which says how much there is to read. */
function pipeIoctl(pipe: Pipe, request: number, argument: number): number {
  if (request >>> 0 !== FIONREAD) return -Errno.ENOTTY
  pipe.kernel.memory.set32(argument, pipe.length)
  return 0
}

/** One end of a pipe that pipe(2) made. */
export class PipeEnd extends AnonymousFile {
  readonly pipe: Pipe
  readonly #ofPipe: number
  protected readonly kind = 'pipe'

  constructor(pipe: Pipe, ino: number, flags: number) {
    super(pipe.kernel, flags)
    this.pipe = pipe
    this.#ofPipe = ino
    pipe.open(this.isReadable, this.isWritable)
  }

  override get object(): object {
    return this.pipe
  }
  override reopen(flags: number): KernelOperations {
    const [reads, writes] = [(flags & 3) !== 1, (flags & 3) !== 0]
    this.pipe.open(reads, writes)
    return new FifoOperations(this.pipe, reads, writes, () => {})
  }

  get queue(): WaitQueue {
    return this.pipe.queue
  }
  override get canTell(): boolean {
    return true
  }
  override get edges(): number {
    return (this.isReadable ? this.pipe.writes : 0) + (this.isWritable ? this.pipe.reads : 0)
  }
  protected override get mode(): number {
    return Mode.IFIFO | this.pipe.owner.mode
  }
  protected override get ino(): number {
    return this.#ofPipe
  }
  override describe(): string {
    return `pipe:[${this.#ofPipe}]`
  }
  override read(into: Uint8Array, start: number, length: number): number {
    return this.pipe.read(into, start, length)
  }
  override write(from: Uint8Array, start: number, length: number): number {
    return this.pipe.write(this.kernel.current!, from, start, length, (this.flags & Open.O_DIRECT) !== 0)
  }
  override poll(): number {
    return this.pipe.poll(this.isReadable, this.isWritable)
  }
  override ioctl(request: number, argument: number): number {
    return pipeIoctl(this.pipe, request, argument)
  }
  override stat(into: Stat): number {
    const answer = super.stat(into)
    const { uid, gid } = this.pipe.owner
    return Object.assign(into, { uid, gid }) && answer
  }
  override chmod(mode: number): number {
    this.pipe.owner.mode = mode
    return 0
  }
  override chown(uid: number, gid: number): number {
    const { owner } = this.pipe
    if (uid !== -1) owner.uid = uid
    if (gid !== -1) owner.gid = gid
    return 0
  }
  protected release(): void {
    this.pipe.close(this.isReadable, this.isWritable)
  }
}

/** Opens a FIFO: as its first reader or writer it waits for the other end. */
export function openFifo(
  kernel: Kernel,
  key: object,
  fifos: Map<object, Pipe>,
  flags: number,
): KernelOperations | number {
  let pipe = fifos.get(key)
  if (pipe === undefined) {
    pipe = new Pipe(kernel)
    fifos.set(key, pipe)
  }
  const reads = (flags & 3) !== 1
  const writes = (flags & 3) !== 0
  const nonBlocking = (flags & 0o4000) !== 0
  const task = kernel.current!
  if (reads !== writes && task.scratch === undefined) {
    if (writes && nonBlocking && pipe.readers === 0) return -Errno.ENXIO
    const before = reads ? pipe.writerCount : pipe.readerCount
    const others = reads ? pipe.writers : pipe.readers
    pipe.open(reads, writes)
    if (others === 0 && !nonBlocking) {
      const answer = kernel.block(pipe.queue)
      if (answer !== Answer.BLOCK) {
        pipe.close(reads, writes)
        return answer
      }
      task.scratch = { fifo: pipe, before }
      return answer
    }
  } else if (task.scratch !== undefined) {
    const { before } = task.scratch as { before: number }
    if ((reads ? pipe.writerCount : pipe.readerCount) === before) {
      const answer = kernel.block(pipe.queue)
      if (answer !== Answer.BLOCK) pipe.close(reads, writes)
      return answer
    }
    task.scratch = undefined
  } else pipe.open(reads, writes)
  return new FifoOperations(pipe, reads, writes, () => {
    if (pipe.readers + pipe.writers === 0) fifos.delete(key)
  })
}

/** Operations of a FIFO that was opened. */
export class FifoOperations implements KernelOperations {
  readonly seekable = false
  readonly pipe: Pipe
  readonly #reads: boolean
  readonly #writes: boolean
  readonly #released: () => void

  constructor(pipe: Pipe, reads: boolean, writes: boolean, released: () => void) {
    this.pipe = pipe
    this.#reads = reads
    this.#writes = writes
    this.#released = released
  }
  get queue(): WaitQueue {
    return this.pipe.queue
  }
  get edges(): number {
    return (this.#reads ? this.pipe.writes : 0) + (this.#writes ? this.pipe.reads : 0)
  }
  read(into: Uint8Array, start: number, length: number): number {
    return this.pipe.read(into, start, length)
  }
  write(from: Uint8Array, start: number, length: number): number {
    return this.pipe.write(this.pipe.kernel.current!, from, start, length)
  }
  poll(): number {
    return this.pipe.poll(this.#reads, this.#writes)
  }
  ioctl(request: number, argument: number): number {
    return pipeIoctl(this.pipe, request, argument)
  }
  release(): void {
    this.pipe.close(this.#reads, this.#writes)
    this.#released()
  }
}
