/** send(2), sendto(2), sendmsg(2), sendmmsg(2), recv(2), recvfrom(2), recvmsg(2), recvmmsg(2). */
import {
  ControlWriter,
  type MessageHeader,
  MMSG_BYTES,
  MMSG_COUNT,
  readControls,
  readHeader,
  writeHeader,
} from '../abi/i386/messages.ts'
import { Answer, Errno } from '../errno.ts'
import type { OpenFile } from '../files/open-file.ts'
import { MOST, MOST_VECTORS, type Part, vectors } from '../files/vectors.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { ADDRESS_BYTES, addressBytes, checkAddress, readAddress, socketOf, writeAddress } from './calls.ts'
import { Family, Level, MOST_RIGHTS, Msg, Scm } from './constants.ts'
import { type ReceivedWith, receivedWith, type SentWith, type SocketFile } from './socket-file.ts'
import { dropRights, receiveInto, sendFrom } from './transfer.ts'

/** Bytes of control messages (net.core.optmem_max). */
const MOST_CONTROL = 20_480

const one = (at: number, length: number): Part[] => [[at, Math.min(length, MOST)]]

export function sendto(
  task: Task,
  fd: number,
  at: number,
  length: number,
  flags: number,
  to: number,
  toLength: number,
): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const address = to === 0 ? undefined : readAddress(task, to, toLength)
  if (typeof address === 'number') return address
  return sendFrom(task, file, one(at, length), { to: address, flags, rights: [], controls: [] })
}

export function recvfrom(
  task: Task,
  fd: number,
  at: number,
  length: number,
  flags: number,
  from: number,
  lengthAt: number,
): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const checked = checkAddress(task, from, lengthAt, addressBytes(file.family))
  if (checked < 0) return checked
  const message = kept(task)
  const count = receiveInto(task, file, one(at, length), flags & ~Msg.CTRUNC, message)
  dropRights(message)
  if (count >= 0) writeAddress(task, from, lengthAt, message.from ?? new Uint8Array(0))
  return count
}

/** What has come besides so far, where a call takes several pieces. */
function kept(task: Task): ReceivedWith {
  if (task.scratch === undefined) task.scratch = receivedWith()
  return task.scratch as ReceivedWith
}

/** The vectors of a header. @throws BAD_ADDRESS. */
function partsOf(task: Task, { vectors: at, vectorCount }: MessageHeader): Part[] | number {
  return vectorCount > MOST_VECTORS ? -Errno.EMSGSIZE : vectors(task, at, vectorCount)
}

export function sendmsg(task: Task, fd: number, at: number, flags: number): number {
  const file = socketOf(task, fd)
  return typeof file === 'number' ? file : sendOne(task, file, at, flags)
}

function sendOne(task: Task, file: SocketFile, at: number, flags: number): number {
  const header = readHeader(task.kernel.memory, at)
  if (header.nameBytes < 0) return -Errno.EINVAL
  const isNamed = header.name !== 0 && header.nameBytes > 0
  const to = isNamed ? readAddress(task, header.name, Math.min(header.nameBytes, ADDRESS_BYTES)) : undefined
  if (typeof to === 'number') return to
  const parts = partsOf(task, header)
  if (typeof parts === 'number') return parts
  const message = controlsOf(task, file, header, { to, flags })
  return typeof message === 'number' ? message : sendFrom(task, file, parts, message)
}

function controlsOf(
  task: Task,
  file: SocketFile,
  { control, controlBytes }: MessageHeader,
  plain: Pick<SentWith, 'to' | 'flags'>,
): SentWith | number {
  if (controlBytes > MOST_CONTROL) return -Errno.ENOBUFS
  const bytes = new Uint8Array(control === 0 ? 0 : controlBytes)
  task.kernel.memory.read(control, bytes)
  const controls = readControls(bytes)
  if (controls === undefined) return -Errno.EINVAL
  const rights: OpenFile[] = []
  for (const { level, type, data } of controls) {
    if (level !== Level.SOCKET) continue
    if (type !== Scm.RIGHTS && type !== Scm.CREDENTIALS) return -Errno.EINVAL
    if (type !== Scm.RIGHTS || file.family !== Family.UNIX) continue
    const added = rightsIn(task, data, rights)
    if (added < 0) return added
  }
  return { ...plain, rights, controls }
}

function rightsIn(task: Task, data: Uint8Array, into: OpenFile[]): number {
  const count = data.length >>> 2
  if (count === 0 || into.length + count > MOST_RIGHTS) return -Errno.EINVAL
  const view = new DataView(data.buffer, data.byteOffset)
  for (let n = 0; n < count; n++) {
    const file = task.files.get(view.getInt32(n * 4, true))
    if (file === undefined) return -Errno.EBADF
    into.push(file)
  }
  return 0
}

