/**
 * Windows that miss, and frames that are not there. Where that happens often, the translation is made anew: without the window, if it lies in
 * two pages, or with a look-up beside each access to the stack.
 */
import { Layout } from '@vmexit/x86'
import type { Records, TierParts } from '@vmexit/x86/engine'
import type { Insn } from '@vmexit/x86-decoder'
import type { Window } from './passage.ts'
import type { Item } from './region.ts'
import type { Wanted } from './wanted.ts'

/** A window of a translation, or its frame. */
export interface Watched {
  /** What the translation was made of. */
  readonly wanted: Wanted
  /** The instruction that opens it, or stands behind it. */
  readonly insn: Insn
  /** The window; undefined for the frame. */
  readonly window: Window | undefined
  /** Instructions retired when it was made, or was looked at last. */
  since: number
}
/** What translations are to do without. */
export interface Torn {
  /** Records of instructions that are to have no window. */
  readonly narrow: ReadonlySet<number>
  /** Heads whose translations cannot be sure of their frame. */
  readonly frameless: ReadonlySet<number>
}

const PAGE = 0x1000
/** Instructions from one miss to the next, on average, from which on it costs less to have them. */
const SELDOM = 4000

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
  watch(wanted: Wanted, { insn, record, page }: Item, window: Window | undefined, now: number): number {
    const head = this.#records.watch(record, page.pfn, wanted.mode)
    this.#watched.set(head, { wanted, insn, window, since: now })
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
  /** Has the translation to be made anew, without what has missed as often as the threshold says? */
  renounce(watched: Watched, now: number, threshold: number): boolean {
    const { wanted, insn, window, since } = watched
    watched.since = now
    // Another process runs now and then, or one structure of many lies in two pages.
    if (now - since > threshold * SELDOM) return false
    if (!window) this.frameless.add(wanted.head)
    else if (this.#isTorn(insn, window)) for (const record of window.served) this.narrow.add(record)
    else return false
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
