/** The state after RESET# (SDM vol. 3A, table 9-1). */
import { Layout } from './state/layout.ts'
import { LDTR, TR } from './state/state.ts'
import type { Core } from './system/core.ts'
import { refreshMode } from './system/mode.ts'
import { writeSegment } from './system/segments.ts'

const CS = 1
const DX = 2
/** CD, NW, ET. */
const CR0 = 0x6000_0010
const CODE = 0x9b
const DATA = 0x93
const LDT = 0x82
const BUSY_TSS = 0x8b

/** Put every register to its value after a reset; the paging unit and pending events are the caller's. */
export function resetState(core: Core): void {
  const { state, msrs, model } = core
  const { base } = state
  state.host.u8.fill(0, base, base + Layout.tlbKey)
  state.host.u8.fill(0, base + Layout.fpuBlocked, base + Layout.stackPage)
  state.eflags = 2
  state.set32(Layout.cr0, CR0)
  for (let seg = 0; seg < 6; seg++) {
    if (seg === CS) writeSegment(state, seg, 0xf000, 0xffff_0000, 0xffff, CODE)
    else writeSegment(state, seg, 0, 0, 0xffff, DATA)
  }
  writeSegment(state, LDTR, 0, 0, 0xffff, LDT)
  writeSegment(state, TR, 0, 0, 0xffff, BUSY_TSS)
  state.ip = 0xfff0
  state.setReg32(DX, model.signature)
  state.set32(Layout.gdtLimit, 0xffff)
  state.set32(Layout.idtLimit, 0xffff)
  state.set32(Layout.dr + 6 * 8, 0xffff_0ff0)
  state.set32(Layout.dr + 7 * 8, 0x400)
  state.set32(Layout.fcw, 0x40)
  state.set32(Layout.mxcsr, 0x1f80)
  msrs.sysenterCs = 0
  msrs.sysenterEsp = 0
  msrs.sysenterEip = 0
  msrs.tscOffset = 0n
  msrs.other.clear()
  refreshMode(core)
}
