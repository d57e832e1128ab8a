/** What a row of a comparison is: a program, and how often it does its work. */
import type { Counts } from '@vmexit/core'
import { type ProgramName, programs, readProgram } from '@vmexit/guests'

/** A row: a static i386 Linux program that prints the markers of `@vmexit/guests`. */
export interface Workload {
  readonly name: string
  /** `Null system call`. */
  readonly title: string
  /** What is done in one repetition. */
  readonly unit: string
  /** The program does its work three times as often. */
  readonly count: number
  /** The ELF file. */
  readonly image: () => Uint8Array
  /** Events of a repetition that no counter counts, from the program's source: `system-calls`, `port-reads`. */
  readonly does: Counts
}

/** Enough repetitions for a slope, and no more; system calls and port reads of one, as the C sources have them. */
const ROWS: Readonly<Record<ProgramName, readonly [count: number, does: Counts]>> = {
  syscall: [1000, { 'system-calls': 1 }],
  in: [1000, { 'port-reads': 1 }],
  cpuid: [1000, {}],
  callret: [5000, {}],
  pgfault: [200, { 'system-calls': 1 }],
  divzero: [200, { 'system-calls': 1 }],
  ptemod: [200, { 'system-calls': 1 }],
  switch: [100, { 'system-calls': 4 }],
  fork: [20, { 'system-calls': 3 }],
  exec: [10, { 'system-calls': 4 }],
  mmap: [20, { 'system-calls': 2 }],
  random: [20_000, {}],
  integer: [50, {}],
  float: [50, {}],
  copy: [20, {}],
  files: [20, { 'system-calls': 7 }],
}

/** The programs of `@vmexit/guests`. */
export const workloads: readonly Workload[] = programs.map(({ name, title, unit }) => {
  const [count, does] = ROWS[name]
  return { name, title, unit, count, does, image: () => readProgram(name) }
})
