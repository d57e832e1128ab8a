/** getsockopt(2) and setsockopt(2). */
import { IpOption } from '@vmexit/net'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { socketOf } from './calls.ts'
import { Level, Option } from './constants.ts'
import type { SocketFile } from './socket-file.ts'

/** `struct timeval` as the options of time have it: in words, or in double words. */
const TIMEVAL = 8
const WIDE_TIMEVAL = 16
const NAME_BYTES = 15
const TCP_CONGESTION = 13

/** Bytes that an option takes at most: no more are read of what a program gives. */
function bytesTaken(level: number, option: number): number {
  if (level === Level.SOCKET) {
    if (option === Option.LINGER) return 8
    if (option === Option.RCVTIMEO || option === Option.SNDTIMEO) return TIMEVAL
    if (option === Option.RCVTIMEO_NEW || option === Option.SNDTIMEO_NEW) return WIDE_TIMEVAL
    if (option === Option.BINDTODEVICE) return NAME_BYTES
  }
  if (level === Level.IP && (option === IpOption.addMembership || option === IpOption.dropMembership)) return 12
  return level === Level.TCP && option === TCP_CONGESTION ? NAME_BYTES : 4
}

export function setsockopt(task: Task, fd: number, level: number, option: number, at: number, length: number): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  if (length < 0) return -Errno.EINVAL
  const value = new Uint8Array(Math.min(length, bytesTaken(level, option)))
  task.kernel.memory.read(at, value)
  if (level === Level.SOCKET) {
    if (option === Option.RCVTIMEO || option === Option.SNDTIMEO) return setTimeout(file, option, value, TIMEVAL)
    if (option === Option.RCVTIMEO_NEW || option === Option.SNDTIMEO_NEW)
      return setTimeout(file, option - Option.RCVTIMEO_NEW + Option.RCVTIMEO, value, WIDE_TIMEVAL)
  }
  return file.setOption(task, level, option, value)
}

function setTimeout(file: SocketFile, option: number, value: Uint8Array, bytes: number): number {
  if (value.length < bytes) return -Errno.EINVAL
  const view = new DataView(value.buffer)
  const isWide = bytes === WIDE_TIMEVAL
  const seconds = isWide ? Number(view.getBigInt64(0, true)) : view.getInt32(0, true)
  const microseconds = isWide ? Number(view.getBigInt64(8, true)) : view.getInt32(4, true)
  if (microseconds < 0 || microseconds > 999_999) return -Errno.EDOM
  const time = seconds < 0 ? 0 : seconds * 1e9 + microseconds * 1000
  // No time is no end; a time below 0 does not wait.
  const timeout = seconds === 0 && microseconds === 0 ? Number.POSITIVE_INFINITY : time
  if (option === Option.RCVTIMEO) file.receiveTimeout = timeout
  else file.sendTimeout = timeout
  return 0
}

function timeoutOf(file: SocketFile, option: number, bytes: number): Uint8Array {
  const timeout = option === Option.RCVTIMEO ? file.receiveTimeout : file.sendTimeout
  const value = new Uint8Array(bytes)
  const view = new DataView(value.buffer)
  if (timeout === Number.POSITIVE_INFINITY) return value
  const seconds = Math.floor(timeout / 1e9)
  view.setUint32(0, seconds, true)
  view.setUint32(bytes / 2, Math.floor((timeout - seconds * 1e9) / 1000), true)
  return value
}

export function getsockopt(
  task: Task,
  fd: number,
  level: number,
  option: number,
  at: number,
  lengthAt: number,
): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const { memory } = task.kernel
  memory.check(lengthAt, 4)
  const length = memory.get32(lengthAt) | 0
  if (length < 0) return -Errno.EINVAL
  // An error that is pending is taken: nobody may miss it.
  memory.check(at, Math.min(length, 4))
  const value = optionOf(file, level, option, length)
  if (typeof value === 'number' && value < 0) return value
  const bytes = typeof value === 'number' ? wordOf(value) : value
  const count = Math.min(length, bytes.length)
  memory.check(at, count)
  memory.write(at, bytes.subarray(0, count))
  memory.set32(lengthAt, count)
  return 0
}

function optionOf(file: SocketFile, level: number, option: number, length: number): Uint8Array | number {
  if (level === Level.SOCKET) {
    if (option === Option.RCVTIMEO || option === Option.SNDTIMEO) return timeoutOf(file, option, TIMEVAL)
    if (option === Option.RCVTIMEO_NEW || option === Option.SNDTIMEO_NEW)
      return timeoutOf(file, option - Option.RCVTIMEO_NEW + Option.RCVTIMEO, WIDE_TIMEVAL)
  }
  return file.getOption(level, option, length)
}

function wordOf(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value | 0, true)
  return bytes
}
