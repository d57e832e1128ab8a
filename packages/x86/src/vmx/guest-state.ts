/** The guest-state area: what VM entry loads and VM exit saves (SDM vol. 3C, 26.3.2 and 27.3). */
import { Layout } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr0, Cr4, Dr6 } from '../system/bits.ts'
import type { Core, CoreEvents } from '../system/core.ts'
import { refreshMode } from '../system/mode.ts'
import { EntryControl, ExitControl, Secondary } from './controls.ts'
import { Field } from './fields.ts'
import { Activity, Blocking } from './guest-checks.ts'
import { loadSegments, saveSegments } from './guest-segments.ts'
import type { VmxUnit } from './unit.ts'
import type { Vmcs } from './vmcs.ts'

const MSR_DEBUGCTL = 0x1d9
const MSR_PAT = 0x277
const DR7 = Layout.dr + 7 * 8
/** Bit 10 of DR7 is 1, bits 12, 14, 15 and above 31 are 0. */
const DR7_FIXED = 0x400
const DR7_CLEAR = 0xd000
/** Bits of CR0 that neither entries nor exits change: ET, CD, NW and those that are reserved. */
const CR0_KEPT = 0x7ffa_ffd0

/** Bit 12 of pending debug exceptions: an enabled breakpoint was met. */
const ENABLED_BREAKPOINT = 1 << 12
const BREAKPOINTS = 15

/** CR0 as VM entry or exit loads it. */
export function cr0ToLoad(now: number, value: number): number {
  return ((now & CR0_KEPT) | (value & ~CR0_KEPT)) >>> 0
}

/** Loads everything but what MSR lists hold and the event to inject. */
export function loadGuestState(unit: VmxUnit): void {
  const { vmcs, controls, parts } = unit
  const { core } = parts
  const { state } = core
  const dr7 = state.get32(DR7)
  const efer = state.get32(Layout.efer)
  const cr0 = state.get32(Layout.cr0)
  loadGuestRegisters(vmcs, core)
  state.setNumber(Layout.cr0, cr0ToLoad(cr0, vmcs.get32(Field.guestCr0)))
  if ((controls.entry & EntryControl.loadDebug) !== 0)
    core.msrs.other.set(MSR_DEBUGCTL, vmcs.get64(Field.guestDebugctl))
  else state.set32(DR7, dr7)
  if ((controls.entry & EntryControl.loadPat) !== 0) core.msrs.other.set(MSR_PAT, vmcs.get64(Field.guestPat))
  if ((controls.entry & EntryControl.loadEfer) === 0) state.set32(Layout.efer, efer)
  refreshMode(core)
}

/** The fields that are registers of any CPU, and what is pending. */
export function loadGuestRegisters(vmcs: Vmcs, core: Core): void {
  const { state, msrs, events } = core
  state.set32(DR7, (vmcs.get32(Field.guestDr7) | DR7_FIXED) & ~DR7_CLEAR)
  state.set32(Layout.efer, vmcs.get32(Field.guestEfer))
  state.setNumber(Layout.cr0, vmcs.getNumber(Field.guestCr0))
  state.setNumber(Layout.cr3, vmcs.getNumber(Field.guestCr3))
  state.setNumber(Layout.cr4, vmcs.getNumber(Field.guestCr4))
  msrs.sysenterCs = vmcs.get32(Field.guestSysenterCs) >>> 0
  msrs.sysenterEsp = vmcs.get32(Field.guestSysenterEsp) >>> 0
  msrs.sysenterEip = vmcs.get32(Field.guestSysenterEip) >>> 0
  loadSegments(vmcs, state)
  state.setNumber(Layout.gdtBase, vmcs.getNumber(Field.guestGdtrBase))
  state.set32(Layout.gdtLimit, vmcs.get32(Field.guestGdtrLimit))
  state.setNumber(Layout.idtBase, vmcs.getNumber(Field.guestIdtrBase))
  state.set32(Layout.idtLimit, vmcs.get32(Field.guestIdtrLimit))
  state.setReg32(Gpr.sp, vmcs.get32(Field.guestRsp))
  state.ip = vmcs.getNumber(Field.guestRip)
  state.eflags = vmcs.get32(Field.guestRflags)
  const blocking = vmcs.get32(Field.guestInterruptibility)
  events.shadow = (blocking & Blocking.sti) !== 0 ? 'sti' : (blocking & Blocking.movSs) !== 0 ? 'ss' : 'none'
  events.nmiBlocked = (blocking & Blocking.nmi) !== 0
  const activity = vmcs.get32(Field.guestActivity)
  events.halted = activity === Activity.hlt
  events.shutdown = activity === Activity.shutdown
  events.pendingDebug = vmcs.get32(Field.guestPendingDebug) & (BREAKPOINTS | Dr6.BS)
}

