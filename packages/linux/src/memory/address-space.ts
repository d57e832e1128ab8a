/**
 * Address spaces: areas, the page table below them, and what a page fault makes of the two (mmap(2), brk(2)).
 *
 * Pages come when they are touched. Of a private page that several share the first to store gets a copy. Addresses are
 * page numbers here, as doubles; answers below 0 are negated error numbers.
 */
import type { Inode } from '@vmexit/vfs'
import { Errno } from '../errno.ts'
import type { Account } from '../tasks/account.ts'
import { type FilePages, NoPage } from './file-pages.ts'
import { type Frames, PAGE } from './frames.ts'
import { Entry, KERNEL_PAGE, PageTable } from './page-table.ts'
import { type Area, Areas, MOST_AREAS, OnFork, Prot } from './vma.ts'

/** What comes of a page fault. `MAPPING`: nothing is there, `ACCESS`: not like that, `BUS`: beyond the file's end. */
export const Fault = { DONE: 0, MAPPING: 1, ACCESS: 2, BUS: 3, MEMORY: 4, BLOCK: 5 } as const

/** The TLB of the CPU that an address space may be on. */
export interface TlbControl {
  invalidate(linear: number): void
  flush(): void
}

/** What is to be mapped. */
export interface Mapping {
  readonly prot: number
  readonly shared?: boolean
  readonly growsDown?: boolean
  readonly pages?: FilePages | undefined
  readonly offset?: number
  readonly mayWrite?: boolean
  readonly onFork?: number
  readonly file?: Inode | undefined
  readonly name?: string
}

const PRESENT = Entry.PRESENT | Entry.USER | Entry.ACCESSED
const WRITABLE = Entry.WRITE | Entry.DIRTY
/** Pages of a file that are mapped with one that is touched, where they are cached: 64 KiB, aligned. */
const AROUND = 16
/** Changes of entries from which on the whole TLB is emptied. */
const MANY = 32
/** Pages between the top of the address space and where mappings begin, for stacks: 128 MiB. */
const STACK_GAP = 0x8000
/** The lowest page that a program may map: vm.mmap_min_addr. */
const LOWEST = 16

let nextId = 1

/** An address space. Made for one program; shared by its threads. */
export class AddressSpace {
  readonly frames: Frames
  readonly account: Account
  readonly table: PageTable
  readonly areas: Areas = new Areas()
  /** No other one ever has it. */
  readonly id: number = nextId++
  /** Tasks that are in it. */
  users = 1
  /** It is the one that the CPU has. */
  loaded = false
  /** The heap: bytes. */
  brkStart = 0
  brkEnd = 0
  /** Pages that a stack may have: RLIMIT_STACK. */
  stackLimit: number = (8 << 20) / PAGE
  /** Pages that may be mapped: RLIMIT_AS. */
  sizeLimit: number = Number.POSITIVE_INFINITY
  /** Pages that may be mapped private and writable: RLIMIT_DATA. */
  dataLimit: number = Number.POSITIVE_INFINITY
  /** Where arguments and environment lie, for /proc: bytes. */
  readonly strings: { args: number; argsEnd: number; env: number; envEnd: number; auxv: number[] } = {
    args: 0,
    argsEnd: 0,
    env: 0,
    envEnd: 0,
    auxv: [],
  }
  /** Where the vDSO is: bytes. */
  vdso = 0
  #pages = 0
  readonly #tlb: TlbControl
  readonly #kernel: ReadonlyMap<number, number>

  /** An empty one. `table.root` is 0 if there is no memory for it; it must not be used then. */
  constructor(frames: Frames, account: Account, tlb: TlbControl, kernel: ReadonlyMap<number, number>) {
    this.frames = frames
    this.account = account
    this.#tlb = tlb
    this.#kernel = kernel
    this.table = new PageTable(frames, account, kernel)
  }

  /** Pages that are mapped. */
  get size(): number {
    return this.#pages
  }

