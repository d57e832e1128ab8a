/** FNSTENV, FLDENV, FNSAVE and FRSTOR: plain TypeScript in every engine (SDM vol. 2). */
import type { Insn } from '@vmexit/x86-decoder'
import { raiseUnavailable } from '../../reference/unavailable.ts'
import { Layout } from '../../state/layout.ts'
import type { CpuState } from '../../state/state.ts'
import type { Action, ActionTable, Core } from '../../system/core.ts'
import { dataAddress, effectiveOffset } from '../../system/operands.ts'
import { CONTROL_BITS, CONTROL_FIXED, INITIAL_CONTROL } from './control.ts'
import {
  type Environment,
  environmentImage,
  environmentSize,
  type ImageLayout,
  parseEnvironment,
  parseState,
  type StackValue,
  stateImage,
  stateSize,
  type X87State,
} from './image.ts'
import { Status } from './unit.ts'

const PENDING = Status.summary | Status.busy

// ── the unit's state in the CPU's ──

export function readX87(state: CpuState): X87State {
  const top = state.get32(Layout.top)
  const stack = Array.from({ length: 8 }, (_, i): StackValue => {
    const slot = Layout.fpr + ((top + i) & 7) * 16
    return { significand: BigInt.asUintN(64, state.get64(slot)), se: state.get32(slot + 8) & 0xffff }
  })
  return {
    control: state.get32(Layout.fcw),
    status: state.get32(Layout.fsw) | (top << 11),
    empty: state.get32(Layout.empty),
    stack,
    opcode: state.get32(Layout.fop),
    instruction: BigInt.asUintN(64, state.get64(Layout.fip)),
    codeSelector: state.get32(Layout.fcs),
    operand: BigInt.asUintN(64, state.get64(Layout.fdp)),
    dataSelector: state.get32(Layout.fds),
  }
}

/** ES and B are what flags and masks make them, whatever the image says. */
export function writeEnvironment(state: CpuState, environment: Environment): void {
  const control = (environment.control & CONTROL_BITS) | CONTROL_FIXED
  const pending = environment.status & ~control & Status.exceptions
  const status = environment.status & ~PENDING & ~(7 << 11)
  state.set32(Layout.fcw, control)
  state.set32(Layout.fsw, pending ? status | PENDING : status)
  state.set32(Layout.top, (environment.status >> 11) & 7)
  state.set32(Layout.empty, environment.empty)
  state.set32(Layout.fop, environment.opcode)
  state.set64(Layout.fip, environment.instruction)
  state.set32(Layout.fcs, environment.codeSelector)
  state.set64(Layout.fdp, environment.operand)
  state.set32(Layout.fds, environment.dataSelector)
}

export function writeX87(state: CpuState, x87: X87State): void {
  writeEnvironment(state, x87)
  const top = (x87.status >> 11) & 7
  for (const [i, { significand, se }] of x87.stack.entries()) {
    const slot = Layout.fpr + ((top + i) & 7) * 16
    state.set64(slot, significand)
    state.set32(slot + 8, se)
  }
}

const INITIAL: Environment = {
  control: INITIAL_CONTROL,
  status: 0,
  empty: 0xff,
  opcode: 0,
  instruction: 0n,
  codeSelector: 0,
  operand: 0n,
  dataSelector: 0,
}

// ── memory ──

/** The image's linear address, checked throughout. @throws Fault */
function locate(core: Core, insn: Insn, bytes: number, write: boolean, alignment: number): number {
  const linear = dataAddress(core, insn.seg, effectiveOffset(core, insn), bytes, write ? 'write' : 'read', alignment)
  core.linear.probe(linear, bytes, write, core.state.cpl === 3)
  return linear
}
/** Linear addresses wrap at 4 GB outside 64-bit code. */
export const behind = (core: Core, linear: number, by: number): number =>
  core.state.long64 ? linear + by : (linear + by) >>> 0

/** Eight bytes at a time, then two: all images are of even length. */
function readImage(core: Core, linear: number, bytes: number): Uint8Array {
  const user = core.state.cpl === 3
  const image = new Uint8Array(bytes)
  const view = new DataView(image.buffer)
  let i = 0
  for (; i + 8 <= bytes; i += 8) view.setBigInt64(i, core.linear.read64(behind(core, linear, i), user), true)
  for (; i < bytes; i += 2) view.setUint16(i, core.linear.read16(behind(core, linear, i), user), true)
  return image
}
function writeImage(core: Core, linear: number, image: Uint8Array): void {
  const user = core.state.cpl === 3
  const view = new DataView(image.buffer)
  let i = 0
  for (; i + 8 <= image.length; i += 8) core.linear.write64(behind(core, linear, i), view.getBigInt64(i, true), user)
  for (; i < image.length; i += 2) core.linear.write16(behind(core, linear, i), view.getUint16(i, true), user)
}

function layoutOf(core: Core, insn: Insn): ImageLayout {
  const linear = !core.state.protectedMode || core.state.virtual8086
  return { bits: insn.opSize === 16 ? 16 : 32, linear }
}

/** @throws Fault #NM; with `waits` also #MF. */
function enter(core: Core, insn: Insn, waits: boolean): void {
  const { state } = core
  const pending = waits && (state.get32(Layout.fsw) & Status.summary) !== 0
  if (state.get32(Layout.fpuBlocked) !== 0 || pending) raiseUnavailable(core, insn)
}

// ── the instructions ──

/** Stores the environment, then masks all exceptions. */
const fnstenv: Action = (core, insn) => {
  enter(core, insn, false)
  const layout = layoutOf(core, insn)
  const linear = locate(core, insn, environmentSize(layout), true, layout.bits >> 3)
  const { state } = core
  writeImage(core, linear, environmentImage(readX87(state), layout))
  state.set32(Layout.fcw, state.get32(Layout.fcw) | Status.exceptions)
  state.set32(Layout.fsw, state.get32(Layout.fsw) & ~PENDING)
}

const fldenv: Action = (core, insn) => {
  enter(core, insn, true)
  const layout = layoutOf(core, insn)
  const bytes = environmentSize(layout)
  const linear = locate(core, insn, bytes, false, layout.bits >> 3)
  writeEnvironment(core.state, parseEnvironment(readImage(core, linear, bytes), layout))
}

/** Stores everything, then does what FNINIT does. */
const fnsave: Action = (core, insn) => {
  enter(core, insn, false)
  const layout = layoutOf(core, insn)
  const linear = locate(core, insn, stateSize(layout), true, layout.bits >> 3)
  writeImage(core, linear, stateImage(readX87(core.state), layout))
  writeEnvironment(core.state, INITIAL)
}

const frstor: Action = (core, insn) => {
  enter(core, insn, true)
  const layout = layoutOf(core, insn)
  const bytes = stateSize(layout)
  const linear = locate(core, insn, bytes, false, layout.bits >> 3)
  writeX87(core.state, parseState(readImage(core, linear, bytes), layout))
}

export const environment: ActionTable = { fnstenv, fldenv, fnsave, frstor }
