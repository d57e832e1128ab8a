/**
 * The plain case of system instructions that kernels execute all the time, as generated code. What is not plain, faults
 * included, the instruction's action does: nothing has changed then. (Called as an action each costs 200 to 400 ns, here
 * 2 to 5; with them a system call of Linux takes 0.9 µs in place of 3.)
 */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import type { Node } from '../ops/node.ts'
import { Flag, Layout, SegmentSlot } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr0, Cr4 } from '../system/bits.ts'
import { Attribute } from '../system/descriptor.ts'
import {
  attention,
  type FrequentCode,
  flagsOf,
  loadFlat,
  setFlags,
  unprivileged,
  WHOLE,
  writeSlot,
} from './frequent-code.ts'
import { emitInt, emitIret } from './gates.ts'
import { Handler } from './layout.ts'
import type { Mode } from './mode.ts'

const FLAT_STACK = 1 << Seg.ss
const SELECTOR = SegmentSlot.selector

/** The handler for an instruction that has an action: one of those below, or `Handler.act`. */
export function frequentHandler(insn: Insn, mode: Mode): number {
  const flat = mode.flatRead & mode.flatWrite & FLAT_STACK
  if (mode.codeBits !== 32 || mode.stackBits !== 32 || flat === 0 || insn.opSize !== 32) return Handler.act
  const [first, second] = insn.operands
  switch (insn.op) {
    case 'cli':
      return Handler.cli
    case 'sti':
      return Handler.sti
    case 'pushf':
      return Handler.pushf
    case 'popf':
      return Handler.popf
    case 'rdtsc':
      return Handler.rdtsc
    case 'sysenter':
    case 'sysexit':
    case 'int':
    case 'iret':
      return isFlat(mode) ? Handler[insn.op] : Handler.act
    case 'push_seg':
      return Handler.pushSegment
    case 'pop_seg':
      return isData(first!.reg) ? Handler.popSegment : Handler.act
    case 'mov':
      if (second!.kind === Kind.cr) return second!.reg === 4 ? Handler.act : Handler.fromControl
      if (first!.kind === Kind.seg && second!.kind === Kind.mem && isData(first!.reg))
        return isPlain(insn, mode) ? Handler.loadSegment : Handler.act
      if (first!.kind === Kind.gpr && second!.kind === Kind.seg && first!.size === 32) return Handler.fromSegment
      if (first!.kind === Kind.seg && second!.kind === Kind.gpr && isData(first!.reg)) return Handler.toSegment
      return Handler.act
    default:
      return Handler.act
  }
}

/** Where a control register is in the state. */
export function controlSlot(cr: number): number {
  return [Layout.cr0, 0, Layout.cr2, Layout.cr3, Layout.cr4][cr] ?? Layout.cr8
}

/** The memory operand is at a base and a displacement, in a flat segment. */
function isPlain({ addrSize, index, seg }: Insn, { flatRead }: Mode): boolean {
  return addrSize === 32 && index < 0 && (flatRead & (1 << seg)) !== 0
}

/** CS and SS are what SYSENTER and SYSEXIT load, but for the privilege level: they then leave the mode as it is. */
function isFlat({ flatRead, codeBase, codeLimit }: Mode): boolean {
  return (flatRead & (1 << Seg.cs)) !== 0 && codeBase === 0 && codeLimit === 0xffff_ffff
}

function isData(seg: number): boolean {
  return seg !== Seg.cs && seg !== Seg.ss
}

/** Emit one of the handlers; false where it is none of them. */
export function emitFrequent(c: FrequentCode, handler: number): boolean {
  const emit = HANDLERS[handler]
  emit?.(c)
  return emit !== undefined
}

