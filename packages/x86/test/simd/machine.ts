/** A CPU for one instruction at a time: flat segments, no paging, a small memory, and the reference engine's processor. */
import { decode } from '@vmexit/x86-decoder'
import { ReferenceProcessor } from '../../src/reference/processor.ts'
import { simd } from '../../src/semantics/simd/index.ts'
import { Layout } from '../../src/state/layout.ts'
import { CpuState } from '../../src/state/state.ts'
import type { Core, LinearMemory } from '../../src/system/core.ts'
import { Fault, raisePageFault } from '../../src/system/fault.ts'
import { writeSegment } from '../../src/system/segments.ts'

/** Where the instruction lies, and the size of memory: what lies beyond it is #PF. */
export const CODE = 0x100
export const MEMORY = 0x1000

const FLAT_DATA = 0xcf3
const FLAT_CODE = { 16: 0x8fb, 32: 0xcfb, 64: 0xafb } as const
const CR0_PE = 1
const CR0_NE = 0x20
const CR4_OSFXSR_OSXMMEXCPT = 0x600
const EFER_LMA = 0x400

export interface Machine {
  readonly state: CpuState
  readonly memory: DataView
  /** Execute the instruction that `code` encodes; the vector of the fault that it raises, or nothing. */
  execute(code: Uint8Array): number | undefined
}

function flatMemory(memory: DataView): LinearMemory {
  const check = (linear: number, bytes: number): void => {
    if (linear + bytes > memory.byteLength) raisePageFault(0, linear)
  }
  const reader =
    <T>(bytes: number, read: (at: number) => T) =>
    (linear: number): T => {
      check(linear, bytes)
      return read(linear)
    }
  const writer =
    <T>(bytes: number, write: (at: number, value: T) => void) =>
    (linear: number, value: T): void => {
      check(linear, bytes)
      write(linear, value)
    }
  return {
    read8: reader(1, (at) => memory.getUint8(at)),
    read16: reader(2, (at) => memory.getUint16(at, true)),
    read32: reader(4, (at) => memory.getInt32(at, true)),
    read64: reader(8, (at) => memory.getBigInt64(at, true)),
    write8: writer(1, (at, value: number) => memory.setUint8(at, value)),
    write16: writer(2, (at, value: number) => memory.setUint16(at, value, true)),
    write32: writer(4, (at, value: number) => memory.setInt32(at, value, true)),
    write64: writer(8, (at, value: bigint) => memory.setBigInt64(at, value, true)),
    plain: () => 0,
    probe: check,
  }
}

/** Privilege level 3 in flat segments, SSE and its exceptions enabled. */
export function enableSse(state: CpuState, bits: 16 | 32 | 64): void {
  state.set32(Layout.cr0, CR0_PE | CR0_NE)
  state.set32(Layout.cr4, CR4_OSFXSR_OSXMMEXCPT)
  state.set32(Layout.efer, bits === 64 ? EFER_LMA : 0)
  state.set32(Layout.fcw, 0x37f)
  state.set32(Layout.mxcsr, 0x1f80)
  for (let seg = 0; seg < 6; seg++)
    writeSegment(state, seg, 0x2b, 0, 0xffff_ffff, seg === 1 ? FLAT_CODE[bits] : FLAT_DATA)
}

/** A machine that executes by the reference engine's processor. */
export function createMachine(bits: 16 | 32 | 64): Machine {
  const buffer = new ArrayBuffer(Layout.size)
  const host = {
    view: new DataView(buffer),
    u8: new Uint8Array(buffer),
    i32: new Int32Array(buffer),
    u32: new Uint32Array(buffer),
  }
  const state = new CpuState(host, 0)
  enableSse(state, bits)
  const memory = new DataView(new ArrayBuffer(MEMORY))
  const core = { state, linear: flatMemory(memory), ferr() {} } as unknown as Core
  const processor = new ReferenceProcessor(core)
  return {
    state,
    memory,
    execute(code) {
      const insn = decode(code, { bits })
      processor.begin(insn, CODE, CODE + insn.length)
      try {
        simd[insn.op](processor, insn)
      } catch (error) {
        if (error instanceof Fault) return error.vector
        throw error
      }
      return undefined
    },
  }
}
