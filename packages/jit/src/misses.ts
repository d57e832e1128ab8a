/** Windows that miss: where that has happened often, it is looked at whether they lie in two pages, to be had no more. */
import { Layout } from '@vmexit/x86'
import type { Records, TierParts } from '@vmexit/x86/engine'
import type { Insn } from '@vmexit/x86-decoder'
import type { Item } from './region.ts'
import type { Wanted } from './tier.ts'
import type { Window } from './windows.ts'

/** A window of a translation. */
export interface Watched {
  /** What the translation was made of. */
  readonly wanted: Wanted
  /** The instruction that opens it. */
  readonly insn: Insn
  /** The window; undefined for the frame. */
  readonly window: Window | undefined
}
/** What has lain in two pages, or was not there often. */
export interface Torn {
  /** Records of instructions that are to have no window. */
  readonly narrow: ReadonlySet<number>
  /** Heads whose translations cannot be sure of their frame. */
  readonly frameless: ReadonlySet<number>
}

const PAGE = 0x1000

export class Misses implements Torn {
  readonly #state: TierParts['state']
  readonly #records: Records
  readonly #watched = new Map<number, Watched>()
  readonly narrow: Set<number> = new Set()
  readonly frameless: Set<number> = new Set()

  constructor(state: TierParts['state'], records: Records) {
    this.#state = state
    this.#records = records
  }

  /** The head to go on at where the window misses that `item` opens; without one: where there is no frame in front of it. */
  watch(wanted: Wanted, { insn, record, page }: Item, window: Window | undefined): number {
    const head = this.#records.watch(record, page.pfn, wanted.mode)
    this.#watched.set(head, { wanted, insn, window })
    return head
  }
  /** Control does not come to these heads any more. */
  forget(heads: readonly number[]): void {
    for (const head of heads) this.#watched.delete(head)
  }
  /** The window that misses at a head, if one does. */
  of(head: number): Watched | undefined {
    return this.#watched.get(head)
  }
  /** Is the translation to be made anew, without it? */
  giveUp({ wanted, insn, window }: Watched): boolean {
    if (!window) {
      // It lies in two pages, or nobody writes the stack.
      this.frameless.add(wanted.head)
      return true
    }
    if (!this.#isTorn(insn, window)) return false
    for (const record of window.served) this.narrow.add(record)
    return true
  }
  /** Does it lie in two pages as the registers are now? */
  #isTorn({ base, index, scale }: Insn, { low, high }: Window): boolean {
    const register = (reg: number): number => (reg < 0 ? 0 : this.#state.get32(Layout.gpr + reg * 8))
    const first = register(base) + (register(index) << scale) + low
    return (first & (PAGE - 1)) + high - low > PAGE
  }
  clear(): void {
    this.#watched.clear()
    this.narrow.clear()
    this.frameless.clear()
  }
}
