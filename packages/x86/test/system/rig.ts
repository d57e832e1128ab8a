/** A CPU without engine, paging or chips: the system part on 256 KB of flat memory, with page faults wherever a test wants them. */
import { DecodeError, decode, type Insn, Kind } from '@vmexit/x86-decoder'
import { Flag, Layout, LDTR, SegmentSlot, TR } from '../../src/state/layout.ts'
import { CpuState, type HostViews } from '../../src/state/state.ts'
import type {
  Core,
  CoreEvents,
  CpuModel,
  LinearMemory,
  Msrs,
  PagingUnit,
  PortSpace,
  SensitiveTraps,
} from '../../src/system/core.ts'
import { Fault, raisePageFault } from '../../src/system/fault.ts'
import { actions } from '../../src/system/index.ts'
import { refreshMode } from '../../src/system/mode.ts'
import { defaultModel } from '../../src/system/models.ts'
import { refreshSpans, writeSegment } from '../../src/system/segments.ts'

export const MEMORY_BYTES: number = 1 << 18

/** Which bytes are not there: true faults. */
export type Denial = (linear: number, write: boolean, user: boolean) => boolean

/** 256 KB, repeated over the whole address space. */
export class FlatMemory implements LinearMemory {
  readonly bytes: Uint8Array = new Uint8Array(MEMORY_BYTES)
  deny: Denial = () => false
  /** Addresses of bytes written, in order. */
  readonly written: number[] = []

