/**
 * What every engine that generates code has in common, beyond access to data: the stack, flags, string instructions.
 * An engine says where registers and constants are, and what leaving and going on are.
 */

import { Op } from '@vmexit/wasm-asm'
import { type Insn, Seg } from '@vmexit/x86-decoder'
import { Tables, TLB_ADDEND } from '../interpreter/layout.ts'
import type { Node } from '../ops/node.ts'
import * as flags from '../semantics/lazy-flags.ts'
import type { Processor, Ready } from '../semantics/processor.ts'
import { Flag, Layout, SegmentSlot } from '../state/layout.ts'
import { DataAccess } from './data.ts'

const [AX, CX, SP, SI, DI] = [0, 1, 4, 6, 7]

/** How the flags were made that a condition asks for: it then needs no flags. */
export interface Made {
  /** `image`: the result is an image of EFLAGS. */
  readonly by: 'sub' | 'add' | 'logic' | 'other' | 'image'
  readonly a: Node
  readonly b: Node
  readonly result: Node
}

/** Semantics as WebAssembly code. */
export abstract class CodeProcessor extends DataAccess implements Processor<Node>, flags.FlagOps<Node> {
  stackBits: 16 | 32 | 64 = 32
  protected made: Made | undefined

  // ── what an engine has ──
  abstract gpr(reg: number, bits: number): Node
  abstract setGpr(reg: number, bits: number, value: Node): void
  abstract read(insn: Insn, n: number): Node
  abstract readU(insn: Insn, n: number): Node
  abstract write(insn: Insn, n: number, value: Node): void
  abstract modify(insn: Insn, n: number, compute: (value: Node) => Node): void
  abstract address(insn: Insn): Node
  abstract nextIp(insn: Insn): Node
  abstract branch(insn: Insn, condition?: Node): void
  abstract jump(insn: Insn | undefined, target: Node): void
  /** Instructions that may still retire, those paid for taken off. */
  abstract budget(): Node
  protected abstract setBudget(value: Node): void
  /** Leave between two iterations of a REP instruction, of which at least one is done and paid for. Ends a path. */
  protected abstract pause(): void
  /** i32, not 0: the instruction that stores has overwritten itself. Undefined where it would have left. */
  protected abstract overwritten(): Node | undefined
  /** Go on with the next instruction. Ends a path. */
  protected abstract fallThrough(): void

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
    const made = this.made
    if (!made) return undefined
    const { by, a, b, result } = made
    if (by === 'image') return this.#ofImage(cc, result)
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
  /** The simple conditions of an image of EFLAGS. */
  #ofImage(cc: number, image: Node): Node | undefined {
    const mask = { 0: Flag.OF, 1: Flag.CF, 2: Flag.ZF, 3: Flag.CF | Flag.ZF, 4: Flag.SF, 5: Flag.PF }[cc >> 1]
    if (mask === undefined) return undefined
    const bits = this.and(image, this.i32(mask))
    return cc & 1 ? this.eqz(bits) : this.ne(bits, this.i32(0))
  }
  carry(): Node {
    return this.let(flags.carry(this))
  }
  flagsAdd(a: Node, b: Node, result: Node): void {
    this.made = { by: 'add', a, b, result }
    flags.flagsAdd(this, a, b, result)
  }
  flagsAdc(a: Node, b: Node, result: Node, carryOut: Node): void {
    flags.flagsAdc(this, a, b, result, carryOut)
  }
  flagsSub(a: Node, b: Node, result: Node): void {
    this.made = { by: 'sub', a, b, result }
    flags.flagsSub(this, a, b, result)
  }
  flagsSbb(a: Node, b: Node, result: Node, carryOut: Node): void {
    flags.flagsSbb(this, a, b, result, carryOut)
  }
  flagsLogic(result: Node): void {
    this.made = { by: 'logic', a: result, b: result, result }
    flags.flagsLogic(this, result)
  }
  flagsInc(a: Node, result: Node): void {
    this.made = { by: 'other', a, b: a, result }
    flags.flagsInc(this, a, result)
  }
  flagsDec(a: Node, result: Node): void {
    this.made = { by: 'other', a, b: a, result }
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
    this.leave()
  }
  bail(): void {
    this.leave()
  }
  bailIf(_ready: Ready, condition: () => Node): void {
    this.if(condition(), () => this.bail())
  }
  rare(value: Node): Node {
    return value
  }

  // ── control flow ──
  /** Known when code is made: an instruction whose target is out of bounds goes the slow way. */
  checkBranch(): void {}
  checkTarget(insn: Insn, target: Node): Node {
    if (this.width === 64) {
      // Sign-extension from 48 bits must change nothing.
      const shifted = this.sar(this.shl(target, this.i64(16n)), this.i64(16n))
      this.leaveUnless(this.eq(shifted, target))
      return target
    }
    const offset = this.let(insn.opSize === 16 ? this.zeroExtend(target, 16) : target)
    if (!this.through.flatCode) {
      const limit = this.peek('i32', this.state(), Layout.segments + Seg.cs * SegmentSlot.size + SegmentSlot.limit, 32)
      this.leaveUnless(this.leU(offset, limit))
    }
    return offset
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
    const fn = this.fn
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
    const overwritten = stores ? this.overwritten() : undefined
    this.emit(overwritten ? this.or(over, overwritten) : over)
    fn.hint(false).if_()
    this.pause()
    fn.end()
    this.setBudget(left)
    fn.br(again)
    fn.end()
    fn.end()
    this.fallThrough()
  }

  /**
   * All that MOVS and STOS can do upwards within pages that the TLB holds, at once; the last iteration's count is left to
   * the caller. A local that says whether it was done, undefined where it never can be. (A page of 4 KB is cleared in 0.1 µs,
   * element by element in 4.)
   */
  #many(insn: Insn): number | undefined {
    const moves = insn.op === 'movs'
    const segments = (1 << Seg.es) | (moves ? 1 << insn.seg : 0)
    const { flatRead, flatWrite } = this.through
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
      const entry = this.entry(linear)
      unless(this.ne(this.peek('i32', entry, table, 32), this.tag(linear)))
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
    this.setBudget(this.sub(this.budget(), others))
    fn.i32Const(1).localSet(done)
    fn.end()
    return done
  }
}
