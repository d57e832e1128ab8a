/** One processor over flat memory, enough to execute x87 instructions one at a time. */
import { createDecoder, createInsn, type Insn } from '@vmexit/x86-decoder'
import type { Value } from '../../src/ops/evaluate.ts'
import { ReferenceProcessor } from '../../src/reference/processor.ts'
import type { Semantics } from '../../src/semantics/processor.ts'
import { Layout, SegmentSlot } from '../../src/state/layout.ts'
import { CpuState, type HostViews } from '../../src/state/state.ts'
import type { Core } from '../../src/system/core.ts'
import { Fault } from '../../src/system/fault.ts'

const BASE = 0x1000
const SIZE = 0x4000

/** Linear address of the memory operand that `[ecx]` names. */
export const OPERAND = 0x3000

export class Machine {
  readonly state: CpuState
  readonly core: Core
  readonly #processor: ReferenceProcessor
  readonly #decoder = createDecoder()
  readonly #insn: Insn = createInsn()
  readonly bytes: Uint8Array

  constructor() {
    const buffer = new ArrayBuffer(SIZE)
    const host: HostViews = {
      view: new DataView(buffer),
      u8: new Uint8Array(buffer),
      i32: new Int32Array(buffer),
      u32: new Uint32Array(buffer),
    }
    this.bytes = host.u8
    this.state = new CpuState(host, BASE)
    for (let seg = 0; seg < 6; seg++) {
      const slot = Layout.segments + seg * SegmentSlot.size
      this.state.set32(slot + SegmentSlot.limit, -1)
      this.state.set32(slot + SegmentSlot.readSpan, SIZE - 16)
      this.state.set32(slot + SegmentSlot.writeSpan, SIZE - 16)
      this.state.set32(slot + SegmentSlot.attributes, seg === 1 ? 0xc9b : 0xc93)
    }
    this.state.set32(Layout.cr0, 0x31)
    const { view } = host
    const check = (linear: number, bytes: number): void => {
      if (linear + bytes > SIZE) throw new RangeError(`linear address ${linear} is outside the test's memory`)
    }
    const linear = {
      read8: (at: number) => view.getUint8(at),
      read16: (at: number) => view.getUint16(at, true),
      read32: (at: number) => view.getInt32(at, true),
      read64: (at: number) => view.getBigInt64(at, true),
      write8: (at: number, value: number) => view.setUint8(at, value),
      write16: (at: number, value: number) => view.setUint16(at, value, true),
      write32: (at: number, value: number) => view.setInt32(at, value, true),
      write64: (at: number, value: bigint) => view.setBigInt64(at, value, true),
      probe: check,
    }
    this.core = { state: this.state, linear, ferr: () => {} } as unknown as Core
    this.#processor = new ReferenceProcessor(this.core)
  }

  decode(code: Uint8Array): Insn {
    const length = this.#decoder.decode(code, 0, code.length, 32, this.#insn)
    if (length <= 0) throw new TypeError(`${[...code].map((b) => b.toString(16))} does not decode (${length})`)
    return this.#insn
  }

  /** Execute by semantics. Returns the vector of the fault that it raised, −1 if none. */
  run(insn: Insn, semantics: Semantics): number {
    this.#processor.begin(insn, 0, insn.length)
    try {
      semantics<Value>(this.#processor, insn)
    } catch (error) {
      if (error instanceof Fault) return error.vector
      throw error
    }
    return -1
  }

  /** The environment's words, the stack registers and the tag word's empty registers. */
  setX87(fcw: number, fsw: number, empty: number, stack: readonly { significand: bigint; se: number }[]): void {
    const { state } = this
    const top = (fsw >> 11) & 7
    const pending = fsw & ~fcw & 0x3f ? 0x8080 : 0
    state.set32(Layout.fcw, fcw)
    state.set32(Layout.fsw, (fsw & 0x477f) | pending)
    state.set32(Layout.top, top)
    state.set32(Layout.empty, empty)
    stack.forEach(({ significand, se }, i) => {
      const slot = Layout.fpr + ((top + i) & 7) * 16
      state.set64(slot, significand)
      state.set32(slot + 8, se)
    })
  }
  get fsw(): number {
    return this.state.get32(Layout.fsw) | (this.state.get32(Layout.top) << 11)
  }
  stack(i: number): { significand: bigint; se: number } {
    const slot = Layout.fpr + ((this.state.get32(Layout.top) + i) & 7) * 16
    return { significand: BigInt.asUintN(64, this.state.get64(slot)), se: this.state.get32(slot + 8) & 0xffff }
  }
}
