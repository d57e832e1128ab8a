/** Data in memory: segment checks, and the look-up in the engine's TLB. An engine says what leaving is. */
import { type Insn, Seg } from '@vmexit/x86-decoder'
import { Tables, TLB_ADDEND, TLB_ENTRIES, TLB_ENTRY_SHIFT } from '../interpreter/layout.ts'
import { Emitter } from '../ops/emit.ts'
import { localNode, type Node } from '../ops/node.ts'
import { Layout, SegmentSlot } from '../state/layout.ts'

const PAGE_MASK = ~0xfff

/** What is known about segments where an instruction stands. */
export interface Through {
  /** Bit n: segment n needs no check and has no base, for reads and for writes. */
  readonly flatRead: number
  readonly flatWrite: number
  /** CS has no limit worth checking. */
  readonly flatCode: boolean
}

export abstract class DataAccess extends Emitter {
  abstract readonly width: 32 | 64
  protected through!: Through

  /** Low bits of every valid tag of the TLBs. */
  protected abstract key(): Node
  /** Leave, nothing of the instruction having happened, to have it executed the slow way. Ends a path. */
  protected abstract leave(): void
  /** The TLB has no entry for `linear`: get one, so that the sum of locals `low` and `addend` is the host address, or leave. */
  protected abstract missed(linear: Node, bytes: number, write: boolean, low: number, addend: number): void

  /** What a valid TLB entry for the page of `linear` has as its tag. */
  tag(linear: Node): Node {
    const key = this.key()
    if (this.width === 64) return this.or(this.and(linear, this.i64(BigInt(PAGE_MASK))), this.extendU(key))
    return this.or(this.and(linear, this.i32(PAGE_MASK)), key)
  }
  displace(insn: Insn, offset: Node, by: number): Node {
    const sum = this.add(offset, this.width === 64 ? this.i64(BigInt(by)) : this.i32(by))
    return insn.addrSize < this.width ? this.zeroExtend(sum, insn.addrSize) : sum
  }
  /** Linear address, or leave when the inline check of the segment does not pass. */
  protected linear(seg: Seg, offset: Node, write: boolean): Node {
    const slot = Layout.segments + seg * SegmentSlot.size
    const state = this.state()
    if (this.width === 64) {
      const address = this.let(offset)
      return seg >= Seg.fs ? this.let(this.add(address, this.peek('i64', state, slot, 64))) : address
    }
    const flat = ((write ? this.through.flatWrite : this.through.flatRead) >> seg) & 1
    const address = this.let(offset)
    if (flat) return address
    const span = this.peek('i32', state, slot + (write ? SegmentSlot.writeSpan : SegmentSlot.readSpan), 32)
    const inside = this.ltU(this.sub(address, this.peek('i32', state, slot + SegmentSlot.low, 32)), span)
    this.leaveUnless(inside)
    return this.let(this.add(address, this.peek('i32', state, slot, 32)))
  }
  protected leaveUnless(condition: Node): void {
    this.emit(this.eqz(condition))
    this.fn.hint(false).if_()
    this.leave()
    this.fn.end()
  }
  /** Address of the entry for `linear`, less the offset of the table. */
  protected entry(linear: Node): Node {
    const wide = this.width === 64
    const shifted = this.shr(linear, wide ? this.i64(8n) : this.i32(8))
    const index = this.and(wide ? this.wrap(shifted) : shifted, this.i32((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT))
    return this.let(this.add(this.state(), index))
  }
  /** Host address of `bytes` at `linear`, by the engine's TLB; leaves when TypeScript says so. */
  protected translate(linear: Node, bytes: number, write: boolean): Node {
    const wide = this.width === 64
    const fn = this.fn
    const table = write ? Tables.write : Tables.read
    const entry = this.entry(linear)
    const low = this.temporary('i32')
    this.emit(wide ? this.wrap(linear) : linear)
    fn.localSet(low)
    const addend = this.peek('i32', entry, table + TLB_ADDEND, 32)
    const last = bytes > 1 ? this.add(linear, wide ? this.i64(BigInt(bytes - 1)) : this.i32(bytes - 1)) : linear
    // Compared as i64 in either width: V8 fuses a load of 32 bits with the comparison, and makes it a second time.
    const tag = this.peek('i64', entry, table, this.width)
    this.emit(this.ne(tag, wide ? this.tag(last) : this.extendU(this.tag(last))))
    fn.hint(false).if_()
    this.missed(linear, bytes, write, low, addend.value)
    fn.end()
    return this.let(this.add(localNode('i32', low), addend))
  }
  load(seg: Seg, offset: Node, bits: number, signed = false): Node {
    const at = this.translate(this.linear(seg, offset, false), bits >> 3, false)
    return this.peek(bits === 64 ? 'i64' : 'i32', at, 0, bits, signed)
  }
  store(seg: Seg, offset: Node, bits: number, value: Node): void {
    const stored = this.let(value)
    this.poke(this.translate(this.linear(seg, offset, true), bits >> 3, true), 0, stored, bits)
  }
  #translate128(seg: Seg, offset: Node, aligned: boolean, write: boolean): Node {
    const linear = this.linear(seg, offset, write)
    if (aligned) {
      const low = this.width === 64 ? this.wrap(linear) : linear
      this.leaveUnless(this.eqz(this.and(low, this.i32(15))))
    }
    return this.translate(linear, 16, write)
  }
  load128(seg: Seg, offset: Node, aligned: boolean): Node {
    return this.peek('v128', this.#translate128(seg, offset, aligned, false), 0, 128)
  }
  store128(seg: Seg, offset: Node, value: Node, aligned: boolean): void {
    const stored = this.let(value)
    this.poke(this.#translate128(seg, offset, aligned, true), 0, stored, 128)
  }
  probeWrite(seg: Seg, offset: Node, bytes: number): void {
    this.translate(this.linear(seg, offset, true), bytes, true)
  }
}
