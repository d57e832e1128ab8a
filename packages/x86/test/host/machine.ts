/** A CPU as a user program of the recording host sees one: flat segments, privilege level 3, and its FS and GS. */
import { GuestMemory } from '@vmexit/memory'
import { Cpu, type EngineChoice, Layout, Seg, Vector, writeSegment } from '../../src/index.ts'
import { refreshMode } from '../../src/system/mode.ts'
import { createModel } from '../../src/system/models.ts'
import { CODE, DATA, Fx, PAGE, type UserState } from './input.ts'
import { FS_BASE, FS_LIMIT, GS_BASE_32, GS_BASE_64, GS_LIMIT_32 } from './segments.ts'

/** PE, MP, ET, NE, WP, AM. */
const CR0 = 0x5_0033
/** OSFXSR, OSXMMEXCPT. */
const CR4 = 0x600
const LMA = 0x400
const DATA_32 = 0xcf3
const DATA_16 = 0x8f3
/** Expand-down, 32 bits. */
const DATA_DOWN = 0x4f7
const CODE_BY_BITS = { 16: 0x8fb, 32: 0xcfb, 64: 0xafb } as const
const FULL = 0xffff_ffff
const HLT = 0xf4
/** More than any sequence takes. */
const LIMIT = 10_000
/** Bytes of code that are written each time; the runner fills the rest of the page with HLT, too. */
const CODE_BYTES = 0x120

export class HostMachine {
  readonly bits: 16 | 32 | 64
  readonly cpu: Cpu
  readonly #memory = new GuestMemory({ ranges: [{ start: 0, bytes: 0x1_0000, kind: 'ram' }] })
  readonly #code = new Uint8Array(CODE_BYTES)

  constructor(engine: EngineChoice, bits: 16 | 32 | 64) {
    this.bits = bits
    const model = createModel('pentium-m')
    // 64-bit code decodes by rows of a feature that no model has yet.
    this.cpu = new Cpu({ memory: this.#memory, engine, model: { ...model, features: [...model.features, 'lm'] } })
    const { state } = this.cpu
    state.set32(Layout.cr0, CR0)
    state.set32(Layout.cr4, CR4)
    state.set32(Layout.efer, bits === 64 ? LMA : 0)
    state.set32(Layout.idtLimit, 0)
    this.#segments()
    refreshMode(this.cpu)
  }

  #segments(): void {
    const {
      bits,
      cpu: { state },
    } = this
    const other = bits === 64 ? 0 : 0x2b
    writeSegment(
      state,
      Seg.cs,
      bits === 64 ? 0x33 : bits === 32 ? 0x23 : 0x17,
      0,
      bits === 16 ? 0xffff : FULL,
      CODE_BY_BITS[bits],
    )
    writeSegment(
      state,
      Seg.ss,
      bits === 16 ? 0x1f : 0x2b,
      0,
      bits === 16 ? 0xffff : FULL,
      bits === 16 ? DATA_16 : DATA_32,
    )
    for (const seg of [Seg.ds, Seg.es]) writeSegment(state, seg, other, 0, FULL, DATA_32)
    if (bits === 64) {
      writeSegment(state, Seg.fs, 0, FS_BASE, FULL, DATA_32)
      writeSegment(state, Seg.gs, 0, GS_BASE_64, FULL, DATA_32)
    } else {
      writeSegment(state, Seg.fs, 0x07, FS_BASE, FS_LIMIT, DATA_32)
      writeSegment(state, Seg.gs, 0x0f, GS_BASE_32, GS_LIMIT_32, DATA_DOWN)
    }
  }

  /** Run a sequence; `state` is changed into the state at its end. */
  run(code: Uint8Array, page: Uint8Array, state: UserState): { vector: number; ip: number } {
    const { cpu } = this
    this.#code.fill(HLT).set(code)
    this.#memory.writeBytes(CODE, this.#code)
    this.#memory.writeBytes(DATA, page)
    this.#load(state)
    cpu.events.shutdown = false
    cpu.events.pendingDebug = 0
    cpu.events.shadow = 'none'
    cpu.counts.exceptions.fill(0)
    refreshMode(cpu)
    const { reason } = cpu.run(LIMIT)
    if (reason !== 'shutdown') throw new Error(`the sequence ended with ${reason}, not with an exception`)
    this.#save(state)
    return this.#softwareInterrupt(code, this.#vector(), cpu.state.ip - CODE)
  }

  /** Without an IDT a software interrupt is #GP at its instruction: what it would have been. */
  #softwareInterrupt(code: Uint8Array, vector: number, ip: number): { vector: number; ip: number } {
    let at = ip
    while (code[at] === 0x66 || (this.bits === 64 && code[at]! >> 4 === 4)) at++
    if (vector === Vector.GP && code[at] === 0xcc) return { vector: Vector.BP, ip: at + 1 }
    if (vector === Vector.GP && code[at] === 0xce && this.bits !== 64) return { vector: Vector.OF, ip: at + 1 }
    return { vector, ip }
  }
  page(): Uint8Array {
    const page = new Uint8Array(PAGE)
    this.#memory.readBytes(DATA, page)
    return page
  }

