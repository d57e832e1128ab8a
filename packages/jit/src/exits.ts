/**
 * Where translations leave to. An exit is a number in their code, the address of four words: the record to go on at,
 * instructions paid for and not executed, the reason in `Layout.leave`, and the outcome.
 */
import type { HostMemory } from '@vmexit/memory'
import { Exit, Outcome } from '@vmexit/x86/engine'

export class Exits {
  readonly #host: HostMemory
  readonly #start: number
  readonly #end: number
  #next: number

  constructor(host: HostMemory, bytes: number) {
    const { address } = host.reserve(bytes, 'exits of translations')
    this.#host = host
    this.#start = address
    this.#next = address
    this.#end = address + bytes
  }

  /** How many more there is room for. */
  get room(): number {
    return (this.#end - this.#next) / Exit.size
  }
  /** Forget all: no translation is left that has one. */
  clear(): void {
    this.#next = this.#start
  }

  /** Go on at a record, which is not paid for. */
  go(record: number): number {
    return this.#add(record, 0, 0, Outcome.go)
  }
  /** Return to TypeScript. */
  leave(record: number, unpaid: number, reason: number): number {
    return this.#add(record, unpaid, reason, Outcome.leave)
  }

  /** Have the instruction at `record` interpreted, and go on from there. */
  interpret(record: number, unpaid: number): number {
    return this.#add(record, unpaid, 0, Outcome.go)
  }

  #add(record: number, unpaid: number, leave: number, outcome: number): number {
    const at = this.#next
    this.#next += Exit.size
    const { i32 } = this.#host
    i32[(at + Exit.record) >> 2] = record
    i32[(at + Exit.unpaid) >> 2] = unpaid
    i32[(at + Exit.leave) >> 2] = leave
    i32[(at + Exit.outcome) >> 2] = outcome
    return at
  }
}
