/** What engines look at instead of working it out from control registers, flags and privilege level. */
import { Flag, Layout } from '../state/layout.ts'
import { Cr0, Cr4 } from './bits.ts'
import type { Core } from './core.ts'

/**
 * Bring `fpuBlocked`, `sseBlocked` and `alignmentCheck` up to date and have the engine look its mode up again.
 * To be called after a change of CR0, CR4, CS, SS, or of TF, RF, VM or AC.
 */
export function refreshMode(core: Core): void {
  const { state } = core
  const cr0 = state.get32(Layout.cr0)
  const blocked = cr0 & (Cr0.EM | Cr0.TS)
  state.set32(Layout.fpuBlocked, blocked)
  state.set32(Layout.sseBlocked, blocked | (~state.get32(Layout.cr4) & Cr4.OSFXSR))
  const aligned = (cr0 & Cr0.AM) !== 0 && state.flag(Flag.AC) && state.cpl === 3
  state.set32(Layout.alignmentCheck, aligned ? 1 : 0)
  core.events.modeChanged()
}

/** Protected mode proper: selectors are indices, not paragraphs. */
export function usesDescriptors(core: Core): boolean {
  return core.state.protectedMode && !core.state.virtual8086
}
