/** The reference engine's processor: every operation acts at once, on the state and on linear memory. */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { Evaluator, type Value } from '../ops/evaluate.ts'
import * as flags from '../semantics/lazy-flags.ts'
import type { Processor, Ready } from '../semantics/processor.ts'
import { Flag, Layout, SegmentSlot, Vector } from '../state/layout.ts'
import type { Core } from '../system/core.ts'
import { raise } from '../system/fault.ts'
import { checkSegment } from '../system/segments.ts'
import { raiseUnavailable } from './unavailable.ts'

const SP = 4

export class ReferenceProcessor extends Evaluator implements Processor<Value>, flags.FlagOps<Value> {
  readonly #core: Core
  /** Set for each instruction. */
  width: 32 | 64 = 32
  stackBits: 16 | 32 | 64 = 32
  #insn: Insn | undefined
  /** `ip` of the instruction being executed and of the next one. */
  #start = 0
  #next = 0
  /** A system access checks as CPL 0, all others as CPL 3 when the CPL is 3. */
  #user = false

  constructor(core: Core) {
    super(core.state.host, core.state.base)
    this.#core = core
  }

  /** Get ready for one instruction at `start`; the state's `ip` is already `next`. */
  begin(insn: Insn, start: number, next: number): void {
    const state = this.#core.state
    this.#insn = insn
    this.width = state.long64 ? 64 : 32
    this.stackBits = state.stackBits
    this.#user = state.cpl === 3
    this.#start = start
    this.#next = next
  }

