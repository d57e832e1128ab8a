/**
 * INT n and IRET as generated code, between flat segments of CPL 3 and 0: system calls by INT 0x80, and the way back from
 * every exception and interrupt (SDM vol. 2, INT n and IRET). (As actions they take 1.1 and 0.9 µs: of 150,000 system calls by
INT and as many by SYSENTER 0.83 s were left at 0.39.)
 */
import { Seg } from '@vmexit/x86-decoder'
import type { Node } from '../ops/node.ts'
import { Flag, Layout, SegmentSlot, TR } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr0 } from '../system/bits.ts'
import { Attribute } from '../system/descriptor.ts'
import { FLAT_CODE, FLAT_DATA } from '../system/flat-gate.ts'
import { attention, type FrequentCode, flagsOf, loadFlat, setFlags, unprivileged } from './frequent-code.ts'

/** Upper halves of descriptors of 4 GB from 0: present, accessed, 32-bit. Readable code and writable data, by level. */
const FLAT = { code0: FLAT_CODE.high, data0: FLAT_DATA.high, code3: 0x00cf_fb00, data3: 0x00cf_f300 } as const
/** A 32-bit interrupt or trap gate that is present and open to CPL 3: these bits of its upper half … */
const GATE_MASK = 0xfe00
/** … are these. */
const GATE = 0xee00

const segment = (c: FrequentCode, seg: number, field: number): Node =>
  c.let(c.peek('i32', c.state(), Layout.segments + seg * SegmentSlot.size + field, 32))
const any = (c: FrequentCode, ...conditions: Node[]): Node => conditions.reduce((a, b) => c.or(a, b))
const unprotected = (c: FrequentCode): Node => c.eqz(c.and(c.peek('i32', c.state(), Layout.cr0, 32), c.i32(Cr0.PE)))

/** The action does it where `selector` does not name a descriptor of the GDT that is flat and has `high` as its upper half. */
function needFlat(c: FrequentCode, selector: Node, high: Node): void {
  const index = c.let(c.and(selector, c.i32(0xfff8)))
  const beyond = c.ltU(c.peek('i32', c.state(), Layout.gdtLimit, 32), c.or(index, c.i32(7)))
  c.otherwise(any(c, c.and(selector, c.i32(4)), c.eqz(index), beyond))
  const at = c.held(c.let(c.add(c.peek('i32', c.state(), Layout.gdtBase, 32), index)), 8)
  c.otherwise(c.or(c.ne(c.peek('i32', at, 0, 32), c.i32(0xffff)), c.ne(c.peek('i32', at, 4, 32), high)))
}

/** From CPL 3 through a gate to CPL 0. */
export function emitInt(c: FrequentCode): void {
  const state = c.state()
  const flags = flagsOf(c)
  const attributes = segment(c, Seg.ss, SegmentSlot.attributes)
  const outside = c.ne(c.and(attributes, c.i32(Attribute.dpl)), c.i32(Attribute.dpl))
  const entry = c.let(c.shl(c.immediate(), c.i32(3)))
  const beyond = c.ltU(c.peek('i32', state, Layout.idtLimit, 32), c.or(entry, c.i32(7)))
  c.otherwise(any(c, outside, unprotected(c), beyond, c.and(flags, c.i32(Flag.VM))))
  const gate = c.held(c.let(c.add(c.peek('i32', state, Layout.idtBase, 32), entry)), 8)
  const low = c.let(c.peek('i32', gate, 0, 32))
  const high = c.let(c.peek('i32', gate, 4, 32))
  c.otherwise(c.ne(c.and(high, c.i32(GATE_MASK)), c.i32(GATE)))
  const code = c.let(c.shr(low, c.i32(16)))
  needFlat(c, code, c.i32(FLAT.code0))

  const small = c.eqz(c.and(segment(c, TR, SegmentSlot.attributes), c.i32(8)))
  c.otherwise(c.or(small, c.ltU(segment(c, TR, SegmentSlot.limit), c.i32(11))))
  const inner = c.held(c.let(c.add(segment(c, TR, SegmentSlot.base), c.i32(4))), 8)
  const top = c.let(c.sub(c.peek('i32', inner, 0, 32), c.i32(20)))
  const stack = c.let(c.peek('i32', inner, 4, 16))
  c.otherwise(c.and(stack, c.i32(3)))
  needFlat(c, stack, c.i32(FLAT.data0))
  const frame = c.held(top, 20, true)

  const pushed = [
    c.nextIp(),
    segment(c, Seg.cs, SegmentSlot.selector),
    c.or(c.or(flags, c.i32(2)), c.statusFlags()),
    c.let(c.gpr(Gpr.sp, 32)),
    segment(c, Seg.ss, SegmentSlot.selector),
  ]
  for (const [n, value] of pushed.entries()) c.poke(frame, n * 4, value, 32)
  const cleared = Flag.TF | Flag.NT | Flag.RF | Flag.VM
  const trap = c.and(high, c.i32(0x100))
  setFlags(c, c.and(flags, c.select(trap, c.i32(~cleared), c.i32(~(cleared | Flag.IF)))))
  loadFlat(c, c.let(c.and(code, c.i32(0xfffc))), stack, 0)
  c.setGpr(Gpr.sp, 32, top)
  c.setUser(false)
  c.goTo(c.let(c.or(c.and(high, c.i32(0xffff_0000 | 0)), c.and(low, c.i32(0xffff)))))
}

