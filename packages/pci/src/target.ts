/** What a window opens: registers on a bus, or memory of a card. */

/** What is behind a base address register, wherever that is. */
export interface Target {
  /** Puts it at an address, or nowhere. */
  place(base: number | undefined): void
}