  /** Those that are private and writable, stacks aside. Counted when asked for: only who has a limit asks. */
  get dataPages(): number {
    if (this.dataLimit === Number.POSITIVE_INFINITY) return 0
    let count = 0
    for (const { prot, shared, growsDown, start, end } of this.areas.list)
      if ((prot & Prot.WRITE) !== 0 && !shared && !growsDown) count += end - start
    return count
  }

  // ── Mapping ─────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Maps `count` pages at `at`, in place of what is there; or where there is room, near `at` if it is not 0. The first page. */
  map(at: number, count: number, what: Mapping, how: 'fixed' | 'free' | 'new'): number {
    if (count <= 0 || count > KERNEL_PAGE) return -Errno.ENOMEM
    let start = at
    if (how === 'free') {
      start = this.#room(at, count)
      if (start < 0) return start
    } else if (at < LOWEST) return -Errno.EPERM
    else if (at + count > KERNEL_PAGE) return -Errno.ENOMEM
    if (how === 'new' && this.#covers(start, count)) return -Errno.EEXIST
    if (this.#pages + count > this.sizeLimit || this.areas.list.length > MOST_AREAS) return -Errno.ENOMEM
    if (how === 'fixed') {
      const answer = this.unmap(start, count)
      if (answer < 0) return answer
    }
    what.pages?.mapped()
    this.#pages += count
    this.areas.add({
      start,
      end: start + count,
      prot: what.prot,
      shared: what.shared ?? false,
      growsDown: what.growsDown ?? false,
      pages: what.pages,
      offset: what.offset ?? 0,
      mayWrite: what.mayWrite ?? true,
      onFork: what.onFork ?? 0,
      file: what.file,
      name: what.name ?? '',
    })
    return start
  }

  #covers(start: number, count: number): boolean {
    const area = this.areas.list[this.areas.indexAbove(start)]
    return area !== undefined && area.start < start + count
  }

  /** The highest room below the stack's, or `near`. */
  #room(near: number, count: number): number {
    if (near >= LOWEST && near + count <= KERNEL_PAGE && !this.#covers(near, count)) return near
    const { list } = this.areas
    let top = KERNEL_PAGE - STACK_GAP
    for (let n = list.length - 1; n >= 0; n--) {
      const area = list[n]!
      if (area.end <= top && top - area.end >= count) break
      top = Math.min(top, area.start)
    }
    return top - count >= LOWEST ? top - count : -Errno.ENOMEM
  }

  /** Unmaps what is mapped of `count` pages. */
  unmap(start: number, count: number): number {
    const end = start + count
    if (!this.areas.cut(start) || !this.areas.cut(end)) return -Errno.ENOMEM
    for (const area of this.areas.remove(start, end)) {
      this.#pages -= area.end - area.start
      this.#clear(area.start, area.end)
      area.pages?.unmapped()
    }
    return 0
  }

  /** Gives the frames between two pages back; the areas stay. */
  #clear(start: number, end: number): void {
    let changed = 0
    this.table.each(start, end, (page, entry) => {
      this.table.set(page, 0)
      this.frames.release(entry >>> 12)
      if (++changed < MANY) this.#drop(page)
    })
    if (changed >= MANY) this.#dropAll()
  }

