/** prctl(2), as far as programs use it. */
import { Errno } from '../errno.ts'
import { setSeccompMode } from '../seccomp/calls.ts'
import type { Task } from '../system.ts'
import { SecureBit } from './capabilities.ts'
import { ambientSet, boundingSet, setKeepCaps, setSecureBits } from './capability-calls.ts'

// biome-ignore format: a table
const Option = {
  SET_PDEATHSIG: 1, GET_PDEATHSIG: 2, GET_DUMPABLE: 3, SET_DUMPABLE: 4, GET_KEEPCAPS: 7, SET_KEEPCAPS: 8, SET_NAME: 15,
  GET_NAME: 16, GET_SECCOMP: 21, SET_SECCOMP: 22, CAPBSET_READ: 23, CAPBSET_DROP: 24, GET_SECUREBITS: 27,
  SET_SECUREBITS: 28, SET_TIMERSLACK: 29, GET_TIMERSLACK: 30, SET_CHILD_SUBREAPER: 36, GET_CHILD_SUBREAPER: 37,
  SET_NO_NEW_PRIVS: 38, GET_NO_NEW_PRIVS: 39, CAP_AMBIENT: 47, SET_VMA: 0x5356_4d41,
} as const
const TIMER_SLACK = 50_000
const LAST_SIGNAL = 64

export function prctl(task: Task, option: number, a: number, b: number, c: number, d: number): number {
  const { process: proc } = task
  const { memory } = task.kernel
  switch (option) {
    case Option.SET_NAME:
      task.name = (memory.string(a >>> 0, 16) ?? '').slice(0, 15)
      return 0
    case Option.GET_NAME:
      memory.write(
        a >>> 0,
        Uint8Array.from({ length: 16 }, (_, n) => task.name.charCodeAt(n) || 0),
      )
      return 0
    case Option.SET_PDEATHSIG:
      if (a < 0 || a > LAST_SIGNAL) return -Errno.EINVAL
      proc.deathSignal = a
      return 0
    case Option.GET_PDEATHSIG:
      memory.set32(a >>> 0, proc.deathSignal)
      return 0
    case Option.GET_DUMPABLE:
      return proc.isDumpable ? 1 : 0
    case Option.SET_DUMPABLE:
      if (a !== 0 && a !== 1) return -Errno.EINVAL
      proc.isDumpable = a === 1
      return 0
    case Option.GET_KEEPCAPS:
      return (task.ids.secureBits & SecureBit.KEEP_CAPS) !== 0 ? 1 : 0
    case Option.SET_KEEPCAPS:
      return setKeepCaps(task, a)
    case Option.GET_SECCOMP:
      return task.seccomp?.mode ?? 0
    case Option.SET_SECCOMP:
      return setSeccompMode(task, a, b >>> 0)
    case Option.CAPBSET_READ:
      return boundingSet(task, a, false)
    case Option.CAPBSET_DROP:
      return boundingSet(task, a, true)
    case Option.GET_SECUREBITS:
      return task.ids.secureBits
    case Option.SET_SECUREBITS:
      return setSecureBits(task, a)
    case Option.GET_TIMERSLACK:
      return TIMER_SLACK
    case Option.SET_CHILD_SUBREAPER:
      proc.isSubreaper = a !== 0
      return 0
    case Option.GET_CHILD_SUBREAPER:
      memory.set32(a >>> 0, proc.isSubreaper ? 1 : 0)
      return 0
    case Option.SET_NO_NEW_PRIVS:
      if (a !== 1 || b !== 0 || c !== 0 || d !== 0) return -Errno.EINVAL
      task.noNewPrivileges = true
      return 0
    case Option.GET_NO_NEW_PRIVS:
      return a !== 0 || b !== 0 || c !== 0 || d !== 0 ? -Errno.EINVAL : task.noNewPrivileges ? 1 : 0
    case Option.CAP_AMBIENT:
      return c !== 0 || d !== 0 ? -Errno.EINVAL : ambientSet(task, a, b)
    // Taken, without effect.
    case Option.SET_TIMERSLACK:
    case Option.SET_VMA:
      return 0
    default:
      return -Errno.EINVAL
  }
}
