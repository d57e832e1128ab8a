/** PUSHF, POPF, CLI and STI in every mode, with the virtual interrupt flag (SDM vol. 2; vol. 3B, 20.3 and 20.4). */
import type { Insn } from '@vmexit/x86-decoder'
import { Flag, Layout, STATUS_FLAGS, Vector } from '../state/layout.ts'
import { Cr4 } from './bits.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { raise, raiseCommitted } from './fault.ts'
import { refreshMode } from './mode.ts'
import { Stack } from './stack.ts'

/** What any code may change. */
const USER_FLAGS = STATUS_FLAGS | Flag.TF | Flag.DF | Flag.NT
/** Flags above bit 15 that any code may change. */
const USER_FLAGS32 = Flag.AC | Flag.ID
/** Flags that engines must know of. */
const MODE_FLAGS = Flag.TF | Flag.RF | Flag.VM | Flag.AC

/** Take the bits of `mask` from an EFLAGS image, as far as the model has them. */
export function updateFlags(core: Core, image: number, mask: number): void {
  const { state } = core
  const before = state.get32(Layout.flags)
  const changeable = mask & (core.model.flagsMask | STATUS_FLAGS | Flag.RF | Flag.VM)
  state.eflags = (state.eflags & ~changeable) | (image & changeable)
  if ((before ^ state.get32(Layout.flags)) & MODE_FLAGS) refreshMode(core)
}

/** Flags that POPF and IRET may change at the current privilege level; without RF, VM, VIF and VIP. */
export function changeableFlags(core: Core, bits: number): number {
  const { state } = core
  let mask = bits === 16 ? USER_FLAGS : USER_FLAGS | USER_FLAGS32
  if (state.cpl <= state.iopl) mask |= Flag.IF
  if (state.cpl === 0) mask |= Flag.IOPL
  return mask
}

function hasCr4(core: Core, bit: number): boolean {
  return (core.state.get32(Layout.cr4) & bit) !== 0
}

/** In virtual-8086 mode below IOPL 3: the virtual interrupt flag stands in for IF, where CR4.VME allows; else #GP(0). */
function needVme(core: Core, bits: number): void {
  if (bits !== 16 || !hasCr4(core, Cr4.VME)) raise(Vector.GP, 0)
}

/** Virtual-8086 mode with IOPL under 3. */
function isMonitored(core: Core): boolean {
  return core.state.virtual8086 && core.state.iopl < 3
}

/**
 * POPF or IRET of a 16-bit image in virtual-8086 mode with CR4.VME and IOPL under 3: IF of the image is VIF's.
 * @throws Fault #GP(0) when an interrupt is pending that VIF would let through, or TF is set.
 */
export function checkVmeFlags(core: Core, image: number): void {
  if ((image & Flag.TF) !== 0 || ((image & Flag.IF) !== 0 && core.state.flag(Flag.VIP))) raise(Vector.GP, 0)
}

/** The second half of {@link checkVmeFlags}: nothing can fail any more. */
export function updateVmeFlags(core: Core, image: number): void {
  core.state.setFlag(Flag.VIF, (image & Flag.IF) !== 0)
  updateFlags(core, image, USER_FLAGS)
}

/** VIF and VIP both set where they have a meaning: #GP(0) before the next instruction (SDM vol. 3B, 20.3.2). */
export function checkVirtualInterrupt(core: Core): void {
  const { state } = core
  const both = Flag.VIF | Flag.VIP
  if ((state.get32(Layout.flags) & both) !== both) return
  const virtual = state.virtual8086 ? hasCr4(core, Cr4.VME) : state.cpl === 3 && hasCr4(core, Cr4.PVI)
  if (virtual) raiseCommitted(Vector.GP, 0)
}

const pushf: Action = (core: Core, insn: Insn) => {
  const { state } = core
  let image = state.eflags & ~(Flag.RF | Flag.VM)
  if (isMonitored(core)) {
    needVme(core, insn.opSize)
    image = (image & ~Flag.IF) | Flag.IOPL | (state.flag(Flag.VIF) ? Flag.IF : 0)
  }
  const stack = Stack.current(core)
  stack.push(insn.opSize, image)
  stack.commit()
}

const popf: Action = (core: Core, insn: Insn) => {
  const monitored = isMonitored(core)
  if (monitored) needVme(core, insn.opSize)
  const stack = Stack.current(core)
  const image = stack.pop(insn.opSize)
  if (monitored) checkVmeFlags(core, image)
  stack.commit()
  if (monitored) updateVmeFlags(core, image)
  else updateFlags(core, image, changeableFlags(core, insn.opSize))
}

/** Which flag CLI and STI change. @throws Fault #GP(0) when none. */
function interruptFlag(core: Core): number {
  const { state } = core
  if (state.cpl <= state.iopl) return Flag.IF
  if (state.cpl === 3 && hasCr4(core, state.virtual8086 ? Cr4.VME : Cr4.PVI)) return Flag.VIF
  raise(Vector.GP, 0)
}

const cli: Action = (core: Core) => {
  core.state.setFlag(interruptFlag(core), false)
}

const sti: Action = (core: Core) => {
  const { state, events } = core
  const flag = interruptFlag(core)
  if (flag === Flag.VIF && state.flag(Flag.VIP)) raise(Vector.GP, 0)
  if (flag === Flag.IF && !state.flag(Flag.IF)) events.shadow = 'sti'
  state.setFlag(flag, true)
}

export const flagActions: ActionTable = { pushf, popf, cli, sti }