  #check(linear: number, bytes: number, write: boolean, user: boolean): void {
    for (let i = 0; i < bytes; i++) {
      const at = (linear + i) >>> 0
      if (this.deny(at, write, user)) raisePageFault((write ? 2 : 0) | (user ? 4 : 0), at)
    }
  }
  #read(linear: number, bytes: number, user: boolean): bigint {
    if (!Number.isInteger(linear)) throw new RangeError(`linear address ${linear}`)
    this.#check(linear, bytes, false, user)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.bytes[(linear + i) & (MEMORY_BYTES - 1)]!)
    return value
  }
  #write(linear: number, bytes: number, value: bigint, user: boolean): void {
    if (!Number.isInteger(linear)) throw new RangeError(`linear address ${linear}`)
    this.#check(linear, bytes, true, user)
    for (let i = 0; i < bytes; i++) {
      const at = (linear + i) & (MEMORY_BYTES - 1)
      this.bytes[at] = Number((value >> BigInt(8 * i)) & 0xffn)
      this.written.push(at)
    }
  }
  read8(linear: number, user: boolean): number {
    return Number(this.#read(linear, 1, user))
  }
  read16(linear: number, user: boolean): number {
    return Number(this.#read(linear, 2, user))
  }
  read32(linear: number, user: boolean): number {
    return Number(BigInt.asIntN(32, this.#read(linear, 4, user)))
  }
  read64(linear: number, user: boolean): bigint {
    return BigInt.asIntN(64, this.#read(linear, 8, user))
  }
  write8(linear: number, value: number, user: boolean): void {
    this.#write(linear, 1, BigInt(value), user)
  }
  write16(linear: number, value: number, user: boolean): void {
    this.#write(linear, 2, BigInt(value), user)
  }
  write32(linear: number, value: number, user: boolean): void {
    this.#write(linear, 4, BigInt(value), user)
  }
  write64(linear: number, value: bigint, user: boolean): void {
    this.#write(linear, 8, value, user)
  }
  plain(): number {
    return 0
  }
  probe(linear: number, bytes: number, write: boolean, user: boolean): void {
    this.#check(linear, bytes, write, user)
  }
}

/** What became of an instruction or a delivery. */
export interface Outcome {
  readonly vector: number
  readonly errorCode: number | undefined
}

/** Where the rig keeps its tables. */
export const At = {
  gdt: 0x1000,
  idt: 0x2000,
  ldt: 0x3000,
  tss32: 0x4000,
  tss16: 0x5000,
  otherTss: 0x6000,
  code: 0x8000,
  stack0: 0x10000,
} as const

/** Selectors of the rig's GDT. The number is the descriptor's DPL. */
export const Sel = {
  code0: 0x08,
  data0: 0x10,
  code1: 0x18,
  data1: 0x20,
  code2: 0x28,
  data2: 0x30,
  code3: 0x38,
  data3: 0x40,
  tss32: 0x48,
  tss16: 0x50,
  ldt: 0x58,
  conforming0: 0x60,
  code16: 0x68,
  data16: 0x70,
  other: 0x78,
  free: 0x80,
  free2: 0x88,
  free3: 0x90,
} as const

export class Rig implements Core {
  readonly state: CpuState
  readonly linear: FlatMemory = new FlatMemory()
  /** Control changes and invalidations seen by the paging unit. */
  readonly pagingLog: string[] = []
  /** Set to have the paging unit refuse the next change. */
  refuse: (() => never) | undefined
  readonly paging: PagingUnit
  /** Port accesses, as `in 60/8` and `out 61/16=1234`. */
  readonly portLog: string[] = []
  portValue = 0
  readonly ports: PortSpace
  readonly events: CoreEvents & { modeChanges: number }
  readonly model: CpuModel
  readonly msrs: Msrs = { sysenterCs: 0, sysenterEsp: 0, sysenterEip: 0, tscOffset: 0n, other: new Map() }
  sensitiveTraps?: SensitiveTraps
  time = 0n

  constructor(model: CpuModel = defaultModel()) {
    const buffer = new ArrayBuffer(Layout.size)
    const host: HostViews = {
      view: new DataView(buffer),
      u8: new Uint8Array(buffer),
      i32: new Int32Array(buffer),
      u32: new Uint32Array(buffer),
    }
    this.state = new CpuState(host, 0)
    this.model = model
    this.paging = {
      controlsChanged: (what) => {
        this.pagingLog.push(what)
        this.refuse?.()
      },
      invalidate: (linear) => this.pagingLog.push(`invlpg ${linear.toString(16)}`),
    }
    this.ports = {
      read: (port, width) => {
        this.portLog.push(`in ${port.toString(16)}/${width}`)
        return this.portValue
      },
      write: (port, width, value) => this.portLog.push(`out ${port.toString(16)}/${width}=${value.toString(16)}`),
    }
    this.events = {
      halted: false,
      shutdown: false,
      shadow: 'none',
      pendingDebug: 0,
      nmiBlocked: false,
      modeChanges: 0,
      apicEnabled: () => {},
      modeChanged: () => this.events.modeChanges++,
    }
    this.real()
  }

  timeStamp(): bigint {
    return this.time
  }
  ferr(): void {}

  /** Real mode as a boot loader finds it: CS = SS = 0, SP = 0x7000, IVT at 0. */
  real(): this {
    const { state } = this
    state.set32(Layout.cr0, 0x10)
    state.eflags = 2
    for (let seg = 0; seg < 6; seg++) writeSegment(state, seg, 0, 0, 0xffff, 0x93)
    writeSegment(state, LDTR, 0, 0, 0, 0)
    writeSegment(state, TR, 0, 0, 0xffff, 0x8b)
    state.setNumber(Layout.idtBase, 0)
    state.set32(Layout.idtLimit, 0x3ff)
    state.set32(Layout.dr + 6 * 8, 0xffff_0ff0)
    state.set32(Layout.dr + 7 * 8, 0x400)
    state.setReg32(4, 0x7000)
    state.ip = At.code
    refreshMode(this)
    return this
  }

  /** Protected mode at privilege level `cpl` with flat segments, a GDT of {@link Sel}, an LDT, a 32-bit TSS with stacks for every ring. */
  protectedMode(cpl: 0 | 1 | 2 | 3 = 0, bits: 16 | 32 = 32): this {
    const { state } = this
    state.set32(Layout.cr0, 0x11)
    state.set32(Layout.flags, 0)
    for (let dpl = 0; dpl < 4; dpl++) {
      this.descriptor(Sel.code0 + dpl * 16, 0, 0xfffff, 0x9b | (dpl << 5), 0xc)
      this.descriptor(Sel.data0 + dpl * 16, 0, 0xfffff, 0x93 | (dpl << 5), 0xc)
    }
    this.descriptor(Sel.tss32, At.tss32, 0xfff, 0x8b)
    this.descriptor(Sel.tss16, At.tss16, 0x2b, 0x81)
    this.descriptor(Sel.ldt, At.ldt, 0xff, 0x82)
    this.descriptor(Sel.conforming0, 0, 0xfffff, 0x9f, 0xc)
    this.descriptor(Sel.code16, 0, 0xffff, 0x9b, 0)
    this.descriptor(Sel.data16, 0, 0xffff, 0x93, 0)
    this.descriptor(Sel.other, At.otherTss, 0x67, 0x89)
    state.setNumber(Layout.gdtBase, At.gdt)
    state.set32(Layout.gdtLimit, 0xff)
    state.setNumber(Layout.idtBase, At.idt)
    state.set32(Layout.idtLimit, 0x7ff)
    writeSegment(state, LDTR, Sel.ldt, At.ldt, 0xff, 0x82)
    writeSegment(state, TR, Sel.tss32, At.tss32, 0xfff, 0x8b)
    for (let level = 0; level < 3; level++) {
      this.dword(At.tss32 + 4 + level * 8, At.stack0 + level * 0x1000)
      this.word(At.tss32 + 8 + level * 8, (Sel.data0 + level * 16) | level)
    }
    this.word(At.tss32 + 0x66, 0x68)
    this.at(cpl, bits)
    return this
  }

  /** Move to flat segments of another level, without a transfer. ESP is 0x20000 plus the level's page. */
  at(cpl: 0 | 1 | 2 | 3, bits: 16 | 32 = 32): this {
    const { state } = this
    const big = bits === 32 ? 0xc00 : 0
    const limit = bits === 32 ? 0xffff_ffff : 0xffff
    const dpl = cpl << 5
    writeSegment(state, 1, (Sel.code0 + cpl * 16) | cpl, 0, limit, big | 0x9b | dpl)
    for (const seg of [0, 2, 3, 4, 5])
      writeSegment(state, seg, (Sel.data0 + cpl * 16) | cpl, 0, limit, big | 0x93 | dpl)
    state.setReg32(4, 0x20000 + cpl * 0x1000)
    if (bits === 16) state.setReg32(4, 0x7000)
    state.ip = At.code
    refreshSpans(state)
    refreshMode(this)
    return this
  }

  /** Virtual-8086 mode within the protected-mode rig: all segments 0x1000 (linear 0x10000), SP 0x8000. */
  virtual8086(iopl = 0): this {
    this.protectedMode(3)
    const { state } = this
    state.eflags = Flag.VM | (iopl << 12) | Flag.IF
    for (let seg = 0; seg < 6; seg++) writeSegment(state, seg, 0x1000, 0x10000, 0xffff, 0xf3)
    state.setReg32(4, 0x8000)
    state.ip = 0x100
    refreshMode(this)
    return this
  }

  /** Write a descriptor; `flags` are AVL, L, D/B, G. A selector with TI set goes to the LDT. */
  descriptor(selector: number, base: number, limit: number, access: number, flags = 0): void {
    const at = (selector & 4 ? At.ldt : At.gdt) + (selector & 0xfff8)
    this.dword(at, (limit & 0xffff) | (base << 16))
    this.dword(
      at + 4,
      ((base >>> 16) & 0xff) | (access << 8) | (limit & 0xf0000) | (flags << 20) | (base & 0xff00_0000),
    )
  }

  /** The access byte of a descriptor. */
  access(selector: number): number {
    return this.linear.bytes[(selector & 4 ? At.ldt : At.gdt) + (selector & 0xfff8) + 5]!
  }

  /** Write a gate to the GDT (or LDT, by selector). */
  gate(selector: number, target: number, offset: number, access: number, parameters = 0): void {
    this.gateAt((selector & 4 ? At.ldt : At.gdt) + (selector & 0xfff8), target, offset, access, parameters)
  }
  /** Write a gate to the IDT. */
  idt(vector: number, target: number, offset: number, access: number): void {
    this.gateAt(At.idt + vector * 8, target, offset, access, 0)
  }
  gateAt(at: number, target: number, offset: number, access: number, parameters: number): void {
    this.dword(at, (target << 16) | (offset & 0xffff))
    this.dword(at + 4, (offset & 0xffff_0000) | (access << 8) | parameters)
  }

  word(at: number, value: number): void {
    this.linear.bytes[at] = value & 0xff
    this.linear.bytes[at + 1] = (value >> 8) & 0xff
  }
  dword(at: number, value: number): void {
    this.word(at, value & 0xffff)
    this.word(at + 2, value >>> 16)
  }
  wordAt(at: number): number {
    return this.linear.bytes[at]! | (this.linear.bytes[at + 1]! << 8)
  }
  dwordAt(at: number): number {
    return (this.wordAt(at) | (this.wordAt(at + 2) << 16)) >>> 0
  }
  /** `count` items of the current stack from its top on, in `bits`. */
  stack(count: number, bits: 16 | 32 = 32): number[] {
    const sp = this.state.stackBits === 16 ? this.state.reg16(4) : this.state.reg32(4)
    const top = this.state.segBase(2) + sp
    return Array.from({ length: count }, (_, n) => (bits === 32 ? this.dwordAt(top + n * 4) : this.wordAt(top + n * 2)))
  }
  selectors(): number[] {
    return [0, 1, 2, 3, 4, 5].map((seg) => this.state.selector(seg))
  }

  decode(bytes: readonly number[]): Insn {
    return decode(Uint8Array.from(bytes), { bits: this.state.codeBits })
  }

  /** Execute one instruction as an engine does; the fault it raised, if any: #UD for what does not decode. */
  exec(...bytes: number[]): Outcome | undefined {
    let insn: Insn
    try {
      insn = this.decode(bytes)
    } catch (error) {
      if (error instanceof DecodeError && error.code === 'undefined') return { vector: 6, errorCode: undefined }
      throw error
    }
    return this.run(insn)
  }
  run(insn: Insn): Outcome | undefined {
    const start = this.state.ip
    const next = start + insn.length
    this.state.ip = next > 0xffff_ffff ? next - 0x1_0000_0000 : next
    return this.attempt(() => actions[nameOf(insn)]!(this, insn), start)
  }
  /** Run something that may fault; `ip` goes back to `start` unless the fault is committed. */
  attempt(what: () => void, start: number = this.state.ip): Outcome | undefined {
    try {
      what()
      return undefined
    } catch (error) {
      if (!(error instanceof Fault)) throw error
      if (!error.committed) this.state.ip = start
      return { vector: error.vector, errorCode: error.errorCode }
    }
  }

  /** All registers and memory as they are now. The function returned tells what has changed since. */
  watch(): () => string[] {
    const registers = this.state.host.u8.slice()
    const memory = this.linear.bytes.slice()
    return () => [
      ...differences('state', registers, this.state.host.u8),
      ...differences('memory', memory, this.linear.bytes),
    ]
  }
}

function differences(name: string, before: Uint8Array, now: Uint8Array): string[] {
  const found: string[] = []
  for (let i = 0; i < before.length; i++)
    if (before[i] !== now[i]) found.push(`${name} ${i.toString(16)}: ${before[i]} became ${now[i]}`)
  return found
}

/** The key of an instruction's action. */
export function nameOf(insn: Insn): string {
  if (insn.op !== 'mov') return insn.op
  const kinds = insn.operands.map((operand) => operand.kind)
  if (kinds.includes(Kind.cr)) return 'mov_cr'
  return kinds.includes(Kind.dr) ? 'mov_dr' : 'mov_seg'
}

/** A descriptor cache as attributes without the accessed bit. */
export function attributesOf(rig: Rig, seg: number): number {
  return rig.state.get32(Layout.segments + seg * SegmentSlot.size + SegmentSlot.attributes)
}
