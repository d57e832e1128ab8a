/**
 * Frames: the pages of the machine's RAM, with a count of references each and an account that they are charged to.
 *
 * A frame is its page number. What is in it is read and written by `GuestMemory`, the one choke point: so translated code
 * of a frame that is given to someone else is dropped when that one writes it, and not before.
 */
import type { GuestMemory } from '@vmexit/memory'
import { type Account, MemoryKind, type MemoryPayer } from '../tasks/account.ts'

/** Bytes of a page. */
export const PAGE = 4096

/** The frames of one machine. */
export class Frames {
  readonly memory: GuestMemory
  /** The frame of zeros behind pages that were only read. Never written, never counted. */
  readonly zero: number
  readonly count: number
  readonly #references: Uint32Array
  /** Who has paid for a frame, and what it is. */
  readonly #payers: (MemoryPayer | undefined)[] = []
  readonly #kinds: Uint8Array
  readonly #free: number[] = []
  #fresh = 1
  #used = 0
  /** Asked for frames where there are none left: answers whether some came free. */
  reclaim: () => boolean = () => false

  /** `count` frames from physical address 0 on; frame 0 is none. */
  constructor(memory: GuestMemory, count: number) {
    this.memory = memory
    this.count = count
    this.#references = new Uint32Array(count)
    this.#kinds = new Uint8Array(count)
    this.zero = this.#fresh++
  }

  /** Frames with references. */
  get used(): number {
    return this.#used
  }

  /** A frame with one reference, or 0 where there is none, or the account refuses. Full of zeros if `zeroed`, else of anything. */
  take(account: Account, zeroed = true, kind: MemoryKind = MemoryKind.anon): number {
    if (this.#free.length === 0 && this.#fresh >= this.count && !this.reclaim()) return 0
    const payer = account.memory
    if (!payer.charge(PAGE, kind)) return 0
    const recycled = this.#free.length > 0
    const frame = recycled ? this.#free.pop()! : this.#fresh++
    const at = this.memory.prepareWrite(frame, 0, PAGE)
    if (recycled && zeroed) this.memory.host.u8.fill(0, at, at + PAGE)
    this.#references[frame] = 1
    this.#payers[frame] = payer
    this.#kinds[frame] = kind
    this.#used++
    return frame
  }

  /** Who has paid for a frame. */
  payerOf(frame: number): MemoryPayer | undefined {
    return this.#payers[frame]
  }

  references(frame: number): number {
    return this.#references[frame]!
  }

  retain(frame: number): void {
    if (frame !== this.zero) this.#references[frame]!++
  }

  /** One reference less; the last one frees the frame. */
  release(frame: number): void {
    if (frame === this.zero) return
    if (--this.#references[frame]! !== 0) return
    this.#payers[frame]!.uncharge(PAGE, this.#kinds[frame] as MemoryKind)
    this.#payers[frame] = undefined
    this.#free.push(frame)
    this.#used--
  }

  /** Host offset of a frame for reading. */
  read(frame: number): number {
    return this.memory.readPage(frame)
  }

  /** Host offset to store `length` bytes to, at `offset` of a frame. */
  write(frame: number, offset: number, length: number): number {
    return this.memory.prepareWrite(frame, offset, length)
  }

  /** Copies what is in a frame to another. */
  copy(from: number, to: number): void {
    const target = this.write(to, 0, PAGE)
    const source = this.read(from)
    this.memory.host.u8.copyWithin(target, source, source + PAGE)
  }

  /** Every frame in use, with its references: for checks. */
  *all(): Generator<[frame: number, references: number]> {
    for (let frame = 0; frame < this.#fresh; frame++) {
      const references = this.#references[frame]!
      if (references > 0) yield [frame, references]
    }
  }
}
