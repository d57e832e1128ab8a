/** INT n, INT3, INTO, INT1, and the fast system calls (SDM vol. 2, INT n; vol. 3B, 20.3.3). */
import { Seg } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr4, Dr6 } from './bits.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { vectorThrough } from './exceptions.ts'
import { raise } from './fault.ts'
import { refreshMode } from './mode.ts'
import { SYSENTER, softwareInterrupt } from './ring-zero.ts'
import { loadParagraph, writeSegment } from './segments.ts'
import { Stack } from './stack.ts'
import { redirected } from './tss.ts'

const int: Action = (core, insn) => {
  const { state } = core
  const vector = insn.imm & 0xff
  if (state.virtual8086) {
    if ((state.get32(Layout.cr4) & Cr4.VME) !== 0 && redirected(core, vector)) {
      throughProgramTable(core, vector)
      return
    }
    if (state.iopl < 3) raise(Vector.GP, 0)
  }
  vectorThrough(core, softwareInterrupt(vector))
}

/**
 * An interrupt that stays within the virtual-8086 program: through the table at linear address 0. Below IOPL 3 the pushed
 * image shows VIF as IF, and IOPL 3.
 */
function throughProgramTable(core: Core, vector: number): void {
  const { state } = core
  const monitored = state.iopl < 3
  const target = core.linear.read32(vector * 4, false)
  let image = state.eflags
  if (monitored) image = (image & ~Flag.IF) | Flag.IOPL | (state.flag(Flag.VIF) ? Flag.IF : 0)
  const stack = Stack.current(core)
  stack.reserve(16, 3)
  stack.push(16, image)
  stack.push(16, state.selector(Seg.cs))
  stack.push(16, state.ip)
  stack.commit()
  loadParagraph(state, Seg.cs, target >>> 16)
  state.ip = target & 0xffff
  state.setFlag(Flag.TF | (monitored ? Flag.VIF : Flag.IF), false)
  core.events.pendingDebug &= ~Dr6.BS
  refreshMode(core)
}

const int3: Action = (core) => vectorThrough(core, { vector: Vector.BP, source: 'software', isException: true })
const int1: Action = (core) => vectorThrough(core, { vector: Vector.DB, source: 'int1' })
const into: Action = (core) => {
  if ((core.state.statusFlags() & Flag.OF) !== 0)
    vectorThrough(core, { vector: Vector.OF, source: 'software', isException: true })
}

/** Flat segments as SYSENTER and SYSEXIT make them, without reading any descriptor. */
function loadFlat(core: Core, code: number, stack: number, dpl: number): void {
  const present = 0xc90 | (dpl << 5)
  writeSegment(core.state, Seg.cs, code, 0, 0xffff_ffff, present | 0xb)
  writeSegment(core.state, Seg.ss, stack, 0, 0xffff_ffff, present | 0x3)
}

const sysenter: Action = (core) => {
  if (core.toRingZero?.(SYSENTER)) return
  const { state, msrs } = core
  const selector = msrs.sysenterCs & 0xfffc
  if (!state.protectedMode || selector === 0) raise(Vector.GP, 0)
  state.setFlag(Flag.VM | Flag.IF | Flag.RF, false)
  loadFlat(core, selector, selector + 8, 0)
  state.setReg32(Gpr.sp, msrs.sysenterEsp)
  state.ip = msrs.sysenterEip >>> 0
  refreshMode(core)
}

const sysexit: Action = (core) => {
  const { state, msrs } = core
  const selector = msrs.sysenterCs & 0xfffc
  if (!state.protectedMode || selector === 0 || state.cpl !== 0) raise(Vector.GP, 0)
  loadFlat(core, (selector + 16) | 3, (selector + 24) | 3, 3)
  state.ip = state.reg32(Gpr.dx) >>> 0
  state.setReg32(Gpr.sp, state.reg32(Gpr.cx))
  refreshMode(core)
}

export const interruptActions: ActionTable = { int, int3, int1, into, sysenter, sysexit }
