/** x87 and SSE registers as FXSAVE stores them (SDM vol. 2, FXSAVE), for signal frames. */
import { type CpuState, Layout } from '@vmexit/x86'

/** Bytes of the area. */
export const FXSAVE_BYTES = 512

/** The registers as FXSAVE would store them. */
export function saveFpu(state: CpuState, into: Uint8Array): void {
  const view = new DataView(into.buffer, into.byteOffset, FXSAVE_BYTES)
  into.fill(0, 0, FXSAVE_BYTES)
  const top = state.get32(Layout.top)
  view.setUint16(0, state.get32(Layout.fcw), true)
  view.setUint16(2, state.get32(Layout.fsw) | (top << 11), true)
  view.setUint8(4, ~state.get32(Layout.empty) & 0xff)
  view.setUint16(6, state.get32(Layout.fop), true)
  view.setUint32(8, state.get32(Layout.fip), true)
  view.setUint16(12, state.get32(Layout.fcs), true)
  view.setUint32(16, state.get32(Layout.fdp), true)
  view.setUint16(20, state.get32(Layout.fds), true)
  view.setUint32(24, state.get32(Layout.mxcsr), true)
  view.setUint32(28, 0xffff, true)
  const { u8 } = state.host
  for (let n = 0; n < 8; n++) {
    const register = state.base + Layout.fpr + ((top + n) & 7) * 16
    into.set(u8.subarray(register, register + 10), 32 + n * 16)
  }
  into.set(u8.subarray(state.base + Layout.xmm, state.base + Layout.xmm + 128), 160)
}

/** Loads what {@link saveFpu} has stored; reserved bits of MXCSR are cleared in place of a fault. */
export function loadFpu(state: CpuState, from: Uint8Array): void {
  const view = new DataView(from.buffer, from.byteOffset, FXSAVE_BYTES)
  const status = view.getUint16(2, true)
  const top = (status >> 11) & 7
  state.set32(Layout.fcw, view.getUint16(0, true))
  state.set32(Layout.fsw, status & ~0x3800)
  state.set32(Layout.top, top)
  state.set32(Layout.empty, ~view.getUint8(4) & 0xff)
  state.set32(Layout.fop, view.getUint16(6, true) & 0x7ff)
  state.setNumber(Layout.fip, view.getUint32(8, true))
  state.set32(Layout.fcs, view.getUint16(12, true))
  state.setNumber(Layout.fdp, view.getUint32(16, true))
  state.set32(Layout.fds, view.getUint16(20, true))
  state.set32(Layout.mxcsr, view.getUint32(24, true) & 0xffff)
  const { u8 } = state.host
  for (let n = 0; n < 8; n++) {
    const register = state.base + Layout.fpr + ((top + n) & 7) * 16
    u8.set(from.subarray(32 + n * 16, 42 + n * 16), register)
  }
  u8.set(from.subarray(160, 288), state.base + Layout.xmm)
}

/** What a handler, like a program, begins with. */
export function resetFpu(state: CpuState): void {
  state.set32(Layout.fcw, 0x37f)
  state.set32(Layout.fsw, 0)
  state.set32(Layout.top, 0)
  state.set32(Layout.empty, 0xff)
  state.set32(Layout.mxcsr, 0x1f80)
}
