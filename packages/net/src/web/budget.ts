/** A bound on bytes that are kept in the host's memory for guests, over all of their connections. */
import type { Account } from '../account.ts'

/** Charges somebody as long as the bound allows it. */
export class Budget {
  readonly #limit: number
  #used = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The bound, in front of who pays. */
  before(account: Account | undefined): Account {
    return {
      charge: (bytes) => {
        if (this.#used + bytes > this.#limit || account?.charge(bytes) === false) return false
        this.#used += bytes
        return true
      },
      release: (bytes) => {
        this.#used -= bytes
        account?.release(bytes)
      },
    }
  }
}
