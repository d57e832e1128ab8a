/** What a task takes of the kernel's memory: on Linux its stack, here objects of about that size. Its group pays. */
import { type Account, MemoryKind, type MemoryPayer } from './account.ts'

/** THREAD_SIZE of i386. */
const BYTES = 8192

/** A stack that has been paid for. */
export class KernelStack {
  readonly #payer: MemoryPayer

  private constructor(payer: MemoryPayer) {
    this.#payer = payer
  }

  /** A stack; undefined where the account refuses it. */
  static of({ memory }: Account): KernelStack | undefined {
    return memory.charge(BYTES, MemoryKind.kernelStack) ? new KernelStack(memory) : undefined
  }
  free(): void {
    this.#payer.uncharge(BYTES, MemoryKind.kernelStack)
  }
}
