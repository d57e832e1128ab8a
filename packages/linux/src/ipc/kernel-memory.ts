/** What an object takes of the kernel's memory. Who makes it pays, and all that is taken so has a part of the machine's memory at most. */
import { PAGE } from '../memory/frames.ts'
import type { Kernel, Task } from '../system.ts'
import { MemoryKind, type MemoryPayer } from '../tasks/account.ts'

/** The part of the machine's memory. */
const PART = 1 / 8

/** Bytes that are taken, by kernel. */
const taken = new WeakMap<Kernel, number>()

/** Memory of one object. */
export class KernelMemory {
  readonly #kernel: Kernel
  readonly #payer: MemoryPayer
  #bytes = 0

  constructor({ kernel, process: proc }: Task) {
    this.#kernel = kernel
    this.#payer = proc.account.memory
  }

  /** Takes more; false where it is refused. */
  take(bytes: number): boolean {
    const all = (taken.get(this.#kernel) ?? 0) + bytes
    if (all > this.#kernel.frames.count * PAGE * PART) return false
    if (!this.#payer.charge(bytes, MemoryKind.slabUnreclaimable)) return false
    taken.set(this.#kernel, all)
    this.#bytes += bytes
    return true
  }

  /** Gives all of it back. */
  free(): void {
    this.#payer.uncharge(this.#bytes, MemoryKind.slabUnreclaimable)
    taken.set(this.#kernel, taken.get(this.#kernel)! - this.#bytes)
    this.#bytes = 0
  }
}
