/**
 * The interpreter's processor: semantics as the code of handlers. Local 0 is the CPU's base, local 1 the address of the
 * instruction's record, from which registers, displacement and immediate come.
 */
import { type FunctionBuilder, Load, Op } from '@vmexit/wasm-asm'
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import type { Through } from '../generated/data.ts'
import { CodeProcessor } from '../generated/processor.ts'
import type { RoutineLinker } from '../ops/emit.ts'
import { localNode, type Node } from '../ops/node.ts'
import type { Processor } from '../semantics/processor.ts'
import { Layout, Leave, SegmentSlot } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { emitFrequent } from './frequent.ts'
import type { FrequentCode } from './frequent-code.ts'
import { BASE, type Kept, RECORD } from './kept.ts'
import type { Template } from './key.ts'
import {
  CODE_TLB_ENTRIES,
  Handler,
  HELD,
  JUMP_ENTRIES,
  Record32,
  Record64,
  type RecordLayout,
  Tables,
  TLB_ADDEND,
  TLB_ENTRY_SHIFT,
  TlbKey,
} from './layout.ts'
import { USER_MODE } from './mode.ts'
import { NO_PAGE } from './stack-page.ts'
import { DEEPEST_STACK, Exit, Outcome } from './translation.ts'

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
  /** In 32-bit code: (linear address) → physical page number of the code there, entered in the code TLB; −1 to leave. */
  readonly code: number
}

/** Table and function type of the translations, and what settles the flags. */
export interface EnterCalls {
  readonly table: number
  readonly type: number
  readonly settle: number
}

/** What the handlers that are no instruction call. */
export interface SpecialCalls {
  /** Function that executes instructions by their actions. */
  readonly act: number
  /** Undefined where there are no translations. */
  readonly enter: EnterCalls | undefined
}

/** Why handlers that only leave do so. */
const REASONS: Readonly<Record<number, number>> = {
  [Handler.miss]: Leave.miss,
  [Handler.slow]: Leave.slow,
  [Handler.stop]: Leave.budget,
}
/** For what is no instruction of the table. */
const FLAT: Through = { flatRead: 0x3f, flatWrite: 0x3f, flatCode: true }

export class HandlerProcessor extends CodeProcessor implements FrequentCode {
  readonly width: 32 | 64
  readonly record: RecordLayout
  /** There are translations, for which it may run until control comes back to them. */
  readonly comesBack: boolean
  #end!: Continuation
  #slow!: SlowPaths
  #calls!: SpecialCalls
  /** The body has said where to go on. */
  #ended = false
  /** Fields are of this many bytes behind local 1: the second of two instructions in one handler. */
  #ahead = 0

  constructor(width: 32 | 64, link: RoutineLinker, comesBack = false) {
    super(link)
    this.width = width
    this.comesBack = comesBack
    this.record = width === 64 ? Record64 : Record32
  }

