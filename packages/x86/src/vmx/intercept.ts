/** Instructions that leave a guest (SDM vol. 3C, 25.1; qualifications: 27.2.1). */
import { type Insn, Kind, type Operand, Seg } from '@vmexit/x86-decoder'
import { Flag, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { checkPorts } from '../system/io.ts'
import { effectiveOffset, readWord } from '../system/operands.ts'
import { VMX_INSTRUCTIONS } from '../system/vmx-instructions.ts'
import { cltsExits, lmswExits, writeExits } from './control-masks.ts'
import { Primary, Secondary } from './controls.ts'
import { interceptSoftwareException } from './events.ts'
import { exitGuest } from './exit.ts'
import { ExitReason } from './exit-reasons.ts'
import { hasMemory, selectorInfo, stringInfo, tableInfo, vmxInfo } from './instruction-info.ts'
import type { VmxUnit } from './unit.ts'

/** True if the instruction has left the guest. */
type Intercept = (unit: VmxUnit, insn: Insn) => boolean

/**
 * Has the instruction at `state.ip` left the guest? To be asked before it is executed; what faults before an exit would be made
 * (26.1.1) faults here. @throws Fault.
 */
export function interceptInstruction(unit: VmxUnit, insn: Insn): boolean {
  const intercept = INTERCEPTS.get(insn.op)
  if (intercept === undefined) return false
  // What needs CPL 0 faults without it; VMX instructions exit whatever the level.
  if (insn.row.privilege === 'cpl0' && unit.parts.core.state.cpl !== 0 && !VMX.includes(insn.op)) return false
  return intercept(unit, insn)
}

function leave(
  unit: VmxUnit,
  insn: Insn,
  reason: (typeof ExitReason)[keyof typeof ExitReason],
  more?: { readonly qualification?: number; readonly instructionInfo?: number; readonly linear?: number },
): true {
  exitGuest(unit, reason, more, insn.length)
  unit.onExit?.(true)
  return true
}

/** Exits if a bit of the primary controls says so. */
function primary(bit: number, reason: (typeof ExitReason)[keyof typeof ExitReason]): Intercept {
  return (unit, insn) => (unit.controls.primary & bit) !== 0 && leave(unit, insn, reason)
}
function always(reason: (typeof ExitReason)[keyof typeof ExitReason]): Intercept {
  return (unit, insn) => leave(unit, insn, reason)
}

// ── Control and debug registers ─────────────────────────────────────────────────────────────────────────────────────

const FROM = 1 << 4
const CLTS = 2 << 4
const LMSW = 3 << 4
const LMSW_MEMORY = 1 << 6

const moveControl: Intercept = (unit, insn) => {
  const [to, from] = insn.operands as [Operand, Operand]
  if (to.kind === Kind.cr) return writeControl(unit, insn, to.reg, from.reg)
  if (from.kind === Kind.cr) {
    if (from.reg !== 3 || (unit.controls.primary & Primary.cr3StoreExiting) === 0) return false
    return leave(unit, insn, ExitReason.crAccess, { qualification: 3 | FROM | (to.reg << 8) })
  }
  if (to.kind !== Kind.dr && from.kind !== Kind.dr) return false
  if ((unit.controls.primary & Primary.movDrExiting) === 0) return false
  const qualification = to.kind === Kind.dr ? to.reg | (from.reg << 8) : from.reg | FROM | (to.reg << 8)
  return leave(unit, insn, ExitReason.drAccess, { qualification })
}

function writeControl(unit: VmxUnit, insn: Insn, cr: number, gpr: number): boolean {
  const { controls, parts } = unit
  const value = parts.core.state.reg32(gpr)
  if (cr === 3) {
    if ((controls.primary & Primary.cr3LoadExiting) === 0 || controls.cr3Targets.includes(value >>> 0)) return false
  } else if ((cr !== 0 && cr !== 4) || !writeExits(unit, cr, value)) return false
  return leave(unit, insn, ExitReason.crAccess, { qualification: cr | (gpr << 8) })
}

const clts: Intercept = (unit, insn) =>
  cltsExits(unit) && leave(unit, insn, ExitReason.crAccess, { qualification: CLTS })

const lmsw: Intercept = (unit, insn) => {
  const value = readWord(unit.parts.core, insn, 0)
  if (!lmswExits(unit, value)) return false
  const [operand] = insn.operands
  const memory = operand!.kind === Kind.mem
  const { state } = unit.parts.core
  const linear = memory ? (state.segBase(insn.seg) + effectiveOffset(unit.parts.core, insn)) >>> 0 : 0
  const qualification = LMSW | (memory ? LMSW_MEMORY : 0) | (value << 16)
  return leave(unit, insn, ExitReason.crAccess, { qualification, linear })
}

const invlpg: Intercept = (unit, insn) => {
  if ((unit.controls.primary & Primary.invlpgExiting) === 0) return false
  const { core } = unit.parts
  const qualification = (core.state.segBase(insn.seg) + effectiveOffset(core, insn)) >>> 0
  return leave(unit, insn, ExitReason.invlpg, { qualification })
}

// ── Ports ───────────────────────────────────────────────────────────────────────────────────────────────────────────

const IN = 1 << 3
const STRING = 1 << 4
const REPEAT = 1 << 5
const IMMEDIATE = 1 << 6

const port: Intercept = (unit, insn) => {
  const { core } = unit.parts
  const { state } = core
  const input = insn.op === 'in' || insn.op === 'ins'
  const string = insn.op === 'ins' || insn.op === 'outs'
  const [first, second] = insn.operands as [Operand, Operand]
  const where = input ? second : first
  const number = where.kind === Kind.imm ? insn.imm & 0xff : state.reg16(Gpr.dx)
  const bytes = (input ? first : second).size >> 3
  const count = insn.addrSize === 16 ? state.reg16(Gpr.cx) : state.reg32(Gpr.cx)
  if (insn.rep !== 0 && count === 0) return false
  // What the permission map forbids faults first.
  if (!portExits(unit, number, bytes)) return false
  checkPorts(core, number, bytes)
  const qualification =
    (bytes - 1) |
    (input ? IN : 0) |
    (string ? STRING : 0) |
    (insn.rep !== 0 ? REPEAT : 0) |
    (where.kind === Kind.imm ? IMMEDIATE : 0) |
    (number << 16)
  if (!string) return leave(unit, insn, ExitReason.io, { qualification })
  const seg = input ? Seg.es : insn.seg
  const pointer = input ? Gpr.di : Gpr.si
  const offset = insn.addrSize === 16 ? state.reg16(pointer) : state.reg32(pointer) >>> 0
  const linear = (state.segBase(seg) + offset) >>> 0
  return leave(unit, insn, ExitReason.io, { qualification, instructionInfo: stringInfo(insn), linear })
}

/** The bitmaps have a bit for each port; an access that runs over the last one exits. */
function portExits({ controls, parts }: VmxUnit, number: number, bytes: number): boolean {
  if ((controls.primary & Primary.ioBitmaps) === 0) return (controls.primary & Primary.unconditionalIoExiting) !== 0
  if (number + bytes > 0x1_0000) return true
  for (let each = number; each < number + bytes; each++) {
    const bitmap = each < 0x8000 ? controls.ioBitmapA : controls.ioBitmapB
    if (((parts.memory.read8(bitmap + ((each & 0x7fff) >> 3)) >> (each & 7)) & 1) !== 0) return true
  }
  return false
}

// ── Model-specific registers ────────────────────────────────────────────────────────────────────────────────────────

function msr(reason: typeof ExitReason.rdmsr | typeof ExitReason.wrmsr, writes: boolean): Intercept {
  return (unit, insn) => {
    const number = unit.parts.core.state.reg32(Gpr.cx) >>> 0
    return msrExits(unit, number, writes) && leave(unit, insn, reason)
  }
}

function msrExits({ controls, parts }: VmxUnit, number: number, writes: boolean): boolean {
  if ((controls.primary & Primary.msrBitmaps) === 0) return true
  const high = number >= 0xc000_0000
  const index = high ? number - 0xc000_0000 : number
  if (index > 0x1fff) return true
  const at = controls.msrBitmap + (writes ? 0x800 : 0) + (high ? 0x400 : 0) + (index >> 3)
  return ((parts.memory.read8(at) >> (index & 7)) & 1) !== 0
}

// ── Descriptor tables and the rest ──────────────────────────────────────────────────────────────────────────────────

const tables: Intercept = (unit, insn) =>
  (unit.controls.secondary & Secondary.descriptorTableExiting) !== 0 &&
  leave(unit, insn, ExitReason.gdtrOrIdtr, { qualification: insn.disp, instructionInfo: tableInfo(insn) })

const selectors: Intercept = (unit, insn) =>
  (unit.controls.secondary & Secondary.descriptorTableExiting) !== 0 &&
  leave(unit, insn, ExitReason.ldtrOrTr, {
    qualification: hasMemory(insn) ? insn.disp : 0,
    instructionInfo: selectorInfo(insn),
  })

const wbinvd: Intercept = (unit, insn) =>
  (unit.controls.secondary & Secondary.wbinvdExiting) !== 0 && leave(unit, insn, ExitReason.wbinvd)

function vmx(reason: (typeof ExitReason)[keyof typeof ExitReason]): Intercept {
  return (unit, insn) =>
    leave(
      unit,
      insn,
      reason,
      hasMemory(insn) || insn.operands.length > 0
        ? { qualification: hasMemory(insn) ? insn.disp : 0, instructionInfo: vmxInfo(insn) }
        : {},
    )
}

/** INT3, INTO and INT1 raise what the exception bitmap may name. */
function software(vector: number): Intercept {
  return (unit, insn) => {
    if (vector === Vector.OF && (unit.parts.core.state.statusFlags() & Flag.OF) === 0) return false
    return interceptSoftwareException(unit, vector, insn.length)
  }
}

const VMX: readonly string[] = VMX_INSTRUCTIONS

const INTERCEPTS: ReadonlyMap<string, Intercept> = new Map<string, Intercept>([
  ['mov', moveControl],
  ['clts', clts],
  ['lmsw', lmsw],
  ['invlpg', invlpg],
  ['in', port],
  ['out', port],
  ['ins', port],
  ['outs', port],
  ['rdmsr', msr(ExitReason.rdmsr, false)],
  ['wrmsr', msr(ExitReason.wrmsr, true)],
  ['cpuid', always(ExitReason.cpuid)],
  ['invd', always(ExitReason.invd)],
  ['wbinvd', wbinvd],
  ['hlt', primary(Primary.hltExiting, ExitReason.hlt)],
  ['rdtsc', primary(Primary.rdtscExiting, ExitReason.rdtsc)],
  ['rdpmc', primary(Primary.rdpmcExiting, ExitReason.rdpmc)],
  ['pause', primary(Primary.pauseExiting, ExitReason.pause)],
  ['sgdt', tables],
  ['sidt', tables],
  ['lgdt', tables],
  ['lidt', tables],
  ['sldt', selectors],
  ['str', selectors],
  ['lldt', selectors],
  ['ltr', selectors],
  ['int3', software(Vector.BP)],
  ['into', software(Vector.OF)],
  ['int1', software(Vector.DB)],
  ...VMX_INSTRUCTIONS.map((op): [string, Intercept] => [op, vmx(ExitReason[op])]),
])
