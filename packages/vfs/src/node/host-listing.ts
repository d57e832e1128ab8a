/** The names in a directory of the host under offsets that stay: the host's own are not to be had in Node. */
import { FIRST_COOKIE } from '../file-system.ts'
import type { ByteString } from '../names.ts'

/** The listing of one directory: what is read again keeps the offsets of the names that were there. */
export class HostListing {
  /** In ascending order of offsets. */
  readonly entries: { readonly name: ByteString; readonly offset: number }[]
  readonly #next: number

  constructor(names: readonly ByteString[], before: HostListing | undefined) {
    const offsets = new Map(before?.entries.map(({ name, offset }) => [name, offset]))
    let next = before === undefined ? FIRST_COOKIE : before.#next
    this.entries = names.map((name) => ({ name, offset: offsets.get(name) ?? next++ }))
    this.entries.sort((a, b) => a.offset - b.offset)
    this.#next = next
  }

  /** The index of the first entry at a cookie or after it. */
  from(cookie: number): number {
    let [low, high] = [0, this.entries.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.entries[middle]!.offset < cookie) low = middle + 1
      else high = middle
    }
    return low
  }
}
