/** Filters of calls (seccomp(2)): what a task has, and what is to be done with a call. */
import { type BpfInstruction, DATA_WORDS, runFilter } from './bpf.ts'

/** SECCOMP_MODE_STRICT and SECCOMP_MODE_FILTER. */
export const SeccompMode = { STRICT: 1, FILTER: 2 } as const

/** What a filter answers, above its sixteen bits of data. */
// biome-ignore format: a table
export const SeccompAction = {
  KILL_PROCESS: 0x8000_0000, KILL_THREAD: 0, TRAP: 0x3_0000, ERRNO: 0x5_0000, USER_NOTIF: 0x7fc0_0000,
  TRACE: 0x7ff0_0000, LOG: 0x7ffc_0000, ALLOW: 0x7fff_0000,
} as const

/** A filter, and those that were there before it: all are asked. */
export interface SeccompFilter {
  readonly program: readonly BpfInstruction[]
  readonly before: SeccompFilter | undefined
}

/** What a task has of it. Never changed, only replaced. */
export interface Seccomp {
  readonly mode: number
  readonly filter: SeccompFilter | undefined
}

/** AUDIT_ARCH_I386. */
export const ARCHITECTURE = 0x4000_0003
/** read, write, exit, sigreturn. */
const STRICT: readonly number[] = [3, 4, 1, 119]
const data = new Uint32Array(DATA_WORDS)

/** What is to be done with a call: an action with its data. The strictest answer counts, of equal ones the newest. */
export function decide(seccomp: Seccomp, call: number, args: Int32Array, ip: number): number {
  if (seccomp.mode === SeccompMode.STRICT)
    return STRICT.includes(call) ? SeccompAction.ALLOW : SeccompAction.KILL_THREAD
  data.fill(0)
  data[0] = call
  data[1] = ARCHITECTURE
  data[2] = ip
  for (let n = 0; n < 6; n++) data[4 + n * 2] = args[n]!
  let answer: number = SeccompAction.ALLOW
  for (let at = seccomp.filter; at !== undefined; at = at.before) {
    const one = runFilter(at.program, data)
    if (actionOf(one) < actionOf(answer)) answer = one
  }
  return answer
}

/** As Linux orders them: signed. */
function actionOf(answer: number): number {
  return (answer & 0xffff_0000) | 0
}
