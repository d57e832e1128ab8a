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
import { family, messageFlags, optionLevel, sockaddr, sockaddrTaken, socketType, subcall } from '../socket-decoders.ts'
import { type CallRow, call } from '../table.ts'
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

type Handler = (task: Task, args: readonly number[]) => number
/** By the number that socketcall(2) has for them: how many arguments, and the call. */
const subcalls: readonly (readonly [words: number, handler: Handler] | undefined)[] = [
  undefined,
  [3, (t, [a, b, c]) => socket(t, a!, b!, c!)],
  [3, (t, [a, b, c]) => bind(t, a!, b! >>> 0, c!)],
  [3, (t, [a, b, c]) => connect(t, a!, b! >>> 0, c!)],
  [2, (t, [a, b]) => listen(t, a!, b!)],
  [3, (t, [a, b, c]) => accept(t, a!, b! >>> 0, c! >>> 0, 0)],
  [3, (t, [a, b, c]) => getsockname(t, a!, b! >>> 0, c! >>> 0)],
  [3, (t, [a, b, c]) => getpeername(t, a!, b! >>> 0, c! >>> 0)],
  [4, (t, [a, b, c, d]) => socketpair(t, a!, b!, c!, d! >>> 0)],
  [4, (t, [a, b, c, d]) => sendto(t, a!, b! >>> 0, c! >>> 0, d!, 0, 0)],
  [4, (t, [a, b, c, d]) => recvfrom(t, a!, b! >>> 0, c! >>> 0, d!, 0, 0)],
  [6, (t, [a, b, c, d, e, f]) => sendto(t, a!, b! >>> 0, c! >>> 0, d!, e! >>> 0, f!)],
  [6, (t, [a, b, c, d, e, f]) => recvfrom(t, a!, b! >>> 0, c! >>> 0, d!, e! >>> 0, f! >>> 0)],
  [2, (t, [a, b]) => shutdown(t, a!, b!)],
  [5, (t, [a, b, c, d, e]) => setsockopt(t, a!, b!, c!, d! >>> 0, e!)],
  [5, (t, [a, b, c, d, e]) => getsockopt(t, a!, b!, c!, d! >>> 0, e! >>> 0)],
  [3, (t, [a, b, c]) => sendmsg(t, a!, b! >>> 0, c!)],
  [3, (t, [a, b, c]) => recvmsg(t, a!, b! >>> 0, c!)],
  [4, (t, [a, b, c, d]) => accept(t, a!, b! >>> 0, c! >>> 0, d!)],
  [5, (t, [a, b, c, d, e]) => recvmmsgCall(t, a!, b! >>> 0, c! >>> 0, d!, e! >>> 0, false)],
  [4, (t, [a, b, c, d]) => sendmmsg(t, a!, b! >>> 0, c! >>> 0, d!)],
]

function socketcall(task: Task, number: number, at: number): number {
  const row = subcalls[number]
  if (row === undefined) return -Errno.EINVAL
  const [words, handler] = row
  return handler(
    task,
    Array.from({ length: words }, (_, n) => task.kernel.memory.get32(at + n * 4) | 0),
  )
}

// biome-ignore format: a table
export const socketCalls: readonly CallRow[] = [
  call(102, 'socketcall', [subcall, pointer], socketcall),
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
  call(370, 'sendmsg', [fd, pointer, messageFlags], sendmsg),
  call(371, 'recvfrom', [fd, bytesTaken, size, messageFlags, sockaddrTaken, pointer], recvfrom, 'no MSG_OOB, no MSG_ERRQUEUE'),
  call(372, 'recvmsg', [fd, pointer, messageFlags], recvmsg),
  call(373, 'shutdown', [fd, int], shutdown),
  call(417, 'recvmmsg_time64', [fd, pointer, size, messageFlags, pointer], (t, f, a, n, flags, time) => recvmmsgCall(t, f, a, n, flags, time, true)),
]
