/** Whom the kernel charges: the hook that a cgroup stands behind. */

/** What is charged: frames of memory, tasks, instructions. */
export type Resource = 'memory' | 'pids' | 'cpu'

/** An account. `charge` is asked before something is handed out; false refuses it. CPU time is told afterwards and never refused. */
export interface Account {
  readonly name: string
  /** Share of the CPU among accounts: cgroup v2's cpu.weight, 100 by default. */
  readonly cpuWeight: number
  charge(resource: Resource, amount: number): boolean
  uncharge(resource: Resource, amount: number): void
}

/** An account that refuses nothing and keeps nothing. */
export const unlimited: Account = { name: '/', cpuWeight: 100, charge: () => true, uncharge: () => {} }
