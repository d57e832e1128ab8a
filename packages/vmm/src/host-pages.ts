/** Pages of a machine's RAM, handed out to its supervisors: guests' memory, tables, VMX regions. */
import { VmexitError } from '@vmexit/core'
import { type GuestMemory, PAGE_BYTES } from '@vmexit/memory'

/** Pages from 1 MiB on: below it firmware and boot loaders have theirs. */
const FIRST_PAGE = 0x100
const POOLS = new WeakMap<GuestMemory, HostPages>()

/** What becomes of a page. */
const FREE = 0
const USED = 1

/** Pages of one range of RAM that supervisors may have. */
interface Range {
  readonly first: number
  /** By page from `first` on: {@link FREE} or {@link USED}. */
  readonly state: Uint8Array
  /** No page before this one, counted from `first`, is free. */
  from: number
}

/** Which pages of one machine are free. Pages are named by number: address / 4096. */
export class HostPages {
  readonly memory: GuestMemory
  readonly #ranges: readonly Range[]
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
    this.#ranges = memory.ranges
      .filter(({ kind }) => kind === 'ram')
      .map(({ start, bytes }) => ({
        first: Math.max(FIRST_PAGE, start / PAGE_BYTES),
        end: (start + bytes) / PAGE_BYTES,
      }))
      .filter(({ first, end }) => first < end)
      .map(({ first, end }) => ({ first, state: new Uint8Array(end - first), from: 0 }))
  }

  /** Pages handed out now. */
  get used(): number {
    return this.#used
  }

  /** A page of zeros. @throws VmexitError `machine-memory` if there is none: see {@link isMachineFull}. */
  allocate(): number {
    for (const range of this.#ranges) {
      const at = range.state.indexOf(FREE, range.from)
      range.from = at < 0 ? range.state.length : at + 1
      if (at < 0) continue
      range.state[at] = USED
      this.#used++
      return range.first + at
    }
    throw new VmexitError('machine-memory', {
      problem: 'the machine has no free page left for its supervisors',
      remedy: 'give the machine more memory, or its VMs less',
    })
  }

  /** So many pages of zeros in a row, the first one's number a multiple of `count`; −1 if there are none. */
  allocateBlock(count: number): number {
    for (const { first, state } of this.#ranges) {
      for (let at = (count - (first % count)) % count; at + count <= state.length; at += count) {
        const block = state.subarray(at, at + count)
        if (block.includes(USED)) continue
        block.fill(USED)
        this.#used += count
        return first + at
      }
    }
    return -1
  }

  /** Gives a page back, with what is in it. */
  free(page: number): void {
    for (const range of this.#ranges) {
      const at = page - range.first
      if (range.state[at] !== USED) continue
      this.memory.unmapFrame(page)
      range.state[at] = FREE
      range.from = Math.min(range.from, at)
      this.#used--
      return
    }
  }
}

/** Was it thrown because the machine has no page left? */
export function isMachineFull(error: unknown): boolean {
  return error instanceof VmexitError && error.code === 'machine-memory'
}
