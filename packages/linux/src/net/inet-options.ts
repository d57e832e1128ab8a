/** Options of sockets of IPv4 (socket(7), ip(7), tcp(7)): numbers are the stack's, structures are laid out here. */
import { IpOption, MessageSocket, type Socket, StreamSocket, TcpOption, tcpStateNumber } from '@vmexit/net'
import { byteStringOf, bytesOf } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Task } from '../system.ts'
import { Level, Option, Type } from './constants.ts'
import type { NetNamespace } from './namespace.ts'
import { mayAdminister, maySendRaw } from './privilege.ts'
import { numberOf, numbers } from './socket-file.ts'

const TCP_INFO = 11
const TCP_CONGESTION = 13
const NAME_BYTES = 16

/** The bytes of an option, or a number, or a negated error number. */
export function getInetOption(socket: Socket, level: number, option: number, room: number): Uint8Array | number {
  if (level === Level.SOCKET) {
    switch (option) {
      case Option.LINGER:
        return numbers(socket.linger === undefined ? 0 : 1, socket.linger ?? 0)
      case Option.PEERCRED:
        return numbers(0, -1, -1)
      case Option.BINDTODEVICE:
        return socket.device === undefined ? new Uint8Array(0) : bytesOf(`${socket.device.name}\0`)
      case Option.PASSCRED:
        return 0
    }
  }
  if (level === Level.TCP && socket instanceof StreamSocket) {
    if (option === TCP_INFO) return tcpInfo(socket)
    if (option === TCP_CONGESTION) return bytesOf('reno'.padEnd(NAME_BYTES, '\0'))
  }
  const own = socket instanceof StreamSocket ? Level.TCP : socket.type === Type.RAW ? Level.RAW : Level.UDP
  if (level !== Level.SOCKET && level !== Level.IP && level !== own) return -Errno.EOPNOTSUPP
  const value = socket.getOption(level, option)
  // Numbers of the level of IP that fit into a byte are a byte for who asks for less than a word.
  if (level === Level.IP && value >= 0 && value <= 255 && room > 0 && room < 4) return Uint8Array.of(value)
  return value
}

/** 0 or a negated error number. */
export function setInetOption(
  task: Task,
  namespace: NetNamespace,
  socket: Socket,
  level: number,
  option: number,
  value: Uint8Array,
): number {
  if (level === Level.SOCKET && option === Option.BINDTODEVICE) return bindToDevice(task, namespace, socket, value)
  if (level === Level.IP && (option === IpOption.addMembership || option === IpOption.dropMembership))
    return membership(socket, option, value)
  if (level === Level.IP && option === IpOption.multicastInterface) return value.length < 4 ? -Errno.EINVAL : 0
  if (level === Level.TCP && option === TCP_CONGESTION)
    return byteStringOf(value).replace(/\0.*$/s, '') === 'reno' ? 0 : -Errno.ENOENT
  const isByte = level === Level.IP && value.length >= 1 && value.length < 4
  const number = isByte ? value[0] : numberOf(value)
  if (number === undefined) return -Errno.EINVAL
  if (level === Level.SOCKET) {
    if (option === Option.LINGER) {
      const seconds = numberOf(value.subarray(4))
      return seconds === undefined ? -Errno.EINVAL : socket.setOption(level, option, number === 0 ? -1 : seconds)
    }
    if (option === Option.PASSCRED) return 0
    if (option === Option.SNDBUFFORCE || option === Option.RCVBUFFORCE) {
      if (!mayAdminister(task, namespace)) return -Errno.EPERM
      return socket.setOption(level, option === Option.SNDBUFFORCE ? Option.SNDBUF : Option.RCVBUF, number)
    }
  }
  if (level === Level.TCP && option === TcpOption.noDelay && !(socket instanceof StreamSocket))
    return -Errno.ENOPROTOOPT
  return socket.setOption(level, option, number)
}

function bindToDevice(task: Task, namespace: NetNamespace, socket: Socket, value: Uint8Array): number {
  const name = byteStringOf(value.subarray(0, NAME_BYTES - 1)).replace(/\0.*$/s, '')
  if (socket.device !== undefined && !maySendRaw(task, namespace)) return -Errno.EPERM
  const device = name === '' ? undefined : namespace.stack.device(name)
  if (name !== '' && device === undefined) return -Errno.ENODEV
  socket.device = device
  return 0
}

/** `struct ip_mreq`, `struct ip_mreqn`. */
function membership(socket: Socket, option: number, value: Uint8Array): number {
  if (!(socket instanceof MessageSocket)) return -Errno.ENOPROTOOPT
  if (value.length < 8) return -Errno.EINVAL
  const group = new DataView(value.buffer, value.byteOffset).getUint32(0)
  return option === IpOption.addMembership ? socket.join(group) : socket.leave(group)
}

/** The first part of `struct tcp_info`, which programs read. Times are microseconds. */
function tcpInfo({ info }: StreamSocket): Uint8Array {
  const bytes = new Uint8Array(104)
  const view = new DataView(bytes.buffer)
  const put = (at: number, value: number): void => view.setUint32(at, value, true)
  bytes[0] = tcpStateNumber[info.state]
  put(16, info.mss)
  put(20, info.mss)
  put(68, info.rtt / 1000)
  put(72, info.rttVariation / 1000)
  put(80, info.mss === 0 ? 0 : info.congestionWindow / info.mss)
  put(84, info.mss)
  put(100, info.retransmitted)
  return bytes
}
