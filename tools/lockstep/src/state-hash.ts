/**
 * A hash over all that a machine is: every part's state by name, virtual time, counters, and memory. Memory is hashed by
 * the page, and again only where a dirty log says that it was written, so that a hash costs what the guest wrote.
 */
import { createHash, hash } from 'node:crypto'
import { VmexitError } from '@vmexit/core'
import { type DirtyLog, type GuestMemory, type MemoryRange, PAGE_BYTES, PageFlag } from '@vmexit/memory'
import type { Pc } from '@vmexit/vmexit'

/** Bytes kept of a page's SHA-1. */
const DIGEST = 16

/** A machine's state without the contents of memory, by name. */
export type NamedState = Readonly<Record<string, unknown>>

/** The memory of a machine. */
export function memoryOf(pc: Pc): GuestMemory {
  const memory = pc.machine.find('guestMemory')
  if (memory !== undefined) return memory
  throw new VmexitError('lockstep-memory', {
    problem: 'this machine has no guest memory',
    remedy: 'compose it with ram(…) of @vmexit/memory',
  })
}

/** Everything but the contents of memory, of which only layout and protection are in it. */
export function namedState(pc: Pc): NamedState {
  const { machine } = pc
  const memory = memoryOf(pc)
  const parts: Record<string, unknown> = {}
  for (const { name, api } of machine.parts) {
    if ('guestMemory' in api) parts[name] = { ranges: memory.ranges, readOnly: readOnlyPages(memory) }
    else if (api.save !== undefined) parts[name] = api.save()
  }
  return { clock: machine.get('clock').save(), counters: machine.get('counters').snapshot(), parts }
}

/** Runs of read-only pages, as first and last page number. */
function readOnlyPages(memory: GuestMemory): readonly (readonly [number, number])[] {
  const runs: [number, number][] = []
  for (const pfn of pagesOf(memory.ranges)) {
    if ((memory.flagsOf(pfn) & PageFlag.ROM) === 0) continue
    const last = runs.at(-1)
    if (last !== undefined && last[1] === pfn - 1) last[1] = pfn
    else runs.push([pfn, pfn])
  }
  return runs
}

function* pagesOf(ranges: readonly MemoryRange[]): Generator<number> {
  for (const { start, bytes } of ranges) {
    for (let pfn = start / PAGE_BYTES; pfn < (start + bytes) / PAGE_BYTES; pfn++) yield pfn
  }
}

/** Equal states give equal text: fields in the order of their names, bytes in hexadecimal. */
function canonicalText(state: NamedState): string {
  return JSON.stringify(state, (_, value: unknown) => {
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    if (ArrayBuffer.isView(value)) {
      const { buffer, byteOffset, byteLength } = value
      return `${value.constructor.name} ${Buffer.from(buffer, byteOffset, byteLength).toString('hex')}`
    }
    const fields = Object.entries(value)
    return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)))
  })
}

/** Follows one machine. Dispose it when the machine is no longer hashed. */
export class StateHash implements Disposable {
  readonly #pc: Pc
  readonly #memory: GuestMemory
  #log: DirtyLog | undefined
  #ranges: readonly MemoryRange[] = []
  /** Of each page of the ranges, in their order. */
  #digests = new Uint8Array(0)

  constructor(pc: Pc) {
    this.#pc = pc
    this.#memory = memoryOf(pc)
  }

  /** The hash now, 128 bits in hexadecimal. */
  digest(): string {
    this.#follow()
    return createHash('sha256')
      .update(canonicalText(namedState(this.#pc)))
      .update(this.#digests)
      .digest('hex')
      .slice(0, 32)
  }

  [Symbol.dispose](): void {
    this.#log?.close()
  }

  /** Brings the digests of pages up to date. */
  #follow(): void {
    const { ranges } = this.#memory
    if (this.#log !== undefined && ranges === this.#ranges) {
      for (const pfn of this.#log.take()) this.#hashPage(pfn)
      return
    }
    this.#log?.close()
    this.#log = this.#memory.openDirtyLog()
    this.#ranges = ranges
    this.#digests = new Uint8Array((ranges.reduce((sum, { bytes }) => sum + bytes, 0) / PAGE_BYTES) * DIGEST)
    for (const pfn of pagesOf(ranges)) this.#hashPage(pfn)
  }

  #hashPage(pfn: number): void {
    const index = indexOf(this.#ranges, pfn)
    if (index < 0) return
    const frame = this.#memory.readPage(pfn)
    const digest = frame === this.#memory.pool.zeroFrame ? zeroDigest : digestOf(this.#memory.host.u8, frame)
    this.#digests.set(digest, index * DIGEST)
  }
}

function indexOf(ranges: readonly MemoryRange[], pfn: number): number {
  let before = 0
  for (const { start, bytes } of ranges) {
    if (pfn >= start / PAGE_BYTES && pfn < (start + bytes) / PAGE_BYTES) return before + pfn - start / PAGE_BYTES
    before += bytes / PAGE_BYTES
  }
  return -1
}

const digestOf = (bytes: Uint8Array, at: number): Uint8Array =>
  hash('sha1', bytes.subarray(at, at + PAGE_BYTES), 'buffer').subarray(0, DIGEST)
const zeroDigest = digestOf(new Uint8Array(PAGE_BYTES), 0)
