/** Something for each of some physical pages, in chunks by number. (As a map it took fork and exec 1.5 % of their time.) */
const CHUNK_LOG = 10
const CHUNK = 1 << CHUNK_LOG

export class ByPage<T> {
  #chunks: (T | undefined)[][] = []

  get(pfn: number): T | undefined {
    return this.#chunks[Math.floor(pfn / CHUNK)]?.[pfn % CHUNK]
  }
  set(pfn: number, value: T): void {
    const chunk = (this.#chunks[Math.floor(pfn / CHUNK)] ??= new Array<T | undefined>(CHUNK).fill(undefined))
    chunk[pfn % CHUNK] = value
  }
  clear(): void {
    this.#chunks = []
  }
}
