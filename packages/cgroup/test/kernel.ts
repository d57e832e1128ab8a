/** A kernel for tests: a clock that is set by hand, and a list of all it was told. */
import type { Group, Kernel, MemoryAccount, Process } from '../src/index.ts'

/** Remembers what it was told as lines such as `kill 7` or `changed /a memory.events`. */
export class TestKernel implements Kernel {
  time = 0
  readonly log: string[] = []
  /** What reclaim can still free. */
  reclaimable = 0
  onReclaim: (memory: MemoryAccount, freed: number) => void = () => {}
  onOutOfMemory: (memory: MemoryAccount) => boolean = () => false

  now(): number {
    return this.time
  }

  changed(group: Group, file: string): void {
    this.log.push(`changed ${group.path} ${file}`)
  }

  freeze({ pid }: Process, frozen: boolean): void {
    this.log.push(`${frozen ? 'freeze' : 'thaw'} ${pid}`)
  }

  kill({ pid }: Process): void {
    this.log.push(`kill ${pid}`)
  }

  moved({ pid, group }: Process, from: Group): void {
    this.log.push(`moved ${pid} ${from.path} ${group.path}`)
  }

  reclaim(memory: MemoryAccount, bytes: number): number {
    const freed = Math.min(bytes, this.reclaimable)
    this.reclaimable -= freed
    this.onReclaim(memory, freed)
    return freed
  }

  outOfMemory(memory: MemoryAccount): boolean {
    return this.onOutOfMemory(memory)
  }

  /** What has been told since the last call. */
  take(): string[] {
    return this.log.splice(0)
  }
}

/** Whole numbers below a bound, the same for a seed on every host. */
export function randomNumbers(seed: number): (below: number) => number {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}
