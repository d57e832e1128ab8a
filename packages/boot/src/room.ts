/** Where in memory there is still room. */

/** A free stretch, its end excluded. */
interface Stretch {
  readonly start: number
  readonly end: number
}

/** What a place must be like. */
export interface Wish {
  /** A power of two; 1 unless stated. */
  readonly align?: number
  /** The lowest address that will do; 0 unless stated. */
  readonly from?: number
  /** The highest end, excluded; 4 GiB unless stated. */
  readonly below?: number
}

const FOUR_GIB = 2 ** 32

/** Memory from which loaders take. Taking never overlaps. */
export class Room {
  /** By ascending address; they do not touch. */
  #free: readonly Stretch[]

  constructor(free: readonly { readonly start: number; readonly bytes: number }[]) {
    const sorted = free.map(({ start, bytes }) => ({ start, end: start + bytes })).sort((a, b) => a.start - b.start)
    const joined: Stretch[] = []
    for (const next of sorted) {
      const last = joined.at(-1)
      if (last?.end === next.start) joined[joined.length - 1] = { start: last.start, end: next.end }
      else joined.push(next)
    }
    this.#free = joined
  }

  /** The longest stretch of free memory below 4 GiB, in bytes. */
  get longest(): number {
    return Math.max(0, ...this.#free.map(({ start, end }) => Math.min(end, FOUR_GIB) - start))
  }

  /** Whether all of it is free. */
  has(start: number, bytes: number): boolean {
    return this.#free.some((stretch) => stretch.start <= start && start + bytes <= stretch.end)
  }

  /** Takes it, whether or not it was free. */
  take(start: number, bytes: number): void {
    const end = start + bytes
    this.#free = this.#free.flatMap((stretch) => {
      if (stretch.end <= start || end <= stretch.start) return [stretch]
      const left = { start: stretch.start, end: Math.max(stretch.start, start) }
      const right = { start: Math.min(stretch.end, end), end: stretch.end }
      return [left, right].filter((rest) => rest.end > rest.start)
    })
  }

  /** Takes `bytes` as low as possible; the address, or undefined where there is no room. */
  lowest(bytes: number, { align = 1, from = 0, below = FOUR_GIB }: Wish = {}): number | undefined {
    for (const stretch of this.#free) {
      const start = Math.ceil(Math.max(stretch.start, from) / align) * align
      if (start + bytes > Math.min(stretch.end, below)) continue
      this.take(start, bytes)
      return start
    }
    return undefined
  }

  /** As {@link lowest}, as high as possible. */
  highest(bytes: number, { align = 1, from = 0, below = FOUR_GIB }: Wish = {}): number | undefined {
    for (const stretch of this.#free.toReversed()) {
      const start = Math.floor((Math.min(stretch.end, below) - bytes) / align) * align
      if (start < Math.max(stretch.start, from)) continue
      this.take(start, bytes)
      return start
    }
    return undefined
  }
}
