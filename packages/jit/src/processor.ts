/**
 * Semantics as the code of a translation. General registers are written to the state at once, and kept in locals for as long
 * as nobody else can have written them. So leaving costs nothing where it does not happen, and calls need not put anything away.
 * (Registers in locals alone, stored by every exit, made code a fifth larger and loops slower: a sieve 1115 million
 * instructions a second in place of 1484.) Below it stand what is held of the other parts of the state (`held.ts`), accesses to
 * memory (`accesses.ts`) and flags (`flags.ts`).
 */
import { Store } from '@vmexit/wasm-asm'
import { Layout, SegmentSlot } from '@vmexit/x86'
import {
  emitFrequent,
  type FrequentCode,
  Handler,
  localNode,
  type Mode,
  type Node,
  NodeKind,
  type Routine,
  semantics,
  shortOr,
  type Through,
} from '@vmexit/x86/engine'
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { SP } from './accesses.ts'
import { FlagsProcessor } from './flags.ts'
import { nextOf } from './insn.ts'

/** What the processor asks of the translation that it emits for. */
export interface Surroundings {
  /** Leave before the current instruction, to have it executed the slow way. Ends a path. */
  leave(): void
  /** Leave before the current instruction, to have it interpreted. Ends a path. */
  miss(): void
  /** The same where what misses is the window that the instruction opens. */
  missWindow(): void
  /** Leave between two iterations of the current instruction. Ends a path. */
  pause(): void
  /** Have the action of the current instruction do it. Ends a path. */
  act(): void
}

/** How the last instruction of a block goes on. */
export interface Ended {
  /** i32, of a branch: it is taken. */
  readonly condition?: Node | undefined
  /** i32, of an indirect one. */
  readonly target?: Node | undefined
}

export class TranslationProcessor extends FlagsProcessor implements FrequentCode {
  surroundings!: Surroundings
  ended: Ended | undefined
  /** General registers, as bits, that the state must have when the current instruction has written them. */
  storesWanted: number = ALL_REGISTERS
  #ip = 0
  #handler = 0
  /** What is emitted computes, and has no other effect. */
  #isPure = false

