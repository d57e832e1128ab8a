/** The VMX instructions in root operation and outside of VMX operation (SDM vol. 3C, chapter 30). In a guest they exit. */
import { type Insn, Kind, type Operand } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { Cr4 } from '../system/bits.ts'
import { needSupervisor } from '../system/control-registers.ts'
import type { Core } from '../system/core.ts'
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

/** One of the instructions. @throws Fault. */
type Instruction = (unit: VmxUnit, core: Core, insn: Insn) => void

/** Only in VMX operation. @throws Fault #UD, #GP(0). */
function needOperation(unit: VmxUnit, core: Core): void {
  if (unit.operation === 'off' || core.state.virtual8086 || !core.state.protectedMode) raise(Vector.UD)
  needSupervisor(core)
}
/** An instruction of VMX operation, which concludes with its outcome. */
function concluding(act: (unit: VmxUnit, core: Core, insn: Insn) => VmxOutcome): Instruction {
  return (unit, core, insn) => {
    needOperation(unit, core)
    conclude(core, act(unit, core, insn))
  }
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

const vmxon: Instruction = (unit, core, insn) => {
  const { state } = core
  if (!state.protectedMode || state.virtual8086 || (state.get32(Layout.cr4) & Cr4.VMXE) === 0) raise(Vector.UD)
  needSupervisor(core)
  if (unit.operation === 'off') {
    const control = core.model.readMsr(core, FEATURE_CONTROL) ?? 0n
    if ((control & ENABLED) !== ENABLED || !unit.mayEnterOperation()) raise(Vector.GP, 0)
  }
  conclude(core, vmxOn(unit, pointer(core, insn)))
}

const vmptrst = concluding((unit, core, insn) => {
  core.linear.write64(address(core, insn, 8, 'write'), BigInt.asIntN(64, vmPtrst(unit)), false)
  return 0
})

const vmread = concluding((unit, core, insn) => {
  const [to, field] = insn.operands as [Operand, Operand]
  const value = vmRead(unit, core.state.reg32(field.reg) >>> 0)
  if (typeof value === 'number') return value
  const low = Number(BigInt.asIntN(32, value))
  if (to.kind === Kind.gpr) core.state.setReg32(to.reg, low)
  else core.linear.write32(address(core, insn, 4, 'write'), low, false)
  return 0
})

const vmwrite = concluding((unit, core, insn) => {
  const [field, from] = insn.operands as [Operand, Operand]
  const value =
    from.kind === Kind.gpr ? core.state.reg32(from.reg) : core.linear.read32(address(core, insn, 4, 'read'), false)
  return vmWrite(unit, core.state.reg32(field.reg) >>> 0, value >>> 0)
})

/** Only what fails concludes: else the CPU is somewhere else. */
function enter(how: 'launch' | 'resume'): Instruction {
  return (unit, core) => {
    needOperation(unit, core)
    const outcome = vmEnter(unit, how)
    if (outcome !== 0) conclude(core, outcome)
  }
}

/** Type in a register, and a descriptor of 128 bits in memory. */
function invalidation(
  bit: typeof Secondary.ept | typeof Secondary.vpid,
  act: (unit: VmxUnit, type: number, low: bigint, high: bigint) => VmxOutcome,
): Instruction {
  return concluding((unit, core, insn) => {
    if (!hasInvalidation(unit, bit)) raise(Vector.UD)
    const at = address(core, insn, 16, 'read')
    const low = BigInt.asUintN(64, core.linear.read64(at, false))
    const high = BigInt.asUintN(64, core.linear.read64((at + 8) >>> 0, false))
    return act(unit, core.state.reg32(insn.operands[0]!.reg) >>> 0, low, high)
  })
}

/** By operation. */
export const instructions: Readonly<Record<string, Instruction>> = {
  vmxon,
  vmxoff: concluding(vmxOff),
  vmcall: concluding(vmCall),
  vmclear: concluding((unit, core, insn) => vmClear(unit, pointer(core, insn))),
  vmptrld: concluding((unit, core, insn) => vmPtrld(unit, pointer(core, insn))),
  vmptrst,
  vmread,
  vmwrite,
  vmlaunch: enter('launch'),
  vmresume: enter('resume'),
  invept: invalidation(Secondary.ept, invEpt),
  invvpid: invalidation(Secondary.vpid, invVpid),
}
