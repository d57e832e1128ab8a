/** Named access, from TypeScript, to the state of one CPU in host memory. Offsets: `layout.ts`. */
import { Flag, Layout, LDTR, SegmentSlot, STATUS_FLAGS, TR } from './layout.ts'

/** The views of host memory that a CPU works on; their owner replaces them when the memory grows. */
export interface HostViews {
  readonly view: DataView
  readonly u8: Uint8Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
}

const PARITY_EVEN = Uint8Array.from({ length: 256 }, (_, i) => {
  const x = i ^ (i >> 4)
  return (0x9669 >> (x & 15)) & 1
})

/** Registers by number, in the encoding's order. */
export const Gpr = { ax: 0, cx: 1, dx: 2, bx: 3, sp: 4, bp: 5, si: 6, di: 7 } as const

/** The registers of one CPU, by name. */
export class CpuState {
  readonly host: HostViews
  /** Byte offset of this CPU's state in host memory, a multiple of 64. */
  readonly base: number
  readonly #word: number

  constructor(host: HostViews, base: number) {
    this.host = host
    this.base = base
    this.#word = base >> 2
  }

  /** int32 slot at a `Layout` offset. */
  get32(offset: number): number {
    return this.host.i32[this.#word + (offset >> 2)]!
  }
  set32(offset: number, value: number): void {
    this.host.i32[this.#word + (offset >> 2)] = value
  }
  /** 64-bit slot as a signed number: exact for canonical linear and for physical addresses (a canonical upper half is negative). */
  getNumber(offset: number): number {
    const w = this.#word + (offset >> 2)
    return this.host.i32[w + 1]! * 0x1_0000_0000 + this.host.u32[w]!
  }
  setNumber(offset: number, value: number): void {
    const u = this.host.u32
    const w = this.#word + (offset >> 2)
    u[w] = value
    u[w + 1] = Math.floor(value / 0x1_0000_0000)
  }
  /** 64-bit slot as a signed bigint. */
  get64(offset: number): bigint {
    return this.host.view.getBigInt64(this.base + offset, true)
  }
  set64(offset: number, value: bigint): void {
    this.host.view.setBigInt64(this.base + offset, value, true)
  }

  /** General register as int32. */
  reg32(n: number): number {
    return this.host.i32[this.#word + n * 2]!
  }
  setReg32(n: number, value: number): void {
    const w = this.#word + n * 2
    this.host.i32[w] = value
    this.host.i32[w + 1] = 0
  }
  reg16(n: number): number {
    return this.host.i32[this.#word + n * 2]! & 0xffff
  }
  setReg16(n: number, value: number): void {
    const w = this.#word + n * 2
    this.host.i32[w] = (this.host.i32[w]! & ~0xffff) | (value & 0xffff)
  }
  reg8(n: number): number {
    return this.host.u8[this.base + n * 8]!
  }
  setReg8(n: number, value: number): void {
    this.host.u8[this.base + n * 8] = value
  }
  reg64(n: number): bigint {
    return this.get64(n * 8)
  }
  setReg64(n: number, value: bigint): void {
    this.set64(n * 8, value)
  }

  /** Instruction pointer; a canonical upper-half address is negative. */
  get ip(): number {
    return this.getNumber(Layout.ip)
  }
  set ip(value: number) {
    this.setNumber(Layout.ip, value)
  }

  /** The complete EFLAGS, bit 1 set. */
  get eflags(): number {
    return this.get32(Layout.flags) | this.statusFlags() | 2
  }
  set eflags(value: number) {
    this.set32(Layout.flags, value & ~STATUS_FLAGS & ~2)
    this.setStatusFlags(value)
  }
  /** One or more system flags (not the six status flags). */
  flag(mask: number): boolean {
    return (this.get32(Layout.flags) & mask) !== 0
  }
  setFlag(mask: number, on: boolean): void {
    const f = this.get32(Layout.flags)
    this.set32(Layout.flags, on ? f | mask : f & ~mask)
  }
  get iopl(): number {
    return (this.get32(Layout.flags) >> 12) & 3
  }

  /** CF, PF, AF, ZF, SF, OF as EFLAGS bits. In 64-bit code the slots are 64 bits wide. */
  statusFlags(): number {
    const wide = this.long64
    const fr = this.get32(Layout.FR)
    const parity = fr ^ this.get32(Layout.FX)
    const auxiliary = (this.get32(Layout.X) ^ this.get32(Layout.Y) ^ this.get32(Layout.S)) & 0x10
    let flags = auxiliary | (PARITY_EVEN[parity & 0xff]! << 2)
    if (wide) {
      const s = this.get64(Layout.S)
      if (this.get64(Layout.FR) === 0n) flags |= Flag.ZF
      if ((this.get64(Layout.FR) ^ this.get64(Layout.FX)) < 0n) flags |= Flag.SF
      if (BigInt.asUintN(64, this.get64(Layout.CA)) < BigInt.asUintN(64, this.get64(Layout.CB))) flags |= Flag.CF
      if (((this.get64(Layout.X) ^ s) & (this.get64(Layout.Y) ^ s)) < 0n) flags |= Flag.OF
    } else {
      const s = this.get32(Layout.S)
      if (fr === 0) flags |= Flag.ZF
      if (parity < 0) flags |= Flag.SF
      if (this.get32(Layout.CA) >>> 0 < this.get32(Layout.CB) >>> 0) flags |= Flag.CF
      if (((this.get32(Layout.X) ^ s) & (this.get32(Layout.Y) ^ s)) < 0) flags |= Flag.OF
    }
    return flags
  }
  /** Set the six from an EFLAGS image, in a form that reads the same at 32 and 64 bits. */
  setStatusFlags(image: number): void {
    const zf = (image >> 6) & 1
    const pf = (image >> 2) & 1
    const fr = zf ^ 1
    const sf = image & Flag.SF ? -1 : 0
    // FR is 0 or 1; FX brings the sign, and makes the parity of FR ^ FX what PF says.
    let fx = sf
    if (PARITY_EVEN[(fr ^ fx) & 0xff] !== pf) fx ^= 2
    this.#signed(Layout.FR, fr)
    this.#signed(Layout.FX, fx)
    const of = image & Flag.OF ? -1 : 0
    this.#signed(Layout.X, of ^ (image & Flag.AF))
    this.#signed(Layout.Y, of)
    this.#signed(Layout.S, 0)
    this.#signed(Layout.CA, 0)
    this.#signed(Layout.CB, image & 1)
  }
  #signed(offset: number, value: number): void {
    const w = this.#word + (offset >> 2)
    this.host.i32[w] = value
    this.host.i32[w + 1] = value >> 31
  }

  /** Segment registers, by `Seg`, {@link LDTR} or {@link TR}. */
  segBase(seg: number): number {
    return this.getNumber(Layout.segments + seg * SegmentSlot.size + SegmentSlot.base)
  }
  /** Effective limit in bytes, unsigned. */
  segLimit(seg: number): number {
    return this.get32(Layout.segments + seg * SegmentSlot.size + SegmentSlot.limit) >>> 0
  }
  selector(seg: number): number {
    return this.get32(Layout.segments + seg * SegmentSlot.size + SegmentSlot.selector)
  }
  setSelector(seg: number, selector: number): void {
    this.set32(Layout.segments + seg * SegmentSlot.size + SegmentSlot.selector, selector & 0xffff)
  }
  /** See `SegmentSlot.attributes`. */
  attributes(seg: number): number {
    return this.get32(Layout.segments + seg * SegmentSlot.size + SegmentSlot.attributes)
  }

  /** CR0.PE. */
  get protectedMode(): boolean {
    return (this.get32(Layout.cr0) & 1) !== 0
  }
  /** EFLAGS.VM. */
  get virtual8086(): boolean {
    return (this.get32(Layout.flags) & Flag.VM) !== 0
  }
  /** Current privilege level: the DPL of SS's cache (SDM vol. 3A, 5.5); 0 in real mode, 3 in virtual-8086 mode. */
  get cpl(): number {
    return (this.attributes(2) >> 5) & 3
  }
  /** Executing 64-bit code: EFER.LMA and CS.L. */
  get long64(): boolean {
    return (this.get32(Layout.efer) & 0x400) !== 0 && (this.attributes(1) & 0x200) !== 0
  }
  /** 16, 32 or 64: how code bytes read now. */
  get codeBits(): 16 | 32 | 64 {
    return this.long64 ? 64 : this.attributes(1) & 0x400 ? 32 : 16
  }
  /** 16, 32 or 64: width of the stack pointer. */
  get stackBits(): 16 | 32 | 64 {
    return this.long64 ? 64 : this.attributes(2) & 0x400 ? 32 : 16
  }
}

export { LDTR, TR }
