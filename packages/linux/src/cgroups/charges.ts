/**
 * What file systems in memory charge: the data, inodes and names of a tmpfs are paid by the group of whoever makes them
 * ("Control Group v2", *Memory*: what is instantiated stays charged until it is freed).
 *
 * A file system gives back amounts, and does not say whose: they are taken from the group of who frees them as long as it has
 * paid for so many, and else from others, so that no group ever gets back more than it has paid.
 */
import { type ChargeKind, type Charges, type FileSystem, TmpFs, type TmpFsOptions } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Kernel } from '../system.ts'
import { MemoryKind, type MemoryPayer } from '../tasks/account.ts'

/** What Linux's slab takes for an inode of tmpfs with its entry: bytes. */
const INODE_BYTES = 1024

/** An account of one file system. */
export class TmpFsCharges implements Charges {
  readonly errno: number = Errno.ENOMEM
  readonly #kernel: Kernel
  readonly #paid: Record<ChargeKind, Map<MemoryPayer, number>> = { bytes: new Map(), inodes: new Map() }

  constructor(kernel: Kernel) {
    this.#kernel = kernel
  }

  get #payer(): MemoryPayer {
    return this.#kernel.current?.process.account.memory ?? this.#kernel.groups.tree.root.memory
  }

  charge(kind: ChargeKind, amount: number): boolean {
    const payer = this.#payer
    if (!payer.charge(bytesOf(kind, amount), kindOf(kind))) return false
    const paid = this.#paid[kind]
    paid.set(payer, (paid.get(payer) ?? 0) + amount)
    return true
  }

  release(kind: ChargeKind, amount: number): void {
    const own = this.#payer
    let left = this.#take(kind, own, amount)
    for (const payer of [...this.#paid[kind].keys()]) {
      if (left === 0) return
      left = this.#take(kind, payer, left)
    }
  }

  /** The file system is gone, and all that was in it. */
  releaseAll(): void {
    for (const kind of ['bytes', 'inodes'] as const)
      for (const [payer, amount] of [...this.#paid[kind]]) this.#take(kind, payer, amount)
  }

  /** Gives as much back as one has paid. Answers what is left. */
  #take(kind: ChargeKind, payer: MemoryPayer, amount: number): number {
    const paid = this.#paid[kind]
    const has = paid.get(payer) ?? 0
    const taken = Math.min(has, amount)
    if (taken === 0) return amount
    if (taken === has) paid.delete(payer)
    else paid.set(payer, has - taken)
    payer.uncharge(bytesOf(kind, taken), kindOf(kind))
    return amount - taken
  }
}

function bytesOf(kind: ChargeKind, amount: number): number {
  return kind === 'bytes' ? amount : amount * INODE_BYTES
}
function kindOf(kind: ChargeKind): MemoryKind {
  return kind === 'bytes' ? MemoryKind.shmem : MemoryKind.slabReclaimable
}

const chargesOf = new WeakMap<FileSystem, TmpFsCharges>()

/** A tmpfs whose contents are charged; ENOMEM where not even its root can be paid. */
export function chargedTmpFs(kernel: Kernel, options: Omit<TmpFsOptions, 'time' | 'charges'> = {}): TmpFs | number {
  const charges = new TmpFsCharges(kernel)
  // (A tmpfs that cannot have its root is none, and says so by an exception.)
  if (!charges.charge('inodes', 1)) return -Errno.ENOMEM
  charges.release('inodes', 1)
  const fs = new TmpFs({ time: kernel.time, charges, ...options })
  chargesOf.set(fs, charges)
  return fs
}

/** A file system is mounted nowhere any more. */
export function fileSystemGone(fs: FileSystem): void {
  chargesOf.get(fs)?.releaseAll()
}
