/**
 * Guest-physical memory by the byte: the one choke point through which CPU slow paths, page walkers, DMA and
 * supervisors read and write.
 */
import type { DmaTarget } from './dma.ts'
import { type FrameOwner, FramePool, unlimitedOwner } from './frame-pool.ts'
import { GuestPages, pageOf } from './guest-pages.ts'
import { HostMemory, PAGE_BYTES } from './host-memory.ts'
import { type MemoryRange, PageFlag } from './page-map.ts'
import { type MemoryState, restoreMemory, saveMemory } from './state.ts'

/** Bytes of one memory-mapped access. */
export type AccessWidth = 1 | 2 | 4

/** Who answers where there is no memory. Values are unsigned; addresses are guest-physical. An access stays in one page. */
export interface MmioHandler {
  read(address: number, width: AccessWidth): number
  write(address: number, width: AccessWidth, value: number): void
}

/** Nobody there: reads give all ones, writes are lost, as on a PC's bus. */
export const UNMAPPED: MmioHandler = {
  read: () => 0xffff_ffff,
  write: () => {},
}

/** What a {@link GuestMemory} is made of. */
export interface GuestMemoryOptions {
  /** RAM and ROM; everything else is a hole. */
  readonly ranges: readonly MemoryRange[]
  /** Frames to use. Default: a pool of its own in a new {@link HostMemory}. */
  readonly pool?: FramePool
  /** Default {@link UNMAPPED}. */
  readonly mmio?: MmioHandler
  /** Whom frames are charged to. Default: an unlimited owner. */
  readonly owner?: FrameOwner
}

const OFFSET = PAGE_BYTES - 1

/**
 * Guest-physical memory. Addresses are non-negative numbers up to 2^52, values unsigned unless said otherwise. Accesses
 * may be unaligned and may cross pages (the pages are then accessed one after the other, byte by byte).
 *
 * A write does all that belongs to it: own frame for a shared page, dirty logs, dropping of translated code, watchers;
 * it is lost on ROM and goes to the MMIO handler in holes. It throws a `VmexitError` `frame-limit` or
 * `memory-exhausted` if a frame is needed and there is none.
 */
export class GuestMemory extends GuestPages {
  /** Who answers in holes. */
  mmio: MmioHandler
  /** The same memory as bus masters see it. */
  readonly dma: DmaTarget = {
    read: (address, into) => this.#dmaRead(address, into),
    write: (address, from) => this.#dmaWrite(address, from),
  }

  constructor(options: GuestMemoryOptions) {
    super(
      options.pool ?? new FramePool({ host: new HostMemory() }),
      options.owner ?? unlimitedOwner('guest memory'),
      options.ranges,
    )
    this.mmio = options.mmio ?? UNMAPPED
  }

  read8(address: number): number {
    const frame = this.pages.frame[this.pages.slot(pageOf(address))]
    return frame !== 0 ? this.host.u8[frame + (address & OFFSET)] : this.mmio.read(address, 1) & 0xff
  }

  read16(address: number): number {
    const offset = address & OFFSET
    if (offset > PAGE_BYTES - 2) return this.read8(address) | (this.read8(address + 1) << 8)
    const frame = this.pages.frame[this.pages.slot(pageOf(address))]
    return frame !== 0 ? this.host.view.getUint16(frame + offset, true) : this.mmio.read(address, 2) & 0xffff
  }

  read32(address: number): number {
    const offset = address & OFFSET
    if (offset > PAGE_BYTES - 4) return this.#readCrossing(address)
    const frame = this.pages.frame[this.pages.slot(pageOf(address))]
    return frame !== 0 ? this.host.view.getUint32(frame + offset, true) : this.mmio.read(address, 4) >>> 0
  }

  /** Hot callers use two {@link read32} instead. In holes: two accesses, the low half first. */
  read64(address: number): bigint {
    const low = this.read32(address)
    return BigInt(low) | (BigInt(this.read32(address + 4)) << 32n)
  }

