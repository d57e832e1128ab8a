/**
 * The interpreter's processor: semantics as the code of handlers. Local 0 is the CPU's base, local 1 the address of the
 * instruction's record, from which registers, displacement and immediate come.
 */
import { Load, Op } from '@vmexit/wasm-asm'
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { Emitter, type RoutineLinker } from '../ops/emit.ts'
import { localNode, type Node } from '../ops/node.ts'
import * as flags from '../semantics/lazy-flags.ts'
import type { Processor } from '../semantics/processor.ts'
import { Flag, Layout, Leave, SegmentSlot } from '../state/layout.ts'
import { emitFrequent, type FrequentCode } from './frequent.ts'
import { BASE, type Kept, RECORD } from './kept.ts'
import type { Template } from './key.ts'
import {
  CODE_TLB_ENTRIES,
  Handler,
  JUMP_ENTRIES,
  Record32,
  Record64,
  type RecordLayout,
  Tables,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_SHIFT,
} from './layout.ts'

/** How a handler ends, which depends on the function that it stands in. */
export interface Continuation {
  /** In the dispatcher: the locals that stand for budget and key of the TLB. */
  readonly kept?: Kept
  /** Go on with the record whose address is on the stack. Nothing after it runs. */
  go(): void
  /** Return to TypeScript. Nothing after it runs. */
  exit(): void
}

/** Function indices, in the module being built, of the ways to TypeScript. */
export interface SlowPaths {
  /** (base, linear address, bytes) → not 0, with the host address in {@link Layout.reached}, or 0 to leave. */
  readonly read: number
  readonly write: number
}

const [AX, CX, SP, SI, DI] = [0, 1, 4, 6, 7]
/** Why handlers that only leave do so. */
const REASONS: Readonly<Record<number, number>> = {
  [Handler.miss]: Leave.miss,
  [Handler.slow]: Leave.slow,
  [Handler.stop]: Leave.budget,
}
/** For what is no instruction of the table: every segment is flat. */
const FLAT = { flatRead: 0x3f, flatWrite: 0x3f, stackBits: 32, flatCode: true } as Template
const PAGE_MASK = ~0xfff

export class HandlerProcessor extends Emitter implements Processor<Node>, flags.FlagOps<Node>, FrequentCode {
  readonly width: 32 | 64
  readonly record: RecordLayout
  stackBits: 16 | 32 | 64 = 32
  #template!: Template
  #end!: Continuation
  #slow!: SlowPaths
  /** Function that executes instructions by their actions. */
  #action = 0
  /** The body has said where to go on. */
  #ended = false
  /** Fields are of this many bytes behind local 1: the second of two instructions in one handler. */
  #ahead = 0
  /** How the flags were made that a second instruction asks for: its condition then needs no flags. */
  #made:
    | { readonly by: 'sub' | 'add' | 'logic' | 'other'; readonly a: Node; readonly b: Node; readonly result: Node }
    | undefined

  constructor(width: 32 | 64, link: RoutineLinker) {
    super(link)
    this.width = width
    this.record = width === 64 ? Record64 : Record32
  }

  /** Emit the handler of `template`. */
  handler(
    template: Template,
    semantics: (c: Processor<Node>, insn: Insn) => void,
    slow: SlowPaths,
    end: Continuation,
  ): void {
    this.#template = template
    this.#slow = slow
    this.#end = end
    this.#ended = false
    this.#ahead = 0
    this.#made = undefined
    this.stackBits = template.stackBits
    semantics(this, template.insn)
    const second = template.branch
    if (second !== undefined) {
      this.#ahead = this.record.size
      this.branch(template.insn, this.condition(second))
    } else if (!this.#ended) this.#next()
  }

  /** Emit one of the handlers that are no instruction, or any; `act` is the function that executes those. */
  special(handler: number, slow: SlowPaths, act: number, end: Continuation): void {
    this.#end = end
    this.#slow = slow
    this.#action = act
    this.#ended = false
    this.#ahead = 0
    if (handler >= Handler.act) this.#frequent(handler)
    else if (handler === Handler.link) this.#enter(this.#field(this.record.target))
    else if (handler === Handler.cross) this.#cross()
    else if (handler === Handler.straddle) this.#straddle()
    else this.#leave(REASONS[handler]!)
  }

  // ── the record ──
  #rec(): Node {
    return localNode('i32', RECORD)
  }
  #field(offset: number): Node {
    return this.peek('i32', this.#rec(), offset + this.#ahead, 32)
  }
  /** A field as wide as an address. */
  #wide(offset: number): Node {
    return this.width === 64 ? this.peek('i64', this.#rec(), offset + this.#ahead, 64) : this.#field(offset)
  }

