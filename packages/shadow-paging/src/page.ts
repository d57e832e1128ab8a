/** A shadow table: a page of the machine that stands in place of one of the guest's, for the hardware to walk. */

/** What a shadow table is made of. */
export type ShadowKind =
  /** A page directory, of a guest whose entries have 4 or 8 bytes. */
  | 'directory'
  /** A page table. */
  | 'table'
  /** Stands for one large page of the guest, in pages of 4 KiB. */
  | 'large'
  /** Stands for what a guest without paging has: linear is physical. */
  | 'identity'

/** An entry of a shadow table. */
export interface ShadowEntry {
  readonly shadow: ShadowPage
  readonly index: number
}

export interface ShadowPage {
  readonly kind: ShadowKind
  /** Its number in the machine. */
  readonly page: number
  /** The guest page whose table it stands for; −1 for none. */
  readonly guestPage: number
  readonly key: string
  /** Entries that lead to it, by their addresses. */
  readonly parents: Map<number, ShadowEntry>
  /** By entry: the guest page that it maps, or the table that it leads to. */
  readonly leaves: Map<number, number>
  readonly children: Map<number, ShadowPage>
  /** Entries of the guest's table that were written since one of its translations was used. */
  readonly written: Set<number>
}