export function recvmsg(task: Task, fd: number, at: number, flags: number): number {
  const file = socketOf(task, fd)
  return typeof file === 'number' ? file : receiveOne(task, file, at, flags, kept(task))
}

function receiveOne(task: Task, file: SocketFile, at: number, flags: number, message: ReceivedWith): number {
  const { memory } = task.kernel
  const header = readHeader(memory, at)
  memory.check(at + 4, 24)
  if (header.nameBytes < 0) return -Errno.EINVAL
  const parts = partsOf(task, header)
  if (typeof parts === 'number') return parts
  const { name, nameBytes, control } = header
  if (name !== 0) memory.check(name, Math.min(nameBytes, addressBytes(file.family)))
  const room = control === 0 ? 0 : Math.min(header.controlBytes, file.controlRoom)
  memory.check(control, room)
  const count = receiveInto(task, file, parts, flags, message)
  if (count < 0) return count
  const writer = new ControlWriter(room)
  for (const one of message.controls) writer.put(one)
  installRights(task, message, flags, writer)
  memory.write(control, writer.bytes.subarray(0, writer.size))
  const { from } = message
  if (name !== 0 && from !== undefined) memory.write(name, from.subarray(0, nameBytes))
  const isCut = !file.isStream && message.size > totalOf(parts)
  const told =
    (flags & Msg.CMSG_CLOEXEC) | (writer.isCut ? Msg.CTRUNC : 0) | (isCut ? Msg.TRUNC : 0) | file.messageFlags
  writeHeader(memory, at, name === 0 ? undefined : (from?.length ?? 0), writer.size, told)
  return count
}

const totalOf = (parts: readonly Part[]): number => parts.reduce((sum, [, length]) => sum + length, 0)

/** Files that came get descriptors, as many as there is room for; the others are closed. */
function installRights(task: Task, message: ReceivedWith, flags: number, writer: ControlWriter): void {
  const files = message.rights
  message.rights = []
  if (files.length === 0) return
  const limit = task.process.limits.soft[Limit.NOFILE]!
  const fds: number[] = []
  for (const file of files) {
    const fits = (fds.length + 1) * 4 <= writer.room
    const fd = fits ? task.files.add(file, (flags & Msg.CMSG_CLOEXEC) !== 0, limit) : -1
    if (fd >= 0) fds.push(fd)
    else {
      writer.isCut = true
      file.close(undefined)
    }
  }
  if (fds.length === 0) return
  const data = new Uint8Array(fds.length * 4)
  const view = new DataView(data.buffer)
  for (const [n, fd] of fds.entries()) view.setInt32(n * 4, fd, true)
  writer.put({ level: Level.SOCKET, type: Scm.RIGHTS, data })
}

/** How far a call of several messages is. */
interface Many {
  done: number
  /** What has come of the message that is being received. */
  message: ReceivedWith
  /** No further message is begun after this: virtual nanoseconds. */
  readonly end: number
}

/** Makes a call for each of several messages. Answers how many, or what the first one answered. */
function many(
  task: Task,
  at: number,
  count: number,
  end: () => number | undefined,
  act: (header: number, many: Many) => number,
): number {
  if (task.scratch === undefined) {
    const time = end()
    if (time === undefined) return -Errno.EINVAL
    task.scratch = { done: 0, message: receivedWith(), end: time } satisfies Many
  }
  const state = task.scratch as Many
  const { kernel } = task
  while (state.done < Math.min(count, MOST_VECTORS)) {
    const header = at + state.done * MMSG_BYTES
    let answer: number
    try {
      kernel.memory.check(header + MMSG_COUNT, 4)
      answer = act(header, state)
    } catch (reason) {
      // What went before a bad address has gone.
      if (reason === BAD_ADDRESS && state.done > 0) return state.done
      throw reason
    }
    if (answer === Answer.BLOCK) return answer
    if (answer < 0) return state.done > 0 ? state.done : answer
    kernel.memory.set32(header + MMSG_COUNT, answer)
    state.done++
    state.message = receivedWith()
    task.progress = 0
    task.deadline = Number.POSITIVE_INFINITY
    if (kernel.now >= state.end) break
  }
  return state.done
}

export function sendmmsg(task: Task, fd: number, at: number, count: number, flags: number): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  return many(
    task,
    at,
    count,
    () => Number.POSITIVE_INFINITY,
    (header) => sendOne(task, file, header, flags),
  )
}

/** `end`: when its time is over; undefined for a time that is none. */
export function recvmmsg(
  task: Task,
  fd: number,
  at: number,
  count: number,
  flags: number,
  end: () => number | undefined,
): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  return many(task, at, count, end, (header, { done, message }) => {
    const waits = done > 0 && (flags & Msg.WAITFORONE) !== 0 ? flags | Msg.DONTWAIT : flags
    return receiveOne(task, file, header, waits & ~Msg.WAITFORONE, message)
  })
}