const HANDLERS: Readonly<Record<number, (c: FrequentCode) => void>> = {
  [Handler.cli](c) {
    c.otherwise(unprivileged(c))
    setFlags(c, c.and(flagsOf(c), c.i32(~Flag.IF)))
  },
  // With the next instruction paid for, and no interrupt waiting, there is none for the shadow to hold off.
  [Handler.sti](c) {
    c.otherwise(c.or(c.or(unprivileged(c), attention(c)), c.ltS(c.paid(), c.i32(2))))
    setFlags(c, c.or(flagsOf(c), c.i32(Flag.IF)))
  },
  [Handler.pushf](c) {
    c.push(32, c.or(c.or(flagsOf(c), c.i32(2)), c.statusFlags()))
  },
  [Handler.popf](c) {
    const image = c.let(c.stackLoad(0, 32))
    const flags = flagsOf(c)
    const changed = c.and(c.xor(image, flags), c.i32(Flag.TF | Flag.IOPL | Flag.NT | Flag.AC | Flag.ID))
    const enabled = c.ne(c.and(image, c.i32(Flag.IF)), c.i32(0))
    c.otherwise(c.or(c.or(unprivileged(c), changed), c.and(attention(c), enabled)))
    const kept = Flag.IF | Flag.DF
    setFlags(c, c.or(c.and(flags, c.i32(~kept)), c.and(image, c.i32(kept))))
    c.setStatusFlags(image)
    c.stackAdjust(4)
  },
  [Handler.rdtsc](c) {
    c.otherwise(c.or(c.and(c.peek('i32', c.state(), Layout.cr4, 32), c.i32(Cr4.TSD)), intercepted(c, 1)))
    const left = c.extendS(c.add(c.budget(), c.paid()))
    const stamp = c.let(c.sub(c.peek('i64', c.state(), Layout.stamp, 64), left))
    c.setGpr(Gpr.ax, 32, c.wrap(stamp))
    c.setGpr(Gpr.dx, 32, c.wrap(c.shr(stamp, c.i64(32n))))
  },
  [Handler.pushSegment](c) {
    c.push(32, c.peek('i32', c.operandAddress(0), SELECTOR, 32))
  },
  [Handler.popSegment](c) {
    loadData(c, c.operandAddress(0), c.let(c.and(c.stackLoad(0, 32), c.i32(0xffff))))
    c.stackAdjust(4)
  },
  [Handler.fromSegment](c) {
    c.poke(c.operandAddress(0), 0, c.peek('i32', c.operandAddress(1), SELECTOR, 32), 32)
  },
  [Handler.toSegment](c) {
    loadData(c, c.operandAddress(0), c.let(c.peek('i32', c.operandAddress(1), 0, 16)))
  },
  [Handler.loadSegment](c) {
    loadData(c, c.operandAddress(0), c.let(c.load(Seg.ds, c.let(c.operandOffset()), 16)))
  },
  [Handler.fromControl](c) {
    c.otherwise(c.or(unprivileged(c), intercepted(c, 2)))
    c.poke(c.operandAddress(0), 0, c.peek('i32', c.operandAddress(1), 0, 32), 32)
  },
  [Handler.int]: emitInt,
  [Handler.iret]: emitIret,
  [Handler.sysenter](c) {
    const selector = fastSelector(c)
    c.otherwise(c.eqz(selector))
    setFlags(c, c.and(flagsOf(c), c.i32(~Flag.IF)))
    loadFlat(c, selector, c.add(selector, c.i32(8)), 0)
    c.setGpr(Gpr.sp, 32, c.peek('i32', c.state(), Layout.sysenterEsp, 32))
    c.setUser(false)
    c.goTo(c.let(c.peek('i32', c.state(), Layout.sysenterEip, 32)))
  },
  // With AC, alignment may have to be checked at CPL 3.
  [Handler.sysexit](c) {
    const selector = fastSelector(c)
    const checked = c.and(flagsOf(c), c.i32(Flag.AC))
    c.otherwise(c.or(c.or(c.eqz(selector), unprivileged(c)), checked))
    loadFlat(c, c.add(selector, c.i32(16 | 3)), c.add(selector, c.i32(24 | 3)), 3)
    const target = c.let(c.peek('i32', c.state(), Layout.gpr + Gpr.dx * 8, 32))
    c.setGpr(Gpr.sp, 32, c.peek('i32', c.state(), Layout.gpr + Gpr.cx * 8, 32))
    c.setUser(true)
    c.goTo(target)
  },
}

/** Not 0 where such instructions leave a guest: see `Layout.intercepts`. */
const intercepted = (c: FrequentCode, bit: number): Node =>
  c.and(c.peek('i32', c.state(), Layout.intercepts, 32), c.i32(bit))

