/** What happens on `@vmexit/linux`, a kernel outside of the machine, by the names of a comparison. */
import type { Counts } from '@vmexit/core'
import type { LinuxKernel } from '@vmexit/linux'
import { kindOfCall } from './kernel-work.ts'

/** Calls whose answer is a number of bytes that the kernel has moved. */
const MOVING = new Set([
  ...['read', 'write', 'readv', 'writev', 'pread64', 'pwrite64', 'preadv', 'pwritev'],
  ...['sendfile', 'sendfile64', 'readlink', 'readlinkat', 'getdents64', 'getrandom'],
])
const STANDARD_OUTPUT = 1

/** Counts what a kernel does from now on. It takes the place of the kernel's observer. */
export class KernelMeter {
  readonly #kernel: LinuxKernel
  #bytes = 0

  /** `said` is called at the end of each write(2) to standard output, with the bytes that were taken. */
  constructor(kernel: LinuxKernel, said?: (length: number) => void) {
    this.#kernel = kernel
    kernel.observer = {
      end: (_task, number, args, answer) => {
        const name = kernel.calls.rows[number]?.name ?? ''
        if (answer === undefined || answer <= 0 || !MOVING.has(name)) return
        this.#bytes += answer
        if (name === 'write' && args[0] === STANDARD_OUTPUT) said?.(answer)
      },
    }
  }

  /** Everything that has been counted. */
  counts(): Counts {
    const { cpu, counts, callCounts, calls } = this.#kernel
    const { dataMisses, instructionMisses, tableReferences } = cpu.paging.mmu.counts
    const exceptions = cpu.counts.exceptions.reduce((sum, each) => sum + each, 0)
    const faults = cpu.counts.exceptions[14] ?? 0
    const byName: Record<string, number> = { 'memory-calls': 0, 'file-calls': 0, 'plain-calls': 0 }
    let all = 0
    // Every call that there is: a counter that is not there at the first marker would be left out.
    for (const [number, count] of callCounts.entries()) {
      const name = calls.rows[number]?.name ?? calls.absent.get(number)
      if (name === undefined) continue
      all += count
      byName[kindOfCall(name)]! += count
      byName[`system-calls-${name}`] = count
    }
    return {
      instructions: cpu.retired,
      'system-calls': all,
      ...byName,
      'bytes-copied': this.#bytes,
      pages: counts.pages,
      switches: counts.switches,
      signals: counts.signals,
      forks: counts.forks,
      execs: counts.execs,
      'page-faults': faults,
      'other-exceptions': exceptions - faults,
      'tlb-misses': dataMisses + instructionMisses,
      'tlb-misses-data': dataMisses,
      'tlb-misses-code': instructionMisses,
      'walk-references': tableReferences,
    }
  }
}

/** Those of a repetition, without calls that it does not make. What no counter counts comes from the program's source. */
export function eventsOnKernel(costs: Counts, does: Counts): Counts {
  const made = Object.entries(costs).filter(([name, count]) => count !== 0 || !name.startsWith('system-calls-'))
  const { 'port-reads': ports } = does
  return {
    ...Object.fromEntries(made),
    'true-faults': costs['page-faults'] ?? 0,
    ...(ports !== undefined && { 'port-reads': ports }),
  }
}

/** What happened between two moments, by the names of a comparison. */
export function differenceOnKernel(after: Counts, before: Counts): Counts {
  return eventsOnKernel(
    Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)])),
    {},
  )
}

/** A turn of the event loop, wherever this runs. */
export function pause(): Promise<void> {
  return new Promise((done) => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      done()
    }
    port2.postMessage(undefined)
  })
}