  // ── leaving and going on ──
  /** Return to TypeScript, this instruction and the rest of its run given back to the budget. */
  #leave(reason: number): void {
    const state = this.state()
    this.#setBudget(this.add(this.budget(), this.#field(this.record.length)))
    this.poke(state, Layout.record, this.#rec(), 32)
    this.poke(state, Layout.leave, this.i32(reason), 32)
    this.#end.exit()
  }
  #next(): void {
    this.emit(this.add(this.#rec(), this.i32(this.record.size)))
    this.#end.go()
  }
  budget(): Node {
    const { kept } = this.#end
    return kept ? localNode('i32', kept.budget) : this.peek('i32', this.state(), Layout.budget, 32)
  }
  #setBudget(value: Node): void {
    const { kept } = this.#end
    if (kept) {
      this.emit(value)
      this.fn.localSet(kept.budget)
    } else this.poke(this.state(), Layout.budget, value, 32)
  }
  /** Go on with the first record of a run, paying for the run. */
  #enter(record: Node): void {
    const fn = this.fn
    const state = this.state()
    const budget = this.budget()
    // Compared, not subtracted and tested: a load with one use V8 fuses with that, and makes it a second time.
    const length = this.peek('i32', record, this.record.length, 32)
    this.emit(this.ltS(budget, length))
    fn.hint(false).if_()
    this.poke(state, Layout.record, record, 32)
    this.poke(state, Layout.leave, this.i32(Leave.budget), 32)
    this.#end.exit()
    fn.end()
    this.#setBudget(this.sub(budget, length))
    this.emit(record)
    this.#end.go()
  }
  /** Is `linear` still mapped to the physical page of `record`? i32. */
  #mapped(linear: Node, record: Node): Node {
    const wide = this.width === 64
    const page = this.shr(linear, wide ? this.i64(12n) : this.i32(12))
    const index = this.shl(
      this.and(wide ? this.wrap(page) : page, this.i32(CODE_TLB_ENTRIES - 1)),
      this.i32(TLB_ENTRY_SHIFT),
    )
    const entry = this.let(this.add(this.state(), index))
    const same = this.eq(
      this.peek('i32', entry, Tables.code + TLB_ADDEND, 32),
      this.peek('i32', record, this.record.page, 32),
    )
    return this.and(this.eq(this.peek(wide ? 'i64' : 'i32', entry, Tables.code, this.width), this.#tag(linear)), same)
  }
  /** What a valid TLB entry for the page of `linear` has as its tag. */
  #tag(linear: Node): Node {
    const { kept } = this.#end
    const key = kept ? localNode('i32', kept.key) : this.peek('i32', this.state(), Layout.tlbKey, 32)
    if (this.width === 64) return this.or(this.and(linear, this.i64(BigInt(PAGE_MASK))), this.extendU(key))
    return this.or(this.and(linear, this.i32(PAGE_MASK)), key)
  }
  #linearCode(ip: Node): Node {
    if (this.width === 64) return ip
    return this.let(this.add(ip, this.peek('i32', this.state(), Layout.segments + Seg.cs * SegmentSlot.size, 32)))
  }
  #cross(): void {
    const target = this.#field(this.record.target)
    this.emit(this.#mapped(this.#linearCode(this.#wide(this.record.ip)), target))
    this.fn.hint(true).if_()
    this.#enter(target)
    this.fn.end()
    this.#leave(Leave.miss)
  }

  #frequent(handler: number): void {
    this.#template = FLAT
    this.stackBits = 32
    if (this.width === 64 || !emitFrequent(this, handler)) this.#act()
    else if (!this.#ended) this.#next()
  }
  setUser(user: boolean): void {
    const key = this.let(this.peek('i32', this.state(), Layout.tlbKey, 32))
    const changed = user ? this.or(key, this.i32(1)) : this.and(key, this.i32(~1))
    this.poke(this.state(), Layout.tlbKey, changed, 32)
    const { kept } = this.#end
    if (!kept) return
    this.emit(changed)
    this.fn.localSet(kept.key)
  }
  goTo(target: Node): void {
    this.jump(undefined, target)
  }
  otherwise(condition: Node): void {
    this.emit(condition)
    this.fn.hint(false).if_()
    this.#act()
    this.fn.end()
  }
  operandAddress(n: number): Node {
    return this.#register(n)
  }
  paid(): Node {
    return this.#field(this.record.length)
  }
  readable(linear: Node, bytes: number): Node {
    return this.#translate(linear, bytes, false)
  }
  /** (Leaving for the slow way and coming back cost 180 to 320 ns; a call costs 10.) */
  #act(): void {
    const { fn } = this
    this.#end.kept?.give()
    fn.call(this.#action)
    this.#end.kept?.take()
    fn.if_()
    this.emit(this.#rec())
    this.#end.go()
    fn.end()
    this.#end.exit()
  }

  /** The instruction's last byte lies in front of its `next`. */
  #straddle(): void {
    const target = this.let(this.#field(this.record.target))
    const wide = this.width === 64
    const next = this.peek(wide ? 'i64' : 'i32', target, this.record.next, this.width)
    const last = this.sub(next, wide ? this.i64(1n) : this.i32(1))
    this.emit(this.#mapped(this.#linearCode(last), target))
    this.fn.hint(true).if_()
    this.#enter(target)
    this.fn.end()
    this.#leave(Leave.slow)
  }

  // ── registers and operands ──
  gpr(reg: number, bits: number): Node {
    return this.peek(bits === 64 ? 'i64' : 'i32', this.state(), Layout.gpr + reg * 8, bits, true)
  }
  setGpr(reg: number, bits: number, value: Node): void {
    this.#setRegister(this.state(), Layout.gpr + reg * 8, bits, value)
  }
  /** A 32-bit write clears the upper half in 64-bit mode. */
  #setRegister(address: Node, offset: number, bits: number, value: Node): void {
    if (this.width === 64 && bits === 32) this.poke(address, offset, this.extendU(value), 64)
    else this.poke(address, offset, value, bits)
  }
  #register(n: number): Node {
    return this.#field(this.record.register[n]!)
  }
  #operand(insn: Insn, n: number, signed: boolean): Node {
    const operand = insn.operands[n]!
    switch (operand.kind) {
      case Kind.gpr:
        return this.peek(operand.size === 64 ? 'i64' : 'i32', this.#register(n), 0, operand.size, signed)
      case Kind.mem:
        return this.load(insn.seg, this.address(insn), operand.size, signed)
      case Kind.imm: {
        if (operand.size === 64) return this.peek('i64', this.#rec(), this.record.imm, 64)
        const value = this.#field(this.record.imm)
        return signed ? value : this.zeroExtend(value, operand.size)
      }
      case Kind.one:
        return this.i32(operand.reg)
      default:
        throw new TypeError(`operand ${n} of ${insn.op} (kind ${operand.kind}) is not an integer operand`)
    }
  }
  read(insn: Insn, n: number): Node {
    return this.let(this.#operand(insn, n, true))
  }
  readU(insn: Insn, n: number): Node {
    return this.let(this.#operand(insn, n, false))
  }
  write(insn: Insn, n: number, value: Node): void {
    const operand = insn.operands[n]!
    if (operand.kind === Kind.mem) this.store(insn.seg, this.let(this.address(insn)), operand.size, value)
    else this.#setRegister(this.#register(n), 0, operand.size, value)
  }
  modify(insn: Insn, n: number, compute: (value: Node) => Node): void {
    const operand = insn.operands[n]!
    if (operand.kind !== Kind.mem) {
      const old = this.read(insn, n)
      this.write(insn, n, compute(old))
      return
    }
    const bytes = operand.size >> 3
    const at = this.#translate(this.#linear(insn.seg, this.address(insn), true), bytes, true)
    const old = this.peek(operand.size === 64 ? 'i64' : 'i32', at, 0, operand.size, true)
    this.poke(at, 0, compute(old), operand.size)
  }

  // ── addresses ──
  address(insn: Insn): Node {
    const wide = this.width === 64
    let sum = this.#wide(this.record.disp)
    if (insn.base >= 0)
      sum = this.add(this.peek(wide ? 'i64' : 'i32', this.#field(this.record.base), 0, this.width), sum)
    if (insn.index >= 0) {
      const index = this.peek(wide ? 'i64' : 'i32', this.#field(this.record.index), 0, this.width)
      sum = this.add(this.shl(index, wide ? this.i64(BigInt(insn.scale)) : this.i32(insn.scale)), sum)
    }
    return insn.addrSize < this.width ? this.zeroExtend(sum, insn.addrSize) : sum
  }
  displace(insn: Insn, offset: Node, by: number): Node {
    const sum = this.add(offset, this.width === 64 ? this.i64(BigInt(by)) : this.i32(by))
    return insn.addrSize < this.width ? this.zeroExtend(sum, insn.addrSize) : sum
  }
  /** Linear address, or leave when the inline check of the segment does not pass. */
  #linear(seg: Seg, offset: Node, write: boolean): Node {
    const slot = Layout.segments + seg * SegmentSlot.size
    const state = this.state()
    if (this.width === 64) {
      const address = this.let(offset)
      return seg >= Seg.fs ? this.let(this.add(address, this.peek('i64', state, slot, 64))) : address
    }
    const flat = ((write ? this.#template.flatWrite : this.#template.flatRead) >> seg) & 1
    const address = this.let(offset)
    if (flat) return address
    const span = this.peek('i32', state, slot + (write ? SegmentSlot.writeSpan : SegmentSlot.readSpan), 32)
    const inside = this.ltU(this.sub(address, this.peek('i32', state, slot + SegmentSlot.low, 32)), span)
    this.#leaveUnless(inside)
    return this.let(this.add(address, this.peek('i32', state, slot, 32)))
  }
  #leaveUnless(condition: Node): void {
    this.emit(this.eqz(condition))
    this.fn.hint(false).if_()
    this.#leave(Leave.slow)
    this.fn.end()
  }

  // ── memory ──
  /** Address of the entry for `linear`, less the offset of the table. */
  #entry(linear: Node): Node {
    const wide = this.width === 64
    const shifted = this.shr(linear, wide ? this.i64(8n) : this.i32(8))
    const index = this.and(wide ? this.wrap(shifted) : shifted, this.i32((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT))
    return this.let(this.add(this.state(), index))
  }
  /** Host address of `bytes` at `linear`, by the engine's TLB; leaves when TypeScript says so. */
  #translate(linear: Node, bytes: number, write: boolean): Node {
    const wide = this.width === 64
    const fn = this.fn
    const table = write ? Tables.write : Tables.read
    const entry = this.#entry(linear)
    const low = this.temporary('i32')
    this.emit(wide ? this.wrap(linear) : linear)
    fn.localSet(low)
    const addend = this.peek('i32', entry, table + TLB_ADDEND, 32)
    const last = bytes > 1 ? this.add(linear, wide ? this.i64(BigInt(bytes - 1)) : this.i32(bytes - 1)) : linear
    // Compared as i64 in either width: V8 fuses a load of 32 bits with the comparison, and makes it a second time.
    const tag = this.peek('i64', entry, table, this.width)
    this.emit(this.ne(tag, wide ? this.#tag(last) : this.extendU(this.#tag(last))))
    fn.hint(false).if_()
    this.#end.kept?.give()
    this.emit(this.state())
    this.emit(linear)
    fn.i32Const(bytes)
      .call(write ? this.#slow.write : this.#slow.read)
      .op(Op.i32Eqz)
    this.#end.kept?.take()
    fn.localGet(BASE).load(Load.i32Load, Layout.reached).localSet(addend.value)
    fn.i32Const(0).localSet(low)
    fn.if_()
    this.#leave(Leave.slow)
    fn.end()
    fn.end()
    return this.let(this.add(localNode('i32', low), addend))
  }
  load(seg: Seg, offset: Node, bits: number, signed = false): Node {
    const at = this.#translate(this.#linear(seg, offset, false), bits >> 3, false)
    return this.peek(bits === 64 ? 'i64' : 'i32', at, 0, bits, signed)
  }
  store(seg: Seg, offset: Node, bits: number, value: Node): void {
    const stored = this.let(value)
    this.poke(this.#translate(this.#linear(seg, offset, true), bits >> 3, true), 0, stored, bits)
  }
  #translate128(seg: Seg, offset: Node, aligned: boolean, write: boolean): Node {
    const linear = this.#linear(seg, offset, write)
    if (aligned) {
      const low = this.width === 64 ? this.wrap(linear) : linear
      this.#leaveUnless(this.eqz(this.and(low, this.i32(15))))
    }
    return this.#translate(linear, 16, write)
  }
  load128(seg: Seg, offset: Node, aligned: boolean): Node {
    return this.peek('v128', this.#translate128(seg, offset, aligned, false), 0, 128)
  }
  store128(seg: Seg, offset: Node, value: Node, aligned: boolean): void {
    const stored = this.let(value)
    this.poke(this.#translate128(seg, offset, aligned, true), 0, stored, 128)
  }
  probeWrite(seg: Seg, offset: Node, bytes: number): void {
    this.#translate(this.#linear(seg, offset, true), bytes, true)
  }

  // ── stack ──
  #stackOffset(displacement: number): Node {
    const bits = this.stackBits
    if (bits === 64) return this.add(this.gpr(SP, 64), this.i64(BigInt(displacement)))
    const sum = this.add(this.gpr(SP, 32), this.i32(displacement))
    return bits === 16 ? this.zeroExtend(sum, 16) : sum
  }
  push(bits: number, value: Node): void {
    const top = this.let(this.#stackOffset(-(bits >> 3)))
    this.store(Seg.ss, top, bits, value)
    this.setGpr(SP, this.stackBits, top)
  }
  stackLoad(displacement: number, bits: number): Node {
    return this.load(Seg.ss, this.#stackOffset(displacement), bits, true)
  }
  stackAdjust(bytes: number): void {
    this.setGpr(SP, this.stackBits, this.#stackOffset(bytes))
  }

  // ── flags ──
  slot(name: flags.FlagSlot): Node {
    return this.peek(this.width === 64 ? 'i64' : 'i32', this.state(), flags.slotOffset[name], this.width)
  }
  setSlot(name: flags.FlagSlot, value: Node): void {
    const wide = this.width === 64 && value.type === 'i32' ? this.extendS(value) : value
    this.poke(this.state(), flags.slotOffset[name], wide, this.width)
  }
  word(value: number): Node {
    return this.width === 64 ? this.i64(BigInt(value)) : this.i32(value)
  }
  low(value: Node): Node {
    return value.type === 'i64' ? this.wrap(value) : value
  }
  condition(cc: number): Node {
    return this.let(this.#direct(cc) ?? flags.condition(this, cc))
  }
  /** The condition from the operands that made the flags, where that is simpler. */
  #direct(cc: number): Node | undefined {
    const made = this.#made
    if (!made) return undefined
    const { by, a, b, result } = made
    const zero = result.type === 'i64' ? this.i64(0n) : this.i32(0)
    const byCode: Partial<Record<number, () => Node>> = {
      2: () => this.eqz(result),
      4: () => this.ltS(result, zero),
      ...(by === 'sub' && {
        1: () => this.ltU(a, b),
        2: () => this.eq(a, b),
        3: () => this.leU(a, b),
        6: () => this.ltS(a, b),
        7: () => this.leS(a, b),
      }),
      ...(by === 'logic' && {
        3: () => this.eqz(result),
        6: () => this.ltS(result, zero),
        7: () => this.leS(result, zero),
      }),
      ...(by === 'add' && { 1: () => this.ltU(result, a) }),
    }
    const holds = byCode[cc >> 1]?.()
    return holds && (cc & 1 ? this.eqz(holds) : holds)
  }
  carry(): Node {
    return this.let(flags.carry(this))
  }
  flagsAdd(a: Node, b: Node, result: Node): void {
    this.#made = { by: 'add', a, b, result }
    flags.flagsAdd(this, a, b, result)
  }
  flagsAdc(a: Node, b: Node, result: Node, carryOut: Node): void {
    flags.flagsAdc(this, a, b, result, carryOut)
  }
  flagsSub(a: Node, b: Node, result: Node): void {
    this.#made = { by: 'sub', a, b, result }
    flags.flagsSub(this, a, b, result)
  }
  flagsSbb(a: Node, b: Node, result: Node, carryOut: Node): void {
    flags.flagsSbb(this, a, b, result, carryOut)
  }
  flagsLogic(result: Node): void {
    this.#made = { by: 'logic', a: result, b: result, result }
    flags.flagsLogic(this, result)
  }
  flagsInc(a: Node, result: Node): void {
    this.#made = { by: 'other', a, b: a, result }
    flags.flagsInc(this, a, result)
  }
  flagsDec(a: Node, result: Node): void {
    this.#made = { by: 'other', a, b: a, result }
    flags.flagsDec(this, a, result)
  }
  flagsCarry(carry: Node): void {
    flags.flagsCarry(this, carry)
  }
  flagsRotate(overflow: Node, carry: Node): void {
    flags.flagsRotate(this, overflow, carry)
  }
  flagsResult(result: Node, overflow: Node, carry: Node): void {
    flags.flagsResult(this, result, overflow, carry)
  }
  setStatusFlags(image: Node): void {
    flags.setStatusFlags(this, image)
  }
  statusFlags(): Node {
    return this.let(flags.statusFlags(this))
  }

  // ── faults: the reference engine executes the instruction again, from the same state, and raises them ──
  raise(): void {
    this.#leave(Leave.slow)
  }
  bail(): void {
    this.#leave(Leave.slow)
  }

  // ── control flow ──
  nextIp(): Node {
    return this.#wide(this.record.next)
  }
  /** Known when the record is made: an instruction whose target is out of bounds gets the slow handler. */
  checkBranch(): void {}
  checkTarget(insn: Insn, target: Node): Node {
    if (this.width === 64) {
      // Sign-extension from 48 bits must change nothing.
      const shifted = this.sar(this.shl(target, this.i64(16n)), this.i64(16n))
      this.#leaveUnless(this.eq(shifted, target))
      return target
    }
    const offset = this.let(insn.opSize === 16 ? this.zeroExtend(target, 16) : target)
    if (!this.#template.flatCode) {
      const limit = this.peek('i32', this.state(), Layout.segments + Seg.cs * SegmentSlot.size + SegmentSlot.limit, 32)
      this.#leaveUnless(this.leU(offset, limit))
    }
    return offset
  }
  branch(_insn: Insn, condition?: Node): void {
    this.#ended = true
    if (condition) {
      this.emit(condition)
      this.fn.if_()
      this.#enter(this.#field(this.record.target))
      this.fn.end()
      this.#fallThrough()
    } else this.#enter(this.#field(this.record.target))
  }
  #fallThrough(): void {
    this.#enter(this.let(this.add(this.#rec(), this.i32(this.record.size + this.#ahead))))
  }
  /** By a table from low bits of the target to the record last found there. */
  jump(_insn: Insn | undefined, target: Node): void {
    this.#ended = true
    const wide = this.width === 64
    const low = wide ? this.wrap(target) : target
    const slot = this.add(this.state(), this.shl(this.and(low, this.i32(JUMP_ENTRIES - 1)), this.i32(2)))
    const found = this.peek('i32', slot, Tables.jump, 32)
    const sameIp = this.eq(this.peek(wide ? 'i64' : 'i32', found, this.record.ip, this.width), target)
    const sameMode = this.eq(
      this.peek('i32', found, this.record.mode, 32),
      this.peek('i32', this.state(), Layout.mode, 32),
    )
    this.emit(this.and(this.and(sameIp, sameMode), this.#mapped(this.#linearCode(target), found)))
    this.fn.hint(true).if_()
    this.#enter(found)
    this.fn.end()
    this.poke(this.state(), Layout.ip, wide ? target : this.extendU(target), 64)
    this.poke(this.state(), Layout.leave, this.i32(Leave.miss), 32)
    this.poke(this.state(), Layout.record, this.i32(0), 32)
    this.#end.exit()
  }

  // ── strings ──
  stringStep(bytes: number): Node {
    const down = this.and(this.peek('i32', this.state(), Layout.flags, 32), this.i32(Flag.DF))
    const step = this.select(down, this.i32(-bytes), this.i32(bytes))
    return this.width === 64 ? this.extendS(step) : step
  }
  /**
   * A repeated instruction ends its run; the run paid for one iteration, each further one is paid here. One that has
   * overwritten its own bytes leaves, to be fetched anew.
   */
  repeat(insn: Insn, step: () => void): void {
    if (insn.rep === 0) {
      step()
      return
    }
    this.#ended = true
    const fn = this.fn
    const state = this.state()
    const bits = insn.addrSize
    const isZero = (count: Node): Node => this.eqz(bits === 16 ? this.and(count, this.i32(0xffff)) : count)
    const end = fn.block()
    this.emit(isZero(this.gpr(1, bits)))
    fn.brIf(end)
    const again = fn.loop()
    const done = this.#many(insn)
    if (done === undefined) step()
    else {
      fn.localGet(done).op(Op.i32Eqz).if_()
      step()
      fn.end()
    }
    const one = bits === 64 ? this.i64(1n) : this.i32(1)
    const count = this.let(this.sub(this.gpr(1, bits), one))
    this.setGpr(1, bits, count)
    this.emit(isZero(count))
    fn.brIf(end)
    if (insn.op === 'cmps' || insn.op === 'scas') {
      this.emit(this.condition(insn.rep === 0xf3 ? 5 : 4))
      fn.brIf(end)
    }
    const left = this.let(this.sub(this.budget(), this.i32(1)))
    const over = this.ltS(left, this.i32(0))
    const stores = insn.op === 'movs' || insn.op === 'stos'
    this.emit(stores ? this.or(over, this.eqz(this.#field(this.record.handler))) : over)
    fn.hint(false).if_()
    this.poke(state, Layout.record, this.#rec(), 32)
    this.poke(state, Layout.leave, this.i32(Leave.repeat), 32)
    this.#end.exit()
    fn.end()
    this.#setBudget(left)
    fn.br(again)
    fn.end()
    fn.end()
    this.#fallThrough()
  }

  /**
   * All that MOVS and STOS can do upwards within pages that the TLB holds, at once; the last iteration's count is left to
   * the caller. A local that says whether it was done, undefined where it never can be. (A page of 4 KB is cleared in 0.1 µs,
   * element by element in 4.)
   */
  #many(insn: Insn): number | undefined {
    const moves = insn.op === 'movs'
    const segments = (1 << Seg.es) | (moves ? 1 << insn.seg : 0)
    const { flatRead, flatWrite } = this.#template
    const flat = ((flatWrite & (1 << Seg.es)) | (flatRead & (moves ? 1 << insn.seg : 0))) === segments
    if ((!moves && insn.op !== 'stos') || this.width !== 32 || insn.addrSize !== 32 || !flat) return undefined
    const { fn } = this
    const size = insn.operands[0]!.size
    const log = this.i32(31 - Math.clz32(size >> 3))
    const done = this.temporary('i32')
    fn.i32Const(0).localSet(done)
    const alone = fn.block()
    const unless = (condition: Node): void => {
      this.emit(condition)
      fn.brIf(alone)
    }
    const few = this.i32(8)
    const count = this.let(this.gpr(CX, 32))
    unless(this.ltU(count, few))
    unless(this.and(this.peek('i32', this.state(), Layout.flags, 32), this.i32(Flag.DF)))
    const least = (a: Node, b: Node): Node => this.let(this.select(this.ltU(a, b), a, b))
    const room = (offset: Node): Node =>
      this.let(this.shr(this.sub(this.i32(0x1000), this.and(offset, this.i32(0xfff))), log))
    const to = this.let(this.gpr(DI, 32))
    const from = moves ? this.let(this.gpr(SI, 32)) : to
    const paid = this.let(this.add(this.budget(), this.i32(1)))
    const n = least(least(count, paid), least(room(to), room(from)))
    unless(this.ltU(n, few))
    const bytes = this.let(this.shl(n, log))
    const held = (linear: Node, table: number): Node => {
      const entry = this.#entry(linear)
      unless(this.ne(this.peek('i32', entry, table, 32), this.#tag(linear)))
      return this.let(this.add(linear, this.peek('i32', entry, table + TLB_ADDEND, 32)))
    }
    const target = held(to, Tables.write)
    if (moves) {
      const source = held(from, Tables.read)
      // What is written would be read again.
      unless(this.ltU(this.sub(target, source), bytes))
      for (const operand of [target, source, bytes]) this.emit(operand)
      fn.memoryCopy()
      this.setGpr(SI, 32, this.add(from, bytes))
    } else {
      const low = this.let(this.and(this.gpr(AX, 32), this.i32(0xff)))
      if (size > 8) {
        const repeated = this.mul(low, this.i32(size === 16 ? 0x101 : 0x101_0101))
        const value = this.gpr(AX, 32)
        unless(this.ne(size === 16 ? this.zeroExtend(value, 16) : value, repeated))
      }
      for (const operand of [target, low, bytes]) this.emit(operand)
      fn.memoryFill()
    }
    this.setGpr(DI, 32, this.add(to, bytes))
    const others = this.let(this.sub(n, this.i32(1)))
    this.setGpr(CX, 32, this.sub(count, others))
    this.#setBudget(this.sub(this.budget(), others))
    fn.i32Const(1).localSet(done)
    fn.end()
    return done
  }
}