/** Flags that must not change, if the mode is to be what it was and nothing is to be delivered. */
const UNCHANGED = Flag.TF | Flag.IOPL | Flag.NT | Flag.VM | Flag.AC | Flag.VIF | Flag.VIP | Flag.ID
/** Flags that must be 0 in the image: alignment would have to be checked at CPL 3, virtual interrupts looked for. */
const CLEAR = Flag.AC | Flag.VIF | Flag.VIP

/** From CPL 0 to CPL 3 or 0. RF in the image is cleared by the instruction that comes, unless the budget ends before it. */
export function emitIret(c: FrequentCode): void {
  const flags = flagsOf(c)
  const blocked = c.peek('i32', c.state(), Layout.nmiBlocked, 32)
  c.otherwise(any(c, unprivileged(c), unprotected(c), c.and(flags, c.i32(Flag.NT | Flag.VM)), blocked))
  const sp = c.let(c.gpr(Gpr.sp, 32))
  const frame = c.held(sp, 12)
  const target = c.let(c.peek('i32', frame, 0, 32))
  const code = c.let(c.peek('i32', frame, 4, 16))
  const image = c.let(c.peek('i32', frame, 8, 32))
  const user = c.let(c.and(code, c.i32(1)))
  const between = c.ne(user, c.and(c.shr(code, c.i32(1)), c.i32(1)))
  const changed = c.or(c.and(c.xor(image, flags), c.i32(UNCHANGED)), c.and(image, c.i32(CLEAR)))
  const interrupted = c.and(attention(c), c.ne(c.and(image, c.i32(Flag.IF)), c.i32(0)))
  c.otherwise(any(c, between, changed, interrupted))
  needFlat(c, code, c.let(c.select(user, c.i32(FLAT.code3), c.i32(FLAT.code0))))
  c.if(c.and(image, c.i32(Flag.RF)), () => c.otherwise(c.ltS(c.budget(), c.i32(1))))
  c.if(
    user,
    () => {
      const outer = c.held(c.let(c.add(sp, c.i32(12))), 8)
      const pointer = c.let(c.peek('i32', outer, 0, 32))
      const stack = c.let(c.peek('i32', outer, 4, 16))
      c.otherwise(c.or(c.ne(c.and(stack, c.i32(3)), c.i32(3)), droppedSegments(c)))
      needFlat(c, stack, c.i32(FLAT.data3))
      takeFlags(c, flags, image)
      loadFlat(c, code, stack, 3)
      c.setGpr(Gpr.sp, 32, pointer)
      c.setUser(true)
      c.goTo(target)
    },
    () => {
      takeFlags(c, flags, image)
      loadFlat(c, code, segment(c, Seg.ss, SegmentSlot.selector), 0)
      c.setGpr(Gpr.sp, 32, c.add(sp, c.i32(12)))
      c.goTo(target)
    },
  )
}

function takeFlags(c: FrequentCode, flags: Node, image: Node): void {
  const taken = Flag.IF | Flag.DF
  setFlags(c, c.or(c.and(flags, c.i32(~taken)), c.and(image, c.i32(taken))))
  c.setStatusFlags(image)
}

/** Not 0 where a data segment is to be made null for CPL 3 and is not (SDM vol. 3A, 5.8.6). */
function droppedSegments(c: FrequentCode): Node {
  const dropped = [Seg.es, Seg.ds, Seg.fs, Seg.gs].map((seg) => {
    const attributes = segment(c, seg, SegmentSlot.attributes)
    const hidden = c.ne(c.and(attributes, c.i32(Attribute.dpl)), c.i32(Attribute.dpl))
    const held = c.or(attributes, segment(c, seg, SegmentSlot.selector))
    return c.and(hidden, c.ne(held, c.i32(0)))
  })
  return c.let(any(c, ...dropped))
}
