/** socket(2), bind(2), listen(2), accept(2), connect(2), getsockname(2), shutdown(2), socketpair(2). */
import { Open } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import { install } from '../files/control.ts'
import type { Task } from '../system.ts'
import { Limit } from '../tasks/limits.ts'
import { FAMILIES, Family, Type } from './constants.ts'
import { InetFile } from './inet-file.ts'
import { NetlinkFile } from './netlink-file.ts'
import { PacketFile } from './packet-file.ts'
import { SocketFile } from './socket-file.ts'
import { waitOn } from './transfer.ts'
import { UnixFile } from './unix/unix-file.ts'

/** `struct sockaddr_storage`. */
export const ADDRESS_BYTES = 128
const FLAGS = Open.O_NONBLOCK | Open.O_CLOEXEC

/** The socket of a descriptor: or −EBADF, −ENOTSOCK. */
export function socketOf(task: Task, fd: number): SocketFile | number {
  const file = task.files.get(fd)
  if (file === undefined) return -Errno.EBADF
  return file instanceof SocketFile ? file : -Errno.ENOTSOCK
}

/** The bytes of an address; −EINVAL for a length that is none. @throws BAD_ADDRESS. */
export function readAddress(task: Task, at: number, length: number): Uint8Array | number {
  if (length < 0 || length > ADDRESS_BYTES) return -Errno.EINVAL
  const bytes = new Uint8Array(length)
  task.kernel.memory.read(at, bytes)
  return bytes
}

/** Sees to it that an address of so many bytes can be stored, where one is wanted: 0 or −EINVAL. @throws BAD_ADDRESS. */
export function checkAddress(task: Task, at: number, lengthAt: number, most: number): number {
  if (at === 0) return 0
  const { memory } = task.kernel
  memory.check(lengthAt, 4)
  const length = memory.get32(lengthAt) | 0
  if (length < 0) return -Errno.EINVAL
  memory.check(at, Math.min(length, most))
  return 0
}

/** Stores an address, as far as there is room for it, and how long it is. @throws BAD_ADDRESS. */
export function writeAddress(task: Task, at: number, lengthAt: number, address: Uint8Array): number {
  const checked = checkAddress(task, at, lengthAt, address.length)
  if (checked < 0 || at === 0) return checked
  const { memory } = task.kernel
  memory.write(at, address.subarray(0, memory.get32(lengthAt)))
  memory.set32(lengthAt, address.length)
  return 0
}

/** Bytes of the addresses of a family at most. */
export function addressBytes(family: number): number {
  return family === Family.UNIX ? 110 : family === Family.NETLINK ? 12 : family === Family.PACKET ? 20 : 16
}

export function socket(task: Task, family: number, typeAndFlags: number, protocol: number): number {
  const type = typeAndFlags & Type.MASK
  const flags = typeAndFlags & ~Type.MASK
  if ((flags & ~FLAGS) !== 0) return -Errno.EINVAL
  if (family < 0 || family >= FAMILIES) return -Errno.EAFNOSUPPORT
  if (type > Type.MOST) return -Errno.EINVAL
  const file = openSocket(task, family, type, protocol, flags & Open.O_NONBLOCK)
  return typeof file === 'number' ? file : install(task, file, flags)
}

function openSocket(task: Task, family: number, type: number, protocol: number, flags: number): SocketFile | number {
  switch (family) {
    case Family.UNIX:
      return UnixFile.open(task, type, protocol, flags)
    case Family.INET:
      return InetFile.open(task, type, protocol, flags)
    case Family.NETLINK:
      return NetlinkFile.open(task, type, protocol, flags)
    case Family.PACKET:
      return PacketFile.open(task, type, protocol, flags)
    default:
      return -Errno.EAFNOSUPPORT
  }
}

