/** Signals by number and name (signal(7)), and sets of them. */

/** Numbers on x86. */
// biome-ignore format: a table
export const Signal = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8, SIGKILL: 9, SIGUSR1: 10,
  SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15, SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19,
  SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22, SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27,
  SIGWINCH: 28, SIGIO: 29, SIGPWR: 30, SIGSYS: 31,
} as const

/** The last one. */
export const LAST_SIGNAL = 64

const names = new Map<number, string>(Object.entries(Signal).map(([name, number]) => [number, name]))

/** `SIGINT`, or `SIGRT_2` of the real-time signals. */
export function signalName(signal: number): string {
  return names.get(signal) ?? `SIGRT_${signal - 32}`
}

/** What a signal does where nobody handles it. */
export type DefaultAction = 'terminate' | 'core' | 'ignore' | 'stop' | 'continue'

const core = new Set<number>([
  ...[Signal.SIGQUIT, Signal.SIGILL, Signal.SIGABRT, Signal.SIGFPE, Signal.SIGSEGV, Signal.SIGBUS],
  ...[Signal.SIGSYS, Signal.SIGTRAP, Signal.SIGXCPU, Signal.SIGXFSZ],
])
const ignore = new Set<number>([Signal.SIGCHLD, Signal.SIGURG, Signal.SIGWINCH])
const stop = new Set<number>([Signal.SIGSTOP, Signal.SIGTSTP, Signal.SIGTTIN, Signal.SIGTTOU])

export function defaultAction(signal: number): DefaultAction {
  if (signal === Signal.SIGCONT) return 'continue'
  if (core.has(signal)) return 'core'
  if (ignore.has(signal)) return 'ignore'
  return stop.has(signal) ? 'stop' : 'terminate'
}

/** Signals that come of what an instruction did: they cannot be put off. */
export const SYNCHRONOUS: readonly number[] = [
  ...[Signal.SIGSEGV, Signal.SIGBUS, Signal.SIGILL, Signal.SIGTRAP, Signal.SIGFPE, Signal.SIGSYS],
]

/** A set of the signals 1 to 64: two words, as programs hand it over. */
export class SignalSet {
  low: number
  high: number

  constructor(low = 0, high = 0) {
    this.low = low
    this.high = high
  }

  has(signal: number): boolean {
    return ((signal <= 32 ? this.low >>> (signal - 1) : this.high >>> (signal - 33)) & 1) !== 0
  }
  add(signal: number): void {
    if (signal <= 32) this.low |= 1 << (signal - 1)
    else this.high |= 1 << (signal - 33)
  }
  delete(signal: number): void {
    if (signal <= 32) this.low &= ~(1 << (signal - 1))
    else this.high &= ~(1 << (signal - 33))
  }
  set(low: number, high: number): void {
    this.low = low
    this.high = high
  }
  /** SIGKILL and SIGSTOP cannot be blocked. */
  setMask(low: number, high: number): void {
    this.low = low & ~((1 << (Signal.SIGKILL - 1)) | (1 << (Signal.SIGSTOP - 1)))
    this.high = high
  }
  copy(): SignalSet {
    return new SignalSet(this.low, this.high)
  }
  get isEmpty(): boolean {
    return this.low === 0 && this.high === 0
  }
  /** The lowest signal that is in the set and not in `blocked`; 0 if there is none. */
  first(blocked: SignalSet): number {
    const low = this.low & ~blocked.low
    if (low !== 0) return 32 - Math.clz32(low & -low)
    const high = this.high & ~blocked.high
    return high === 0 ? 0 : 64 - Math.clz32(high & -high)
  }
}
