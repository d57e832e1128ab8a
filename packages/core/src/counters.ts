/**
 * Event counters: what the modelled hardware did, in numbers.
 *
 * A count is a property of the guest and the modelled hardware, never of the engine: equal, number for number, under
 * every engine and on every host. Each CPU, machine and VM has its own instance; nothing here is global.
 */
import { VmexitError } from './errors.ts'

/** Counts by name, at one moment. */
export type Counts = Readonly<Record<string, number>>

/** What one counter counts. */
export interface CounterDeclaration {
  /** Lower-case words joined by `-`: `tlb-miss-data`. Cost profiles price counters by this name. */
  readonly name: string
  /** One line for a report: `Data-side TLB misses`. */
  readonly meaning: string
}

interface Derived extends CounterDeclaration {
  readonly read: () => number
  /** What `read` said at the last reset or restore, less what the counter was set to. */
  baseline: number
}

const namePattern = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/

/**
 * Named counters in the slots of one `Float64Array` (exact up to 2^53).
 *
 * Hot code declares once and then increments the slot: `slots[misses]!++`. The array never moves.
 */
export class Counters {
  /** The counts; index with what {@link declare} returned. */
  readonly slots: Float64Array
  readonly #declared: CounterDeclaration[] = []
  readonly #derived: Derived[] = []

  /** `capacity`: how many counters can be declared, 256 unless told. */
  constructor({ capacity = 256 }: { capacity?: number } = {}) {
    this.slots = new Float64Array(capacity)
  }

  /**
   * Declares a counter and returns its slot. Declaring the same name with the same meaning again returns the same
   * slot, so that several devices may share a counter. Throws a {@link VmexitError}: `counter-name`, `counter-twice`
   * or `counter-capacity`.
   */
  declare(name: string, meaning: string): number {
    const known = this.#known(name, meaning)
    if (known !== undefined && !this.#declared.includes(known)) this.#refuseTwice(name, known.meaning, 'a derived one')
    if (known !== undefined) return this.#declared.indexOf(known)
    if (this.#declared.length === this.slots.length) {
      throw new VmexitError('counter-capacity', {
        problem: `there is no slot left for counter '${name}' after ${this.slots.length}`,
        remedy: 'make them with new Counters({ capacity })',
      })
    }
    return this.#declared.push({ name, meaning }) - 1
  }

  /**
   * Declares a counter whose value is kept elsewhere, such as the instructions that a CPU has retired. `read` returns
   * a number that only grows. Throws as {@link declare} does, and `counter-twice` if the name is declared at all.
   */
  derive(name: string, meaning: string, read: () => number): void {
    const known = this.#known(name, meaning)
    if (known !== undefined) this.#refuseTwice(name, known.meaning, meaning)
    this.#derived.push({ name, meaning, read, baseline: 0 })
  }

  /** Counts one event under a declared name: for code that is not hot. Throws `counter-unknown`. */
  count(name: string, amount = 1): void {
    const slot = this.#declared.findIndex((declaration) => declaration.name === name)
    if (slot < 0) throw this.#unknown(name)
    this.slots[slot]! += amount
  }

  /** One count by name. Throws a {@link VmexitError} `counter-unknown`. */
  get(name: string): number {
    const slot = this.#declared.findIndex((declaration) => declaration.name === name)
    if (slot >= 0) return this.slots[slot]!
    const derived = this.#derived.find((declaration) => declaration.name === name)
    if (derived === undefined) throw this.#unknown(name)
    return derived.read() - derived.baseline
  }

  /** What is declared, in order of declaration, derived counters last. */
  get declarations(): readonly CounterDeclaration[] {
    return [...this.#declared, ...this.#derived].map(({ name, meaning }) => ({ name, meaning }))
  }

  /** Every count now. */
  snapshot(): Counts {
    return Object.fromEntries(this.declarations.map(({ name }) => [name, this.get(name)]))
  }

  /** What was counted since `before`. A counter that was not declared then counts from 0. */
  since(before: Counts): Counts {
    return difference(this.snapshot(), before)
  }

  /** Sets every count to 0. */
  reset(): void {
    this.restore({})
  }

  /** Sets every declared counter to what `counts` says, and to 0 where it says nothing. */
  restore(counts: Counts): void {
    for (const [slot, { name }] of this.#declared.entries()) this.slots[slot] = counts[name] ?? 0
    for (const derived of this.#derived) derived.baseline = derived.read() - (counts[derived.name] ?? 0)
  }

  /** The snapshot: `JSON.stringify(counters)` is a report. */
  toJSON(): Counts {
    return this.snapshot()
  }

  #known(name: string, meaning: string): CounterDeclaration | undefined {
    if (!namePattern.test(name)) {
      throw new VmexitError('counter-name', {
        problem: `'${name}' cannot name a counter`,
        remedy: "use lower-case words joined by '-', such as 'tlb-miss-data'",
      })
    }
    const known = this.#declared.find((d) => d.name === name) ?? this.#derived.find((d) => d.name === name)
    if (known !== undefined && known.meaning !== meaning) this.#refuseTwice(name, known.meaning, meaning)
    return known
  }

  #refuseTwice(name: string, one: string, other: string): never {
    throw new VmexitError('counter-twice', {
      problem: `counter '${name}' is declared as “${one}” and as “${other}”`,
      remedy: 'give one of them another name',
    })
  }

  #unknown(name: string): VmexitError {
    const names = this.declarations.map((declaration) => declaration.name)
    return new VmexitError('counter-unknown', {
      problem: `there is no counter '${name}'`,
      remedy: `declare it, or use one of: ${names.join(', ') || '(none is declared)'}`,
    })
  }
}

/** What was counted between two snapshots. A counter that `before` lacks counts from 0. */
export function difference(after: Counts, before: Counts): Counts {
  return Object.fromEntries(Object.entries(after).map(([name, count]) => [name, count - (before[name] ?? 0)]))
}
