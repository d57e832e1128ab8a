/** Whom the kernel charges memory to: the accounts of control groups, or nobody. */
import { MemoryKind } from '@vmexit/cgroup'

/** Takes bytes or refuses them, and gets them back. */
export interface MemoryPayer {
  charge(bytes: number, kind?: MemoryKind): boolean
  uncharge(bytes: number, kind?: MemoryKind): void
}

/** Who pays at the moment: whoever has paid gets it back, wherever the one who asked is by then. */
export interface Account {
  readonly memory: MemoryPayer
  /** Charges in `act` that are refused kill nobody: whoever asks can do without. */
  withoutKill(act: () => boolean): boolean
}

export { MemoryKind }

/** An account that refuses nothing and keeps nothing. */
export const unlimited: Account = { memory: { charge: () => true, uncharge: () => {} }, withoutKill: (act) => act() }