  #drop(page: number): void {
    if (this.loaded) this.#tlb.invalidate(page * PAGE)
  }
  #dropAll(): void {
    if (this.loaded) this.#tlb.flush()
  }

  /** Makes all of `count` pages be mapped with `prot`: ENOMEM where something is not mapped, EACCES where it may not be so. */
  protect(start: number, count: number, prot: number): number {
    const end = start + count
    if (!this.isMapped(start, count) || !this.areas.cut(start) || !this.areas.cut(end)) return -Errno.ENOMEM
    const areas = this.areas.between(start, end)
    if (areas.some((area) => (prot & Prot.WRITE) !== 0 && area.shared && !area.mayWrite)) return -Errno.EACCES
    for (const area of areas) area.prot = prot
    const open = (prot & (Prot.READ | Prot.WRITE | Prot.EXEC)) !== 0
    let changed = 0
    this.table.each(start, end, (page, entry) => {
      let now = entry
      if (!open) now = (entry & ~Entry.PRESENT) | Entry.KEPT
      else if ((entry & Entry.KEPT) !== 0) now = (entry & ~(Entry.KEPT | Entry.WRITE)) | Entry.PRESENT
      if ((prot & Prot.WRITE) === 0) now &= ~Entry.WRITE
      if (now === entry) return
      this.table.set(page, now >>> 0)
      if (++changed < MANY) this.#drop(page)
    })
    if (changed >= MANY) this.#dropAll()
    this.areas.join(start, end)
    return 0
  }

  /** Sets and clears bits of `OnFork` for what is mapped of `count` pages. Private memory of no file alone is wiped. */
  setOnFork(start: number, count: number, set: number, clear: number): number {
    const end = start + count
    if (!this.areas.cut(start) || !this.areas.cut(end)) return -Errno.EAGAIN
    let answer = this.isMapped(start, count) ? 0 : -Errno.ENOMEM
    for (const area of this.areas.between(start, end)) {
      if ((set & OnFork.WIPE) !== 0 && (area.shared || area.pages !== undefined)) {
        answer = -Errno.EINVAL
        break
      }
      area.onFork = (area.onFork | set) & ~clear
    }
    this.areas.join(start, end)
    return answer
  }

  /** Whether all of `count` pages are mapped. */
  isMapped(start: number, count: number): boolean {
    let at = start
    for (let n = this.areas.indexAbove(start); at < start + count; n++) {
      const area = this.areas.list[n]
      if (area === undefined || area.start > at) return false
      at = area.end
    }
    return true
  }

  /** Moves `count` pages of one area to `to`, where nothing is mapped, with what is in them. */
  move(start: number, count: number, to: number): boolean {
    const moved: [number, number][] = []
    this.table.each(start, start + count, (page, entry) => void moved.push([page, entry]))
    for (const [page, entry] of moved) {
      if (!this.table.set(to + page - start, entry)) return false
      this.table.set(page, 0)
    }
    this.#dropAll()
    return true
  }

  /** MADV_DONTNEED: private pages are what they were when mapped; what is not mapped is told when the rest is done. */
  discard(start: number, count: number): number {
    for (const area of this.areas.between(start, start + count))
      this.#clear(Math.max(start, area.start), Math.min(start + count, area.end))
    return this.isMapped(start, count) ? 0 : -Errno.ENOMEM
  }

  /** Pages of a file from `first` on are gone: so are their mappings. */
  truncated(pages: FilePages, first: number): void {
    for (const area of this.areas.list) {
      if (area.pages !== pages) continue
      const from = Math.max(area.start, area.start + first - area.offset)
      if (from < area.end) this.#clear(from, area.end)
    }
  }

  /** Pages of a file from `first` up to `end` become a hole: who shows them sees that; copies that were made of them stay. */
  punched(pages: FilePages, first: number, end: number): void {
    for (const area of this.areas.list) {
      if (area.pages !== pages) continue
      const shift = area.start - area.offset
      this.table.each(Math.max(area.start, first + shift), Math.min(area.end, end + shift), (page, entry) => {
        if (entry >>> 12 !== pages.cached(page - shift)) return
        this.table.set(page, 0)
        this.frames.release(entry >>> 12)
      })
    }
    this.#dropAll()
  }

  // ── Faults ──────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Somebody reads or writes a page, and the page table does not permit it. */
  fault(page: number, write: boolean): number {
    const area = this.areas.at(page) ?? this.#grow(page)
    if (area === undefined) return Fault.MAPPING
    if ((area.prot & (write ? Prot.WRITE : Prot.READ | Prot.WRITE | Prot.EXEC)) === 0) return Fault.ACCESS
    const entry = this.table.get(page)
    if (entry !== 0) return write ? this.#store(area, page, entry) : this.#seen(page)
    const { pages } = area
    if (pages === undefined) {
      if (!write) return this.#enter(page, this.frames.zero, 0)
      const frame = this.frames.take(this.account)
      return frame === 0 ? Fault.MEMORY : this.#enter(page, frame, WRITABLE)
    }
    const index = area.offset + (page - area.start)
    const frame = pages.frame(index, this.account)
    if (frame <= 0) return frame === NoPage.MEMORY ? Fault.MEMORY : frame === NoPage.NOT_YET ? Fault.BLOCK : Fault.BUS
    if (area.shared || !write) {
      if (area.shared && write && !pages.markDirty(index)) return Fault.BUS
      this.frames.retain(frame)
      const done = this.#enter(page, frame, area.shared && write ? WRITABLE : 0)
      if (!write && done === Fault.DONE) this.#around(area, pages, page)
      return done
    }
    // (Reclaim for the copy must not take the original.)
    this.frames.retain(frame)
    const copy = this.frames.take(this.account, false)
    if (copy !== 0) this.frames.copy(frame, copy)
    this.frames.release(frame)
    return copy === 0 ? Fault.MEMORY : this.#enter(page, copy, WRITABLE)
  }

  /** A stack grows by what is pushed below it. */
  #grow(page: number): Area | undefined {
    const { list } = this.areas
    const index = this.areas.indexAbove(page)
    const area = list[index]
    if (area === undefined || !area.growsDown || area.end - page > this.stackLimit) return undefined
    // A guard gap of 256 pages to what lies below.
    const below = list[index - 1]
    if (below !== undefined && below.end + 256 > page) return undefined
    if (this.#pages + area.start - page > this.sizeLimit) return undefined
    this.#pages += area.start - page
    area.start = page
    return area
  }

  /** The entry permits it: it was the TLB that did not know. */
  #seen(page: number): number {
    this.#drop(page)
    return Fault.DONE
  }

  /** A store to a page that has a frame. */
  #store(area: Area, page: number, entry: number): number {
    if ((entry & Entry.WRITE) !== 0) return this.#seen(page)
    const frame = entry >>> 12
    if (area.shared) {
      if (area.pages?.markDirty(area.offset + (page - area.start)) === false) return Fault.BUS
      this.table.set(page, (entry | WRITABLE) >>> 0)
      return this.#seen(page)
    }
    if (frame !== this.frames.zero && this.frames.references(frame) === 1) {
      this.table.set(page, (entry | WRITABLE) >>> 0)
      return this.#seen(page)
    }
    const copy = this.frames.take(this.account, frame === this.frames.zero)
    if (copy === 0) return Fault.MEMORY
    if (frame !== this.frames.zero) this.frames.copy(frame, copy)
    this.table.set(page, copy * PAGE + (PRESENT | WRITABLE))
    this.frames.release(frame)
    return this.#seen(page)
  }

  #enter(page: number, frame: number, bits: number): number {
    if (this.table.set(page, frame * PAGE + (PRESENT | bits))) return Fault.DONE
    this.frames.release(frame)
    return Fault.MEMORY
  }

  /** Maps what is cached of a file around a page, to be read. */
  #around(area: Area, pages: FilePages, page: number): void {
    const first = Math.max(area.start, page - (page % AROUND))
    const end = Math.min(area.end, page - (page % AROUND) + AROUND)
    for (let near = first; near < end; near++) {
      if (near === page || this.table.get(near) !== 0) continue
      const frame = pages.cached(area.offset + (near - area.start))
      if (frame === 0) continue
      this.frames.retain(frame)
      this.table.set(near, frame * PAGE + PRESENT)
    }
  }

  // ── Heap, copies, end ───────────────────────────────────────────────────────────────────────────────────────────

  /** brk(2), in bytes. Answers the end of the heap, which is as before where it cannot be so. */
  brk(end: number): number {
    if (end < this.brkStart) return this.brkEnd
    const before = Math.ceil(this.brkEnd / PAGE)
    const after = Math.ceil(end / PAGE)
    if (after > before) {
      const prot = Prot.READ | Prot.WRITE | Prot.EXEC
      if (this.dataPages + after - before > this.dataLimit) return this.brkEnd
      if (this.map(before, after - before, { prot, name: '[heap]' }, 'new') < 0) return this.brkEnd
    } else if (after < before) this.unmap(after, before - after)
    this.brkEnd = end
    return end
  }

  /** A copy, as fork makes it: private pages are shared until one of the two stores. Undefined where memory ends. */
  fork(account: Account): AddressSpace | undefined {
    const child = new AddressSpace(this.frames, account, this.#tlb, this.#kernel)
    if (child.table.root === 0) return undefined
    child.brkStart = this.brkStart
    child.brkEnd = this.brkEnd
    child.stackLimit = this.stackLimit
    child.sizeLimit = this.sizeLimit
    child.dataLimit = this.dataLimit
    child.vdso = this.vdso
    Object.assign(child.strings, this.strings)
    child.#pages = this.#pages
    let complete = true
    for (const area of this.areas.list) {
      if ((area.onFork & OnFork.LEAVE) !== 0) {
        child.#pages -= area.end - area.start
        continue
      }
      child.areas.list.push({ ...area })
      area.pages?.mapped()
      if ((area.onFork & OnFork.WIPE) !== 0) continue
      this.table.each(area.start, area.end, (page, entry) => {
        let shared = entry
        if (!area.shared && (entry & Entry.WRITE) !== 0) {
          shared = (entry & ~Entry.WRITE) >>> 0
          this.table.set(page, shared)
        }
        if (child.table.set(page, shared)) this.frames.retain(entry >>> 12)
        else complete = false
      })
    }
    this.#dropAll()
    if (complete) return child
    child.free()
    return undefined
  }

  /** Gives all that it has back. */
  free(): void {
    for (const area of this.areas.list.splice(0)) {
      this.table.each(area.start, area.end, (page, entry) => {
        this.table.set(page, 0)
        this.frames.release(entry >>> 12)
      })
      area.pages?.unmapped()
    }
    this.#pages = 0
    this.table.free()
  }

  /** Pages with frames: the resident set. */
  get resident(): number {
    let count = 0
    for (const area of this.areas.list) this.table.each(area.start, area.end, () => void count++)
    return count
  }

  /** The same for a debugger, who reads and writes what the program may not, in pages of its own: −1 where there is none. */
  forced(address: number, write: boolean): number {
    const page = Math.floor(address / PAGE)
    const area = this.areas.at(page)
    if (area === undefined || area.shared) return this.physical(address, write)
    const { prot } = area
    area.prot |= Prot.READ | (write ? Prot.WRITE : 0)
    const physical = this.physical(address, write)
    area.prot = prot
    if (write && physical >= 0 && (prot & Prot.WRITE) === 0) {
      this.table.set(page, (this.table.get(page) & ~Entry.WRITE) >>> 0)
      this.#drop(page)
    }
    return physical
  }

  /** Physical address of a byte of a space that the CPU need not have, its page being touched; −1 where there is none. */
  physical(address: number, write: boolean): number {
    const page = Math.floor(address / PAGE)
    for (let tries = 0; tries < 3; tries++) {
      const entry = this.table.get(page)
      if ((entry & Entry.PRESENT) !== 0 && (!write || (entry & Entry.WRITE) !== 0)) {
        return (entry >>> 12) * PAGE + (address % PAGE)
      }
      if (this.fault(page, write) !== Fault.DONE) return -1
    }
    return -1
  }
}
