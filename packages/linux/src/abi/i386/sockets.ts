/** Calls on sockets, by number (arch/x86/entry/syscalls/syscall_32.tbl), and socketcall(2), which has them all. */
import { Errno } from '../../errno.ts'
import {
  accept,
  bind,
  connect,
  getpeername,
  getsockname,
  listen,
  shutdown,
  socket,
  socketpair,
} from '../../net/calls.ts'
import { recvfrom, recvmmsg, recvmsg, sendmmsg, sendmsg, sendto } from '../../net/message-calls.ts'
import { getsockopt, setsockopt } from '../../net/option-calls.ts'
import type { Task } from '../../system.ts'
import { bits, bytesGiven, bytesTaken, fd, int, pointer, size } from '../decoders.ts'
import { family, messageFlags, optionLevel, sockaddr, sockaddrTaken, socketType } from '../socket-decoders.ts'
import { type CallRow, call } from '../table.ts'
import { message, messageTaken } from './message-decoders.ts'
import { readTimespec } from './structs.ts'

/** When the time that is at an address is over, from now on. */
function endOf(task: Task, at: number, wide: boolean): () => number | undefined {
  return () => {
    if (at === 0) return Number.POSITIVE_INFINITY
    const time = readTimespec(task.kernel.memory, at, wide)
    return time === undefined ? undefined : task.kernel.now + time
  }
}

function recvmmsgCall(
  task: Task,
  f: number,
  at: number,
  n: number,
  flags: number,
  time: number,
  wide: boolean,
): number {
  return recvmmsg(task, f, at, n, flags, endOf(task, time, wide))
}

// biome-ignore format: a table
const direct: readonly CallRow[] = [
  call(337, 'recvmmsg', [fd, pointer, size, messageFlags, pointer], (t, f, a, n, flags, time) => recvmmsgCall(t, f, a, n, flags, time, false)),
  call(345, 'sendmmsg', [fd, pointer, size, messageFlags], sendmmsg),
  call(359, 'socket', [family, socketType, int], socket, 'AF_UNIX, AF_INET, AF_NETLINK (NETLINK_ROUTE), AF_PACKET; no AF_INET6'),
  call(360, 'socketpair', [family, socketType, int, pointer], socketpair),
  call(361, 'bind', [fd, sockaddr, int], bind),
  call(362, 'connect', [fd, sockaddr, int], connect),
  call(363, 'listen', [fd, int], listen),
  call(364, 'accept4', [fd, sockaddrTaken, pointer, bits], accept),
  call(365, 'getsockopt', [fd, optionLevel, int, pointer, pointer], getsockopt, 'no timestamps, no filters, no error queue'),
  call(366, 'setsockopt', [fd, optionLevel, int, pointer, int], setsockopt, 'no timestamps, no filters, no error queue; SO_LINGER of 0 only'),
  call(367, 'getsockname', [fd, sockaddrTaken, pointer], getsockname),
  call(368, 'getpeername', [fd, sockaddrTaken, pointer], getpeername),
  call(369, 'sendto', [fd, bytesGiven, size, messageFlags, sockaddr, int], sendto),
  call(370, 'sendmsg', [fd, message, messageFlags], sendmsg),
  call(371, 'recvfrom', [fd, bytesTaken, size, messageFlags, sockaddrTaken, pointer], recvfrom, 'no MSG_OOB, no MSG_ERRQUEUE'),
  call(372, 'recvmsg', [fd, messageTaken, messageFlags], recvmsg),
  call(373, 'shutdown', [fd, int], shutdown),
  call(417, 'recvmmsg_time64', [fd, pointer, size, messageFlags, pointer], (t, f, a, n, flags, time) => recvmmsgCall(t, f, a, n, flags, time, true)),
]

const named = (name: string): CallRow => direct.find((row) => row.name === name)!
/** By the number that socketcall(2) has for them. Three of them have no number of their own on i386. */
// biome-ignore format: a table
const subcalls: readonly (CallRow | undefined)[] = [
  undefined, named('socket'), named('bind'), named('connect'), named('listen'),
  call(102, 'accept', [fd, sockaddrTaken, pointer], (t, f, a, n) => accept(t, f, a, n, 0)),
  named('getsockname'), named('getpeername'), named('socketpair'),
  call(102, 'send', [fd, bytesGiven, size, messageFlags], (t, f, a, n, flags) => sendto(t, f, a, n, flags, 0, 0)),
  call(102, 'recv', [fd, bytesTaken, size, messageFlags], (t, f, a, n, flags) => recvfrom(t, f, a, n, flags, 0, 0)),
  named('sendto'), named('recvfrom'), named('shutdown'), named('setsockopt'), named('getsockopt'), named('sendmsg'),
  named('recvmsg'), named('accept4'), named('recvmmsg'), named('sendmmsg'),
]

/** The call that a socketcall(2) is, and its arguments. @throws BAD_ADDRESS. */
function inside(task: Task, number: number, at: number): { row: CallRow; args: Int32Array } | undefined {
  const row = subcalls[number]
  if (row === undefined) return undefined
  const args = new Int32Array(6)
  for (const n of row.parameters.keys()) args[n] = task.kernel.memory.get32(at + n * 4)
  return { row, args }
}

function socketcall(task: Task, number: number, at: number): number {
  const found = inside(task, number, at)
  if (found === undefined) return -Errno.EINVAL
  const [a, b, c, d, e, f] = found.args
  return found.row.run(task, a!, b!, c!, d!, e!, f!)
}

export const socketCalls: readonly CallRow[] = [
  {
    ...call(102, 'socketcall', [int, pointer], socketcall),
    inside: (task, args) => inside(task, args[0]!, args[1]! >>> 0),
  },
  ...direct,
]
