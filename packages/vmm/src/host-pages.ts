/** Pages of a machine's RAM, handed out to its supervisors: guests' memory, tables, VMX regions. */
import { VmexitError } from '@vmexit/core'
import { type GuestMemory, PAGE_BYTES } from '@vmexit/memory'

/** Pages from 1 MiB on: below it firmware and boot loaders have theirs. */
const FIRST_PAGE = 0x100
const POOLS = new WeakMap<GuestMemory, HostPages>()

/** Which pages of one machine are free. Pages are named by number: address / 4096. */
export class HostPages {
  readonly memory: GuestMemory
  /** Pages between the ranges' beginnings and what was never handed out. */
  readonly #fresh: { next: number; readonly end: number }[]
  readonly #free: number[] = []
  #used = 0

  /** The pages of `memory`: all supervisors of a machine share them. */
  static of(memory: GuestMemory): HostPages {
    const known = POOLS.get(memory)
    if (known !== undefined) return known
    const pages = new HostPages(memory)
    POOLS.set(memory, pages)
    return pages
  }

  private constructor(memory: GuestMemory) {
    this.memory = memory
    this.#fresh = memory.ranges
      .filter(({ kind }) => kind === 'ram')
      .map(({ start, bytes }) => ({
        next: Math.max(FIRST_PAGE, start / PAGE_BYTES),
        end: (start + bytes) / PAGE_BYTES,
      }))
      .filter(({ next, end }) => next < end)
  }

  /** Pages handed out now. */
  get used(): number {
    return this.#used
  }

  /** A page of zeros. @throws VmexitError `machine-memory` if there is none. */
  allocate(): number {
    const again = this.#free.pop()
    if (again !== undefined) {
      this.memory.writeBytes(again * PAGE_BYTES, ZEROS)
      this.#used++
      return again
    }
    return this.allocateRun(1)
  }

  /** So many pages in a row, of zeros, the first one's number a multiple of `align`. @throws VmexitError `machine-memory`. */
  allocateRun(count: number, align = 1): number {
    for (const range of this.#fresh) {
      const first = Math.ceil(range.next / align) * align
      if (first + count > range.end) continue
      for (let skipped = range.next; skipped < first; skipped++) this.#free.push(skipped)
      range.next = first + count
      this.#used += count
      return first
    }
    throw new VmexitError('machine-memory', {
      problem: `the machine has no ${count === 1 ? 'free page' : `${count} free pages in a row`} left for its supervisors`,
      remedy: 'give the machine more memory, or its VMs less',
    })
  }

  /** Gives a page back. */
  free(page: number): void {
    this.#free.push(page)
    this.#used--
  }
}

const ZEROS = new Uint8Array(PAGE_BYTES)
