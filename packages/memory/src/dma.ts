/** What a bus master writes to and reads from, once its address has been translated. */

/**
 * A target of DMA. A transfer is done as a whole or not at all: false where any byte of it is not memory (or, written,
 * is ROM), as a master abort.
 */
export interface DmaTarget {
  /** Fills `into` from `address`. */
  read(address: number, into: Uint8Array): boolean
  /** Stores `from` at `address`. */
  write(address: number, from: Uint8Array): boolean
}
