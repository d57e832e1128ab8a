/** Data from file to file: copy_file_range(2), splice(2), tee(2), vmsplice(2). Bytes are copied; no page changes its owner. */
import { isDirectory, Open } from '@vmexit/vfs'
import { Answer, Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { pipeOf } from './control.ts'
import { isPlain, readv, writeBytes, writev } from './io.ts'
import type { OpenFile } from './open-file.ts'

const { O_APPEND } = Open
const MOST = 0x7fff_f000
const PIECE = 65_536
const Splice = { MOVE: 1, NONBLOCK: 2, MORE: 4, GIFT: 8, ALL: 15 } as const

/** A position in memory, or the file's own; and how it is put back. */
interface Place {
  at: number
  keep(at: number): void
}

function placeOf(task: Task, file: OpenFile, address: number): Place | number {
  const { memory } = task.kernel
  if (address !== 0) return { at: memory.get64(address), keep: (at) => memory.set64(address, at) }
  const plain = file.file
  if (plain === undefined) return -Errno.EINVAL
  return {
    at: plain.position,
    keep: (at) => {
      plain.position = at
    },
  }
}

/** Writes bytes to a plain file at a position. */
function put(task: Task, file: OpenFile, bytes: Uint8Array, at: number): number {
  return writeBytes(task, file, bytes, 0, bytes.length, at)
}

function get(task: Task, file: OpenFile, into: Uint8Array, at: number): number {
  const plain = file.file!
  task.kernel.pageCache.known(plain.inode)?.flush()
  return task.kernel.vfs.pread(plain, into, 0, into.length, at)
}

export function copyFileRange(
  task: Task,
  from: number,
  fromAt: number,
  to: number,
  toAt: number,
  length: number,
  flags: number,
): number {
  const source = task.files.get(from)
  const target = task.files.get(to)
  if (source === undefined || target === undefined) return -Errno.EBADF
  const start = placeOf(task, source, fromAt)
  const end = placeOf(task, target, toAt)
  if (flags !== 0) return -Errno.EINVAL
  for (const { file } of [source, target]) if (file !== undefined && isDirectory(file.inode.mode)) return -Errno.EISDIR
  if (!isPlain(source) || !isPlain(target) || typeof start === 'number' || typeof end === 'number') return -Errno.EINVAL
  if (!source.isReadable || !target.isWritable || (target.flags & O_APPEND) !== 0) return -Errno.EBADF
  if (start.at < 0 || end.at < 0) return -Errno.EINVAL
  const wanted = Math.max(0, Math.min(length, MOST, source.file!.inode.size - start.at))
  if (source.file!.inode === target.file!.inode && start.at < end.at + wanted && end.at < start.at + wanted)
    return -Errno.EINVAL
  let done = 0
  while (done < wanted) {
    const piece = new Uint8Array(Math.min(PIECE, wanted - done))
    const got = get(task, source, piece, start.at + done)
    const count = got <= 0 ? got : put(task, target, piece.subarray(0, got), end.at + done)
    if (count <= 0 && done === 0) return count
    if (count <= 0) break
    done += count
  }
  start.keep(start.at + done)
  end.keep(end.at + done)
  return done
}

export function splice(
  task: Task,
  from: number,
  fromAt: number,
  to: number,
  toAt: number,
  length: number,
  flags: number,
): number {
  if (length === 0) return 0
  if ((flags & ~Splice.ALL) !== 0) return -Errno.EINVAL
  const source = task.files.get(from)
  const target = task.files.get(to)
  if (source === undefined || target === undefined) return -Errno.EBADF
  const [input, output] = [pipeOf(source), pipeOf(target)]
  if ((input !== undefined && fromAt !== 0) || (output !== undefined && toAt !== 0)) return -Errno.ESPIPE
  if (!source.isReadable || !target.isWritable) return -Errno.EBADF
  if (input === undefined && output === undefined) return -Errno.EINVAL
  if (input !== undefined && input === output) return -Errno.EINVAL
  task.kernel.nonBlocking =
    (flags & Splice.NONBLOCK) !== 0 ||
    (input !== undefined && source.isNonBlocking) ||
    (output !== undefined && target.isNonBlocking)
  if (input !== undefined && output !== undefined) {
    const piece = new Uint8Array(Math.min(length, output.capacity - output.length, Math.max(1, input.length)))
    if (piece.length === 0) return task.kernel.block(output.queue)
    const got = input.read(piece, 0, piece.length)
    return got <= 0 ? got : output.write(task, piece, 0, got)
  }
  if (input !== undefined) {
    if ((target.flags & O_APPEND) !== 0) return -Errno.EINVAL
    const place = isPlain(target) ? placeOf(task, target, toAt) : undefined
    if (typeof place === 'number') return place
    const piece = new Uint8Array(Math.min(length, PIECE))
    const got = input.read(piece, 0, piece.length)
    if (got <= 0) return got
    const count =
      place === undefined ? target.write(piece, 0, got) : put(task, target, piece.subarray(0, got), place.at)
    if (count > 0) place?.keep(place.at + count)
    return count
  }
  if (source.file !== undefined && isDirectory(source.file.inode.mode)) return -Errno.EINVAL
  const place = isPlain(source) ? placeOf(task, source, fromAt) : undefined
  if (typeof place === 'number') return place
  const room = output!.capacity - output!.length
  if (room === 0) return task.kernel.block(output!.queue)
  const piece = new Uint8Array(Math.min(length, room))
  const got = place === undefined ? source.read(piece, 0, piece.length) : get(task, source, piece, place.at)
  if (got <= 0) return got
  const count = output!.write(task, piece, 0, got)
  if (count > 0) place?.keep(place.at + count)
  return count
}

export function tee(task: Task, from: number, to: number, length: number, flags: number): number {
  if ((flags & ~Splice.ALL) !== 0) return -Errno.EINVAL
  if (length === 0) return 0
  const source = task.files.get(from)
  const target = task.files.get(to)
  if (source === undefined || target === undefined || !source.isReadable || !target.isWritable) return -Errno.EBADF
  const [input, output] = [pipeOf(source), pipeOf(target)]
  if (input === undefined || output === undefined || input === output) return -Errno.EINVAL
  task.kernel.nonBlocking = (flags & Splice.NONBLOCK) !== 0 || source.isNonBlocking || target.isNonBlocking
  if (input.length === 0) return input.writers === 0 ? 0 : task.kernel.block(input.queue)
  const room = output.capacity - output.length
  if (room === 0) return task.kernel.block(output.queue)
  const piece = new Uint8Array(Math.min(length, room, input.length))
  return output.write(task, piece, 0, input.peek(piece, 0, piece.length))
}

/** The direction is the pipe's end. */
export function vmsplice(task: Task, fd: number, address: number, count: number, flags: number): number {
  if ((flags & ~Splice.ALL) !== 0) return -Errno.EINVAL
  const file = task.files.get(fd)
  if (file === undefined || pipeOf(file) === undefined) return -Errno.EBADF
  if (count === 0) return 0
  const answer = file.isWritable ? writev(task, fd, address, count) : readv(task, fd, address, count)
  return answer === Answer.BLOCK && (flags & Splice.NONBLOCK) !== 0 ? -Errno.EAGAIN : answer
}
