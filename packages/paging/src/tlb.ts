/**
 * One side (data or instruction) of the modelled TLB: a property of the simulated hardware, the same under every engine.
 *
 * Direct-mapped by the low bits of the linear page number; every entry maps 4 KiB, large pages enter piece by piece and
 * are marked with their size. A hit changes nothing. Entries belong to an address space (a VPID; 0 without).
 */
import { checkState, VmexitError } from '@vmexit/core'
import { Right } from './access.ts'

/** Told when entries go, so that caches made from them can follow. */
export interface TlbListener {
  /** The entry of linear page `page`, in the address space selected now, is gone or replaced. */
  onEvict?(page: number): void
  /** All entries of the address space selected now are gone; if `keepsGlobal`, all but the global ones. */
  onFlush?(keepsGlobal: boolean): void
}

/** One valid entry. */
export type TlbEntryState = {
  readonly space: number
  readonly page: number
  readonly frame: number
  readonly rights: number
  readonly pageShift: number
}

/** One side of a TLB in a saved state. */
export type TlbState = {
  readonly version: 1
  readonly entries: number
  /** The address space selected. */
  readonly space: number
  readonly valid: readonly TlbEntryState[]
}

/** Valid entries carry one of their address space's two stamps; a flush is a new stamp. */
interface Stamps {
  local: number
  global: number
}

/** Numbers of large pages told apart: all 4 MiB pages of a 32-bit address space. */
const NEAR = 1024

/** One side of the modelled TLB: direct-mapped by linear page number; a hit changes nothing. */
export class Tlb {
  /** Number of entries, a power of two. */
  readonly entries: number
  /** By slot: physical page number. */
  readonly frame: Float64Array
  /** By slot: `Right` bits. */
  readonly rights: Uint16Array
  readonly #page: Float64Array
  readonly #pageShift: Uint8Array
  /** 0 in empty slots. Doubles, so that stamps never run out. */
  readonly #stamp: Float64Array
  readonly #mask: number
  readonly #listener: TlbListener
  readonly #spaces = new Map<number, Stamps>()
  #space = 0
  #local = 0
  #global = 0
  #nextStamp = 1
  /** Sizes of the large pages that pieces have been entered of since they were last all gone, as bits by logarithm. */
  #largeSizes = 0
  /** The same by the low bits of the large page's number, so that INVLPG seldom searches in vain. */
  readonly #largeNear = new Uint32Array(NEAR)

  /** @throws VmexitError `tlb-geometry` unless `entries` is a power of two up to 2^20. */
  constructor(entries: number, listener: TlbListener = {}) {
    if (!(Number.isInteger(entries) && entries >= 1 && entries <= 2 ** 20 && (entries & (entries - 1)) === 0)) {
      throw new VmexitError('tlb-geometry', {
        problem: `a TLB side cannot have ${entries} entries`,
        remedy: 'give a power of two from 1 to 2^20',
      })
    }
    this.entries = entries
    this.#mask = entries - 1
    this.frame = new Float64Array(entries)
    this.rights = new Uint16Array(entries)
    this.#page = new Float64Array(entries)
    this.#pageShift = new Uint8Array(entries)
    this.#stamp = new Float64Array(entries)
    this.#listener = listener
    this.#forgetAll()
  }

  /** Slot of linear page number `page` in the selected address space, or -1. */
  lookup(page: number): number {
    const slot = page & this.#mask
    return this.#page[slot] === page && this.#valid(slot) ? slot : -1
  }

  /** Enters a translation in place of whatever its slot held. `pageShift` above 12 marks a piece of a large page. */
  fill(page: number, frame: number, rights: number, pageShift: number): void {
    const slot = page & this.#mask
    this.drop(slot)
    this.#page[slot] = page
    this.frame[slot] = frame
    this.rights[slot] = rights
    this.#pageShift[slot] = pageShift
    this.#stamp[slot] = (rights & Right.GLOBAL) !== 0 ? this.#global : this.#local
    if (pageShift > 12) this.#noteLarge(page, pageShift)
  }

  /** Makes `slot` empty. */
  drop(slot: number): void {
    const held = this.#valid(slot)
    this.#stamp[slot] = 0
    if (held) this.#listener.onEvict?.(this.#page[slot])
  }