  #begin(insn: Insn, ip: number, mode: Mode): void {
    this.beginHeld()
    this.beginFlags(insn)
    this.#ip = ip
    this.through = throughOf(mode)
    this.stackBits = mode.stackBits
    this.ended = undefined
  }
  /** Emit an instruction; {@link ended} says how it goes on if it is a branch. */
  instruction(insn: Insn, ip: number, mode: Mode): void {
    this.#begin(insn, ip, mode)
    semantics[insn.op]!(this, insn)
  }
  /** What an instruction that has an action does in its plain case; false where it has none. */
  frequent(handler: number, insn: Insn, ip: number, mode: Mode): boolean {
    this.#begin(insn, ip, mode)
    this.#handler = handler
    return INLINE.has(handler) && emitFrequent(this, handler)
  }
  /** Several PUSHes in one access, the last one perhaps a CALL's: `items` are instructions and where they stand. */
  pushes(items: readonly { readonly insn: Insn; readonly ip: number }[], mode: Mode): void {
    const { insn, ip } = items.at(-1)!
    this.#begin(insn, ip, mode)
    const bytes = 4 * items.length
    const top = this.let(this.sub(this.gpr(SP, 32), this.i32(bytes)))
    const at = this.translate(this.linear(Seg.ss, top, true), bytes, true)
    for (const [n, item] of items.entries()) {
      const value = item.insn.op === 'call' ? this.nextIp(item.insn) : this.read(item.insn, 0)
      this.poke(at, bytes - 4 * (n + 1), value, 32)
    }
    this.setGpr(SP, 32, top)
  }
  /** Several POPs in one access, the last one perhaps a RET. */
  pops(items: readonly { readonly insn: Insn; readonly ip: number }[], mode: Mode): void {
    const { insn, ip } = items.at(-1)!
    this.#begin(insn, ip, mode)
    const bytes = 4 * items.length
    const top = this.gpr(SP, 32)
    const at = this.translate(this.linear(Seg.ss, top, false), bytes, false)
    let released = bytes
    for (const [n, item] of items.entries()) {
      const value = this.peek('i32', at, 4 * n, 32)
      if (item.insn.op === 'ret') {
        if (item.insn.operands.length > 0) released += item.insn.imm & 0xffff
        this.ended = { target: value }
      } else this.write(item.insn, 0, value)
    }
    this.setGpr(SP, 32, this.add(top, this.i32(released)))
  }

  // ── conditions that not all values meet ──
  /** Short ways stand where the call would. */
  override call(routine: Routine, ...args: Node[]): readonly Node[] {
    if (!routine.shortcut) return super.call(routine, ...args)
    const params = args.map((value) => this.let(value))
    const was = this.#isPure
    this.#isPure = true
    const results = shortOr<Node>(this, routine.results, routine.shortcut<Node>(this, ...params), () =>
      super.call(routine, ...params),
    )
    this.#isPure = was
    return results
  }
  override if(condition: Node, then: () => void, otherwise?: () => void, likely?: boolean): void {
    if (condition.kind === NodeKind.i32 || this.#isPure) {
      super.if(condition, then, otherwise, likely)
      return
    }
    this.#guarded(() => {
      const { inLocals } = this
      super.if(
        condition,
        then,
        otherwise &&
          (() => {
            this.inLocals = inLocals
            otherwise()
          }),
        likely,
      )
    })
  }
  override while(condition: () => Node, body: () => void): void {
    this.#guarded(() => super.while(condition, body))
  }
  /** What is emitted may be run or not, once or more: what is known afterwards is what was known before, if it stays true. */
  #guarded(emit: () => void): void {
    this.keepAll()
    this.storeFlags()
    const { flags, inLocals } = this
    const sets = this.flagSets
    this.conditional++
    emit()
    this.conditional--
    this.inLocals = inLocals
    this.flags = sets === this.flagSets ? flags : undefined
    this.made = this.flags?.made
  }

  override repeat(insn: Insn, step: () => void): void {
    if (insn.rep === 0) {
      step()
      return
    }
    // Whatever way is taken in it, these are known.
    for (const reg of STRING_REGISTERS) this.hold(reg)
    this.#guarded(() => {
      // At the head of the loop they are those of before, or of an iteration.
      if (insn.op === 'cmps' || insn.op === 'scas') {
        this.flags = undefined
        this.made = undefined
      }
      super.repeat(insn, step)
    })
  }

  // ── registers ──
  /** Host address of a register in the state. */
  #at(reg: number): number {
    return this.base + Layout.gpr + reg * 8
  }
  #readPart(reg: number, bits: number, high: boolean, signed: boolean): Node {
    const whole = this.whole(reg)
    if (bits === 32) return whole
    if (high)
      return signed
        ? this.signExtend(this.shr(whole, this.i32(8)), 8)
        : this.zeroExtend(this.shr(whole, this.i32(8)), 8)
    return signed ? this.signExtend(whole, bits) : this.zeroExtend(whole, bits)
  }
  #writePart(reg: number, bits: number, high: boolean, value: Node): void {
    const { fn } = this
    if (reg === SP) {
      this.effects.movesStack = true
      this.frame = this.conditional === 0 && bits === 32 ? this.aboveFrame(value) : undefined
    }
    this.effects.changes |= 1 << reg
    const local = this.locals.parts[reg]!
    if (bits < 32 && ((this.inLocals >> reg) & 1) === 0) {
      this.poke(this.i32(this.#at(reg)), high ? 1 : 0, value, bits)
      return
    }
    let whole = value
    if (bits < 32) {
      const mask = high ? 0xff00 : (1 << bits) - 1
      const part = high ? this.shl(this.zeroExtend(value, 8), this.i32(8)) : this.zeroExtend(value, bits)
      whole = this.or(this.and(localNode('i32', local), this.i32(~mask)), part)
    }
    this.emit(whole)
    // The new value is on the stack meanwhile.
    this.keep(reg)
    fn.localSet(local)
    const bit = 1 << reg
    if (this.conditional > 0 || (this.storesWanted & bit) !== 0)
      fn.i32Const(0).localGet(local).store(Store.i32Store, this.#at(reg))
    if (this.conditional === 0 && bits === 32) this.effects.sets |= bit
    this.inLocals |= bit
  }
  gpr(reg: number, bits: number): Node {
    return this.let(this.#readPart(reg, bits, false, true))
  }
  setGpr(reg: number, bits: number, value: Node): void {
    this.#writePart(reg, bits, false, value)
  }
  #operand(insn: Insn, n: number, signed: boolean): Node {
    const operand = insn.operands[n]!
    switch (operand.kind) {
      case Kind.gpr:
        return this.#readPart(operand.reg, operand.size, operand.high, signed)
      case Kind.mem:
        return this.load(insn.seg, this.address(insn), operand.size, signed)
      case Kind.imm:
        return this.i32(signed ? signExtended(insn.imm, operand.size) : zeroExtended(insn.imm, operand.size))
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
    else this.#writePart(operand.reg, operand.size, operand.high, value)
  }
  modify(insn: Insn, n: number, compute: (value: Node) => Node): void {
    const operand = insn.operands[n]!
    if (operand.kind !== Kind.mem) {
      const old = this.read(insn, n)
      this.write(insn, n, compute(old))
      return
    }
    const at = this.translate(this.linear(insn.seg, this.address(insn), true), operand.size >> 3, true)
    const old = this.peek(operand.size === 64 ? 'i64' : 'i32', at, 0, operand.size, true)
    this.poke(at, 0, compute(old), operand.size)
  }
  address(insn: Insn): Node {
    let sum: Node | undefined = insn.base >= 0 ? this.whole(insn.base) : undefined
    if (insn.index >= 0) {
      const index = this.shl(this.whole(insn.index), this.i32(insn.scale))
      sum = sum ? this.add(sum, index) : index
    }
    sum ??= this.i32(0)
    if (insn.addrSize === 16) return this.let(this.zeroExtend(this.add(sum, this.i32(insn.disp)), 16))
    return this.let(insn.base === SP ? this.add(sum, this.i32(insn.disp)) : this.operandAt(sum, insn.disp))
  }

  // ── memory ──
  protected leave(): void {
    this.effects.leaves = true
    this.surroundings.leave()
  }
  protected miss(): void {
    this.surroundings.miss()
  }
  protected missWindow(): void {
    this.surroundings.missWindow()
  }

  // ── control flow ──
  nextIp(insn: Insn = this.insn): Node {
    return this.i32(nextOf(this.#ip, insn) | 0)
  }
  branch(_insn: Insn, condition?: Node): void {
    this.ended = { condition }
  }
  jump(_insn: Insn | undefined, target: Node): void {
    this.ended = { target }
  }
  budget(): Node {
    return localNode('i32', this.locals.budget)
  }
  protected setBudget(value: Node): void {
    this.emit(value)
    this.fn.localSet(this.locals.budget)
  }
  protected pause(): void {
    this.surroundings.pause()
  }
  /** Stores to translated code leave before they are made. */
  protected overwritten(): undefined {}
  /** The block goes on behind it. */
  protected fallThrough(): void {}

  // ── what kernels execute all the time ──
  operandAddress(n: number): Node {
    const { kind, reg } = this.insn.operands[n]!
    const slot = kind === Kind.seg ? Layout.segments + reg * SegmentSlot.size : Layout.gpr + reg * 8
    return this.i32(this.base + slot)
  }
  /** The instruction is its block's last. For STI: what follows comes before anything else while there is a budget. */
  paid(): Node {
    if (this.#handler !== Handler.sti) return this.i32(1)
    return this.select(this.gtS(this.budget(), this.i32(0)), this.i32(2), this.i32(1))
  }
  immediate(): Node {
    return this.i32(this.insn.imm)
  }
  operandOffset(): Node {
    return this.address(this.insn)
  }
  /** What reads descriptor tables is not among {@link INLINE}. */
  held(): never {
    throw new TypeError(`translations leave ${this.insn.op} to the interpreter`)
  }
  /** No instruction that is inline leaves its level, or goes elsewhere. */
  setUser(): void {}
  goTo(): void {}
  otherwise(condition: Node): void {
    this.emit(condition)
    this.fn.hint(false).if_()
    this.surroundings.act()
    this.fn.end()
  }
}

/** Plain cases of system instructions that stand in translations: those whose code is small. */
export const INLINE: ReadonlySet<number> = new Set([
  Handler.cli,
  Handler.sti,
  Handler.pushf,
  Handler.popf,
  Handler.rdtsc,
  Handler.pushSegment,
  Handler.fromSegment,
])

/** All general registers, as bits. */
export const ALL_REGISTERS = 0xff
const STRING_REGISTERS = [0, 1, 6, 7]
const known = new WeakMap<Mode, Through>()

function throughOf(mode: Mode): Through {
  let through = known.get(mode)
  if (!through) {
    const { flatRead, flatWrite, codeLimit } = mode
    known.set(mode, (through = { flatRead, flatWrite, flatCode: codeLimit === 0xffff_ffff }))
  }
  return through
}

function signExtended(value: number, bits: number): number {
  return bits < 32 ? (value << (32 - bits)) >> (32 - bits) : value
}
function zeroExtended(value: number, bits: number): number {
  return bits < 32 ? value & ((1 << bits) - 1) : value
}