/** The selector that SYSENTER begins with; 0 where there is none, or outside of protected mode. */
function fastSelector(c: FrequentCode): Node {
  const selector = c.and(c.peek('i32', c.state(), Layout.sysenterCs, 32), c.i32(0xfffc))
  const isProtected = c.and(c.peek('i32', c.state(), Layout.cr0, 32), c.i32(Cr0.PE))
  return c.let(c.select(isProtected, selector, c.i32(0)))
}

/**
 * Load a data segment register, in protected mode at CPL 0, with null or from a descriptor of the GDT. Only where that leaves
 * the mode as it is: the descriptor says what the register holds already, or the segment is flat neither before nor after.
 * So it is with DS, ES and FS whenever Linux is entered or left.
 */
function loadData(c: FrequentCode, slot: Node, selector: Node): void {
  const state = c.state()
  const index = c.let(c.and(selector, c.i32(0xfff8)))
  const unprotected = c.eqz(c.and(c.peek('i32', state, Layout.cr0, 32), c.i32(Cr0.PE)))
  const local = c.and(selector, c.i32(4))
  const beyond = c.ltU(c.peek('i32', state, Layout.gdtLimit, 32), c.or(index, c.i32(7)))
  c.otherwise(c.or(c.or(unprivileged(c), unprotected), c.or(local, beyond)))
  const held = c.let(c.peek('i32', slot, SegmentSlot.base, 32))
  const wide = c.leU(c.i32(WHOLE), c.peek('i32', slot, SegmentSlot.readSpan, 32))
  const wasFlat = c.let(c.and(c.eqz(held), wide))
  c.if(
    index,
    () => loadDescriptor(c, slot, selector, index, wasFlat),
    () => {
      c.otherwise(wasFlat)
      const zero = c.i32(0)
      writeSlot(c, slot, 0, { base: zero, limit: zero, selector, attributes: zero, readSpan: zero, writeSpan: zero })
    },
  )
}

function loadDescriptor(c: FrequentCode, slot: Node, selector: Node, index: Node, wasFlat: Node): void {
  const at = c.held(c.let(c.add(c.peek('i32', c.state(), Layout.gdtBase, 32), index)), 8)
  const low = c.let(c.peek('i32', at, 0, 32))
  const high = c.let(c.peek('i32', at, 4, 32))
  const attributes = c.let(c.or(c.and(c.shr(high, c.i32(8)), c.i32(0xff)), c.and(c.shr(high, c.i32(12)), c.i32(0xf00))))
  const base = c.let(
    c.or(c.shr(low, c.i32(16)), c.or(c.shl(c.and(high, c.i32(0xff)), c.i32(16)), c.and(high, c.i32(0xff00_0000 | 0)))),
  )
  const raw = c.let(c.or(c.and(low, c.i32(0xffff)), c.and(high, c.i32(0xf_0000))))
  const granular = c.and(attributes, c.i32(Attribute.granular))
  const limit = c.let(c.select(granular, c.or(c.shl(raw, c.i32(12)), c.i32(0xfff)), raw))
  // Present data that grows up and was accessed before, no more privileged than the selector asks for.
  const fixed = Attribute.present | Attribute.segment | Attribute.accessed
  const kind = c.ne(c.and(attributes, c.i32(fixed | Attribute.code | Attribute.conforming)), c.i32(fixed))
  const hidden = c.ltU(c.and(c.shr(attributes, c.i32(5)), c.i32(3)), c.and(selector, c.i32(3)))
  const other = c.let(
    c.or(
      c.or(
        c.ne(attributes, c.peek('i32', slot, SegmentSlot.attributes, 32)),
        c.ne(base, c.peek('i32', slot, SegmentSlot.base, 32)),
      ),
      c.ne(limit, c.peek('i32', slot, SegmentSlot.limit, 32)),
    ),
  )
  c.otherwise(c.or(c.or(kind, hidden), c.and(other, c.or(wasFlat, c.eqz(base)))))
  const span = c.let(c.select(c.ltU(limit, c.i32(14)), c.i32(0), c.sub(limit, c.i32(14))))
  const writeSpan = c.select(c.and(attributes, c.i32(Attribute.writable)), span, c.i32(0))
  writeSlot(c, slot, 0, { base, limit, selector, attributes, readSpan: span, writeSpan })
}
