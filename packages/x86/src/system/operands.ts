/** Operands of system instructions: registers by size, and memory with all its checks. */
import { type Insn, Kind, type Seg } from '@vmexit/x86-decoder'
import { Layout, Vector } from '../state/layout.ts'
import type { Core } from './core.ts'
import { raise } from './fault.ts'
import { type AccessKind, checkSegment } from './segments.ts'

/** Effective address of the memory operand: unsigned and wrapped to the address size; signed in 64-bit code. */
export function effectiveOffset(core: Core, insn: Insn): number {
  const { state } = core
  if (!state.long64) {
    let sum = insn.disp
    if (insn.base >= 0) sum += state.reg32(insn.base)
    if (insn.index >= 0) sum += state.reg32(insn.index) << insn.scale
    return insn.addrSize === 16 ? sum & 0xffff : sum >>> 0
  }
  let sum = (BigInt(insn.dispHigh) << 32n) | BigInt(insn.disp >>> 0)
  if (insn.ripRelative) sum += state.get64(Layout.ip)
  if (insn.base >= 0) sum += state.reg64(insn.base)
  if (insn.index >= 0) sum += state.reg64(insn.index) << BigInt(insn.scale)
  return Number(insn.addrSize === 64 ? BigInt.asIntN(64, sum) : BigInt.asUintN(insn.addrSize, sum))
}

/** `offset` moved by `by` bytes, wrapped to the address size. */
export function displaced(insn: Insn, offset: number, by: number): number {
  if (insn.addrSize === 16) return (offset + by) & 0xffff
  return insn.addrSize === 32 ? (offset + by) >>> 0 : offset + by
}

/** Linear address of `bytes` at `offset`, checked against segment and alignment. @throws Fault #GP(0), #SS(0), #AC(0). */
export function dataAddress(
  core: Core,
  seg: Seg,
  offset: number,
  bytes: number,
  access: AccessKind,
  alignment: number = bytes,
): number {
  const linear = checkSegment(core, seg, offset, bytes, access)
  if (core.state.get32(Layout.alignmentCheck) !== 0 && (linear & (alignment - 1)) !== 0) raise(Vector.AC, 0)
  return linear
}

/** Load 8, 16 or 32 bits, zero-extended. */
export function load(core: Core, seg: Seg, offset: number, bits: number, alignment: number = bits >> 3): number {
  const user = core.state.cpl === 3
  const linear = dataAddress(core, seg, offset, bits >> 3, 'read', alignment)
  if (bits === 8) return core.linear.read8(linear, user)
  return bits === 16 ? core.linear.read16(linear, user) : core.linear.read32(linear, user) >>> 0
}

/** Store the low 8, 16 or 32 bits. */
function store(core: Core, seg: Seg, offset: number, bits: number, value: number): void {
  const user = core.state.cpl === 3
  const linear = dataAddress(core, seg, offset, bits >> 3, 'write')
  if (bits === 8) core.linear.write8(linear, value & 0xff, user)
  else if (bits === 16) core.linear.write16(linear, value & 0xffff, user)
  else core.linear.write32(linear, value | 0, user)
}

/** The 16-bit selector or word in operand `n`: register or memory. */
export function readWord(core: Core, insn: Insn, n: number): number {
  const operand = insn.operands[n]!
  return operand.kind === Kind.gpr
    ? core.state.reg16(operand.reg)
    : load(core, insn.seg, effectiveOffset(core, insn), 16)
}

/** Write a general register: 32 bits clear what is above them, 16 leave it, 64 take the value zero-extended. */
export function writeRegister(core: Core, reg: number, bits: number, value: number): void {
  if (bits === 8) core.state.setReg8(reg, value)
  else if (bits === 16) core.state.setReg16(reg, value)
  else core.state.setReg32(reg, value)
}

/** Write a word to operand `n`: memory takes 16 bits, a register its operand size, the word zero-extended (or `whole`, where given). */
export function writeWord(core: Core, insn: Insn, n: number, word: number, whole: number = word): void {
  const operand = insn.operands[n]!
  if (operand.kind === Kind.mem) store(core, insn.seg, effectiveOffset(core, insn), 16, word)
  else writeRegister(core, operand.reg, operand.size, whole)
}

/** A far pointer in memory: offset of the operand size, then the selector (SDM vol. 1, 4.3). */
export function loadFarPointer(core: Core, insn: Insn): { offset: number; selector: number } {
  const at = effectiveOffset(core, insn)
  const bits = insn.opSize === 16 ? 16 : 32
  // The pointer is one operand for the alignment check: 2 bytes for 16:16, 4 for 16:32.
  const offset = load(core, insn.seg, at, bits)
  const selector = load(core, insn.seg, displaced(insn, at, bits >> 3), 16)
  return { offset, selector }
}
