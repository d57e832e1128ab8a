/**
 * Moving data between sockets and the memory of programs (send(2), recv(2), read(2), write(2)): what waits and for how long, what is
 * in pieces, SIGPIPE. A call that is made again goes on where `task.progress` says.
 *
 * Every address is looked at before anything is taken out of a socket, so that a call that answers EFAULT has lost nothing.
 */
import { Answer, Errno } from '../errno.ts'
import type { Part } from '../files/vectors.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import { Family, Msg } from './constants.ts'
import { PIECE } from './network.ts'
import { type ReceivedWith, receivedWith, type SentWith, type SocketFile } from './socket-file.ts'

const NOTHING = new Uint8Array(0)

/** The call would have to wait: BLOCK, or what it answers as it must not, or as its time is over, or a signal has come. */
export function waitOn(task: Task, file: SocketFile, flags: number, timeout: number): number {
  const { kernel } = task
  kernel.nonBlocking = file.isNonBlocking || (flags & Msg.DONTWAIT) !== 0
  if (timeout === Number.POSITIVE_INFINITY) return kernel.block(file.queue)
  if (task.deadline === Number.POSITIVE_INFINITY) task.deadline = kernel.now + timeout
  if (kernel.now >= task.deadline) return -Errno.EAGAIN
  return kernel.blockUntil(task.deadline, file.queue, -Errno.EINTR)
}

/** Room for bytes that nobody keeps: the same at each call. */
const buffer = (task: Task, length: number): Uint8Array => task.kernel.network.buffer.subarray(0, length)

const totalOf = (parts: readonly Part[]): number => parts.reduce((sum, [, length]) => sum + length, 0)

/** Pieces of vectors, from a position on, so many bytes. */
function* pieces(parts: readonly Part[], from: number, length: number): Generator<Part> {
  let before = 0
  let at = from
  const end = from + length
  for (const [address, size] of parts) {
    if (at >= end) return
    if (at < before + size) {
      const count = Math.min(end, before + size) - at
      yield [address + at - before, count]
      at += count
    }
    before += size
  }
}

/** Sends what lies in vectors: bytes, or an answer. @throws BAD_ADDRESS. */
export function sendFrom(task: Task, file: SocketFile, parts: readonly Part[], message: SentWith = PLAIN): number {
  const answer = file.isStream ? sendStream(task, file, parts, message) : sendMessage(task, file, parts, message)
  if (answer === -Errno.EPIPE && (message.flags & Msg.NOSIGNAL) === 0) file.brokenPipe(task)
  return answer
}
const PLAIN: SentWith = { to: undefined, flags: 0, rights: [], controls: [] }

function sendMessage(task: Task, file: SocketFile, parts: readonly Part[], message: SentWith): number {
  const total = totalOf(parts)
  if (total > file.largest) return -Errno.EMSGSIZE
  const bytes = new Uint8Array(total)
  gather(task, parts, 0, bytes)
  const count = file.send(task, bytes, message)
  return count === -Errno.EAGAIN ? waitOn(task, file, message.flags, file.sendTimeout) : count
}

function sendStream(task: Task, file: SocketFile, parts: readonly Part[], message: SentWith): number {
  const total = totalOf(parts)
  for (;;) {
    const bytes = buffer(task, Math.min(PIECE, total - task.progress))
    const there = gather(task, parts, task.progress, bytes)
    // Files go with the first byte.
    const rest = task.progress === 0 ? message : { ...message, rights: [] }
    const count = there === 0 && task.progress > 0 ? 0 : file.send(task, bytes.subarray(0, there), rest)
    if (count >= 0) {
      task.progress += count
      if (task.progress >= total || (count === 0 && there < bytes.length)) return task.progress
      if (count === there) continue
    } else if (count !== -Errno.EAGAIN) return task.progress > 0 ? task.progress : count
    const answer = waitOn(task, file, message.flags, file.sendTimeout)
    return answer === Answer.BLOCK || task.progress === 0 ? answer : task.progress
  }
}