export function socketpair(task: Task, family: number, typeAndFlags: number, protocol: number, at: number): number {
  const type = typeAndFlags & Type.MASK
  const flags = typeAndFlags & ~Type.MASK
  const { memory } = task.kernel
  if ((flags & ~FLAGS) !== 0) return -Errno.EINVAL
  memory.check(at, 8)
  if (family !== Family.UNIX) {
    const file = openSocket(task, family, type, protocol, 0)
    if (typeof file === 'number') return file
    file.close(undefined)
    return -Errno.EOPNOTSUPP
  }
  const pair = UnixFile.pair(task, type, protocol, flags & Open.O_NONBLOCK)
  if (typeof pair === 'number') return pair
  const first = install(task, pair[0], flags)
  if (first < 0) {
    pair[1].close(undefined)
    return first
  }
  const second = install(task, pair[1], flags)
  if (second < 0) {
    task.files.close(task.process, first)
    return second
  }
  memory.set32(at, first)
  memory.set32(at + 4, second)
  return 0
}

export function bind(task: Task, fd: number, at: number, length: number): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const address = readAddress(task, at, length)
  return typeof address === 'number' ? address : file.bind(task, address)
}

export function listen(task: Task, fd: number, backlog: number): number {
  const file = socketOf(task, fd)
  return typeof file === 'number' ? file : file.listen(task, backlog)
}

export function accept(task: Task, fd: number, at: number, lengthAt: number, flags: number): number {
  if ((flags & ~FLAGS) !== 0) return -Errno.EINVAL
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const checked = checkAddress(task, at, lengthAt, addressBytes(file.family))
  if (checked < 0) return checked
  // A connection that found no descriptor would be lost.
  if (!task.files.hasRoom(task.process.limits.soft[Limit.NOFILE]!)) return -Errno.EMFILE
  const accepted = file.accept(task, flags & Open.O_NONBLOCK)
  if (accepted === -Errno.EAGAIN) return waitOn(task, file, 0, file.receiveTimeout)
  if (typeof accepted === 'number') return accepted
  const peer = accepted.peerAddress()
  // (Whoever has gone already has no address any more; the connection is one even so.)
  writeAddress(task, at, lengthAt, typeof peer === 'number' ? new Uint8Array(0) : peer)
  return install(task, accepted, flags)
}

/** Waits until there is a connection; `task.progress` says that it is being made. */
export function connect(task: Task, fd: number, at: number, length: number): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  if (task.progress === 0) {
    const address = readAddress(task, at, length)
    if (typeof address === 'number') return address
    const answer = file.connect(task, address)
    if (answer === -Errno.EAGAIN) return waitOn(task, file, 0, file.sendTimeout)
    if (answer !== -Errno.EINPROGRESS && answer !== -Errno.EALREADY) return answer
    if (file.isNonBlocking) return answer
    task.progress = 1
  } else {
    const answer = file.connected()
    if (answer !== -Errno.EALREADY) return answer
  }
  const answer = waitOn(task, file, 0, file.sendTimeout)
  return answer === -Errno.EAGAIN ? -Errno.EINPROGRESS : answer
}

export function getsockname(task: Task, fd: number, at: number, lengthAt: number): number {
  const file = socketOf(task, fd)
  return typeof file === 'number' ? file : writeName(task, at, lengthAt, file.localAddress())
}
export function getpeername(task: Task, fd: number, at: number, lengthAt: number): number {
  const file = socketOf(task, fd)
  if (typeof file === 'number') return file
  const address = file.peerAddress()
  return typeof address === 'number' ? address : writeName(task, at, lengthAt, address)
}
/** Address 0 is none that is not wanted, but a wrong one. */
function writeName(task: Task, at: number, lengthAt: number, address: Uint8Array): number {
  task.kernel.memory.check(lengthAt, 4)
  if (at === 0) task.kernel.memory.check(at, Math.min(1, task.kernel.memory.get32(lengthAt)))
  return writeAddress(task, at, lengthAt, address)
}

export function shutdown(task: Task, fd: number, how: number): number {
  const file = socketOf(task, fd)
  return typeof file === 'number' ? file : file.shutdown(how)
}
