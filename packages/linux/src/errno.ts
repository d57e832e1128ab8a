/** Error numbers of the kernel, as Linux has them on x86 (asm-generic/errno.h): those of file systems, and the rest. */
import { Errno as FileErrno, NOT_YET } from '@vmexit/vfs'

// biome-ignore format: a table
const others = {
  ENOMSG: 42, EIDRM: 43, ENOCSI: 50, EBADFD: 77, ERESTART: 85, EUSERS: 87, ENOTSOCK: 88, EDESTADDRREQ: 89, EMSGSIZE: 90,
  EPROTOTYPE: 91, ENOPROTOOPT: 92, EPROTONOSUPPORT: 93, ESOCKTNOSUPPORT: 94, EPFNOSUPPORT: 96, EAFNOSUPPORT: 97,
  EADDRINUSE: 98, EADDRNOTAVAIL: 99, ENETDOWN: 100, ENETUNREACH: 101, ENETRESET: 102, ECONNABORTED: 103,
  ECONNRESET: 104, ENOBUFS: 105, EISCONN: 106, ENOTCONN: 107, ESHUTDOWN: 108, ETOOMANYREFS: 109, ETIMEDOUT: 110,
  ECONNREFUSED: 111, EHOSTDOWN: 112, EHOSTUNREACH: 113, ELIBBAD: 80, EALREADY: 114, EINPROGRESS: 115, ECANCELED: 125,
} as const

/** Error numbers by name; calls answer them negated. */
export const Errno: typeof FileErrno & typeof others = { ...FileErrno, ...others }

/**
 * What a handler answers beside values and error numbers. They lie below every error number.
 * - `BLOCK`: the task waits; the handler is run again when it is woken.
 * - `GONE`: the task does not return from this call: it has ended, or its registers are set.
 * - `RESTART`: interrupted by a signal: again, unless a handler without SA_RESTART runs (Linux's ERESTARTSYS).
 * - `RESTART_NOHAND`: again, unless any handler runs (ERESTARTNOHAND). It ends when it would have ended
 *   (ERESTART_RESTARTBLOCK).
 */
export const Answer: {
  readonly BLOCK: -4096
  readonly GONE: -5000
  readonly RESTART: -5001
  readonly RESTART_NOHAND: -5002
} = {
  BLOCK: NOT_YET,
  GONE: -5000,
  RESTART: -5001,
  RESTART_NOHAND: -5002,
}

const names: ReadonlyMap<number, string> = new Map(Object.entries(Errno).map(([name, number]) => [number, name]))

/** The name of an error number, negated or not. */
export function nameOfErrno(error: number): string {
  return names.get(Math.abs(error)) ?? `errno ${Math.abs(error)}`
}