/** The PAE pointers of a guest under EPT are fields; else they are read from memory. False if they cannot be. */
export function loadGuestPdptes(unit: VmxUnit): boolean {
  const { vmcs, controls, parts } = unit
  const { mmu } = parts
  if ((controls.secondary & Secondary.ept) === 0) return mmu.reloadPdptes()
  if (!isPae(vmcs.get32(Field.guestCr0), vmcs.get32(Field.guestCr4))) return true
  for (let n = 0; n < 4; n++) {
    const value = vmcs.get64(Field.guestPdpte0 + 2 * n)
    mmu.pdptes[2 * n] = Number(value & 0xffff_ffffn)
    mmu.pdptes[2 * n + 1] = Number(value >> 32n)
  }
  return true
}

/** PAE paging is on. */
function isPae(cr0: number, cr4: number): boolean {
  return (cr0 & Cr0.PG) !== 0 && (cr4 & Cr4.PAE) !== 0
}

/** Saves what {@link loadGuestState} loads. */
export function saveGuestState(unit: VmxUnit): void {
  const { vmcs, controls, parts } = unit
  const { core } = parts
  const { state, msrs } = core
  const dr7 = vmcs.getNumber(Field.guestDr7)
  const efer = vmcs.get64(Field.guestEfer)
  saveGuestRegisters(vmcs, core)
  if ((controls.exit & ExitControl.saveDebug) !== 0) vmcs.set64(Field.guestDebugctl, msrs.other.get(MSR_DEBUGCTL) ?? 0n)
  else vmcs.setNumber(Field.guestDr7, dr7)
  if ((controls.exit & ExitControl.savePat) !== 0) vmcs.set64(Field.guestPat, core.model.readMsr(core, MSR_PAT) ?? 0n)
  if ((controls.exit & ExitControl.saveEfer) === 0) vmcs.set64(Field.guestEfer, efer)
  if ((controls.secondary & Secondary.ept) !== 0 && isPae(state.get32(Layout.cr0), state.get32(Layout.cr4)))
    savePdptes(vmcs, parts.mmu.pdptes)
}

/** Writes the guest-state area if that is still to be done. */
export function flushGuestState(unit: VmxUnit): void {
  if (!unit.unsaved) return
  unit.unsaved = false
  unit.vmcs.open()
  saveGuestState(unit)
  unit.vmcs.close()
}

/** What holds interrupts and NMIs off. */
export function interruptibilityOf({ shadow, nmiBlocked }: CoreEvents): number {
  const blocking = shadow === 'sti' ? Blocking.sti : shadow === 'ss' ? Blocking.movSs : 0
  return nmiBlocked ? blocking | Blocking.nmi : blocking
}

/** What {@link loadGuestRegisters} loads. */
export function saveGuestRegisters(vmcs: Vmcs, { state, msrs, events }: Core): void {
  vmcs.set32(Field.guestDr7, state.get32(DR7))
  vmcs.set32(Field.guestEfer, state.get32(Layout.efer))
  vmcs.set32(Field.guestSysenterCs, msrs.sysenterCs)
  vmcs.set32(Field.guestSysenterEsp, msrs.sysenterEsp)
  vmcs.set32(Field.guestSysenterEip, msrs.sysenterEip)
  vmcs.setNumber(Field.guestCr0, state.getNumber(Layout.cr0))
  vmcs.setNumber(Field.guestCr3, state.getNumber(Layout.cr3))
  vmcs.setNumber(Field.guestCr4, state.getNumber(Layout.cr4))
  saveSegments(vmcs, state)
  vmcs.setNumber(Field.guestGdtrBase, state.getNumber(Layout.gdtBase))
  vmcs.set32(Field.guestGdtrLimit, state.get32(Layout.gdtLimit))
  vmcs.setNumber(Field.guestIdtrBase, state.getNumber(Layout.idtBase))
  vmcs.set32(Field.guestIdtrLimit, state.get32(Layout.idtLimit))
  vmcs.set32(Field.guestRsp, state.reg32(Gpr.sp))
  vmcs.setNumber(Field.guestRip, state.ip)
  vmcs.set32(Field.guestRflags, state.eflags)
  vmcs.set32(Field.guestInterruptibility, interruptibilityOf(events))
  vmcs.set32(Field.guestActivity, events.halted ? Activity.hlt : Activity.active)
  const debug = events.pendingDebug & (BREAKPOINTS | Dr6.BS)
  vmcs.set32(Field.guestPendingDebug, (debug & BREAKPOINTS) !== 0 ? debug | ENABLED_BREAKPOINT : debug)
}

/** The PAE pointers, low and high half each. */
export function savePdptes(vmcs: Vmcs, pdptes: Uint32Array): void {
  for (let n = 0; n < 4; n++)
    vmcs.set64(Field.guestPdpte0 + 2 * n, (BigInt(pdptes[2 * n + 1]!) << 32n) | BigInt(pdptes[2 * n]!))
}
