/** Queues of messages: msgget(2), msgsnd(2), msgrcv(2), msgctl(2). */
import { Answer, Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { MemoryKind, type MemoryPayer } from '../tasks/account.ts'
import { Cap } from '../tasks/capabilities.ts'
import { shownPid } from '../tasks/numbers.ts'
import { WaitQueue } from '../tasks/wait-queue.ts'
import { columns, Ipc, IpcObject, PERM_BYTES, tables, writeWords } from './objects.ts'

const Msg = { NOERROR: 0o10000, EXCEPT: 0o20000, STAT: 11, INFO: 12, STAT_ANY: 13 } as const
/** MSGMAX, MSGMNB and MSGMNI. */
const LONGEST = 8192
const QUEUE_BYTES = 16_384
const MOST_QUEUES = 32_000
/** What the kernel has besides the text of a message. */
const HEADER = 48
const READ = 0o444
const WRITE = 0o222

interface Message {
  readonly type: number
  readonly text: Uint8Array
  readonly payer: MemoryPayer
}

/** A queue. */
class MessageQueue extends IpcObject {
  readonly messages: Message[] = []
  readonly queue: WaitQueue = new WaitQueue()
  bytes = 0
  limit: number = QUEUE_BYTES
  lastSender = 0
  lastReceiver = 0
  sent = 0
  received = 0

  empty(): void {
    for (const { text, payer } of this.messages.splice(0))
      payer.uncharge(text.length + HEADER, MemoryKind.slabUnreclaimable)
    this.queue.wake()
  }
}

const queues = tables<MessageQueue>(MOST_QUEUES, (queue) => queue.empty())

export function msgget(task: Task, key: number, flags: number): number {
  return queues(task.ns.ipc).get(
    task,
    key,
    flags,
    () => true,
    () => new MessageQueue(task, key, flags),
  )
}

export function msgsnd(task: Task, id: number, at: number, bytes: number, flags: number): number {
  const { kernel, process: proc } = task
  const { memory } = kernel
  const queue = (task.scratch as MessageQueue | undefined) ?? queues(task.ns.ipc).find(id)
  if (queue === undefined || bytes < 0 || bytes > LONGEST) return -Errno.EINVAL
  if (queue.isRemoved) return -Errno.EIDRM
  const type = memory.get32(at) | 0
  if (type < 1) return -Errno.EINVAL
  if (!queue.permits(task, WRITE)) return -Errno.EACCES
  if (queue.bytes + bytes > queue.limit || queue.messages.length >= queue.limit) {
    if ((flags & Ipc.NOWAIT) !== 0) return -Errno.EAGAIN
    const answer = kernel.block(queue.queue, -Errno.EINTR)
    if (answer === Answer.BLOCK) task.scratch = queue
    return answer
  }
  const text = new Uint8Array(bytes)
  memory.read(at + 4, text)
  const payer = proc.account.memory
  if (!payer.charge(bytes + HEADER, MemoryKind.slabUnreclaimable)) return -Errno.ENOMEM
  queue.messages.push({ type, text, payer })
  queue.bytes += bytes
  queue.lastSender = proc.pid
  queue.sent = kernel.time.seconds
  queue.queue.wake()
  return 0
}

/** The message that a type asks for: of any, of one, of the lowest up to −type, or of any but one. */
function wanted(messages: readonly Message[], type: number, flags: number): number {
  if (type === 0) return messages.length > 0 ? 0 : -1
  if (type > 0) return messages.findIndex((each) => (each.type === type) === ((flags & Msg.EXCEPT) === 0))
  let found = -1
  for (const [n, each] of messages.entries())
    if (each.type <= -type && (found < 0 || each.type < messages[found]!.type)) found = n
  return found
}

export function msgrcv(task: Task, id: number, at: number, bytes: number, type: number, flags: number): number {
  const { kernel, process: proc } = task
  const queue = (task.scratch as MessageQueue | undefined) ?? queues(task.ns.ipc).find(id)
  if (queue === undefined || bytes < 0) return -Errno.EINVAL
  if (queue.isRemoved) return -Errno.EIDRM
  if (!queue.permits(task, READ)) return -Errno.EACCES
  const index = wanted(queue.messages, type, flags)
  if (index < 0) {
    if ((flags & Ipc.NOWAIT) !== 0) return -Errno.ENOMSG
    const answer = kernel.block(queue.queue, -Errno.EINTR)
    if (answer === Answer.BLOCK) task.scratch = queue
    return answer
  }
  const { text, type: found, payer } = queue.messages[index]!
  if (text.length > bytes && (flags & Msg.NOERROR) === 0) return -Errno.E2BIG
  const piece = text.subarray(0, bytes)
  kernel.memory.write(at + 4, piece)
  kernel.memory.set32(at, found)
  queue.messages.splice(index, 1)
  payer.uncharge(text.length + HEADER, MemoryKind.slabUnreclaimable)
  queue.bytes -= text.length
  queue.lastReceiver = proc.pid
  queue.received = kernel.time.seconds
  queue.queue.wake()
  return piece.length
}

/** `struct msginfo`: of IPC_INFO limits alone, of MSG_INFO how many queues, messages and bytes there are. */
function writeInfo(task: Task, at: number, isUsage: boolean): number {
  const table = queues(task.ns.ipc)
  const all = table.all()
  const count = all.reduce((sum, { messages }) => sum + messages.length, 0)
  const bytes = all.reduce((sum, queue) => sum + queue.bytes, 0)
  const [pool, map, total] = isUsage
    ? [all.length, count, bytes]
    : [(MOST_QUEUES * QUEUE_BYTES) / 1024, QUEUE_BYTES, QUEUE_BYTES]
  writeWords(task, at, [pool, map, LONGEST, QUEUE_BYTES, MOST_QUEUES, 16, total, 0xffff])
  return table.highest
}

/** `struct msqid64_ds`. */
function writeQueue(task: Task, at: number, queue: MessageQueue): void {
  queue.writePermissions(task, at)
  const times = [queue.sent, 0, queue.received, 0, queue.changed, 0]
  const sizes = [queue.bytes, queue.messages.length, queue.limit]
  const pids = [shownPid(task, queue.lastSender), shownPid(task, queue.lastReceiver)]
  writeWords(task, at + PERM_BYTES, [...times, ...sizes, ...pids, 0, 0])
}

export function msgctl(task: Task, id: number, command: number, at: number): number {
  const { memory } = task.kernel
  const table = queues(task.ns.ipc)
  if (id < 0) return -Errno.EINVAL
  if (command === Ipc.INFO || command === Msg.INFO) return writeInfo(task, at, command === Msg.INFO)
  const isByIndex = command === Msg.STAT || command === Msg.STAT_ANY
  const queue = isByIndex ? table.at(id) : table.find(id)
  if (queue === undefined) return -Errno.EINVAL
  switch (command) {
    case Ipc.RMID:
      if (!queue.belongsTo(task)) return -Errno.EPERM
      table.remove(queue)
      queue.empty()
      return 0
    case Ipc.SET: {
      if (!queue.belongsTo(task)) return -Errno.EPERM
      const limit = memory.get32(at + PERM_BYTES + 32)
      if (limit > QUEUE_BYTES && !task.capable(Cap.SYS_RESOURCE, task.ns.ipc.owner)) return -Errno.EPERM
      const answer = queue.readPermissions(task, at)
      if (answer === 0) queue.limit = limit
      return answer
    }
    case Ipc.STAT:
    case Msg.STAT:
    case Msg.STAT_ANY:
      if (command !== Msg.STAT_ANY && !queue.permits(task, READ)) return -Errno.EACCES
      writeQueue(task, at, queue)
      return isByIndex ? queue.id : 0
    default:
      return -Errno.EINVAL
  }
}

const WIDTHS: readonly number[] = [10, 10, 5, 11, 10, 5, 5, 5, 5, 5, 5, 10, 10, 10]

/** /proc/sysvipc/msg, of the reader's namespace. */
export function messagesText(task: Task): string {
  const { uids, gids } = task.ids.user
  const rows = queues(task.ns.ipc)
    .all()
    .map((each) =>
      columns(WIDTHS, [
        ...[each.key, each.id, each.mode.toString(8), each.bytes, each.messages.length],
        ...[shownPid(task, each.lastSender), shownPid(task, each.lastReceiver), uids.shown(each.uid)],
        ...[gids.shown(each.gid), uids.shown(each.cuid), gids.shown(each.cgid), each.sent, each.received, each.changed],
      ]),
    )
  const head = ['key', 'msqid', 'perms', 'cbytes', 'qnum', 'lspid', 'lrpid', 'uid', 'gid', 'cuid', 'cgid']
  return columns(WIDTHS, [...head, 'stime', 'rtime', 'ctime']) + rows.join('')
}