  // ── registers and operands ──
  gpr(reg: number, bits: number): Value {
    const state = this.#core.state
    if (bits === 64) return state.reg64(reg)
    const value = state.reg32(reg)
    return bits === 32 ? value : (value << (32 - bits)) >> (32 - bits)
  }
  setGpr(reg: number, bits: number, value: Value): void {
    const state = this.#core.state
    if (bits === 64) state.setReg64(reg, value as bigint)
    else if (bits === 32) state.setReg32(reg, value as number)
    else if (bits === 16) state.setReg16(reg, value as number)
    else state.setReg8(reg, value as number)
  }
  read(insn: Insn, n: number): Value {
    const operand = insn.operands[n]!
    switch (operand.kind) {
      case Kind.gpr:
        return operand.high ? (this.#core.state.reg32(operand.reg) << 16) >> 24 : this.gpr(operand.reg, operand.size)
      case Kind.mem:
        return this.load(insn.seg, this.address(insn), operand.size, true)
      case Kind.imm:
        if (operand.size === 64) return (BigInt(insn.immHigh) << 32n) | BigInt(insn.imm >>> 0)
        return operand.size === 32 ? insn.imm : (insn.imm << (32 - operand.size)) >> (32 - operand.size)
      case Kind.one:
        return operand.reg
      default:
        throw new TypeError(`operand ${n} of ${insn.op} (kind ${operand.kind}) is not an integer operand`)
    }
  }
  readU(insn: Insn, n: number): Value {
    const bits = insn.operands[n]!.size
    const value = this.read(insn, n)
    return bits < 32 && bits > 0 ? (value as number) & ((1 << bits) - 1) : value
  }
  write(insn: Insn, n: number, value: Value): void {
    const operand = insn.operands[n]!
    if (operand.kind === Kind.mem) this.store(insn.seg, this.address(insn), operand.size, value)
    else if (operand.high) {
      const state = this.#core.state
      state.setReg16(operand.reg, (state.reg16(operand.reg) & 0xff) | ((value as number) << 8))
    } else this.setGpr(operand.reg, operand.size, value)
  }
  modify(insn: Insn, n: number, compute: (value: Value) => Value): void {
    const operand = insn.operands[n]!
    if (operand.kind !== Kind.mem) {
      this.write(insn, n, compute(this.read(insn, n)))
      return
    }
    const offset = this.address(insn)
    const linear = this.#linear(insn.seg, offset, operand.size >> 3, true)
    this.#core.linear.probe(linear, operand.size >> 3, true, this.#user)
    const old = this.#loadLinear(linear, operand.size, true)
    this.#storeLinear(linear, operand.size, compute(old))
  }

  // ── addresses ──
  address(insn: Insn): Value {
    const state = this.#core.state
    if (this.width === 32) {
      let sum = insn.disp
      if (insn.base >= 0) sum += state.reg32(insn.base)
      if (insn.index >= 0) sum += state.reg32(insn.index) << insn.scale
      return insn.addrSize === 16 ? sum & 0xffff : sum | 0
    }
    let sum = (BigInt(insn.dispHigh) << 32n) | BigInt(insn.disp >>> 0)
    if (insn.ripRelative) sum += BigInt(this.#next)
    if (insn.base >= 0) sum += state.reg64(insn.base)
    if (insn.index >= 0) sum += state.reg64(insn.index) << BigInt(insn.scale)
    return insn.addrSize === 64 ? BigInt.asIntN(64, sum) : BigInt.asUintN(insn.addrSize, sum)
  }
  displace(insn: Insn, offset: Value, by: number): Value {
    if (this.width === 32)
      return insn.addrSize === 16 ? ((offset as number) + by) & 0xffff : ((offset as number) + by) | 0
    const sum = (offset as bigint) + BigInt(by)
    return insn.addrSize === 64 ? BigInt.asIntN(64, sum) : BigInt.asUintN(insn.addrSize, sum)
  }
  /** Linear address of `bytes` at `offset`, checked against the segment, alignment and canonical form. */
  #linear(seg: Seg, offset: Value, bytes: number, write: boolean): number {
    const state = this.#core.state
    if (this.width === 64) {
      const base = seg >= Seg.fs ? BigInt(state.segBase(seg)) : 0n
      const linear = BigInt.asIntN(64, (offset as bigint) + base)
      if (BigInt.asIntN(48, linear) !== linear) raise(seg === Seg.ss ? Vector.SS : Vector.GP, 0)
      if (state.get32(Layout.alignmentCheck) !== 0 && Number(linear & BigInt(bytes - 1)) !== 0) raise(Vector.AC, 0)
      return Number(linear)
    }
    const at = offset as number
    const slot = Layout.segments + seg * SegmentSlot.size
    const span = state.get32(slot + (write ? SegmentSlot.writeSpan : SegmentSlot.readSpan)) >>> 0
    if ((at - state.get32(slot + SegmentSlot.low)) >>> 0 >= span)
      checkSegment(this.#core, seg, at >>> 0, bytes, write ? 'write' : 'read')
    const linear = (state.get32(slot) + at) >>> 0
    if (state.get32(Layout.alignmentCheck) !== 0 && (linear & (bytes - 1)) !== 0) raise(Vector.AC, 0)
    return linear
  }

  // ── memory ──
  #loadLinear(linear: number, bits: number, signed: boolean): Value {
    const memory = this.#core.linear
    switch (bits) {
      case 8: {
        const value = memory.read8(linear, this.#user)
        return signed ? (value << 24) >> 24 : value
      }
      case 16: {
        const value = memory.read16(linear, this.#user)
        return signed ? (value << 16) >> 16 : value
      }
      case 32:
        return memory.read32(linear, this.#user)
      default:
        return memory.read64(linear, this.#user)
    }
  }
  #storeLinear(linear: number, bits: number, value: Value): void {
    const memory = this.#core.linear
    if (bits === 8) memory.write8(linear, (value as number) & 0xff, this.#user)
    else if (bits === 16) memory.write16(linear, (value as number) & 0xffff, this.#user)
    else if (bits === 32) memory.write32(linear, value as number, this.#user)
    else memory.write64(linear, value as bigint, this.#user)
  }
  load(seg: Seg, offset: Value, bits: number, signed = false): Value {
    return this.#loadLinear(this.#linear(seg, offset, bits >> 3, false), bits, signed)
  }
  store(seg: Seg, offset: Value, bits: number, value: Value): void {
    this.#storeLinear(this.#linear(seg, offset, bits >> 3, true), bits, value)
  }
  /** Alignment of 16-byte operands is #GP(0), never #AC. */
  #linear128(seg: Seg, offset: Value, aligned: boolean, write: boolean): number {
    const state = this.#core.state
    const check = state.get32(Layout.alignmentCheck)
    if (aligned) state.set32(Layout.alignmentCheck, 0)
    const linear = this.#linear(seg, offset, 16, write)
    state.set32(Layout.alignmentCheck, check)
    if (aligned && (linear & 15) !== 0) raise(Vector.GP, 0)
    return linear
  }
  load128(seg: Seg, offset: Value, aligned: boolean): Value {
    const linear = this.#linear128(seg, offset, aligned, false)
    this.#core.linear.probe(linear, 16, false, this.#user)
    return this.v128(
      this.#core.linear.read64(linear, this.#user),
      this.#core.linear.read64(this.#wrap(linear + 8), this.#user),
    )
  }
  store128(seg: Seg, offset: Value, value: Value, aligned: boolean): void {
    const linear = this.#linear128(seg, offset, aligned, true)
    this.#core.linear.probe(linear, 16, true, this.#user)
    this.#core.linear.write64(linear, this.extractLane('i64x2', value, 0) as bigint, this.#user)
    this.#core.linear.write64(this.#wrap(linear + 8), this.extractLane('i64x2', value, 1) as bigint, this.#user)
  }
  #wrap(linear: number): number {
    return this.width === 32 && linear > 0xffff_ffff ? linear - 0x1_0000_0000 : linear
  }
  /** Alignment is checked where the bytes are one operand: 16-byte operands and images have rules of their own. */
  probeWrite(seg: Seg, offset: Value, bytes: number): void {
    const state = this.#core.state
    const check = state.get32(Layout.alignmentCheck)
    if (bytes > 8) state.set32(Layout.alignmentCheck, 0)
    const linear = this.#linear(seg, offset, bytes, true)
    state.set32(Layout.alignmentCheck, check)
    this.#core.linear.probe(linear, bytes, true, this.#user)
  }

  // ── stack ──
  #stackOffset(displacement: number): Value {
    const state = this.#core.state
    if (this.stackBits === 64) return BigInt.asIntN(64, state.reg64(SP) + BigInt(displacement))
    return this.stackBits === 32 ? (state.reg32(SP) + displacement) | 0 : (state.reg32(SP) + displacement) & 0xffff
  }
  push(bits: number, value: Value): void {
    const top = this.#stackOffset(-(bits >> 3))
    this.store(Seg.ss, top, bits, value)
    this.setGpr(SP, this.stackBits, top)
  }
  stackLoad(displacement: number, bits: number): Value {
    return this.load(Seg.ss, this.#stackOffset(displacement), bits, true)
  }
  stackAdjust(bytes: number): void {
    this.setGpr(SP, this.stackBits, this.#stackOffset(bytes))
  }

  // ── flags ──
  slot(name: flags.FlagSlot): Value {
    const at = flags.slotOffset[name]
    return this.width === 64 ? this.#core.state.get64(at) : this.#core.state.get32(at)
  }
  setSlot(name: flags.FlagSlot, value: Value): void {
    const at = flags.slotOffset[name]
    const state = this.#core.state
    if (typeof value === 'bigint') state.set64(at, value)
    else {
      state.set32(at, value as number)
      if (this.width === 64) state.set32(at + 4, (value as number) >> 31)
    }
  }
  word(value: number): Value {
    return this.width === 64 ? BigInt(value) : value
  }
  low(value: Value): Value {
    return typeof value === 'bigint' ? Number(BigInt.asIntN(32, value)) : value
  }
  condition(cc: number): Value {
    return flags.condition(this, cc)
  }
  carry(): Value {
    return flags.carry(this)
  }
  flagsAdd(a: Value, b: Value, result: Value): void {
    flags.flagsAdd(this, a, b, result)
  }
  flagsAdc(a: Value, b: Value, result: Value, carryOut: Value): void {
    flags.flagsAdc(this, a, b, result, carryOut)
  }
  flagsSub(a: Value, b: Value, result: Value): void {
    flags.flagsSub(this, a, b, result)
  }
  flagsSbb(a: Value, b: Value, result: Value, carryOut: Value): void {
    flags.flagsSbb(this, a, b, result, carryOut)
  }
  flagsLogic(result: Value): void {
    flags.flagsLogic(this, result)
  }
  flagsInc(a: Value, result: Value): void {
    flags.flagsInc(this, a, result)
  }
  flagsDec(a: Value, result: Value): void {
    flags.flagsDec(this, a, result)
  }
  flagsCarry(carry: Value): void {
    flags.flagsCarry(this, carry)
  }
  flagsRotate(overflow: Value, carry: Value): void {
    flags.flagsRotate(this, overflow, carry)
  }
  flagsResult(result: Value, overflow: Value, carry: Value): void {
    flags.flagsResult(this, result, overflow, carry)
  }
  setStatusFlags(image: Value): void {
    this.#core.state.setStatusFlags(image as number)
  }
  statusFlags(): Value {
    return this.#core.state.statusFlags()
  }

  // ── leaving ──
  raise(vector: number, errorCode?: Value): void {
    raise(vector, errorCode as number | undefined)
  }
  bail(): void {
    raiseUnavailable(this.#core, this.#insn!)
  }
  bailIf(_ready: Ready, condition: () => Value): void {
    this.if(condition(), () => this.bail())
  }
  rare(value: Value): Value {
    return value
  }

  // ── control flow ──
  nextIp(): Value {
    return this.width === 64 ? BigInt(this.#next) : this.#next | 0
  }
  #relative(insn: Insn): Value {
    if (this.width === 64) return BigInt(this.#next + insn.imm)
    const target = (this.#next + insn.imm) | 0
    return insn.opSize === 16 ? target & 0xffff : target
  }
  checkBranch(insn: Insn): void {
    this.checkTarget(insn, this.#relative(insn))
  }
  checkTarget(insn: Insn, target: Value): Value {
    if (typeof target === 'bigint') {
      if (BigInt.asIntN(48, target) !== target) raise(Vector.GP, 0)
      return target
    }
    const offset = insn.opSize === 16 ? (target as number) & 0xffff : (target as number)
    if (offset >>> 0 > this.#core.state.segLimit(Seg.cs)) raise(Vector.GP, 0)
    return offset
  }
  jump(_insn: Insn, target: Value): void {
    if (typeof target === 'bigint') this.#core.state.ip = Number(target)
    else this.#core.state.ip = (target as number) >>> 0
  }
  branch(insn: Insn, condition?: Value): void {
    if (condition === 0) return
    this.jump(insn, this.checkTarget(insn, this.#relative(insn)))
  }

  // ── strings ──
  stringStep(bytes: number): Value {
    const step = this.#core.state.flag(Flag.DF) ? -bytes : bytes
    return this.width === 64 ? BigInt(step) : step
  }
  /** One iteration a call: `ip` goes back to the instruction while iterations are left. */
  repeat(insn: Insn, step: () => void): void {
    if (insn.rep === 0) {
      step()
      return
    }
    const bits = insn.addrSize
    const read = (): bigint => BigInt.asUintN(bits, BigInt(this.gpr(1, bits) as number | bigint))
    if (read() === 0n) return
    step()
    const left = read() - 1n
    this.setGpr(1, bits, bits === 64 ? left : Number(left))
    if (left === 0n) return
    if (insn.op === 'cmps' || insn.op === 'scas') {
      const zero = this.condition(4) !== 0
      if (zero !== (insn.rep === 0xf3)) return
    }
    this.#core.state.ip = this.#start
  }
}
