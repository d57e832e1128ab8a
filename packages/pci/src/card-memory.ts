/** Memory of a card, such as video memory: the card always has it, and a window lets the CPU see it. */
import {
  type Bus,
  type Claim,
  checkState,
  type RegisterFile,
  type State,
  type Stateful,
  type Width,
} from '@vmexit/core'
import { GuestMemory, MAXIMUM_ADDRESS, PAGE_BYTES } from '@vmexit/memory'
import type { Target } from './target.ts'

/** Saved memory of a card; where it is seen is the function's affair. */
export type CardMemoryState = State & {
  readonly version: 1
  /** Numbers of the pages of 4096 bytes that are not all zeros, ascending. */
  readonly pages: readonly number[]
  /** Their contents, in the same order. */
  readonly contents: Uint8Array
}

/** What a {@link CardMemory} is made of. */
export interface CardMemoryOptions {
  readonly name: string
  /** A multiple of 4096. */
  readonly bytes: number
  readonly mmio: Bus
  /** RAM that it is mapped into where its window is open; without it every access goes over the bus. */
  readonly memory?: GuestMemory | undefined
}

/**
 * Memory that a card reaches by offset at any time, made by `PciBus.createMemory`. Contents survive whatever happens to
 * its window. Offsets and widths must stay within `size`; values are unsigned.
 */
export class CardMemory implements Target, Stateful<CardMemoryState> {
  /** In bytes. */
  readonly size: number
  readonly #name: string
  readonly #guest: GuestMemory | undefined
  /** Where it lies while its window is closed. */
  readonly #own: GuestMemory
  /** The window on the bus. It settles who answers, and answers itself where memory cannot be mapped. */
  readonly #claim: Claim
  /** Where it lies now. */
  #memory: GuestMemory
  #base = 0

  /**
   * For `PciBus.createMemory`. Throws a `VmexitError` `range-invalid` for a size that is none.
   *
   * @internal
   */
  constructor({ name, bytes, mmio, memory }: CardMemoryOptions) {
    this.size = bytes
    this.#name = name
    this.#guest = memory
    const ranges = [{ kind: 'ram', start: 0, bytes, name, saved: false }] as const
    this.#own = new GuestMemory({ ranges, ...(memory && { pool: memory.pool, owner: memory.owner }) })
    this.#memory = this.#own
    const registers: RegisterFile = {
      size: bytes,
      split: true,
      read: (offset, width) => this.read(offset, width),
      write: (offset, width, value) => this.write(offset, width, value),
    }
    this.#claim = mmio.claimLater(name, registers)
  }

  /** The guest-physical address at which it is mapped as memory, if it is. */
  get mappedAt(): number | undefined {
    return this.#memory === this.#own ? undefined : this.#base
  }

  read(offset: number, width: Width): number {
    if (width === 1) return this.#memory.read8(this.#base + offset)
    return width === 2 ? this.#memory.read16(this.#base + offset) : this.#memory.read32(this.#base + offset)
  }

  write(offset: number, width: Width, value: number): void {
    if (width === 1) this.#memory.write8(this.#base + offset, value)
    else if (width === 2) this.#memory.write16(this.#base + offset, value)
    else this.#memory.write32(this.#base + offset, value)
  }

  /** Fills `into` from `offset` on. */
  readBytes(offset: number, into: Uint8Array): void {
    this.#memory.readBytes(this.#base + offset, into)
  }

  /** Stores `from` at `offset`. */
  writeBytes(offset: number, from: Uint8Array): void {
    this.#memory.writeBytes(this.#base + offset, from)
  }

  /** For its function: puts the window at an address, or nowhere. */
  place(base: number | undefined): void {
    if (base !== undefined && base === this.mappedAt) return
    this.#unmap()
    if (base === undefined) {
      this.#claim.disable()
      return
    }
    if (base !== this.#claim.base) this.#claim.move(base)
    if (this.#claim.enable()) this.#map(base)
  }

  /** A copy of the contents. */
  save(): CardMemoryState {
    const pages: number[] = []
    const contents: Uint8Array[] = []
    for (let page = 0; page < this.size / PAGE_BYTES; page++) {
      const bytes = this.#page(page)
      if (bytes === undefined) continue
      pages.push(page)
      contents.push(bytes)
    }
    const all = new Uint8Array(pages.length * PAGE_BYTES)
    for (const [i, bytes] of contents.entries()) all.set(bytes, i * PAGE_BYTES)
    return { version: 1, pages, contents: all }
  }

  /** Takes saved contents. Throws a `VmexitError` `state-mismatch`. */
  restore(state: CardMemoryState): void {
    const like: CardMemoryState = { version: 1, pages: [], contents: new Uint8Array(0) }
    const { pages, contents } = checkState(this.#name, state, like)
    const saved = new Map(pages.map((page, i) => [page, contents.subarray(i * PAGE_BYTES, (i + 1) * PAGE_BYTES)]))
    for (let page = 0; page < this.size / PAGE_BYTES; page++) {
      const bytes = saved.get(page)
      if (bytes !== undefined) this.writeBytes(page * PAGE_BYTES, bytes)
      else this.#memory.unmapFrame(this.#base / PAGE_BYTES + page)
    }
  }

  /** A copy of a page, unless it is all zeros. Most pages have never been written. */
  #page(page: number): Uint8Array | undefined {
    if (this.#memory.readPage(this.#base / PAGE_BYTES + page) === this.#memory.pool.zeroFrame) return undefined
    const bytes = new Uint8Array(PAGE_BYTES)
    this.readBytes(page * PAGE_BYTES, bytes)
    return bytes.some((byte) => byte !== 0) ? bytes : undefined
  }

  /** Maps it, unless there is memory already or can be none; the bus answers then. */
  #map(base: number): void {
    const guest = this.#guest
    if (guest === undefined || base % PAGE_BYTES !== 0 || base + this.size > MAXIMUM_ADDRESS) return
    if (guest.ranges.some(({ start, bytes }) => start < base + this.size && base < start + bytes)) return
    this.#own.moveRange(0, base, guest)
    this.#memory = guest
    this.#base = base
  }

  #unmap(): void {
    if (this.#guest === undefined || this.#memory === this.#own) return
    this.#guest.moveRange(this.#base, 0, this.#own)
    this.#memory = this.#own
    this.#base = 0
  }
}