/** Reads vectors from a position on; fewer bytes than there is room for where an address is wrong. @throws BAD_ADDRESS for the first one. */
function gather(task: Task, parts: readonly Part[], from: number, into: Uint8Array): number {
  const { memory } = task.kernel
  let done = 0
  for (const [address, length] of pieces(parts, from, into.length)) {
    for (let at = 0; at < length; ) {
      const part = memory.part(address + at, length - at)
      try {
        memory.read(address + at, into.subarray(done, done + part))
      } catch (reason) {
        if (reason !== BAD_ADDRESS || from + done === 0) throw reason
        return done
      }
      done += part
      at += part
    }
  }
  return done
}

/** Stores bytes in vectors from a position on. */
function scatter(task: Task, parts: readonly Part[], from: number, bytes: Uint8Array): void {
  let done = 0
  for (const [address, length] of pieces(parts, from, bytes.length)) {
    task.kernel.memory.write(address, bytes.subarray(done, done + length))
    done += length
  }
}

function check(task: Task, parts: readonly Part[], from: number, length: number): void {
  for (const [address, size] of pieces(parts, from, length)) task.kernel.memory.check(address, size)
}

/** Files that come with what is read without a place for them are closed. */
export function dropRights(message: ReceivedWith): void {
  for (const file of message.rights) file.close(undefined)
  message.rights = []
}

/** As read(2) receives: bytes alone. @throws BAD_ADDRESS. */
export function readInto(task: Task, file: SocketFile, parts: readonly Part[]): number {
  const message = receivedWith()
  const count = receiveInto(task, file, parts, 0, message)
  dropRights(message)
  return count
}

/** Receives into vectors: bytes, or an answer. What came besides is in `message`. @throws BAD_ADDRESS. */
export function receiveInto(
  task: Task,
  file: SocketFile,
  parts: readonly Part[],
  flags: number,
  message: ReceivedWith,
): number {
  if ((flags & Msg.ERRQUEUE) !== 0) return -Errno.EAGAIN
  return file.isStream
    ? receiveStream(task, file, parts, flags, message)
    : receiveMessage(task, file, parts, flags, message)
}

function receiveMessage(
  task: Task,
  file: SocketFile,
  parts: readonly Part[],
  flags: number,
  message: ReceivedWith,
): number {
  const size = Math.min(totalOf(parts), file.next)
  check(task, parts, 0, size)
  const bytes = size === 0 ? NOTHING : new Uint8Array(size)
  const count = file.receive(bytes, flags, message)
  if (count === -Errno.EAGAIN) return waitOn(task, file, flags, file.receiveTimeout)
  if (count < 0) return count
  scatter(task, parts, 0, bytes.subarray(0, count))
  return (flags & Msg.TRUNC) !== 0 ? message.size : count
}

function receiveStream(
  task: Task,
  file: SocketFile,
  parts: readonly Part[],
  flags: number,
  message: ReceivedWith,
): number {
  const total = totalOf(parts)
  const isThrownAway = file.family === Family.INET && (flags & (Msg.TRUNC | Msg.PEEK)) === Msg.TRUNC
  for (;;) {
    const size = Math.min(PIECE, total - task.progress, file.next)
    try {
      if (!isThrownAway) check(task, parts, task.progress, size)
    } catch (reason) {
      if (reason === BAD_ADDRESS && task.progress > 0) return task.progress
      throw reason
    }
    const bytes = buffer(task, size)
    const count = file.receive(bytes, flags, message)
    if (count > 0) {
      if (!isThrownAway) scatter(task, parts, task.progress, bytes.subarray(0, count))
      task.progress += count
      const isOver = (flags & Msg.PEEK) !== 0 || message.rights.length > 0 || task.progress >= total
      if (isOver || (file.next === 0 && (flags & Msg.WAITALL) === 0)) return task.progress
      // (Bytes of another sender, or with other files, are for the next call.)
      if (count < size && (flags & Msg.WAITALL) === 0) return task.progress
      continue
    }
    if (count !== -Errno.EAGAIN) return task.progress > 0 ? task.progress : count
    if (task.progress > 0 && (flags & Msg.WAITALL) === 0) return task.progress
    const answer = waitOn(task, file, flags, file.receiveTimeout)
    return answer === Answer.BLOCK || task.progress === 0 ? answer : task.progress
  }
}
