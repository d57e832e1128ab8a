/**
 * The shadow tables of one VM: which there are, what leads to them, and which entries map a page of the guest. They are bytes in pages of
 * the machine; the hardware walks them and nothing else.
 */
import { type GuestMemory, PAGE_BYTES } from '@vmexit/memory'
import type { HostPages } from '@vmexit/vmm'
import type { ShadowEntry, ShadowKind, ShadowPage } from './page.ts'

/** What {@link ShadowTables} tell. */
export interface ShadowEvents {
  /** The first shadow of guest page `page` was made: the guest must not write to it unseen. */
  onShadowed(page: number): void
  /** The last one is gone. */
  onUnshadowed(page: number): void
}

export class ShadowTables {
  readonly #pages: HostPages
  readonly #memory: GuestMemory
  readonly #events: ShadowEvents
  /** Bytes of an entry. */
  readonly #width: 4 | 8
  readonly #byKey = new Map<string, ShadowPage>()
  readonly #byGuestPage = new Map<number, Set<ShadowPage>>()
  /** Entries that map a guest page, by their addresses. */
  readonly #mapping = new Map<number, Map<number, ShadowEntry>>()

  constructor(pages: HostPages, width: 4 | 8, events: ShadowEvents) {
    this.#pages = pages
    this.#memory = pages.memory
    this.#width = width
    this.#events = events
  }

  /** Shadow tables there are now. */
  get size(): number {
    return this.#byKey.size
  }
  /** Shadows of the table in guest page `page`. */
  of(page: number): Iterable<ShadowPage> {
    return this.#byGuestPage.get(page) ?? []
  }
  isShadowed(page: number): boolean {
    return this.#byGuestPage.has(page)
  }

  /** The shadow named `key`, made if need be. */
  shadow(key: string, kind: ShadowKind, guestPage: number): ShadowPage {
    const known = this.#byKey.get(key)
    if (known !== undefined) return known
    const shadow: ShadowPage = {
      kind,
      key,
      guestPage,
      page: this.#pages.allocate(),
      parents: new Map(),
      leaves: new Map(),
      children: new Map(),
      written: new Set(),
    }
    this.#byKey.set(key, shadow)
    if (guestPage < 0) return shadow
    const others = this.#byGuestPage.get(guestPage)
    if (others !== undefined) others.add(shadow)
    else {
      this.#byGuestPage.set(guestPage, new Set([shadow]))
      this.#events.onShadowed(guestPage)
    }
    return shadow
  }

  entryAddress(shadow: ShadowPage, index: number): number {
    return shadow.page * PAGE_BYTES + index * this.#width
  }

  /** Has entry `index` of `shadow` lead to `child`. */
  link(shadow: ShadowPage, index: number, child: ShadowPage, bits: number, high = 0): void {
    if (shadow.children.get(index) !== child) this.clear(shadow, index)
    shadow.children.set(index, child)
    const at = this.entryAddress(shadow, index)
    child.parents.set(at, { shadow, index })
    this.#write(at, child.page, bits, high)
  }

  /** Has entry `index` of `shadow` map guest page `guestPage`, which lies in the machine's page `place`. */
  map(shadow: ShadowPage, index: number, guestPage: number, place: number, bits: number, high = 0): void {
    if (shadow.leaves.get(index) !== guestPage) this.clear(shadow, index)
    shadow.leaves.set(index, guestPage)
    const at = this.entryAddress(shadow, index)
    const mapping = this.#mapping.get(guestPage) ?? new Map<number, ShadowEntry>()
    mapping.set(at, { shadow, index })
    this.#mapping.set(guestPage, mapping)
    this.#write(at, place, bits, high)
  }

  /** Empties an entry. What stands for a large page, or is led to from nowhere else and by no root, goes with it. */
  clear(shadow: ShadowPage, index: number): void {
    const at = this.entryAddress(shadow, index)
    const guestPage = shadow.leaves.get(index)
    const child = shadow.children.get(index)
    if (guestPage === undefined && child === undefined) return
    this.#memory.write32(at, 0)
    if (this.#width === 8) this.#memory.write32(at + 4, 0)
    if (guestPage !== undefined) {
      shadow.leaves.delete(index)
      const mapping = this.#mapping.get(guestPage)!
      mapping.delete(at)
      if (mapping.size === 0) this.#mapping.delete(guestPage)
    }
    if (child !== undefined) {
      shadow.children.delete(index)
      child.parents.delete(at)
      if (child.kind === 'large') this.drop(child)
    }
  }

  /** Takes a shadow away, out of whatever leads to it. */
  drop(shadow: ShadowPage): void {
    if (!this.#byKey.delete(shadow.key)) return
    for (const index of [...shadow.leaves.keys(), ...shadow.children.keys()]) this.clear(shadow, index)
    for (const parent of [...shadow.parents.values()]) this.clear(parent.shadow, parent.index)
    const { guestPage } = shadow
    const others = this.#byGuestPage.get(guestPage)
    others?.delete(shadow)
    if (others?.size === 0) {
      this.#byGuestPage.delete(guestPage)
      this.#events.onUnshadowed(guestPage)
    }
    this.#pages.free(shadow.page)
  }

  /** Takes every shadow away but those to keep. */
  dropAll(keep: (shadow: ShadowPage) => boolean = () => false): void {
    for (const shadow of [...this.#byKey.values()]) if (!keep(shadow)) this.drop(shadow)
  }

  /** Takes guest page `page` out of every entry that maps it. */
  unmap(page: number): void {
    for (const { shadow, index } of [...(this.#mapping.get(page)?.values() ?? [])]) this.clear(shadow, index)
  }

  #write(at: number, page: number, bits: number, high: number): void {
    this.#memory.write32(at, (page * PAGE_BYTES) | bits)
    if (this.#width === 8) this.#memory.write32(at + 4, Math.floor((page * PAGE_BYTES) / 0x1_0000_0000) | high)
  }
}
