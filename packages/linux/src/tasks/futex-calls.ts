/** futex(2): its operations. Those of priority inheritance are not there. */
import { Refused } from '../abi/decoders.ts'
import { readTimespec } from '../abi/i386/structs.ts'
import { Errno } from '../errno.ts'
import { BAD_ADDRESS } from '../memory/user-memory.ts'
import type { Task } from '../system.ts'
import { clockStart, deadlineOf } from './time-calls.ts'

// biome-ignore format: a table
const Futex = { WAIT: 0, WAKE: 1, REQUEUE: 3, CMP_REQUEUE: 4, WAKE_OP: 5, WAIT_BITSET: 9, WAKE_BITSET: 10 } as const
const PRIVATE = 128
const CLOCK_REALTIME = 256

export function futex(
  task: Task,
  address: number,
  operation: number,
  value: number,
  time: number,
  second: number,
  third: number,
  wide: boolean,
): number {
  const { futexes, memory } = task.kernel
  const command = operation & 0x7f
  const isPrivate = (operation & PRIVATE) !== 0
  const isWait = command === Futex.WAIT || command === Futex.WAIT_BITSET
  let deadline = Number.POSITIVE_INFINITY
  const clockQueue = (operation & CLOCK_REALTIME) !== 0 && time !== 0 ? task.kernel.time.sleepers : undefined
  if (isWait && time !== 0) {
    const relative = command === Futex.WAIT
    const end = relative ? deadlineOf(task, time, wide) : readTimespec(memory, time, wide)
    if (end === undefined) return -Errno.EINVAL
    deadline = relative ? end : end + clockStart(task, (operation & CLOCK_REALTIME) !== 0 ? 0 : 1)
  }
  if ((operation & CLOCK_REALTIME) !== 0 && command !== Futex.WAIT_BITSET) return -Errno.ENOSYS
  // (Without a mask nobody is woken, and that is seen first.)
  if ((command === Futex.WAIT_BITSET || command === Futex.WAKE_BITSET) && third === 0) return -Errno.EINVAL
  const isRequeue = command === Futex.REQUEUE || command === Futex.CMP_REQUEUE
  if (isRequeue && (value < 0 || (time | 0) < 0)) return -Errno.EINVAL
  const key = (at: number): number => keyOf(task, at, isPrivate)
  switch (command) {
    case Futex.WAIT:
    case Futex.WAIT_BITSET:
      key(address)
      return futexes.wait(task, address, value, command === Futex.WAIT ? -1 : third, deadline, isPrivate, clockQueue)
    case Futex.WAKE:
      return futexes.wake(key(address), value, -1)
    case Futex.WAKE_BITSET:
      return futexes.wake(key(address), value, third)
    case Futex.CMP_REQUEUE:
    case Futex.REQUEUE: {
      const [from, to] = [key(address), key(second)]
      if (command === Futex.CMP_REQUEUE && (memory.get32(address) | 0) !== third) return -Errno.EAGAIN
      return futexes.requeue(from, to, value, time)
    }
    case Futex.WAKE_OP:
      return wakeOp(task, [key(address), key(second)], value, time, second, third)
    default:
      return -Errno.ENOSYS
  }
}

/** What a word is known by. One that others may know must be there, and be writable where it is the process's own. */
function keyOf(task: Task, address: number, isPrivate: boolean): number {
  const { futexes, memory } = task.kernel
  if (address % 4 !== 0) throw new Refused(-Errno.EINVAL)
  if (!isPrivate) {
    const area = task.space.areas.at(Math.floor(address / 4096))
    if (area?.shared) memory.get32(address)
    else memory.writable(address, 4)
  } else if (address >= 0xc000_0000) throw BAD_ADDRESS
  return futexes.keyOf(task.space, address, isPrivate)
}

/** FUTEX_WAKE_OP: changes the second word, and wakes those that wait for it if it was as compared. */
function wakeOp(
  task: Task,
  [first, other]: readonly [number, number],
  value: number,
  most: number,
  second: number,
  operation: number,
): number {
  const { futexes, memory } = task.kernel
  const kind = (operation >> 28) & 7
  const compare = (operation >> 24) & 15
  const sign = (bits12: number): number => (bits12 << 20) >> 20
  let argument = sign((operation >> 12) & 0xfff)
  const expected = sign(operation & 0xfff)
  if (operation < 0) argument = 1 << (argument & 31)
  const before = memory.get32(second) | 0
  const after = [argument, before + argument, before | argument, before & ~argument, before ^ argument][kind]
  const matches = [
    before === expected,
    before !== expected,
    before < expected,
    before <= expected,
    before > expected,
    before >= expected,
  ][compare]
  if (after === undefined || matches === undefined) return -Errno.ENOSYS
  memory.set32(second, after)
  const woken = futexes.wake(first, value, -1)
  return woken + (matches ? futexes.wake(other, most, -1) : 0)
}
