/** prctl(2). */
import { Errno } from '../errno.ts'
import { setSeccompMode } from '../seccomp/calls.ts'
import type { Task } from '../system.ts'
import { SecureBit } from './capabilities.ts'
import { ambientSet, boundingSet, setKeepCaps, setSecureBits } from './capability-calls.ts'
import type { ProcessSettings } from './process-settings.ts'

// biome-ignore format: a table
const Option = {
  SET_PDEATHSIG: 1, GET_PDEATHSIG: 2, GET_DUMPABLE: 3, SET_DUMPABLE: 4, GET_KEEPCAPS: 7, SET_KEEPCAPS: 8,
  GET_TIMING: 13, SET_TIMING: 14, SET_NAME: 15, GET_NAME: 16, GET_SECCOMP: 21, SET_SECCOMP: 22, CAPBSET_READ: 23,
  CAPBSET_DROP: 24, GET_TSC: 25,
  SET_TSC: 26, GET_SECUREBITS: 27, SET_SECUREBITS: 28, SET_TIMERSLACK: 29, GET_TIMERSLACK: 30, SET_CHILD_SUBREAPER: 36,
  GET_CHILD_SUBREAPER: 37, SET_NO_NEW_PRIVS: 38, GET_NO_NEW_PRIVS: 39, GET_TID_ADDRESS: 40, SET_THP_DISABLE: 41, GET_THP_DISABLE: 42,
  CAP_AMBIENT: 47,
} as const

/** Nanoseconds by which timers may be late. */
const SLACK = 50_000
/** Options that take only what is stated: the others must be 0. */
type Switch = Extract<keyof ProcessSettings, string>
const switches: ReadonlyMap<number, readonly [setting: Switch, most: number]> = new Map([
  [Option.SET_PDEATHSIG, ['deathSignal', 64]],
  [Option.SET_DUMPABLE, ['isDumpable', 1]],
])
const answers: ReadonlyMap<number, Switch> = new Map([[Option.GET_DUMPABLE, 'isDumpable']])
const stored: ReadonlyMap<number, Switch> = new Map([
  [Option.GET_PDEATHSIG, 'deathSignal'],
  [Option.GET_TSC, 'timestampCounter'],
  [Option.GET_CHILD_SUBREAPER, 'isSubreaper'],
])

export function prctl(task: Task, option: number, a: number, b: number, c: number, d: number): number {
  const { memory } = task.kernel
  const { settings } = task.process
  const set = switches.get(option)
  if (set !== undefined) {
    if (a < 0 || a > set[1]) return -Errno.EINVAL
    settings[set[0]] = a
    return 0
  }
  const answer = answers.get(option)
  if (answer !== undefined) return settings[answer]
  const kept = stored.get(option)
  if (kept !== undefined) {
    memory.set32(a >>> 0, settings[kept])
    return 0
  }
  switch (option) {
    case Option.SET_NAME:
      task.name = nameAt(task, a >>> 0)
      return 0
    case Option.GET_NAME:
      memory.write(
        a >>> 0,
        Uint8Array.from({ length: 16 }, (_, n) => task.name.charCodeAt(n) || 0),
      )
      return 0
    case Option.SET_TSC:
      if (a !== 1 && a !== 2) return -Errno.EINVAL
      settings.timestampCounter = a
      return 0
    case Option.SET_CHILD_SUBREAPER:
      settings.isSubreaper = a === 0 ? 0 : 1
      return 0
    case Option.GET_TIMING:
      return 0
    case Option.GET_KEEPCAPS:
      return (task.ids.secureBits & SecureBit.KEEP_CAPS) !== 0 ? 1 : 0
    case Option.SET_KEEPCAPS:
      return setKeepCaps(task, a)
    case Option.GET_SECUREBITS:
      return task.ids.secureBits
    case Option.SET_SECUREBITS:
      return setSecureBits(task, a)
    case Option.GET_SECCOMP:
      return task.seccomp?.mode ?? 0
    case Option.SET_SECCOMP:
      return setSeccompMode(task, a, b >>> 0)
    case Option.CAPBSET_DROP:
      return boundingSet(task, a, true)
    case Option.CAP_AMBIENT:
      return c !== 0 || d !== 0 ? -Errno.EINVAL : ambientSet(task, a, b)
    case Option.SET_TIMING:
      return a === 0 ? 0 : -Errno.EINVAL
    case Option.CAPBSET_READ:
      return boundingSet(task, a, false)
    case Option.SET_TIMERSLACK:
      settings.timerSlack = Math.max(0, a)
      return 0
    case Option.GET_TIMERSLACK:
      return settings.timerSlack || SLACK
    case Option.SET_NO_NEW_PRIVS:
      if (a !== 1 || b !== 0 || c !== 0 || d !== 0) return -Errno.EINVAL
      task.noNewPrivileges = true
      return 0
    case Option.GET_NO_NEW_PRIVS:
      return a === 0 && b === 0 && c === 0 && d === 0 ? Number(task.noNewPrivileges) : -Errno.EINVAL
    case Option.GET_TID_ADDRESS:
      memory.set32(a >>> 0, task.clearTid)
      return 0
    case Option.SET_THP_DISABLE:
      if (b !== 0 || c !== 0 || d !== 0) return -Errno.EINVAL
      settings.withoutHugePages = a === 0 ? 0 : 1
      return 0
    case Option.GET_THP_DISABLE:
      return a === 0 && b === 0 && c === 0 && d === 0 ? settings.withoutHugePages : -Errno.EINVAL
    default:
      return -Errno.EINVAL
  }
}

/** At most 15 bytes; more may lie behind them. @throws BAD_ADDRESS. */
function nameAt(task: Task, at: number): string {
  const { memory } = task.kernel
  let name = ''
  for (let n = 0; n < 15; n++) {
    const byte = memory.get8(at + n)
    if (byte === 0) break
    name += String.fromCharCode(byte)
  }
  return name
}
