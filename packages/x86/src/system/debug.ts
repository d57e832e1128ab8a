/**
 * Debug registers, breakpoints and single-stepping (SDM vol. 3B, 17.2 and 17.3).
 *
 * An engine that finds {@link mustStep} true executes one instruction at a time:
 * `beforeInstruction`, the instruction, `afterInstruction`. A #DB trap takes its DR6 bits from `events.pendingDebug`.
 */
import { Kind, type Operand } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { Cr4, Dr6, Dr7 } from './bits.ts'
import { needSupervisor } from './control-registers.ts'
import type { Action, ActionTable, Core, CoreEvents } from './core.ts'
import { raise } from './fault.ts'

/** The R/W field of DR7. */
const Condition = { execute: 0, write: 1, io: 2, access: 3 } as const
/** Lengths by the LEN field of DR7. */
const LENGTHS = [1, 2, 8, 4] as const

function readDr(state: CpuState, n: number): number {
  return state.get32(Layout.dr + n * 8)
}

/** Is breakpoint `n` about `bytes` at `address`, under a condition that `matches`? */
function covers(
  state: CpuState,
  n: number,
  address: number,
  bytes: number,
  matches: (condition: number) => boolean,
): boolean {
  const field = (readDr(state, 7) >>> (16 + n * 4)) & 15
  if (!matches(field & 3)) return false
  const length = (field & 3) === Condition.execute ? 1 : LENGTHS[field >> 2]!
  const at = state.getNumber(Layout.dr + n * 8)
  const start = at - (((at % length) + length) % length)
  return address < start + length && start < address + bytes
}

/** DR6 bits of the breakpoints that match; 0 unless one of them is enabled. */
function hits(state: CpuState, address: number, bytes: number, matches: (condition: number) => boolean): number {
  const dr7 = readDr(state, 7)
  let found = 0
  let enabled = false
  for (let n = 0; n < 4; n++) {
    if (!covers(state, n, address, bytes, matches)) continue
    found |= 1 << n
    enabled ||= (dr7 & (3 << (n * 2))) !== 0
  }
  return enabled ? found : 0
}

/** Some breakpoint is enabled. */
function breakpointsArmed(state: CpuState): boolean {
  return (readDr(state, 7) & Dr7.enables) !== 0
}

/** The next instruction must be executed by itself: one of `flags`, a breakpoint on code, or debug conditions held over. */
export function mustStep(core: Core, flags: number = Flag.TF | Flag.RF): boolean {
  return core.state.flag(flags) || core.events.pendingDebug !== 0 || breakpointsArmed(core.state)
}

/**
 * Before an instruction at `linear`: look for an instruction breakpoint unless RF is set or a load of SS hides it (SDM vol. 3A,
 * 6.8.3), clear RF, arm the single-step trap.
 * `continued`: this is a further iteration of a REP instruction, which is not looked for again.
 * Returns true when #DB is to be delivered instead, with the source `trap` (RF is pushed as it is).
 */
export function beforeInstruction(core: Core, linear: number, continued = false): boolean {
  const { state, events } = core
  if (breakpointsArmed(state) && !continued && !state.flag(Flag.RF) && events.shadow !== 'ss') {
    const bits = hits(state, linear, 1, (condition) => condition === Condition.execute)
    if (bits !== 0) {
      events.pendingDebug |= bits
      return true
    }
  }
  if (state.flag(Flag.RF)) {
    state.setFlag(Flag.RF, false)
    events.modeChanged()
  }
  if (state.flag(Flag.TF)) events.pendingDebug |= Dr6.BS
  return false
}

/**
 * After an instruction that did not fault: is #DB to be delivered, with the source `trap`? After MOV SS and POP SS nothing is;
 * a breakpoint on data that they met stays pending.
 */
export function afterInstruction(core: Core): boolean {
  const { events } = core
  if (events.shadow === 'ss') events.pendingDebug &= ~Dr6.BS
  return events.pendingDebug !== 0 && events.shadow !== 'ss'
}

/** Told of data accesses: the breakpoints on data. */
export class DataBreakpoints {
  readonly #state: CpuState
  readonly #events: CoreEvents

  constructor(state: CpuState, events: CoreEvents) {
    this.#state = state
    this.#events = events
  }

  /** Whether {@link access} needs to be called at all. */
  get armed(): boolean {
    return breakpointsArmed(this.#state)
  }

  /** An access of `bytes` at `linear`. */
  access(linear: number, bytes: number, write: boolean): void {
    const matches = (condition: number): boolean =>
      condition === Condition.access || (write && condition === Condition.write)
    this.#events.pendingDebug |= hits(this.#state, linear, bytes, matches)
  }
}

/** An I/O instruction on `bytes` ports from `port` on. */
export function ioAccess(core: Core, port: number, bytes: number): void {
  const { state, events } = core
  if (!breakpointsArmed(state) || (state.get32(Layout.cr4) & Cr4.DE) === 0) return
  events.pendingDebug |= hits(state, port, bytes, (condition) => condition === Condition.io)
}

/** DR4 and DR5 stand for DR6 and DR7 unless CR4.DE makes them undefined. */
function debugRegister(core: Core, operand: Operand): number {
  const { reg } = operand
  if (reg !== 4 && reg !== 5) return reg
  if ((core.state.get32(Layout.cr4) & Cr4.DE) !== 0) raise(Vector.UD)
  return reg + 2
}

function writeDr(core: Core, n: number, gpr: number): void {
  const { state } = core
  const value = state.reg32(gpr)
  if (n >= 6 && state.long64 && state.reg64(gpr) >> 32n !== 0n) raise(Vector.GP, 0)
  if (n === 6) state.set32(Layout.dr + 6 * 8, (value & (Dr6.B | Dr6.BD | Dr6.BS | Dr6.BT)) | Dr6.fixed)
  else if (n === 7) state.set32(Layout.dr + 7 * 8, (value & Dr7.writable) | Dr7.fixed)
  else if (state.long64) state.set64(Layout.dr + n * 8, state.reg64(gpr))
  else state.setNumber(Layout.dr + n * 8, value >>> 0)
  core.events.modeChanged()
}

const mov_dr: Action = (core, insn) => {
  const { state, events } = core
  const [to, from] = insn.operands as [Operand, Operand]
  const n = debugRegister(core, to.kind === Kind.dr ? to : from)
  needSupervisor(core)
  if ((readDr(state, 7) & Dr7.GD) !== 0) {
    events.pendingDebug |= Dr6.BD
    raise(Vector.DB)
  }
  if (to.kind === Kind.dr) writeDr(core, n, from.reg)
  else if (state.long64) state.setReg64(to.reg, state.get64(Layout.dr + n * 8))
  else state.setReg32(to.reg, readDr(state, n))
}

export const debugActions: ActionTable = { mov_dr }