  /** Without an IDT the first exception is followed by others, which end in a shutdown and change nothing. */
  #vector(): number {
    const raised = [...this.cpu.counts.exceptions.entries()].filter(([, count]) => count > 0).map(([vector]) => vector)
    if (raised.length !== 1) throw new Error(`not one exception was delivered, but ${raised.join(', ')}`)
    return raised[0]!
  }

  #load({ gpr, flags, fx }: UserState): void {
    const { state } = this.cpu
    const { u8 } = state.host
    for (let i = 0; i < 32; i++) state.set32(Layout.gpr + i * 4, gpr[i]!)
    state.eflags = flags
    state.ip = CODE
    const words = new DataView(fx.buffer, fx.byteOffset)
    const fsw = words.getUint16(Fx.fsw, true)
    const top = (fsw >> 11) & 7
    state.set32(Layout.fcw, words.getUint16(Fx.fcw, true))
    state.set32(Layout.fsw, fsw & ~0x3800)
    state.set32(Layout.top, top)
    state.set32(Layout.empty, ~fx[Fx.tags]! & 0xff)
    for (let i = 0; i < 8; i++) {
      const slot = state.base + Layout.fpr + ((top + i) & 7) * 16
      for (let at = 0; at < 10; at++) u8[slot + at] = fx[Fx.st + i * 16 + at]!
    }
    state.set32(Layout.mxcsr, words.getUint32(Fx.mxcsr, true))
    u8.set(fx.subarray(Fx.xmm, Fx.xmm + 256), state.base + Layout.xmm)
  }

  #save(out: UserState): void {
    const { state } = this.cpu
    const { u8 } = state.host
    for (let i = 0; i < 32; i++) out.gpr[i] = state.get32(Layout.gpr + i * 4)
    out.flags = state.eflags
    const top = state.get32(Layout.top)
    const words = new DataView(out.fx.buffer, out.fx.byteOffset)
    words.setUint16(Fx.fcw, state.get32(Layout.fcw), true)
    words.setUint16(Fx.fsw, state.get32(Layout.fsw) | (top << 11), true)
    out.fx[Fx.tags] = ~state.get32(Layout.empty)
    for (let i = 0; i < 8; i++) {
      const slot = state.base + Layout.fpr + ((top + i) & 7) * 16
      for (let at = 0; at < 10; at++) out.fx[Fx.st + i * 16 + at] = u8[slot + at]!
    }
    words.setUint32(Fx.mxcsr, state.get32(Layout.mxcsr), true)
    out.fx.set(u8.subarray(state.base + Layout.xmm, state.base + Layout.xmm + 256), Fx.xmm)
  }
}
