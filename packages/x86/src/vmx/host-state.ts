/** The host-state area, which a VM exit loads (SDM vol. 3C, 27.5). */
import { Seg } from '@vmexit/x86-decoder'
import { Layout, LDTR, TR } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { refreshMode } from '../system/mode.ts'
import { writeSegment } from '../system/segments.ts'
import { ExitControl } from './controls.ts'
import { Field } from './fields.ts'
import { cr0ToLoad } from './guest-state.ts'
import type { VmxUnit } from './unit.ts'

const MSR_DEBUGCTL = 0x1d9
const MSR_PAT = 0x277
/** Present, accessed, 32-bit, in units of 4 KiB: code that may be read, data that may be written. */
const CODE = 0xc9b
const DATA = 0xc93
const BUSY_TSS = 0x8b
const TSS_LIMIT = 0x67

/** Loads it, out of the guest that has ended. False if the PAE pointers cannot be read: a VMX abort. */
export function loadHostState(unit: VmxUnit): boolean {
  const { vmcs, controls, parts } = unit
  const { core, mmu } = parts
  const { state, msrs, events } = core
  state.setNumber(Layout.cr0, cr0ToLoad(state.get32(Layout.cr0), vmcs.get32(Field.hostCr0)))
  state.setNumber(Layout.cr3, vmcs.getNumber(Field.hostCr3))
  state.setNumber(Layout.cr4, vmcs.getNumber(Field.hostCr4))
  state.set32(Layout.dr + 7 * 8, 0x400)
  msrs.other.set(MSR_DEBUGCTL, 0n)
  msrs.sysenterCs = vmcs.get32(Field.hostSysenterCs) >>> 0
  msrs.sysenterEsp = vmcs.get32(Field.hostSysenterEsp) >>> 0
  msrs.sysenterEip = vmcs.get32(Field.hostSysenterEip) >>> 0
  if ((controls.exit & ExitControl.loadPat) !== 0) msrs.other.set(MSR_PAT, vmcs.get64(Field.hostPat))
  if ((controls.exit & ExitControl.loadEfer) !== 0) state.set32(Layout.efer, vmcs.get32(Field.hostEfer))

  writeSegment(state, Seg.cs, vmcs.get32(Field.hostCsSelector), 0, 0xffff_ffff, CODE)
  data(unit, Seg.ss, Field.hostSsSelector, 0)
  data(unit, Seg.ds, Field.hostDsSelector, 0)
  data(unit, Seg.es, Field.hostEsSelector, 0)
  data(unit, Seg.fs, Field.hostFsSelector, vmcs.getNumber(Field.hostFsBase))
  data(unit, Seg.gs, Field.hostGsSelector, vmcs.getNumber(Field.hostGsBase))
  writeSegment(state, TR, vmcs.get32(Field.hostTrSelector), vmcs.getNumber(Field.hostTrBase), TSS_LIMIT, BUSY_TSS)
  writeSegment(state, LDTR, 0, 0, 0, 0)
  state.setNumber(Layout.gdtBase, vmcs.getNumber(Field.hostGdtrBase))
  state.set32(Layout.gdtLimit, 0xffff)
  state.setNumber(Layout.idtBase, vmcs.getNumber(Field.hostIdtrBase))
  state.set32(Layout.idtLimit, 0xffff)
  state.setReg32(Gpr.sp, vmcs.get32(Field.hostRsp))
  state.ip = vmcs.getNumber(Field.hostRip)
  state.eflags = 2
  events.shadow = 'none'
  events.halted = false
  events.shutdown = false
  events.pendingDebug = 0

  const { cr0, cr3, cr4, efer } = controlRegisters(unit)
  mmu.load({ cr0, cr3, cr4, efer, second: undefined })
  if (!unit.keepsTlb()) mmu.flush()
  refreshMode(core)
  return mmu.reloadPdptes()
}

/** A null selector makes the register unusable. */
function data(unit: VmxUnit, seg: number, selector: number, base: number): void {
  const { state } = unit.parts.core
  const value = unit.vmcs.get32(selector)
  if (value === 0) writeSegment(state, seg, 0, base, 0, 0)
  else writeSegment(state, seg, value, base, 0xffff_ffff, DATA)
}

/** The control registers as the paging unit takes them. */
export function controlRegisters({ parts }: VmxUnit): { cr0: number; cr3: number; cr4: number; efer: number } {
  const { state } = parts.core
  return {
    cr0: state.get32(Layout.cr0),
    cr3: state.getNumber(Layout.cr3),
    cr4: state.get32(Layout.cr4),
    efer: state.get32(Layout.efer),
  }
}
