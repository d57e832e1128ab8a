/**
 * What the kernel says of a process: proc(5), `/proc/PID/task/TID/schedstat`, `/proc/PID/stat`, `/proc/PID/status`.
 */
import { readdirSync, readFileSync } from 'node:fs'

/** Milliseconds of processor time of this process, all its threads. */
export function processorTime(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** KiB of memory that this process had resident at most. */
export function peakMemory(): number {
  // What getrusage says is not that of this program alone: before exec the process was a copy of its parent.
  if (process.platform === 'linux') return peakMemoryOf('self')
  return process.resourceUsage().maxRSS
}

/** KiB of memory that a process had resident at most; 0 once it has gone. */
export function peakMemoryOf(pid: number | 'self'): number {
  return peakIn(read(`/proc/${pid}/status`))
}

/** What `/proc/PID/status` has as `VmHWM`. */
export function peakIn(status: string): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0)
}

/** Milliseconds that `/proc/PID/task/TID/schedstat` says. */
export function timeInSchedstat(text: string): number {
  return Number(text.split(' ')[0]) / 1e6
}

/** Milliseconds in user and kernel mode that `/proc/PID/stat` says: hundredths of seconds. */
export function timeInStat(text: string): number {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) * 10
}

/**
 * The processor time of another process, all its threads. The kernel counts a thread's nanoseconds up to the last tick
 * of its scheduler, 1 to 10 ms ago for one that runs; where it does not show them, hundredths of seconds. Time of
 * threads that have ended counts as far as it was seen.
 */
export class ProcessorClock {
  readonly #pid: number
  readonly #threads = new Map<string, number>()
  #last = 0

  constructor(pid: number) {
    this.#pid = pid
  }

  /** Milliseconds; once the process has gone, what was seen last. */
  read(): number {
    for (const thread of threadsOf(this.#pid)) {
      const text = read(`/proc/${this.#pid}/task/${thread}/schedstat`)
      if (text !== '') this.#threads.set(thread, timeInSchedstat(text))
    }
    const counted = [...this.#threads.values()].reduce((sum, ms) => sum + ms, 0)
    this.#last = Math.max(this.#last, this.#threads.size > 0 ? counted : this.#whole())
    return this.#last
  }

  #whole(): number {
    const text = read(`/proc/${this.#pid}/stat`)
    return text === '' ? 0 : timeInStat(text)
  }
}

function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

/** The text of a file, empty where there is none: processes and threads go when they like. */
function read(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
