/** Resource limits (getrlimit(2)). */

/** Numbers of `resource`. */
// biome-ignore format: a table
export const Limit = {
  CPU: 0, FSIZE: 1, DATA: 2, STACK: 3, CORE: 4, RSS: 5, NPROC: 6, NOFILE: 7, MEMLOCK: 8, AS: 9, LOCKS: 10,
  SIGPENDING: 11, MSGQUEUE: 12, NICE: 13, RTPRIO: 14, RTTIME: 15,
} as const
export const LIMITS = 16
/** RLIM_INFINITY. */
export const INFINITE: number = Number.POSITIVE_INFINITY

/** Soft and hard limits of a process, as Debian's kernel sets them for the first one. */
export class Limits {
  readonly soft: number[] = new Array(LIMITS).fill(INFINITE)
  readonly hard: number[] = new Array(LIMITS).fill(INFINITE)

  constructor() {
    this.set(Limit.STACK, 8 << 20, INFINITE)
    this.set(Limit.CORE, 0, INFINITE)
    this.set(Limit.NPROC, 8192, 8192)
    this.set(Limit.NOFILE, 1024, 4096)
    this.set(Limit.MEMLOCK, 8 << 20, 8 << 20)
    this.set(Limit.SIGPENDING, 8192, 8192)
    this.set(Limit.MSGQUEUE, 819_200, 819_200)
    this.set(Limit.NICE, 0, 0)
    this.set(Limit.RTPRIO, 0, 0)
  }

  set(resource: number, soft: number, hard: number): void {
    this.soft[resource] = soft
    this.hard[resource] = hard
  }

  fork(): Limits {
    const copy = new Limits()
    for (let n = 0; n < LIMITS; n++) copy.set(n, this.soft[n]!, this.hard[n]!)
    return copy
  }
}
