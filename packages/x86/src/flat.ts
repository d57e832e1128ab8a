/** The flat 32-bit protected mode in which boot loaders hand over: segments of 4 GiB, no paging, interrupts off. */
import { Layout } from './state/layout.ts'
import { Gpr } from './state/state.ts'
import type { Core } from './system/core.ts'
import { refreshMode } from './system/mode.ts'
import { writeSegment } from './system/segments.ts'

/** PE, ET. */
const CR0 = 0x11
const CS = 1
/** Present, accessed, 32-bit, in units of 4 KiB: code that may be read, data that may be written. */
const CODE = 0xc9b
const DATA = 0xc93

/** Where and how `Cpu.startFlat` begins. Addresses are linear, which is physical here; all numbers are unsigned. */
export interface FlatStart {
  readonly eip: number
  /** Registers that do not hold 0, by the names of 16 bits: `{ si: 0x90000 }` is ESI. */
  readonly registers?: { readonly [Register in keyof typeof Gpr]?: number }
  /** Where the descriptor table lies that has the two selectors: what reloads of segment registers read. */
  readonly gdtBase: number
  /** Its length in bytes less one. */
  readonly gdtLimit: number
  /** Selector in CS. */
  readonly code: number
  /** Selector in DS, ES, FS, GS and SS. */
  readonly data: number
}

/** Takes a CPU that has just been reset into flat protected mode. */
export function enterFlat(core: Core, start: FlatStart): void {
  const { state } = core
  const before = state.get32(Layout.cr0)
  state.set32(Layout.cr0, CR0)
  core.paging.controlsChanged('cr0', before)
  state.setNumber(Layout.gdtBase, start.gdtBase)
  state.set32(Layout.gdtLimit, start.gdtLimit)
  for (let seg = 0; seg < 6; seg++) {
    if (seg === CS) writeSegment(state, seg, start.code, 0, 0xffff_ffff, CODE)
    else writeSegment(state, seg, start.data, 0, 0xffff_ffff, DATA)
  }
  state.setReg32(Gpr.dx, 0)
  for (const [name, value] of Object.entries(start.registers ?? {})) {
    state.setReg32(Gpr[name as keyof typeof Gpr], value ?? 0)
  }
  state.ip = start.eip
  refreshMode(core)
}
