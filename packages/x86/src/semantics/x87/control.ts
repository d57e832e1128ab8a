/** Control of the x87 unit (SDM vol. 1, 8.1.3 to 8.1.5; vol. 2, FINIT, FCLEX, FLDCW, FSTCW, FSTSW, WAIT, FNOP). */
import type { Ops } from '../../ops/ops.ts'
import { Layout } from '../../state/layout.ts'
import type { Semantics, SemanticsTable } from '../processor.ts'
import { controlWord, enter, enterWithoutWait, point, Status, setStatusWord, statusWord } from './unit.ts'

/** The control word after FINIT: all exceptions masked, 64 bits, nearest. Bit 6 is always one. */
export const INITIAL_CONTROL = 0x37f
/** Bits of the control word that can be loaded, and the one that is fixed. */
export const CONTROL_BITS = 0x1f3f
export const CONTROL_FIXED = 0x40
/** CR0.MP and CR0.TS. */
const MP_TS = 10

/** The status word with ES and B as flags and masks say. */
function summarised<V>(o: Ops<V>, status: V, control: V): V {
  const pending = o.and(o.and(status, o.i32(Status.exceptions)), o.xor(control, o.i32(-1)))
  const clear = o.and(status, o.i32(~(Status.summary | Status.busy)))
  return o.or(clear, o.select(pending, o.i32(Status.summary | Status.busy), o.i32(0)))
}

const fninit: Semantics = (c) => {
  enterWithoutWait(c)
  const state = c.state()
  c.poke(state, Layout.fcw, c.i32(INITIAL_CONTROL), 32)
  setStatusWord(c, c.i32(0))
  c.poke(state, Layout.top, c.i32(0), 32)
  c.poke(state, Layout.empty, c.i32(0xff), 32)
  for (const slot of [Layout.fop, Layout.fcs, Layout.fds]) c.poke(state, slot, c.i32(0), 32)
  for (const slot of [Layout.fip, Layout.fdp]) c.poke(state, slot, c.i64(0n), 64)
}

const fnclex: Semantics = (c) => {
  enterWithoutWait(c)
  setStatusWord(c, c.and(statusWord(c), c.i32(0x7f00)))
}

const fldcw: Semantics = (c, insn) => {
  enter(c)
  const value = c.let(c.or(c.and(c.load(insn.seg, c.address(insn), 16), c.i32(CONTROL_BITS)), c.i32(CONTROL_FIXED)))
  c.poke(c.state(), Layout.fcw, value, 32)
  setStatusWord(c, summarised(c, statusWord(c), value))
}

const fnstcw: Semantics = (c, insn) => {
  enterWithoutWait(c)
  c.store(insn.seg, c.address(insn), 16, controlWord(c))
}

const fnstsw: Semantics = (c, insn) => {
  enterWithoutWait(c)
  const top = c.peek('i32', c.state(), Layout.top, 32)
  c.write(insn, 0, c.or(statusWord(c), c.shl(top, c.i32(11))))
}

/** FWAIT asks CR0.MP with CR0.TS; CR0.EM does not stop it (SDM vol. 3A, 2.5). */
const fwait: Semantics = (c) => {
  const cr0 = c.and(c.peek('i32', c.state(), Layout.cr0, 32), c.i32(MP_TS))
  const pending = c.and(statusWord(c), c.i32(Status.summary))
  c.if(c.or(c.eq(cr0, c.i32(MP_TS)), pending), () => c.bail())
}

const fnop: Semantics = (c, insn) => {
  enter(c)
  point(c, insn)
}

/** FNENI and FNDISI of the 8087, FNSETPM of the 80287: ignored since. */
const fneni: Semantics = (c) => enterWithoutWait(c)

export const control: SemanticsTable = { fninit, fnclex, fldcw, fnstcw, fnstsw, fwait, fnop, fneni }