  /** INVLPG: drops what maps `page`, global or not; of a large page, every piece. */
  invalidatePage(page: number): void {
    const slot = this.lookup(page)
    if (slot >= 0) this.drop(slot)
    for (let sizes = this.#largeSizes; sizes !== 0; sizes &= sizes - 1) {
      const pageShift = 31 - Math.clz32(sizes & -sizes)
      const near = Math.floor(page / piecesOf(pageShift)) % NEAR
      if ((this.#largeNear[near] & (1 << pageShift)) !== 0) this.#dropPieces(page, pageShift)
    }
  }

  #noteLarge(page: number, pageShift: number): void {
    this.#largeSizes |= 1 << pageShift
    this.#largeNear[Math.floor(page / piecesOf(pageShift)) % NEAR] |= 1 << pageShift
  }

  #forgetLarge(): void {
    if (this.#largeSizes === 0) return
    this.#largeSizes = 0
    this.#largeNear.fill(0)
  }

  /** Pieces of the large page of that size around `page` lie in consecutive slots. */
  #dropPieces(page: number, pageShift: number): void {
    const pieces = piecesOf(pageShift)
    const first = Math.floor(page / pieces) * pieces
    for (let piece = Math.min(pieces, this.entries) - 1; piece >= 0; piece--) {
      const slot = (first + piece) & this.#mask
      if (this.#pageShift[slot] !== pageShift || !this.#valid(slot)) continue
      if (this.#page[slot] >= first && this.#page[slot] < first + pieces) this.drop(slot)
    }
  }

  /** Empties the selected address space but for global entries. Takes constant time. */
  flushNonGlobal(): void {
    this.#renew(false)
    this.#listener.onFlush?.(true)
  }

  /** Empties the selected address space. Takes constant time. */
  flushAll(): void {
    this.#renew(true)
    if (this.#spaces.size === 1) this.#forgetLarge()
    this.#listener.onFlush?.(false)
  }

  /** Empties all address spaces. */
  flushSpaces(): void {
    this.#forgetAll()
    this.#listener.onFlush?.(false)
  }

  /** Look-ups and fills are of address space `space` (a VPID) from now on. */
  select(space: number): void {
    this.#space = space
    let stamps = this.#spaces.get(space)
    if (stamps === undefined) {
      stamps = { local: this.#nextStamp++, global: this.#nextStamp++ }
      this.#spaces.set(space, stamps)
    }
    this.#local = stamps.local
    this.#global = stamps.global
    this.#listener.onFlush?.(false)
  }

  save(): TlbState {
    const spaceOf = new Map<number, number>()
    for (const [space, { local, global }] of this.#spaces) spaceOf.set(local, space).set(global, space)
    const valid: TlbEntryState[] = []
    for (let slot = 0; slot < this.entries; slot++) {
      const space = spaceOf.get(this.#stamp[slot])
      if (space === undefined) continue
      valid.push({
        space,
        page: this.#page[slot],
        frame: this.frame[slot],
        rights: this.rights[slot],
        pageShift: this.#pageShift[slot],
      })
    }
    return { version: 1, entries: this.entries, space: this.#space, valid }
  }

  /** @throws VmexitError `state-mismatch` if the geometry differs; nothing is changed then. */
  restore(state: TlbState): void {
    checkState('a TLB side', state, { version: 1, entries: 0, space: 0, valid: [] })
    if (state.entries !== this.entries) {
      throw new VmexitError('state-mismatch', {
        problem: `the state is of a TLB side of ${state.entries} entries, this one has ${this.entries}`,
        remedy: 'restore it into the geometry it was saved from',
      })
    }
    this.#forgetAll()
    for (const { space, page, frame, rights, pageShift } of state.valid) {
      if (space !== this.#space) this.select(space)
      this.fill(page, frame, rights, pageShift)
    }
    this.select(state.space)
  }

  #valid(slot: number): boolean {
    return this.#stamp[slot] === this.#local || this.#stamp[slot] === this.#global
  }

  #renew(globals: boolean): void {
    this.#local = this.#nextStamp++
    if (globals) this.#global = this.#nextStamp++
    this.#spaces.set(this.#space, { local: this.#local, global: this.#global })
  }

  #forgetAll(): void {
    this.#stamp.fill(0)
    this.#spaces.clear()
    this.#nextStamp = 1
    this.#forgetLarge()
    this.#renew(true)
  }
}

/** How many pages of 4 KB make up one of that size, which is below 2^43 bytes. */
function piecesOf(pageShift: number): number {
  return 1 << (pageShift - 12)
}
