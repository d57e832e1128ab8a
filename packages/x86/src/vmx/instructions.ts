/** The VMX instructions in root operation and outside of VMX operation (SDM vol. 3C, chapter 30). In a guest they exit. */
import { type Insn, Kind, type Operand } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { Cr4 } from '../system/bits.ts'
import { needSupervisor } from '../system/control-registers.ts'
import type { Action, ActionTable, Core } from '../system/core.ts'
import { raise } from '../system/fault.ts'
import { effectiveOffset } from '../system/operands.ts'
import { checkSegment } from '../system/segments.ts'
import { Secondary } from './controls.ts'
import {
  hasInvalidation,
  INVALID,
  invEpt,
  invVpid,
  type VmxOutcome,
  vmCall,
  vmClear,
  vmEnter,
  vmPtrld,
  vmPtrst,
  vmRead,
  vmWrite,
  vmxOff,
  vmxOn,
} from './operations.ts'
import type { VmxUnit } from './unit.ts'

const FEATURE_CONTROL = 0x3a
/** FEATURE_CONTROL: locked, and VMXON allowed outside of SMX. */
const ENABLED = 5n

/** The unit, in VMX operation. @throws Fault #UD, #GP(0). */
function inOperation(core: Core): VmxUnit {
  const { vmx, state } = core
  if (vmx === undefined || vmx.operation === 'off' || state.virtual8086 || !state.protectedMode) raise(Vector.UD)
  needSupervisor(core)
  return vmx
}

/** Linear address of a memory operand of `bytes`. @throws Fault #GP(0), #SS(0). */
function address(core: Core, insn: Insn, bytes: number, access: 'read' | 'write'): number {
  return checkSegment(core, insn.seg, effectiveOffset(core, insn), bytes, access)
}

/** A pointer of 64 bits in memory, as a number; what is beyond 2^53 is out of every range anyway. @throws Fault. */
function pointer(core: Core, insn: Insn): number {
  return Number(BigInt.asUintN(64, core.linear.read64(address(core, insn, 8, 'read'), false)))
}

/** VMsucceed, VMfailInvalid or VMfailValid (30.2). */
function conclude(core: Core, outcome: VmxOutcome): void {
  core.state.setStatusFlags(outcome === 0 ? 0 : outcome === INVALID ? Flag.CF : Flag.ZF)
}

const vmxon: Action = (core, insn) => {
  const { vmx, state } = core
  if (vmx === undefined || !state.protectedMode || state.virtual8086) raise(Vector.UD)
  if ((state.get32(Layout.cr4) & Cr4.VMXE) === 0) raise(Vector.UD)
  needSupervisor(core)
  if (vmx.operation === 'off') {
    const control = core.model.readMsr(core, FEATURE_CONTROL) ?? 0n
    if ((control & ENABLED) !== ENABLED || !vmx.mayEnterOperation()) raise(Vector.GP, 0)
  }
  conclude(core, vmxOn(vmx, pointer(core, insn)))
}

const vmxoff: Action = (core) => conclude(core, vmxOff(inOperation(core)))
const vmcall: Action = (core) => conclude(core, vmCall(inOperation(core)))
const vmclear: Action = (core, insn) => conclude(core, vmClear(inOperation(core), pointer(core, insn)))
const vmptrld: Action = (core, insn) => conclude(core, vmPtrld(inOperation(core), pointer(core, insn)))

const vmptrst: Action = (core, insn) => {
  const unit = inOperation(core)
  core.linear.write64(address(core, insn, 8, 'write'), BigInt.asIntN(64, vmPtrst(unit)), false)
  conclude(core, 0)
}

const vmread: Action = (core, insn) => {
  const unit = inOperation(core)
  const [to, field] = insn.operands as [Operand, Operand]
  const value = vmRead(unit, core.state.reg32(field.reg) >>> 0)
  if (typeof value === 'number') {
    conclude(core, value)
    return
  }
  const low = Number(BigInt.asIntN(32, value))
  if (to.kind === Kind.gpr) core.state.setReg32(to.reg, low)
  else core.linear.write32(address(core, insn, 4, 'write'), low, false)
  conclude(core, 0)
}

const vmwrite: Action = (core, insn) => {
  const unit = inOperation(core)
  const [field, from] = insn.operands as [Operand, Operand]
  const value =
    from.kind === Kind.gpr ? core.state.reg32(from.reg) : core.linear.read32(address(core, insn, 4, 'read'), false)
  conclude(core, vmWrite(unit, core.state.reg32(field.reg) >>> 0, BigInt(value >>> 0)))
}

/** Only what fails concludes: else the CPU is somewhere else. */
function enter(how: 'launch' | 'resume'): Action {
  return (core) => {
    const outcome = vmEnter(inOperation(core), how)
    if (outcome !== 0) conclude(core, outcome)
  }
}

/** Type in a register, and a descriptor of 128 bits in memory. */
function invalidation(
  bit: typeof Secondary.ept | typeof Secondary.vpid,
  act: (unit: VmxUnit, type: number, low: bigint, high: bigint) => VmxOutcome,
): Action {
  return (core, insn) => {
    const unit = inOperation(core)
    if (!hasInvalidation(unit, bit)) raise(Vector.UD)
    const at = address(core, insn, 16, 'read')
    const low = BigInt.asUintN(64, core.linear.read64(at, false))
    const high = BigInt.asUintN(64, core.linear.read64((at + 8) >>> 0, false))
    conclude(core, act(unit, core.state.reg32(insn.operands[0]!.reg) >>> 0, low, high))
  }
}

export const vmxActions: ActionTable = {
  vmxon,
  vmxoff,
  vmcall,
  vmclear,
  vmptrld,
  vmptrst,
  vmread,
  vmwrite,
  vmlaunch: enter('launch'),
  vmresume: enter('resume'),
  invept: invalidation(Secondary.ept, invEpt),
  invvpid: invalidation(Secondary.vpid, invVpid),
}