  /** Emit the handler of `template`. */
  handler(
    template: Template,
    semantics: (c: Processor<Node>, insn: Insn) => void,
    slow: SlowPaths,
    end: Continuation,
  ): void {
    this.through = template
    this.#slow = slow
    this.#end = end
    this.#ended = false
    this.#ahead = 0
    this.made = undefined
    this.stackBits = template.stackBits
    semantics(this, template.insn)
    const second = template.branch
    if (second !== undefined) {
      this.#ahead = this.record.size
      this.branch(template.insn, this.condition(second))
    } else if (!this.#ended) this.#next()
  }

  /** Emit one of the handlers that are no instruction, or any. */
  special(handler: number, slow: SlowPaths, calls: SpecialCalls, end: Continuation): void {
    this.#end = end
    this.#slow = slow
    this.#calls = calls
    this.#ended = false
    this.#ahead = 0
    if (handler >= Handler.act) this.#frequent(handler)
    else if (handler === Handler.link) this.#enter(this.#field(this.record.target))
    else if (handler === Handler.cross) this.#cross()
    else if (handler === Handler.straddle) this.#straddle()
    else if (handler === Handler.count) this.#count()
    else if (handler === Handler.enter) this.#translation()
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
    this.setBudget(this.add(this.budget(), this.#field(this.record.length)))
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
  protected setBudget(value: Node): void {
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
    this.setBudget(this.sub(budget, length))
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
    return this.and(this.eq(this.peek(wide ? 'i64' : 'i32', entry, Tables.code, this.width), this.tag(linear)), same)
  }
  protected key(): Node {
    const { kept } = this.#end
    return kept ? localNode('i32', kept.key) : this.peek('i32', this.state(), Layout.tlbKey, 32)
  }
  protected leave(): void {
    this.#leave(Leave.slow)
  }
  #linearCode(ip: Node): Node {
    if (this.width === 64) return ip
    return this.let(this.add(ip, this.peek('i32', this.state(), Layout.segments + Seg.cs * SegmentSlot.size, 32)))
  }
  #cross(): void {
    const target = this.#field(this.record.target)
    const linear = this.#linearCode(this.#wide(this.record.ip))
    this.emit(this.#mapped(linear, target))
    this.fn.hint(true).if_()
    this.#enter(target)
    this.fn.end()
    this.#map(linear, () => this.let(this.#field(this.record.target)))
    this.#leave(Leave.miss)
  }

  /** Count down, and leave as hot at 0. */
  #count(): void {
    const left = this.let(this.sub(this.#field(this.record.disp), this.i32(1)))
    this.poke(this.#rec(), this.record.disp, left, 32)
    this.emit(this.eqz(left))
    this.fn.hint(false).if_()
    this.#leave(Leave.hot)
    this.fn.end()
    this.#enter(this.#field(this.record.target))
  }
  /** Run a translation; go on where it says. */
  #translation(): void {
    const { fn } = this
    const { enter } = this.#calls
    if (!enter) {
      fn.unreachable()
      return
    }
    const kept = this.#end.kept!
    kept.give()
    this.emit(this.state())
    this.emit(this.peek('i32', this.state(), Layout.nesting, 32))
    this.emit(this.#field(this.record.imm))
    fn.callIndirect(enter.type, enter.table)
    const ended = this.temporary('i64')
    fn.localSet(ended)
    kept.take()
    this.#goOn(enter, ended, this.temporary('i32'))
  }
  /** Go on where a translation has ended: what it returned is in `ended`. `at`: a local for a record. */
  #goOn(enter: EnterCalls, ended: number, at: number): void {
    const { fn } = this
    this.emit(this.peek('i32', this.state(), Layout.heldFlags, 32))
    fn.if_()
    this.emit(this.state())
    fn.i32Const(0).i32Const(0).i32Const(0).i32Const(0).call(enter.settle)
    fn.end()
    const low = this.let(this.wrap(localNode('i64', ended)))
    const outcome = this.temporary('i32')
    this.emit(this.wrap(this.shr(localNode('i64', ended), this.i64(32n))))
    fn.localSet(outcome)
    const result = localNode('i32', outcome)
    this.emit(this.eq(result, this.i32(Outcome.exit)))
    fn.if_()
    const described = (offset: number): Node => this.peek('i32', low, offset, 32)
    this.setBudget(this.add(this.budget(), described(Exit.unpaid)))
    this.poke(this.state(), Layout.record, described(Exit.record), 32)
    this.poke(this.state(), Layout.leave, described(Exit.leave), 32)
    this.emit(described(Exit.outcome))
    fn.localSet(outcome)
    fn.end()
    this.emit(this.eq(result, this.i32(Outcome.jump)))
    fn.if_()
    this.jump(undefined, low)
    fn.end()
    this.emit(result)
    fn.if_()
    this.emit(this.peek('i32', this.state(), Layout.record, 32))
    fn.localSet(at)
    this.#enter(localNode('i32', at))
    fn.end()
    this.#end.exit()
  }
  /**
   * The body of what {@link RESUME} says, in a function of that type. `run`: the dispatcher. `enter`: none of its table.
   */
  resume(fn: FunctionBuilder, run: number, enter: EnterCalls, slow: SlowPaths): void {
    const [BASE_, NESTING_, STACK, ENDED, WANTED, MODE] = [0, 1, 2, 3, 4, 5]
    this.begin(fn)
    const at = fn.local('i32')
    const comeback = fn.local('i64')
    const state = this.state()
    const nesting = localNode('i32', NESTING_)
    const wanted = localNode('i64', WANTED)
    const depth = this.sub(localNode('i32', STACK), this.peek('i32', state, Layout.gpr + Gpr.sp * 8, 32))
    const ended = localNode('i64', ENDED)
    const isOver = this.eqz(this.wrap(this.shr(ended, this.i64(32n))))
    const isElsewhere = this.ltU(this.i32(DEEPEST_STACK), this.sub(depth, this.i32(1)))
    this.emit(this.or(this.or(isOver, isElsewhere), this.eqz(nesting)))
    fn.if_()
    fn.localGet(ENDED).return_()
    fn.end()
    const ready = fn.block()
    this.#slow = slow
    this.#end = {
      go: () => {
        fn.localSet(at)
        this.poke(state, Layout.record, localNode('i32', at), 32)
        fn.br(ready)
      },
      exit: () => void fn.i64Const(0n).return_(),
    }
    this.#goOn(enter, ENDED, at)
    fn.end()
    this.emit(this.peek('i64', state, Layout.comeback, 64))
    fn.localSet(comeback)
    this.poke(state, Layout.comeback, this.extendU(this.wrap(wanted)), 64)
    this.poke(state, Layout.nesting, this.sub(nesting, this.i32(1)), 32)
    fn.localGet(BASE_).call(run)
    this.poke(state, Layout.comeback, localNode('i64', comeback), 64)
    this.poke(state, Layout.nesting, nesting, 32)
    this.emit(this.eq(this.peek('i32', state, Layout.leave, 32), this.i32(Leave.back)))
    fn.if_()
    this.emit(this.eq(this.peek('i32', state, Layout.mode, 32), localNode('i32', MODE)))
    fn.if_()
    fn.localGet(WANTED).return_()
    fn.end()
    this.poke(state, Layout.ip, this.extendU(this.wrap(wanted)), 64)
    this.poke(state, Layout.record, this.i32(0), 32)
    this.poke(state, Layout.leave, this.i32(Leave.miss), 32)
    fn.end()
    fn.i64Const(0n)
  }
  /**
   * The code TLB has no entry for `linear`: get one, and go on at a record of the page that it leads to. (To leave and come
   * back for it took 0.5 µs; a kernel that switches between two programs does so eight times for each switch.) Not where
   * the budget is used up: the instruction that would be fetched may be another then.
   */
  #map(linear: Node, record: () => Node): void {
    if (this.width === 64) return
    const { fn } = this
    const page = this.temporary('i32')
    this.emit(this.ltS(this.i32(0), this.budget()))
    fn.if_()
    this.#end.kept?.give()
    this.emit(linear)
    fn.call(this.#slow.code).localSet(page)
    this.#end.kept?.take()
    const found = record()
    this.emit(this.eq(localNode('i32', page), this.peek('i32', found, this.record.page, 32)))
    fn.if_()
    this.#enter(found)
    fn.end()
    fn.end()
  }

  #frequent(handler: number): void {
    this.through = FLAT
    this.stackBits = 32
    if (this.width === 64 || !emitFrequent(this, handler)) this.#act()
    else if (!this.#ended) this.#next()
  }
  setUser(user: boolean): void {
    const key = this.i32(user ? TlbKey.user : TlbKey.system)
    this.poke(this.state(), Layout.tlbKey, key, 32)
    const mode = this.and(this.peek('i32', this.state(), Layout.mode, 32), this.i32(~USER_MODE))
    this.poke(this.state(), Layout.mode, user ? this.or(mode, this.i32(USER_MODE)) : mode, 32)
    this.poke(this.state(), Layout.stackPage, this.i64(NO_PAGE), 64)
    const { kept } = this.#end
    if (!kept) return
    this.emit(key)
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
  held(linear: Node, bytes: number, write = false): Node {
    const { fn } = this
    const entry = this.entry(linear)
    const table = write ? Tables.write : Tables.read
    const at = this.temporary('i32')
    this.emit(this.add(linear, this.peek('i32', entry, table + TLB_ADDEND, 32)))
    fn.localSet(at)
    const last = this.and(this.add(linear, this.i32(bytes - 1)), this.i32(~0xfff))
    const tag = this.or(last, this.i32(TlbKey.system))
    this.emit(this.ne(tag, this.peek('i32', entry, table, 32)))
    fn.hint(false).if_()
    this.#end.kept?.give()
    this.emit(this.state())
    this.emit(linear)
    fn.i32Const(bytes + HELD)
      .call(write ? this.#slow.write : this.#slow.read)
      .op(Op.i32Eqz)
    this.#end.kept?.take()
    fn.localGet(BASE).load(Load.i32Load, Layout.reached).localSet(at)
    fn.if_()
    this.#act()
    fn.end()
    fn.end()
    return localNode('i32', at)
  }
  immediate(): Node {
    return this.#field(this.record.disp)
  }
  operandOffset(): Node {
    return this.add(this.peek('i32', this.#field(this.record.base), 0, 32), this.#field(this.record.disp))
  }
  /** (Leaving for the slow way and coming back cost 180 to 320 ns; a call costs 10.) */
  #act(): void {
    const { fn } = this
    this.#end.kept?.give()
    fn.call(this.#calls.act)
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
    const at = this.translate(this.linear(insn.seg, this.address(insn), true), bytes, true)
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
  // ── memory ──
  protected missed(linear: Node, bytes: number, write: boolean, low: number, addend: number): void {
    const { fn } = this
    this.#end.kept?.give()
    this.emit(this.state())
    this.emit(linear)
    fn.i32Const(bytes)
      .call(write ? this.#slow.write : this.#slow.read)
      .op(Op.i32Eqz)
    this.#end.kept?.take()
    fn.localGet(BASE).load(Load.i32Load, Layout.reached).localSet(addend)
    fn.i32Const(0).localSet(low)
    fn.if_()
    this.leave()
    fn.end()
  }

  // ── control flow ──
  nextIp(): Node {
    return this.#wide(this.record.next)
  }
  branch(_insn: Insn, condition?: Node): void {
    this.#ended = true
    if (condition) {
      this.emit(condition)
      this.fn.if_()
      this.#enter(this.#field(this.record.target))
      this.fn.end()
      this.fallThrough()
    } else this.#enter(this.#field(this.record.target))
  }
  /** The record last found where `target` would be. */
  #jumpEntry(target: Node): Node {
    const low = this.width === 64 ? this.let(this.wrap(target)) : target
    const hash = this.and(this.xor(low, this.shr(low, this.i32(16))), this.i32(JUMP_ENTRIES - 1))
    const slot = this.add(this.state(), this.shl(hash, this.i32(2)))
    return this.peek('i32', slot, Tables.jump, 32)
  }
  /** Is `record` one of the instruction at `target`, in the mode there is? */
  #leadsTo(record: Node, target: Node): Node {
    const { ip, mode } = this.record
    const sameIp = this.eq(this.peek(this.width === 64 ? 'i64' : 'i32', record, ip, this.width), target)
    return this.and(
      sameIp,
      this.eq(this.peek('i32', record, mode, 32), this.peek('i32', this.state(), Layout.mode, 32)),
    )
  }
  jump(insn: Insn | undefined, target: Node): void {
    this.#ended = true
    const wide = this.width === 64
    const { fn } = this
    if (this.comesBack && (insn === undefined || insn.op === 'ret')) {
      const comeback = this.peek('i64', this.state(), Layout.comeback, 64)
      this.emit(this.eq(this.extendU(target), comeback))
      fn.hint(false).if_()
      this.poke(this.state(), Layout.leave, this.i32(Leave.back), 32)
      this.#end.exit()
      fn.end()
    }
    const found = this.let(this.#jumpEntry(target))
    const linear = this.#linearCode(target)
    this.emit(this.#leadsTo(found, target))
    fn.hint(true).if_()
    this.emit(this.#mapped(linear, found))
    fn.hint(true).if_()
    this.#enter(found)
    fn.end()
    this.#map(linear, () => found)
    fn.end()
    this.poke(this.state(), Layout.ip, wide ? target : this.extendU(target), 64)
    this.poke(this.state(), Layout.leave, this.i32(Leave.miss), 32)
    this.poke(this.state(), Layout.record, this.i32(0), 32)
    this.#end.exit()
  }

  // ── strings ──
  /** A repeated instruction ends its run; the run paid for one iteration. */
  override repeat(insn: Insn, step: () => void): void {
    if (insn.rep !== 0) this.#ended = true
    super.repeat(insn, step)
  }
  protected pause(): void {
    this.poke(this.state(), Layout.record, this.#rec(), 32)
    this.poke(this.state(), Layout.leave, this.i32(Leave.repeat), 32)
    this.#end.exit()
  }
  protected overwritten(): Node {
    return this.eqz(this.#field(this.record.handler))
  }
  protected fallThrough(): void {
    this.#enter(this.let(this.add(this.#rec(), this.i32(this.record.size + this.#ahead))))
  }
}
