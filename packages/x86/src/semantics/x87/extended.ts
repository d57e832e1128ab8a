/**
 * FXSAVE and FXRSTOR: the 512 bytes with x87 unit, MXCSR and XMM registers (SDM vol. 2, tables 3-43 to 3-46), word by word.
 * (Kernels save and load them at each change of task: by images of bytes each took 11 µs, by words one by one 3, in plain memory less than 1.)
 */
import type { Insn } from '@vmexit/x86-decoder'
import { Layout, Vector } from '../../state/layout.ts'
import type { Action, ActionTable, Core } from '../../system/core.ts'
import { raise } from '../../system/fault.ts'
import { dataAddress, effectiveOffset } from '../../system/operands.ts'
import { behind, writeEnvironment } from './environment.ts'

const CR4_OSFXSR = 0x200
/** What the area takes up; the processor uses less, and leaves the rest as it is. */
const BYTES = 512
/** Words of the area at which MXCSR, its mask, ST(0) and XMM0 are. */
const [MXCSR, MASK, STACK, XMM] = [6, 7, 8, 40] as const
/** All bits of MXCSR that exist: DAZ is one. */
const MXCSR_MASK = 0xffff

/** 8 XMM registers, 16 in 64-bit code. */
const registersOf = (core: Core): 8 | 16 => (core.state.long64 ? 16 : 8)
/** Offsets of 64 bits, without selectors. */
const isWide = (insn: Insn): boolean => (insn.rex & 8) !== 0
/** The area's words that are used with 16 registers; rewritten by each instruction. */
const words = new Int32Array(XMM + 16 * 4)

/** @throws Fault #NM; #GP(0) off a 16-byte boundary. */
function locate(core: Core, insn: Insn, write: boolean): number {
  if (core.state.get32(Layout.fpuBlocked) !== 0) raise(Vector.NM)
  const linear = dataAddress(core, insn.seg, effectiveOffset(core, insn), BYTES, write ? 'write' : 'read', 1)
  if (linear & 15) raise(Vector.GP, 0)
  core.linear.probe(linear, BYTES, write, core.state.cpl === 3)
  return linear
}

/** Host word of the slot of ST(i). */
function stackSlot({ state }: Core, i: number): number {
  return (state.base + Layout.fpr + ((state.get32(Layout.top) + i) & 7) * 16) >>> 2
}

/** FXSAVE neither waits nor initialises. It saves MXCSR and XMM registers also where CR4.OSFXSR is clear, as the manual allows. */
const fxsave: Action = (core, insn) => {
  const linear = locate(core, insn, true)
  const { state } = core
  const { i32 } = state.host
  const wide = isWide(insn)
  words[0] = (state.get32(Layout.fcw) & 0xffff) | ((state.get32(Layout.fsw) | (state.get32(Layout.top) << 11)) << 16)
  words[1] = (~state.get32(Layout.empty) & 0xff) | (state.get32(Layout.fop) << 16)
  words[2] = state.get32(Layout.fip)
  words[3] = state.get32(wide ? Layout.fip + 4 : Layout.fcs)
  words[4] = state.get32(Layout.fdp)
  words[5] = state.get32(wide ? Layout.fdp + 4 : Layout.fds)
  words[MXCSR] = state.get32(Layout.mxcsr)
  words[MASK] = MXCSR_MASK
  for (let i = 0; i < 8; i++) {
    const slot = stackSlot(core, i)
    const at = STACK + i * 4
    words[at] = i32[slot]!
    words[at + 1] = i32[slot + 1]!
    words[at + 2] = i32[slot + 2]! & 0xffff
    words[at + 3] = 0
  }
  const used = XMM + registersOf(core) * 4
  const xmm = (state.base + Layout.xmm) >>> 2
  for (let n = XMM; n < used; n++) words[n] = i32[xmm + n - XMM]!
  const user = state.cpl === 3
  const at = core.linear.plain(linear, used * 4, true, user) >>> 2
  for (let n = 0; n < used; n++)
    if (at !== 0) i32[at + n] = words[n]!
    else core.linear.write32(behind(core, linear, n * 4), words[n]!, user)
}

/** MXCSR and XMM registers are restored where CR4.OSFXSR is set. @throws Fault #GP(0) for a reserved bit of MXCSR too. */
const fxrstor: Action = (core, insn) => {
  const linear = locate(core, insn, false)
  const { state } = core
  const { i32 } = state.host
  const used = XMM + registersOf(core) * 4
  const user = state.cpl === 3
  const area = core.linear.plain(linear, used * 4, false, user) >>> 2
  for (let n = 0; n < used; n++)
    words[n] = area !== 0 ? i32[area + n]! : core.linear.read32(behind(core, linear, n * 4), user)
  const restored = (state.get32(Layout.cr4) & CR4_OSFXSR) !== 0
  if (restored && words[MXCSR]! & ~MXCSR_MASK) raise(Vector.GP, 0)
  const wide = isWide(insn)
  const offset = (n: number): bigint => (wide ? BigInt(words[n + 1]! >>> 0) << 32n : 0n) | BigInt(words[n]! >>> 0)
  writeEnvironment(state, {
    control: words[0]! & 0xffff,
    status: words[0]! >>> 16,
    empty: ~words[1]! & 0xff,
    opcode: (words[1]! >>> 16) & 0x7ff,
    instruction: offset(2),
    codeSelector: wide ? 0 : words[3]! & 0xffff,
    operand: offset(4),
    dataSelector: wide ? 0 : words[5]! & 0xffff,
  })
  for (let i = 0; i < 8; i++) {
    const slot = stackSlot(core, i)
    const at = STACK + i * 4
    i32[slot] = words[at]!
    i32[slot + 1] = words[at + 1]!
    i32[slot + 2] = words[at + 2]! & 0xffff
  }
  if (!restored) return
  state.set32(Layout.mxcsr, words[MXCSR]!)
  const xmm = (state.base + Layout.xmm) >>> 2
  for (let n = XMM; n < used; n++) i32[xmm + n - XMM] = words[n]!
}

export const extended: ActionTable = { fxsave, fxrstor }
