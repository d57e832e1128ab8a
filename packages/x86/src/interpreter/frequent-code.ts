/** What generated code for system instructions has in common: see `frequent.ts`. */
import { Seg } from '@vmexit/x86-decoder'
import type { Node } from '../ops/node.ts'
import type { Ops } from '../ops/ops.ts'
import type { Processor } from '../semantics/processor.ts'
import { Layout, SegmentSlot } from '../state/layout.ts'
import { Attribute } from '../system/descriptor.ts'

/** What such code is written with. */
export interface FrequentCode
  extends Ops<Node>,
    Pick<Processor<Node>, 'gpr' | 'setGpr' | 'push' | 'load' | 'stackLoad' | 'stackAdjust'> {
  statusFlags(): Node
  setStatusFlags(image: Node): void
  state(): Node
  peek(type: 'i32' | 'i64', address: Node, offset: number, bits: number): Node
  poke(address: Node, offset: number, value: Node, bits: number): void
  /** Host address of operand `n`: a general register, or the slot of a segment register. */
  operandAddress(n: number): Node
  /** Instructions from this one to the end of its run; paid for. */
  paid(): Node
  budget(): Node
  /**
   * Host address of `bytes` of data at a linear address, for the system whatever the level, where it is plain RAM and the
   * modelled TLB holds the page; else the action does it all. So nothing was counted that the action will count.
   */
  held(linear: Node, bytes: number, write?: boolean): Node
  /** What the record has as its displacement. */
  immediate(): Node
  /** Effective address of a memory operand without an index. */
  operandOffset(): Node
  /** Instruction pointer behind the instruction. */
  nextIp(): Node
  /** Whether the TLB's entries of CPL 3 count from now on, or the others. */
  setUser(user: boolean): void
  /** Go on at `target` in the same mode. */
  goTo(target: Node): void
  /** Where `condition` is not 0, have the action do it. */
  otherwise(condition: Node): void
}

export const flagsOf = (c: FrequentCode): Node => c.let(c.peek('i32', c.state(), Layout.flags, 32))
/** Not 0 above CPL 0. */
export const unprivileged = (c: FrequentCode): Node =>
  c.and(
    c.peek('i32', c.state(), Layout.segments + Seg.ss * SegmentSlot.size + SegmentSlot.attributes, 32),
    c.i32(Attribute.dpl),
  )
/** 1 when an interrupt may be waiting, else 0. */
export const attention = (c: FrequentCode): Node => c.peek('i32', c.state(), Layout.attention, 32)
export const setFlags = (c: FrequentCode, value: Node): void => c.poke(c.state(), Layout.flags, value, 32)

const SELECTOR = SegmentSlot.selector
/** What every segment of 4 GB has as its span. */
export const WHOLE: number = 0xffff_fff1 | 0

/** Write a segment slot, all of it. */
export function writeSlot(c: FrequentCode, slot: Node, offset: number, values: SlotValues): void {
  c.poke(slot, offset + SegmentSlot.base, values.base, 32)
  c.poke(slot, offset + SegmentSlot.base + 4, c.i32(0), 32)
  c.poke(slot, offset + SegmentSlot.limit, values.limit, 32)
  c.poke(slot, offset + SELECTOR, values.selector, 32)
  c.poke(slot, offset + SegmentSlot.attributes, values.attributes, 32)
  c.poke(slot, offset + SegmentSlot.low, c.i32(0), 32)
  c.poke(slot, offset + SegmentSlot.readSpan, values.readSpan, 32)
  c.poke(slot, offset + SegmentSlot.writeSpan, values.writeSpan, 32)
}
type SlotValues = Readonly<Record<'base' | 'limit' | 'selector' | 'attributes' | 'readSpan' | 'writeSpan', Node>>

/** CS and SS as SYSENTER and SYSEXIT make them. */
export function loadFlat(c: FrequentCode, code: Node, stack: Node, dpl: number): void {
  const present = 0xc90 | (dpl << 5)
  const whole = { base: c.i32(0), limit: c.i32(-1), readSpan: c.i32(WHOLE) }
  const slot = (seg: Seg): number => Layout.segments + seg * SegmentSlot.size
  const cut = (selector: Node): Node => c.and(selector, c.i32(0xffff))
  const state = c.state()
  writeSlot(c, state, slot(Seg.cs), {
    ...whole,
    selector: cut(code),
    attributes: c.i32(present | 0xb),
    writeSpan: c.i32(0),
  })
  writeSlot(c, state, slot(Seg.ss), {
    ...whole,
    selector: cut(stack),
    attributes: c.i32(present | 3),
    writeSpan: c.i32(WHOLE),
  })
}
