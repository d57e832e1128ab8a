/**
 * The one block of host memory a machine lives in: CPU state, engine tables and guest frames side by side, so that
 * generated WebAssembly reaches all of it with one memory. It grows only through this object, which owns every view.
 */
import { VmexitError } from '@vmexit/core'
import { ArrayBufferMemory, type LinearMemory, WASM_PAGE_BYTES, webAssemblyMemory } from './linear-memory.ts'

/** Bytes in a page of guest memory, a host frame, and the unit in which spans are handed out. */
export const PAGE_BYTES = 4096

const FOUR_GIB = 2 ** 32

/** Sizes and backing of a {@link HostMemory}; all have defaults. */
export interface HostMemoryOptions {
  /** Bytes at the start; rounded up to 64 KiB. Default 1 MiB. */
  readonly initialBytes?: number
  /** Bytes it may never exceed; rounded down to 64 KiB. Default and upper limit: 4 GiB, what 32-bit WebAssembly addresses. */
  readonly maximumBytes?: number
  /** Least number of bytes added at a time; rounded up to 64 KiB. Default 16 MiB. Untouched bytes cost no host RAM. */
  readonly growthBytes?: number
  /** `'auto'` (default) takes WebAssembly where the host has it; `'arraybuffer'` never does. */
  readonly backing?: 'auto' | 'arraybuffer'
}

/** A run of whole pages handed out by {@link HostMemory.reserve}. */
export interface Span {
  /** Host offset of the first byte; a multiple of 4096, never 0. */
  readonly address: number
  /** Length; a multiple of 4096. */
  readonly bytes: number
  /** What it is for, as named at `reserve`. */
  readonly name: string
}

interface Gap {
  address: number
  bytes: number
}

/**
 * Host memory: typed views, growth, and an allocator of page-aligned spans.
 *
 * Views are replaced at every growth, so hold on to the `HostMemory` and not to a view, or listen with {@link onGrow}.
 * Hosts are taken to be little-endian, as every host of WebAssembly is.
 */
export class HostMemory {
  /** The memory to import into WebAssembly instances (a stand-in where {@link isWebAssembly} is false). */
  readonly memory: LinearMemory
  readonly isWebAssembly: boolean
  /** Bytes it may grow to. WebAssembly modules import it with this maximum, divided by 64 KiB. */
  readonly maximumBytes: number
  readonly #growthBytes: number
  readonly #listeners = new Set<() => void>()
  readonly #spans = new Map<number, Span>()
  /** Free spans below `#top`, ascending, never adjacent. */
  readonly #gaps: Gap[] = []
  /** The first page is never handed out: offset 0 means "none" everywhere. */
  #top = PAGE_BYTES
  /** Bytes from here on have never been handed out and are zero. */
  #touched = PAGE_BYTES

  u8!: Uint8Array<ArrayBuffer>
  i8!: Int8Array<ArrayBuffer>
  u16!: Uint16Array<ArrayBuffer>
  i16!: Int16Array<ArrayBuffer>
  u32!: Uint32Array<ArrayBuffer>
  i32!: Int32Array<ArrayBuffer>
  u64!: BigUint64Array<ArrayBuffer>
  i64!: BigInt64Array<ArrayBuffer>
  f32!: Float32Array<ArrayBuffer>
  f64!: Float64Array<ArrayBuffer>
  /** For unaligned access; pass `true` for little-endian. */
  view!: DataView<ArrayBuffer>

  /** @throws VmexitError `memory-size` for sizes that cannot stand, `memory-exhausted` if the host refuses. */
  constructor(options: HostMemoryOptions = {}) {
    const maximum = Math.floor(size('maximumBytes', options.maximumBytes ?? FOUR_GIB) / WASM_PAGE_BYTES)
    const initial = Math.ceil(
      size('initialBytes', options.initialBytes ?? Math.min(2 ** 20, maximum * WASM_PAGE_BYTES)) / WASM_PAGE_BYTES,
    )
    if (maximum < 1 || initial > maximum) {
      throw new VmexitError('memory-size', {
        problem: `host memory cannot start with ${initial * WASM_PAGE_BYTES} bytes and a maximum of ${maximum * WASM_PAGE_BYTES}`,
        remedy: 'give a maximumBytes of at least 65536 that is not below initialBytes',
      })
    }
    this.#growthBytes = size('growthBytes', options.growthBytes ?? 2 ** 24)
    this.maximumBytes = maximum * WASM_PAGE_BYTES
    const WebAssemblyMemory = options.backing === 'arraybuffer' ? undefined : webAssemblyMemory()
    this.isWebAssembly = WebAssemblyMemory !== undefined
    try {
      this.memory = new (WebAssemblyMemory ?? ArrayBufferMemory)({ initial, maximum })
    } catch (cause) {
      throw new VmexitError('memory-exhausted', {
        problem: `the host refused ${initial * WASM_PAGE_BYTES} bytes`,
        remedy: 'lower maximumBytes or initialBytes',
        cause,
      })
    }
    this.#makeViews()
  }

