/** Reads what the guest of `bench boot` says on its serial port, and when: milestones of the boot, beginnings and ends of workloads. */

import { Lines } from '../lines.ts'

/** What a machine has used up at a moment. */
export interface Reading {
  /** Milliseconds since the process began to measure. */
  readonly wall: number
  /** Milliseconds of processor time, of all threads of the process. */
  readonly cpu: number
  /** Instructions that the guest has retired. */
  readonly instructions: number
}

/** What one boot of one system was like. Times in milliseconds. */
export interface BootRecord {
  readonly system: string
  readonly date: string
  readonly milestones: Record<string, number>
  readonly milestoneCpu: Record<string, number>
  readonly milestoneInsns: Record<string, number>
  readonly workloads: Record<string, number>
  readonly workloadCpu: Record<string, number>
  readonly insns: Record<string, number>
  /** Check sums of the compiled programs, and the last line that each other workload printed. */
  readonly results: Record<string, { readonly ops: number; readonly guestNs: number; readonly check: string }>
  readonly output: Record<string, string>
  /** Workloads that ended with another code than 0. */
  readonly failed: string[]
  /** KiB of memory that the process had resident at most. */
  readonly vmHwmKiB: number
}

/** Lines of the guest by which to tell how far it is, in the order in which they come. */
const MILESTONES: readonly (readonly [name: string, line: RegExp])[] = [
  ['kernel', /^(\[[\s\d.]+\] )?Linux version /],
  ['freeing', /Freeing unused kernel image/],
  ['init', /^@@INIT/],
  ['shell', /^@@SHELL/],
  ['done', /^@@DONE/],
]

/** Feed it the serial output; it asks `read` at the end of each line that matters. */
export class Timeline {
  readonly record: Omit<BootRecord, 'vmHwmKiB'>
  readonly #read: () => Reading
  readonly #lines = new Lines((line) => this.#take(line))
  #open: { name: string; at: Reading } | undefined

  constructor(system: string, read: () => Reading, date: string) {
    this.#read = read
    this.record = {
      system,
      date,
      milestones: {},
      milestoneCpu: {},
      milestoneInsns: {},
      workloads: {},
      workloadCpu: {},
      insns: {},
      results: {},
      output: {},
      failed: [],
    }
  }

  /** The guest has said that it is done. */
  get done(): boolean {
    return 'done' in this.record.milestones
  }

  /** The record of a boot that is over. */
  finish(vmHwmKiB: number): BootRecord {
    return { ...this.record, vmHwmKiB }
  }

  feed(bytes: Iterable<number>): void {
    this.#lines.feed(bytes)
  }

  #take(line: string): void {
    const { record } = this
    for (const [name, expected] of MILESTONES) {
      if (name in record.milestones || !expected.test(line)) continue
      const { wall, cpu, instructions } = this.#read()
      record.milestones[name] = round(wall)
      record.milestoneCpu[name] = round(cpu)
      record.milestoneInsns[name] = instructions
    }
    const [mark, name = '', code = ''] = line.split(' ')
    if (mark === '@@S') this.#open = { name, at: this.#read() }
    else if (mark === '@@E') this.#close(name, code)
    else if (mark === '@@R') this.#result(name, line)
    else if (this.#open && line !== '' && !line.startsWith('[')) record.output[this.#open.name] = line
  }

  #close(name: string, code: string): void {
    const open = this.#open
    if (open?.name !== name) return
    const { record } = this
    const { wall, cpu, instructions } = this.#read()
    record.workloads[name] = round(wall - open.at.wall)
    record.workloadCpu[name] = round(cpu - open.at.cpu)
    record.insns[name] = instructions - open.at.instructions
    if (code !== '0') record.failed.push(name)
    this.#open = undefined
  }

  #result(name: string, line: string): void {
    const found = /ops=(\d+) ns=(\d+) .*check=(\w+)/.exec(line)
    if (found) this.record.results[name] = { ops: Number(found[1]), guestNs: Number(found[2]), check: found[3]! }
  }
}

const round = (ms: number): number => Math.round(ms * 100) / 100