  /** Fills `into`. In holes: 4-byte accesses where aligned, else single bytes. */
  readBytes(address: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const at = address + done
      const length = Math.min(PAGE_BYTES - (at & OFFSET), into.length - done)
      const frame = this.pages.frame[this.pages.slot(pageOf(at))]
      if (frame === 0) this.#mmioReadBytes(at, into.subarray(done, done + length))
      else into.set(this.host.u8.subarray(frame + (at & OFFSET), frame + (at & OFFSET) + length), done)
      done += length
    }
  }

  /** Stores the low 8 bits of `value`. */
  write8(address: number, value: number): void {
    const pfn = pageOf(address)
    const slot = this.pages.slot(pfn)
    const offset = address & OFFSET
    const flags = this.pages.flags[slot]
    if ((flags & PageFlag.RESTRICTED) === 0) this.host.u8[this.pages.frame[slot] + offset] = value
    else if ((flags & PageFlag.HOLE) !== 0) this.mmio.write(address, 1, value & 0xff)
    else {
      const at = this.#begin(pfn, slot, offset, 1)
      if (at === 0) return
      this.host.u8[at] = value
      this.#end(pfn, slot, offset, 1)
    }
  }

  /** Stores the low 16 bits of `value`. */
  write16(address: number, value: number): void {
    const offset = address & OFFSET
    if (offset > PAGE_BYTES - 2) {
      this.#writeCrossing(address, value, 2)
      return
    }
    const pfn = pageOf(address)
    const slot = this.pages.slot(pfn)
    const flags = this.pages.flags[slot]
    if ((flags & PageFlag.RESTRICTED) === 0) this.host.view.setUint16(this.pages.frame[slot] + offset, value, true)
    else if ((flags & PageFlag.HOLE) !== 0) this.mmio.write(address, 2, value & 0xffff)
    else {
      const at = this.#begin(pfn, slot, offset, 2)
      if (at === 0) return
      this.host.view.setUint16(at, value, true)
      this.#end(pfn, slot, offset, 2)
    }
  }

  /** Stores the low 32 bits of `value`, which may be signed. */
  write32(address: number, value: number): void {
    const offset = address & OFFSET
    if (offset > PAGE_BYTES - 4) {
      this.#writeCrossing(address, value, 4)
      return
    }
    const pfn = pageOf(address)
    const slot = this.pages.slot(pfn)
    const flags = this.pages.flags[slot]
    if ((flags & PageFlag.RESTRICTED) === 0) this.host.view.setUint32(this.pages.frame[slot] + offset, value, true)
    else if ((flags & PageFlag.HOLE) !== 0) this.mmio.write(address, 4, value >>> 0)
    else {
      const at = this.#begin(pfn, slot, offset, 4)
      if (at === 0) return
      this.host.view.setUint32(at, value, true)
      this.#end(pfn, slot, offset, 4)
    }
  }

  /** Stores two 32-bit halves as one write. In holes: two accesses, the low half first. */
  write64(address: number, low: number, high: number): void {
    const offset = address & OFFSET
    const pfn = pageOf(address)
    const slot = this.pages.slot(pfn)
    if (offset > PAGE_BYTES - 8 || (this.pages.flags[slot] & PageFlag.HOLE) !== 0) {
      this.write32(address, low)
      this.write32(address + 4, high)
      return
    }
    const at = this.#begin(pfn, slot, offset, 8)
    if (at === 0) return
    this.host.view.setUint32(at, low, true)
    this.host.view.setUint32(at + 4, high, true)
    this.#end(pfn, slot, offset, 8)
  }

  /** Stores `from`. In holes: 4-byte accesses where aligned, else single bytes. */
  writeBytes(address: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const to = address + done
      const pfn = pageOf(to)
      const slot = this.pages.slot(pfn)
      const offset = to & OFFSET
      const part = from.subarray(done, done + PAGE_BYTES - offset)
      done += part.length
      if ((this.pages.flags[slot] & PageFlag.HOLE) !== 0) {
        this.#mmioWriteBytes(to, part)
        continue
      }
      const at = this.#begin(pfn, slot, offset, part.length)
      if (at === 0) continue
      this.host.u8.set(part, at)
      this.#end(pfn, slot, offset, part.length)
    }
  }

  /**
   * Stores `from` as {@link writeBytes} does, but into ROM too: for loading firmware.
   * @throws VmexitError `not-memory` if a page is a hole; what lies before that page has been stored then.
   */
  load(address: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const at = address + done
      const length = Math.min(PAGE_BYTES - (at & OFFSET), from.length - done)
      const readOnly = (this.flagsOf(pageOf(at)) & PageFlag.ROM) !== 0
      this.setReadOnly(at, length, false)
      this.writeBytes(at, from.subarray(done, done + length))
      if (readOnly) this.setReadOnly(at, length, true)
      done += length
    }
  }

  /** A memory with the same contents that shares every frame until one of the two writes it. Costs no frames now. */
  fork(options: { readonly mmio?: MmioHandler; readonly owner?: FrameOwner } = {}): GuestMemory {
    const child = new GuestMemory({
      ranges: this.ranges,
      pool: this.pool,
      mmio: options.mmio ?? UNMAPPED,
      owner: options.owner ?? this.owner,
    })
    this.shareInto(child)
    return child
  }

  /** Contents and layout, without pages of zeros. Cached translations, logs and watchers are not part of it. */
  save(): MemoryState {
    return saveMemory(this)
  }

  /**
   * Puts saved contents back, announcing every page it stores as a write.
   * @throws VmexitError `state-mismatch` if version or layout differ; nothing is changed then.
   */
  restore(state: MemoryState): void {
    restoreMemory(this, state)
  }

  /** Returns the host offset to store to, or 0 for ROM. */
  #begin(pfn: number, slot: number, offset: number, length: number): number {
    if ((this.pages.flags[slot] & PageFlag.ROM) !== 0) return 0
    if ((this.pages.flags[slot] & PageFlag.WATCHED) !== 0) this.notifyBefore(pfn, offset, length)
    this.admit(pfn, slot, offset, length)
    return this.pages.frame[slot] + offset
  }

  #end(pfn: number, slot: number, offset: number, length: number): void {
    if ((this.pages.flags[slot] & PageFlag.WATCHED) !== 0) this.notifyAfter(pfn, offset, length)
  }

  #readCrossing(address: number): number {
    let value = 0
    for (let byte = 3; byte >= 0; byte--) value = (value << 8) | this.read8(address + byte)
    return value >>> 0
  }

  #writeCrossing(address: number, value: number, length: number): void {
    for (let byte = 0; byte < length; byte++) this.write8(address + byte, (value >>> (8 * byte)) & 0xff)
  }

  #mmioReadBytes(address: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const wide = ((address + done) & 3) === 0 && into.length - done >= 4
      const value = this.mmio.read(address + done, wide ? 4 : 1)
      for (let byte = 0; byte < (wide ? 4 : 1); byte++) into[done++] = value >>> (8 * byte)
    }
  }

  #mmioWriteBytes(address: number, from: Uint8Array): void {
    for (let done = 0; done < from.length; ) {
      const wide = ((address + done) & 3) === 0 && from.length - done >= 4
      let value = 0
      for (let byte = wide ? 3 : 0; byte >= 0; byte--) value = (value << 8) | from[done + byte]
      this.mmio.write(address + done, wide ? 4 : 1, value >>> 0)
      done += wide ? 4 : 1
    }
  }

  #everyPageHas(address: number, length: number, without: number): boolean {
    for (let pfn = pageOf(address); pfn * PAGE_BYTES < address + length; pfn++) {
      if ((this.flagsOf(pfn) & without) !== 0) return false
    }
    return true
  }

  #dmaRead(address: number, into: Uint8Array): boolean {
    if (!this.#everyPageHas(address, into.length, PageFlag.HOLE)) return false
    this.readBytes(address, into)
    return true
  }

  #dmaWrite(address: number, from: Uint8Array): boolean {
    if (!this.#everyPageHas(address, from.length, PageFlag.HOLE | PageFlag.ROM)) return false
    this.writeBytes(address, from)
    return true
  }
}
