/** System V IPC, by number: calls of their own, and ipc(2), which is all of them in one. */
import { Errno } from '../../errno.ts'
import { msgctl, msgget, msgrcv, msgsnd } from '../../ipc/messages.ts'
import { Ipc } from '../../ipc/objects.ts'
import { semctl, semget, semop } from '../../ipc/semaphores.ts'
import { shmat, shmctl, shmdt, shmget } from '../../ipc/shared-memory.ts'
import type { Task } from '../../system.ts'
import { deadlineOf } from '../../tasks/time-calls.ts'
import { bits, int, pointer, size } from '../decoders.ts'
import { type CallRow, call } from '../table.ts'

// biome-ignore format: a table
const Which = {
  SEMOP: 1, SEMGET: 2, SEMCTL: 3, SEMTIMEDOP: 4, MSGSND: 11, MSGRCV: 12, MSGGET: 13, MSGCTL: 14, SHMAT: 21, SHMDT: 22,
  SHMGET: 23, SHMCTL: 24,
} as const

function ipc(task: Task, which: number, a: number, b: number, c: number, at: number, e: number): number {
  const { memory } = task.kernel
  switch (which & 0xffff) {
    case Which.SEMOP:
      return semop(task, a, at, b >>> 0, Number.POSITIVE_INFINITY)
    case Which.SEMTIMEDOP:
      return semop(task, a, at, b >>> 0, deadlineOf(task, e >>> 0, false))
    case Which.SEMGET:
      return semget(task, a, b, c)
    case Which.SEMCTL:
      return at === 0 ? -Errno.EINVAL : semctl(task, a, b, c & ~Ipc.IPC_64, memory.get32(at) | 0)
    case Which.MSGSND:
      return msgsnd(task, a, at, b, c)
    case Which.MSGRCV:
      // An older form has the address and the type in memory.
      if (which >>> 16 !== 0) return msgrcv(task, a, at, b, e, c)
      return at === 0 ? -Errno.EINVAL : msgrcv(task, a, memory.get32(at), b, memory.get32(at + 4) | 0, c)
    case Which.MSGGET:
      return msgget(task, a, b)
    case Which.MSGCTL:
      return msgctl(task, a, b & ~Ipc.IPC_64, at)
    case Which.SHMAT: {
      if (which >>> 16 === 1) return -Errno.EINVAL
      memory.writable(c >>> 0, 4)
      const address = shmat(task, a, at, b)
      if (address < 0) return address
      memory.set32(c >>> 0, address)
      return 0
    }
    case Which.SHMDT:
      return shmdt(task, at)
    case Which.SHMGET:
      return shmget(task, a, b >>> 0, c)
    case Which.SHMCTL:
      return shmctl(task, a, b & ~Ipc.IPC_64, at)
    default:
      return -Errno.ENOSYS
  }
}

// biome-ignore format: a table
export const ipcCalls: readonly CallRow[] = [
  call(117, 'ipc', [size, int, int, int, pointer, int], ipc),
  call(393, 'semget', [int, int, bits], semget),
  call(394, 'semctl', [int, int, int, int], semctl),
  call(395, 'shmget', [int, size, bits], shmget),
  call(396, 'shmctl', [int, int, pointer], shmctl),
  call(397, 'shmat', [int, pointer, bits], shmat),
  call(398, 'shmdt', [pointer], shmdt),
  call(399, 'msgget', [int, bits], msgget),
  call(400, 'msgsnd', [int, pointer, int, bits], msgsnd),
  call(401, 'msgrcv', [int, pointer, int, int, bits], msgrcv, 'no MSG_COPY'),
  call(402, 'msgctl', [int, int, pointer], msgctl),
  call(420, 'semtimedop_time64', [int, pointer, size, pointer], (t, i, a, n, d) => semop(t, i, a, n, deadlineOf(t, d, true))),
]
