/**
 * The cpuset controller ("Control Group v2", *Cpuset*): which CPUs and memory nodes a group may use. What it asks for
 * and what its parent has together make what is effective; where nothing is left of that, the parent's is.
 *
 * Partitions and exclusive CPUs are absent.
 */
import { Account } from '../account.ts'
import type { Controlled, Shared } from '../controller.ts'

/** What cpusets know of the machine. */
export interface CpusetNeeds extends Shared {
  readonly cpus: number
  readonly nodes: number
}

/** A set that a group asks for, and the one it has. Numbers ascend. */
export class Allowance {
  /** Empty for the parent's. */
  wanted: readonly number[] = []
  effective: readonly number[]
  #flags: boolean[] = []

  constructor(effective: readonly number[]) {
    this.effective = effective
    this.#index()
  }

  has(number: number): boolean {
    return this.#flags[number] === true
  }

  /** Derives what is effective from what the parent has. */
  derive(parent: Allowance): void {
    const left = this.wanted.filter((number) => parent.has(number))
    this.effective = left.length === 0 ? parent.effective : left
    this.#index()
  }

  #index(): void {
    this.#flags = []
    for (const number of this.effective) this.#flags[number] = true
  }
}

/** CPUs and memory nodes of one group. */
export class CpusetAccount extends Account<CpusetAccount, CpusetNeeds> {
  readonly cpus: Allowance
  readonly mems: Allowance

  constructor(id: number, group: Controlled, parent: CpusetAccount | null, shared: CpusetNeeds) {
    super(id, group, parent, shared)
    this.cpus = new Allowance(parent?.cpus.effective ?? upTo(shared.cpus))
    this.mems = new Allowance(parent?.mems.effective ?? upTo(shared.nodes))
  }

  /** Whether threads of the group may run on the CPU. */
  allows(cpu: number): boolean {
    return this.cpus.has(cpu)
  }

  /** CPUs and nodes of the machine. */
  get limits(): { readonly cpus: number; readonly nodes: number } {
    return this.shared
  }

  /** What is wanted here or above has changed. */
  derive(): void {
    if (this.parent !== null) {
      this.cpus.derive(this.parent.cpus)
      this.mems.derive(this.parent.mems)
    }
    for (const child of this.children) child.derive()
  }
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, number) => number)
