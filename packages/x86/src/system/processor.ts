/** Time stamp, model-specific registers, CPUID, HLT and caches (SDM vol. 2; vol. 3B, 17.17 and chapter 35). */
import { Layout, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Cr4 } from './bits.ts'
import { needSupervisor } from './control-registers.ts'
import type { Action, ActionTable, Core } from './core.ts'
import { raise } from './fault.ts'

/** P6 has two performance counters; nothing counts in them. */
const COUNTERS = 2

/** EDX:EAX. */
function setPair(core: Core, value: bigint): void {
  core.state.setReg32(Gpr.ax, Number(BigInt.asIntN(32, value)))
  core.state.setReg32(Gpr.dx, Number(BigInt.asIntN(32, value >> 32n)))
}

/** CR4 may let user code read counters, or forbid it. */
function needCounterAccess(core: Core, allowed: boolean): void {
  if (!allowed) needSupervisor(core)
}

const rdtsc: Action = (core) => {
  needCounterAccess(core, (core.state.get32(Layout.cr4) & Cr4.TSD) === 0)
  setPair(core, core.timeStamp() + core.msrs.tscOffset)
}

const rdpmc: Action = (core) => {
  needCounterAccess(core, (core.state.get32(Layout.cr4) & Cr4.PCE) !== 0)
  if (core.state.reg32(Gpr.cx) >>> 0 >= COUNTERS) raise(Vector.GP, 0)
  setPair(core, 0n)
}

const rdmsr: Action = (core) => {
  needSupervisor(core)
  const value = core.model.readMsr(core, core.state.reg32(Gpr.cx) >>> 0)
  if (value === undefined) raise(Vector.GP, 0)
  setPair(core, value)
}

const wrmsr: Action = (core) => {
  needSupervisor(core)
  const { state } = core
  const value = (BigInt(state.reg32(Gpr.dx) >>> 0) << 32n) | BigInt(state.reg32(Gpr.ax) >>> 0)
  if (!core.model.writeMsr(core, state.reg32(Gpr.cx) >>> 0, value)) raise(Vector.GP, 0)
  core.events.modeChanged()
}

const cpuid: Action = (core) => {
  const { state } = core
  const out = new Int32Array(4)
  core.model.cpuid(core, state.reg32(Gpr.ax) >>> 0, state.reg32(Gpr.cx) >>> 0, out)
  for (const [n, reg] of [Gpr.ax, Gpr.bx, Gpr.cx, Gpr.dx].entries()) state.setReg32(reg, out[n]!)
}

const hlt: Action = (core) => {
  needSupervisor(core)
  core.events.halted = true
}

/** A hint, which a guest may leave by. */
const pause: Action = () => {}

/** Memory is always what the caches say it is. */
const flushCaches: Action = (core) => needSupervisor(core)

/** RSM outside of system-management mode, UD0, UD1 and UD2. */
const undefinedOpcode: Action = () => raise(Vector.UD)

export const processorActions: ActionTable = {
  rdtsc,
  rdpmc,
  rdmsr,
  wrmsr,
  cpuid,
  hlt,
  pause,
  invd: flushCaches,
  wbinvd: flushCaches,
  rsm: undefinedOpcode,
  ud: undefinedOpcode,
}
