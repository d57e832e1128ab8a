/**
 * The usual way of a page fault: through a 32-bit gate, to flat segments of CPL 0, in memory that is plain and in the
 * modelled TLB. The same as `deliver` does it, without an object or a check that cannot fail. (Of the 1.9 µs that one took there
 * half are left. The reference engine does not come by here.)
 */
import { Seg } from '@vmexit/x86-decoder'
import { Flag, Layout, TR, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Efer } from './bits.ts'
import type { Core } from './core.ts'
import { refreshMode } from './mode.ts'
import { writeSegment } from './segments.ts'

/** A 32-bit interrupt or trap gate that is present: these bits of its upper half … */
const GATE_MASK = 0x9e00
/** … are these; and this one tells the trap gate. */
const GATE = 0x8e00
const TRAP = 0x100
/** Segments of 4 GB from 0 for CPL 0, present and accessed: code that can be read, data that can be written. */
export const FLAT_CODE = { high: 0x00cf_9b00, attributes: 0xc9b } as const
export const FLAT_DATA = { high: 0x00cf_9300, attributes: 0xc93 } as const
const CLEARED = Flag.TF | Flag.NT | Flag.RF | Flag.VM

/** Host word of eight bytes that the system reads; 0 where they are no plain memory. */
function wordOf({ linear }: Core, address: number): number {
  const at = linear.plain(address >>> 0, 8, false, false)
  return (at & 3) === 0 ? at >>> 2 : 0
}

/** Does the selector, of RPL 0, name a flat segment in the GDT whose descriptor has `high` as its upper half? */
function isFlat(core: Core, selector: number, high: number): boolean {
  const { state } = core
  if ((selector & 7) !== 0 || selector === 0 || selector + 7 > state.get32(Layout.gdtLimit)) return false
  const at = wordOf(core, state.getNumber(Layout.gdtBase) + selector)
  const { i32 } = state.host
  return at !== 0 && i32[at] === 0xffff && i32[at + 1] === high
}

/** Delivers #PF, `state.ip` being at the instruction. False, and nothing has changed, where it is not the usual way. */
export function pageFaultThroughFlatGate(core: Core, errorCode: number, address: number): boolean {
  const { state, events, linear } = core
  const { i32 } = state.host
  const { cpl } = state
  const entry = Vector.PF * 8
  if (!state.protectedMode || state.virtual8086 || (state.get32(Layout.efer) & Efer.LMA) !== 0) return false
  if (entry + 7 > state.get32(Layout.idtLimit)) return false
  const gate = wordOf(core, state.getNumber(Layout.idtBase) + entry)
  if (gate === 0) return false
  const low = i32[gate]!
  const high = i32[gate + 1]!
  const code = low >>> 16
  if ((high & GATE_MASK) !== GATE || !isFlat(core, code, FLAT_CODE.high)) return false

  let top = state.reg32(Gpr.sp) >>> 0
  let stack = 0
  if (cpl === 3) {
    const wide = (state.attributes(TR) & 8) !== 0
    const task = wide && state.segLimit(TR) >= 11 ? wordOf(core, state.segBase(TR) + 4) : 0
    if (task === 0) return false
    top = i32[task]! >>> 0
    stack = i32[task + 1]! & 0xffff
    if (!isFlat(core, stack, FLAT_DATA.high)) return false
  } else if (cpl !== 0 || !hasFlatStack(core)) return false
  const words = cpl === 3 ? 6 : 4
  const bottom = top - words * 4
  const frame = bottom < 0 ? 0 : linear.plain(bottom, words * 4, true, false)
  if (frame === 0 || (frame & 3) !== 0) return false

  const at = frame >>> 2
  i32[at] = errorCode
  i32[at + 1] = state.ip
  i32[at + 2] = state.selector(Seg.cs)
  i32[at + 3] = state.eflags | Flag.RF
  if (cpl === 3) {
    i32[at + 4] = state.reg32(Gpr.sp)
    i32[at + 5] = state.selector(Seg.ss)
    writeSegment(state, Seg.ss, stack, 0, 0xffff_ffff, FLAT_DATA.attributes)
  }
  state.setNumber(Layout.cr2, address)
  state.setFlag((high & TRAP) !== 0 ? CLEARED : CLEARED | Flag.IF, false)
  state.setReg32(Gpr.sp, bottom)
  writeSegment(state, Seg.cs, code, 0, 0xffff_ffff, FLAT_CODE.attributes)
  state.ip = ((high & 0xffff_0000) | (low & 0xffff)) >>> 0
  refreshMode(core)
  events.pendingDebug = 0
  events.shadow = 'none'
  events.halted = false
  return true
}

function hasFlatStack({ state }: Core): boolean {
  const isWhole = state.segBase(Seg.ss) === 0 && state.segLimit(Seg.ss) === 0xffff_ffff
  return isWhole && state.attributes(Seg.ss) === FLAT_DATA.attributes
}
