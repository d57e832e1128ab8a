/** Extended page tables of one VM, in pages of the machine (SDM vol. 3C, 28.2). */
import { type GuestMemory, PAGE_BYTES } from '@vmexit/memory'
import type { HostPages } from '@vmexit/vmm'

/** Bits of an entry. */
const READ = 1
const WRITE = 2
const EXECUTE = 4
const ALL = READ | WRITE | EXECUTE
const WRITE_BACK = 6 << 3
const LARGE = 0x80
/** Of an EPTP: write-back tables, four levels. */
const POINTER = 6 | (3 << 3)
const LEVELS = 4

/** Entries are written through the machine's memory; the hardware walks them. */
export class ExtendedTables {
  readonly #pages: HostPages
  readonly #memory: GuestMemory
  readonly #tables: number[] = []
  /** The EPTP that a VMCS is to have. */
  readonly pointer: number

  constructor(pages: HostPages) {
    this.#pages = pages
    this.#memory = pages.memory
    this.pointer = this.#table() * PAGE_BYTES + POINTER
  }

  /** Pages that the tables take. */
  get pages(): number {
    return this.#tables.length
  }

  #table(): number {
    const page = this.#pages.allocate()
    this.#tables.push(page)
    return page
  }

  /** Maps guest page `page` to the machine's page `place`. */
  map(page: number, place: number, writable: boolean): void {
    this.#set(this.#entry(page, 1), place, (writable ? ALL : READ | EXECUTE) | WRITE_BACK)
  }
  /** Maps 2 MiB, 512 pages from one whose number is a multiple of 512 on, at both sides. */
  mapLarge(page: number, place: number, writable: boolean): void {
    this.#set(this.#entry(page, 2), place, (writable ? ALL : READ | EXECUTE) | WRITE_BACK | LARGE)
  }
  /** Is `page` mapped as part of a large one? */
  isLarge(page: number): boolean {
    const entry = this.#find(page, 2)
    return entry >= 0 && (this.#memory.read32(entry) & LARGE) !== 0
  }
  /** Takes a large page out. */
  unmapLarge(page: number): void {
    this.#clear(this.#find(page, 2))
  }
  /** Takes a page out. What the TLB holds of it is the caller's to drop. */
  unmap(page: number): void {
    this.#clear(this.#find(page, 1))
  }

  /** Takes all out. What the TLB holds is the caller's to drop. */
  clear(): void {
    this.#memory.writeBytes(this.pointer - POINTER, new Uint8Array(PAGE_BYTES))
    for (const page of this.#tables.splice(1)) this.#pages.free(page)
  }

  /** Gives the pages back: nothing walks the tables any more. */
  [Symbol.dispose](): void {
    for (const page of this.#tables.splice(0)) this.#pages.free(page)
  }

  #set(at: number, place: number, bits: number): void {
    const address = place * PAGE_BYTES
    this.#memory.write64(at, (address + bits) | 0, Math.floor(address / 0x1_0000_0000))
  }

  #clear(entry: number): void {
    if (entry >= 0) this.#set(entry, 0, 0)
  }

  /** Address of the entry of `page` at `level`, with the tables on the way made. @throws VmexitError `machine-memory`. */
  #entry(page: number, level: number): number {
    return this.#reach(page, level, (entry) => this.#set(entry, this.#table(), ALL))
  }
  /** The same, −1 where a table is missing. */
  #find(page: number, level: number): number {
    return this.#reach(page, level, () => {})
  }

  #reach(page: number, level: number, onAbsent: (entry: number) => void): number {
    let table = this.pointer - POINTER
    for (let at = LEVELS; at > level; at--) {
      const entry = table + (Math.floor(page / 512 ** (at - 1)) % 512) * 8
      if (this.#memory.read32(entry) === 0) onAbsent(entry)
      const present = this.#memory.read32(entry)
      if (present === 0) return -1
      table = present - (present % PAGE_BYTES) + this.#memory.read32(entry + 4) * 0x1_0000_0000
    }
    return table + (Math.floor(page / 512 ** (level - 1)) % 512) * 8
  }
}
