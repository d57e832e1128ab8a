/** Which fault an x87, MMX or SSE instruction raises when the unit is not to be used (SDM vol. 3A, 2.5, 9.2, 13.1). */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { Layout, Vector } from '../state/layout.ts'
import type { Core } from '../system/core.ts'
import { raise } from '../system/fault.ts'

const CR0_MP = 2
const CR0_EM = 4
const CR0_TS = 8
const CR0_NE = 0x20
const CR4_OSFXSR = 0x200
const CR4_OSXMMEXCPT = 0x400
const EXCEPTION_SUMMARY = 0x80

/** Raise what stands in the way of `insn`. */
export function raiseUnavailable(core: Core, insn: Insn): never {
  const { state } = core
  const cr0 = state.get32(Layout.cr0)
  const cr4 = state.get32(Layout.cr4)
  const feature = insn.row.feature
  if (feature === 'sse' || feature === 'sse2') {
    if (cr0 & CR0_EM) raise(Vector.UD)
    if (usesXmm(insn) && !(cr4 & CR4_OSFXSR)) raise(Vector.UD)
    if (cr0 & CR0_TS) raise(Vector.NM)
    pendingX87(core)
    raise(cr4 & CR4_OSXMMEXCPT ? Vector.XM : Vector.UD)
  }
  if (feature === 'mmx') {
    if (cr0 & CR0_EM) raise(Vector.UD)
    if (cr0 & CR0_TS) raise(Vector.NM)
  } else if (insn.op === 'fwait') {
    if ((cr0 & (CR0_MP | CR0_TS)) === (CR0_MP | CR0_TS)) raise(Vector.NM)
  } else if (cr0 & (CR0_EM | CR0_TS)) raise(Vector.NM)
  pendingX87(core)
  throw new TypeError(`${insn.op} asked for the slow way without a reason`)
}

/** Instructions of the SSE sets that touch only MMX registers do not ask CR4.OSFXSR. */
function usesXmm(insn: Insn): boolean {
  const kinds = insn.operands.map((operand) => operand.kind)
  return kinds.includes(Kind.xmm) || !kinds.includes(Kind.mm)
}

/** An unmasked x87 exception is pending: #MF, or the FERR# pin where CR0.NE is clear. */
function pendingX87(core: Core): void {
  if ((core.state.get32(Layout.fsw) & EXCEPTION_SUMMARY) === 0) return
  if (core.state.get32(Layout.cr0) & CR0_NE) raise(Vector.MF)
  core.ferr(true)
  raise(Vector.MF)
}
