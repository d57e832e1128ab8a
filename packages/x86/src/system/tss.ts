/** What instructions and events look up in the current task-state segment (SDM vol. 3A, 7.2.1; vol. 1, 18.5.2). */
import { TR, Vector } from '../state/layout.ts'
import type { Core } from './core.ts'
import { isPresent, SystemType, selectorError, systemType } from './descriptor.ts'
import { raise } from './fault.ts'

/** Offset of the I/O map base address in a 32-bit TSS. */
const IO_MAP_BASE = 0x66
/** Length of the interrupt redirection bit map, just below the I/O permission bit map. */
const REDIRECTION_BYTES = 32

/** Stack selector and pointer for privilege level 0–2. @throws Fault #TS(TR) when the TSS is too short, #PF. */
export function innerStack(core: Core, level: number): { selector: number; pointer: number } {
  const { state, linear } = core
  const wide = (state.attributes(TR) & 8) !== 0
  const offset = wide ? level * 8 + 4 : level * 4 + 2
  if (offset + (wide ? 7 : 3) > state.segLimit(TR)) raise(Vector.TS, selectorError(state.selector(TR)))
  const address = (state.segBase(TR) + offset) >>> 0
  const pointer = wide ? linear.read32(address, false) >>> 0 : linear.read16(address, false)
  return { selector: linear.read16((address + (wide ? 4 : 2)) >>> 0, false), pointer }
}

/** Address of the I/O permission bit map as an offset in the TSS; undefined where the TSS has none. */
function ioMapBase(core: Core): number | undefined {
  const { state } = core
  const attributes = state.attributes(TR)
  const type = systemType(attributes)
  const wide = type === SystemType.busyTss32 || type === SystemType.tss32
  if (!isPresent(attributes) || !wide || state.segLimit(TR) < IO_MAP_BASE + 1) return undefined
  return core.linear.read16((state.segBase(TR) + IO_MAP_BASE) >>> 0, false)
}

/** Does the permission map allow all of the `bytes` ports from `port` on? Two bytes of the map are always read. @throws Fault #PF. */
export function ioPermitted(core: Core, port: number, bytes: number): boolean {
  const { state } = core
  const base = ioMapBase(core)
  if (base === undefined) return false
  const offset = base + (port >> 3)
  if (offset + 1 > state.segLimit(TR)) return false
  const bits = core.linear.read16((state.segBase(TR) + offset) >>> 0, false)
  return ((bits >> (port & 7)) & ((1 << bytes) - 1)) === 0
}

/**
 * Is INT `vector` in virtual-8086 mode to go through the 8086 program's own table (SDM vol. 3B, 20.3.3)? A TSS without the map
 * raises #GP(0). @throws Fault #GP(0), #PF.
 */
export function redirected(core: Core, vector: number): boolean {
  const { state } = core
  const base = ioMapBase(core)
  const offset = base === undefined ? -1 : base - REDIRECTION_BYTES + (vector >> 3)
  if (offset < 0 || offset > state.segLimit(TR)) raise(Vector.GP, 0)
  const bits = core.linear.read8((state.segBase(TR) + offset) >>> 0, false)
  return ((bits >> (vector & 7)) & 1) === 0
}