  /** Present size in bytes. */
  get byteLength(): number {
    return this.u8.length
  }

  /** What is handed out, by ascending address. */
  get spans(): Span[] {
    return [...this.#spans.values()].sort((a, b) => a.address - b.address)
  }

  /** Calls `listener` after each growth, when the views are new. Returns the function that ends it. */
  onGrow(listener: () => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Hands out `bytes` (rounded up to whole pages), zero-filled, growing if needed.
   * @throws VmexitError `memory-exhausted` beyond the maximum; nothing is changed then.
   */
  reserve(bytes: number, name: string): Span {
    const length = Math.ceil(size(`the size of ${name}`, bytes) / PAGE_BYTES) * PAGE_BYTES
    const gap = this.#gaps.findIndex((candidate) => candidate.bytes >= length)
    const address = gap >= 0 ? this.#takeGap(gap, length) : this.#takeTop(length, name)
    this.u8.fill(0, address, Math.min(address + length, Math.max(this.#touched, address)))
    this.#touched = Math.max(this.#touched, address + length)
    const span: Span = { address, bytes: length, name }
    this.#spans.set(address, span)
    return span
  }

  /**
   * Gives a span back, to be handed out again.
   * @throws VmexitError `span-unknown` if it is not a span of this memory, or was freed before.
   */
  free(span: Span): void {
    if (this.#spans.get(span.address) !== span) {
      throw new VmexitError('span-unknown', {
        problem: `span ${span.name} is not reserved here`,
        remedy: 'free a span once, in the memory that gave it',
      })
    }
    this.#spans.delete(span.address)
    const at = this.#gaps.findIndex((gap) => gap.address > span.address)
    const index = at < 0 ? this.#gaps.length : at
    this.#gaps.splice(index, 0, { address: span.address, bytes: span.bytes })
    this.#join(index)
    if (index > 0) this.#join(index - 1)
    const last = this.#gaps.at(-1)
    if (last !== undefined && last.address + last.bytes === this.#top) {
      this.#top = last.address
      this.#gaps.pop()
    }
  }

  #join(index: number): void {
    const gap = this.#gaps[index]
    const next = this.#gaps[index + 1]
    if (gap === undefined || next === undefined || gap.address + gap.bytes !== next.address) return
    gap.bytes += next.bytes
    this.#gaps.splice(index + 1, 1)
  }

  #takeGap(index: number, length: number): number {
    const gap = this.#gaps[index] as Gap
    const address = gap.address
    gap.address += length
    gap.bytes -= length
    if (gap.bytes === 0) this.#gaps.splice(index, 1)
    return address
  }

  #takeTop(length: number, name: string): number {
    const address = this.#top
    this.#ensure(address + length, name)
    this.#top = address + length
    return address
  }

  #ensure(end: number, name: string): void {
    const missing = end - this.byteLength
    if (missing <= 0) return
    const room = this.maximumBytes - this.byteLength
    if (missing > room) throw this.#exhausted(name, `${end} bytes are needed, the maximum is ${this.maximumBytes}`)
    const pages = Math.ceil(Math.min(Math.max(missing, this.#growthBytes), room) / WASM_PAGE_BYTES)
    try {
      this.memory.grow(pages)
    } catch (cause) {
      throw this.#exhausted(name, `the host refused to grow it by ${pages * WASM_PAGE_BYTES} bytes`, cause)
    }
    this.#makeViews()
    for (const listener of this.#listeners) listener()
  }

  #exhausted(name: string, reason: string, cause?: unknown): VmexitError {
    const users = new Map<string, number>()
    for (const span of this.#spans.values()) users.set(span.name, (users.get(span.name) ?? 0) + span.bytes)
    const list = [...users].map(([user, bytes]) => `${user} ${bytes}`).join(', ') || 'nothing'
    return new VmexitError('memory-exhausted', {
      problem: `host memory is exhausted at ${name} (${reason}; in use: ${list})`,
      remedy: 'free some of it, or raise maximumBytes',
      cause,
    })
  }

  #makeViews(): void {
    const buffer = this.memory.buffer
    this.u8 = new Uint8Array(buffer)
    this.i8 = new Int8Array(buffer)
    this.u16 = new Uint16Array(buffer)
    this.i16 = new Int16Array(buffer)
    this.u32 = new Uint32Array(buffer)
    this.i32 = new Int32Array(buffer)
    this.u64 = new BigUint64Array(buffer)
    this.i64 = new BigInt64Array(buffer)
    this.f32 = new Float32Array(buffer)
    this.f64 = new Float64Array(buffer)
    this.view = new DataView(buffer)
  }
}

function size(what: string, bytes: number): number {
  if (!Number.isSafeInteger(bytes) || bytes <= 0 || bytes > FOUR_GIB) {
    throw new VmexitError('memory-size', {
      problem: `${what} is ${bytes}`,
      remedy: 'give a whole number of bytes from 1 to 4 GiB',
    })
  }
  return bytes
}
