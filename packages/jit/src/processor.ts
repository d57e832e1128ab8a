/**
 * Semantics as the code of a translation. General registers are written to the state at once, and kept in locals for as long
 * as nobody else can have written them; flags stay what they were made of, in locals, until somebody may ask for them. So
 * leaving costs nothing where it does not happen, and calls need not put anything away. (Registers in locals alone, stored by
 * every exit, made code a fifth larger and loops slower: a sieve 1115 million instructions a second in place of 1484.)
 * What is held of the other parts of the state, see `held.ts`.
 */
import { Load, Op, Store } from '@vmexit/wasm-asm'
import { Layout, SegmentSlot } from '@vmexit/x86'
import {
  emitFrequent,
  type FlagSlot,
  type FrequentCode,
  Handler,
  HeldFlags,
  localNode,
  type Made,
  type Mode,
  type Node,
  NodeKind,
  peekFlags,
  type Routine,
  semantics,
  shortOr,
  type Through,
} from '@vmexit/x86/engine'
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { AccessProcessor, SP } from './accesses.ts'
import { nextOf } from './insn.ts'

/** Function indices, in the module being built, of what translations call. */
export interface Calls {
  readonly act: number
  readonly resume: number
  readonly settle: number
}

/** What the processor asks of the translation that it emits for. */
export interface Surroundings {
  /** Leave before the current instruction, to have it executed the slow way. Ends a path. */
  leave(): void
  /** Leave before the current instruction, to have it interpreted. Ends a path. */
  miss(): void
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

/** Flags that the locals hold, of a kind of {@link HeldFlags}. */
export interface Flags {
  readonly kind: number
  /** The state has them, too. */
  readonly stored: boolean
  readonly made: Made | undefined
}

export class TranslationProcessor extends AccessProcessor implements FrequentCode {
  calls!: Calls
  surroundings!: Surroundings
  /** Flags whose locals have their values; undefined: the state alone has them. */
  flags: Flags | undefined
  ended: Ended | undefined
  /** Flags that the current instruction sets are asked for by somebody. */
  flagsWanted = true
  /** General registers, as bits, that the state must have when the current instruction has written them. */
  storesWanted: number = ALL_REGISTERS
  #insn!: Insn
  #ip = 0
  #handler = 0
  /** The carry that the instruction asked for. */
  #carryIn: Node | undefined
  /** What is emitted computes, and has no other effect. */
  #isPure = false
  /** Counts what sets flags. */
  #flagSets = 0

  #begin(insn: Insn, ip: number, mode: Mode): void {
    this.beginHeld()
    this.#insn = insn
    this.#ip = ip
    this.through = throughOf(mode)
    this.stackBits = mode.stackBits
    this.ended = undefined
    this.#carryIn = undefined
    this.made = this.flags?.made
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
    const sets = this.#flagSets
    this.conditional++
    emit()
    this.conditional--
    this.inLocals = inLocals
    this.flags = sets === this.#flagSets ? flags : undefined
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
    const displaced = sum ? this.add(sum, this.i32(insn.disp)) : this.i32(insn.disp)
    return this.let(insn.addrSize === 16 ? this.zeroExtend(displaced, 16) : displaced)
  }

  // ── memory ──
  protected leave(): void {
    this.effects.leaves = true
    this.surroundings.leave()
  }
  protected miss(): void {
    this.surroundings.miss()
  }

  // ── flags ──
  /** Have the state hold the flags. */
  storeFlags(): void {
    const { flags } = this
    if (!flags || flags.stored) return
    this.emitFlags()
    this.flags = { ...flags, stored: true }
  }
  /** The same on a path that ends: what follows elsewhere is as it was. */
  emitFlags(): void {
    const { flags, fn } = this
    if (!flags || flags.stored) return
    const at = this.base + Layout.heldFlags
    fn.i32Const(0).i32Const(flags.kind).store(Store.i32Store, at)
    for (let n = 0; n < valuesOf(flags.kind); n++)
      fn.i32Const(0)
        .localGet(this.locals.flags[n]!)
        .store(Store.i32Store, at + 4 * (n + 1))
    // C of INC and DEC.
    if (isStep(flags.kind))
      fn.i32Const(0)
        .localGet(this.locals.flags[2])
        .store(Store.i32Store, at + 12)
  }
  /** Have the slots of the state hold the flags. */
  #settle(): void {
    const { fn, flags } = this
    this.effects.readsFlags = true
    if (flags?.kind === HeldFlags.settled) return
    this.emit(this.state())
    if (!flags || flags.stored) fn.i32Const(0).i32Const(0).i32Const(0).i32Const(0)
    else {
      const [a, b, c] = this.locals.flags
      fn.i32Const(flags.kind).localGet(a).localGet(b).localGet(c)
    }
    fn.call(this.calls.settle)
    this.flags = { kind: HeldFlags.settled, stored: true, made: undefined }
    this.made = undefined
  }
  override slot(name: FlagSlot): Node {
    this.#settle()
    return super.slot(name)
  }
  override condition(cc: number): Node {
    this.effects.readsFlags = true
    const holds = this.flags ? this.#ofHeld(cc >> 1) : this.#ofState(cc >> 1)
    if (!holds) return super.condition(cc)
    return this.let(cc & 1 ? this.eqz(holds) : holds)
  }
  /** A condition (its code without bit 0) of flags that the locals have, where what made them does not say it in a simpler way. */
  #ofHeld(code: number): Node | undefined {
    const { flags, made } = this
    if (!flags || made?.by === 'sub' || made?.by === 'image') return undefined
    const kind = flags.kind & 15
    const a = localNode('i32', this.locals.flags[0])
    if (code === 1 && made?.by !== 'add') return this.#carryOf(flags.kind)
    if (code === 3 && made?.by !== 'logic') {
      const carry = this.#carryOf(flags.kind)
      const rest = carry && this.#allButCarry(flags.kind)
      return rest && this.or(carry, this.eqz(rest.result))
    }
    // That a ± 1 is below 0, or not above it, whether it fits or not.
    if (code === 6 && isStep(kind)) return kind === HeldFlags.inc ? this.ltS(a, this.i32(-1)) : this.leS(a, this.i32(0))
    if (code === 7 && isStep(kind)) return this.leS(a, this.i32(kind === HeldFlags.inc ? -1 : 1))
    return undefined
  }
  /** The same of flags that the state alone has. */
  #ofState(code: number): Node | undefined {
    if (code < 1 || code > 3) return undefined
    const [result, carry] = this.call(peekFlags, this.state()) as [Node, Node]
    if (code === 1) return carry
    return code === 2 ? this.eqz(result) : this.or(carry, this.eqz(result))
  }
  /** CF as 0 or 1, of flags that the locals have. */
  #carryOf(kind: number): Node | undefined {
    const [a, b, c] = this.locals.flags.map((local) => localNode('i32', local)) as [Node, Node, Node]
    const canonical = (value: Node) => this.let(this.#canonical(value, kind >> SIZE_SHIFT))
    switch (kind & 15) {
      case HeldFlags.logic:
        return this.i32(0)
      case HeldFlags.result:
        return this.and(b, this.i32(1))
      case HeldFlags.inc:
      case HeldFlags.dec:
        return c
      case HeldFlags.add:
        return this.ltU(canonical(this.add(a, b)), a)
      case HeldFlags.sub:
        return this.ltU(a, b)
      case HeldFlags.addCarry: {
        const result = canonical(this.add(this.add(a, b), c))
        return this.or(this.ltU(result, a), this.and(c, this.eq(result, a)))
      }
      case HeldFlags.subBorrow:
        return this.or(this.ltU(a, b), this.and(c, this.eq(a, b)))
    }
    return undefined
  }
  override carry(): Node {
    this.#carryIn = this.condition(2)
    return this.#carryIn
  }
  /** Hold flags of one kind; `result` is an expression of the values, of the locals that hold them. */
  #hold(
    kind: number,
    values: readonly Node[],
    by?: Made['by'],
    result?: (a: Node, b: Node) => Node,
    size: number = this.#size,
  ): void {
    this.#flagSets++
    if (this.conditional === 0) this.effects.setsFlags = true
    this.made = undefined
    if (!this.flagsWanted) {
      this.flags = undefined
      return
    }
    const { fn, locals } = this
    for (const value of values) this.emit(value)
    for (let n = values.length - 1; n >= 0; n--) fn.localSet(locals.flags[n]!)
    const [a, b] = [localNode('i32', locals.flags[0]), localNode('i32', locals.flags[1])]
    this.#made(kind, by && { by, a, b, result: result!(a, b) }, size)
  }
  #made(kind: number, made: Made | undefined, size: number = this.#size): void {
    this.made = made
    this.flags = { kind: kind | (size << SIZE_SHIFT), stored: false, made }
    if (this.conditional > 0) this.storeFlags()
  }
  get #size(): number {
    return this.#insn.operands[0]?.size ?? 0
  }
  #canonical(value: Node, size: number = this.#size): Node {
    return size < 32 ? this.signExtend(value, size) : value
  }
  override flagsAdd(a: Node, b: Node): void {
    this.#hold(HeldFlags.add, [a, b], 'add', (x, y) => this.#canonical(this.add(x, y)))
  }
  override flagsAdc(a: Node, b: Node): void {
    this.#hold(HeldFlags.addCarry, [a, b, this.#carryIn!])
  }
  override flagsSub(a: Node, b: Node): void {
    this.#hold(HeldFlags.sub, [a, b], 'sub', (x, y) => this.#canonical(this.sub(x, y)))
  }
  override flagsSbb(a: Node, b: Node): void {
    this.#hold(HeldFlags.subBorrow, [a, b, this.#carryIn!])
  }
  override flagsLogic(result: Node): void {
    this.#hold(HeldFlags.logic, [result], 'logic', (a) => a)
  }
  override flagsResult(result: Node, overflow: Node, carry: Node): void {
    const both = this.or(carry, this.shl(overflow, this.i32(1)))
    this.#hold(HeldFlags.result, [result, both], 'other', (a) => a)
  }
  override setStatusFlags(image: Node): void {
    this.#hold(HeldFlags.image, [image], 'image', (a) => a)
  }
  override flagsInc(a: Node): void {
    this.#step(HeldFlags.inc, a, 1)
  }
  override flagsDec(a: Node): void {
    this.#step(HeldFlags.dec, a, -1)
  }
  /** CF stays: it is asked for now, unless the last flags were such too and have it. */
  #step(kind: number, a: Node, by: number): void {
    const { fn, flags } = this
    const [held, , carry] = this.locals.flags
    const { readsFlags } = this.effects
    this.#flagSets++
    if (!this.flagsWanted) {
      this.flags = undefined
      this.made = undefined
      return
    }
    const keepCarry = (): void => {
      this.emit(this.carry())
      fn.localSet(carry)
    }
    if (!flags) {
      // In a loop it often is one that has it.
      const at = this.base + Layout.heldFlags
      fn.i32Const(0).load(Load.i32Load, at).i32Const(14).op(Op.i32And).i32Const(HeldFlags.inc).op(Op.i32Eq).if_()
      fn.i32Const(0)
        .load(Load.i32Load, at + 12)
        .localSet(carry)
      fn.else_()
      keepCarry()
      fn.end()
    } else if (!isStep(flags.kind)) keepCarry()
    this.emit(a)
    fn.localSet(held)
    const value = localNode('i32', held)
    const result = this.#canonical(this.add(value, this.i32(by)))
    this.#made(kind, { by: 'other', a: value, b: value, result })
    // That carry is wanted if what is made here is.
    this.effects.readsFlags = readsFlags
  }
  override flagsCarry(carry: Node): void {
    this.#change(() => super.flagsCarry(carry))
  }
  /** CF and OF change, the others stay. (To have them settled for it took a quarter of SHA-256's time.) */
  override flagsRotate(overflow: Node, carry: Node): void {
    const { flags } = this
    const stay = flags && this.flagsWanted && this.conditional === 0 ? this.#allButCarry(flags.kind) : undefined
    if (!stay) {
      this.#change(() => super.flagsRotate(this.let(overflow), carry))
      return
    }
    const changed = this.or(carry, this.shl(overflow, this.i32(1)))
    const both = stay.auxiliary ? this.or(changed, stay.auxiliary) : changed
    this.#hold(HeldFlags.result, [stay.result, both], 'other', (a) => a, flags!.kind >> SIZE_SHIFT)
  }
  /** What ZF, SF and PF are of, and AF, of flags that the locals have; undefined where they are not kept in such a way. */
  #allButCarry(kind: number): { readonly result: Node; readonly auxiliary?: Node } | undefined {
    const [a, b, c] = this.locals.flags.map((local) => localNode('i32', local)) as [Node, Node, Node]
    const ofSum = (value: Node, other: Node) => {
      const result = this.let(this.#canonical(value, kind >> SIZE_SHIFT))
      return { result, auxiliary: this.and(this.xor(this.xor(a, other), result), this.i32(0x10)) }
    }
    switch (kind & 15) {
      case HeldFlags.logic:
        return { result: a }
      case HeldFlags.result:
        return { result: a, auxiliary: this.and(b, this.i32(0x10)) }
      case HeldFlags.add:
        return ofSum(this.add(a, b), b)
      case HeldFlags.sub:
        return ofSum(this.sub(a, b), b)
      case HeldFlags.addCarry:
        return ofSum(this.add(this.add(a, b), c), b)
      case HeldFlags.subBorrow:
        return ofSum(this.sub(this.sub(a, b), c), b)
      case HeldFlags.inc:
        return ofSum(this.add(a, this.i32(1)), this.i32(1))
      case HeldFlags.dec:
        return ofSum(this.sub(a, this.i32(1)), this.i32(1))
    }
    return undefined
  }
  /** Change some of them in the state. */
  #change(change: () => void): void {
    const { readsFlags } = this.effects
    this.#flagSets++
    this.made = undefined
    if (!this.flagsWanted) {
      this.flags = undefined
      return
    }
    this.#settle()
    change()
    // Those that stay are wanted if those that change are.
    this.effects.readsFlags = readsFlags
  }

  // ── control flow ──
  nextIp(insn: Insn = this.#insn): Node {
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
    const { kind, reg } = this.#insn.operands[n]!
    const slot = kind === Kind.seg ? Layout.segments + reg * SegmentSlot.size : Layout.gpr + reg * 8
    return this.i32(this.base + slot)
  }
  /** The instruction is its block's last. For STI: what follows comes before anything else while there is a budget. */
  paid(): Node {
    if (this.#handler !== Handler.sti) return this.i32(1)
    return this.select(this.gtS(this.budget(), this.i32(0)), this.i32(2), this.i32(1))
  }
  immediate(): Node {
    return this.i32(this.#insn.imm)
  }
  operandOffset(): Node {
    return this.address(this.#insn)
  }
  /** What reads descriptor tables is not among {@link INLINE}. */
  held(): never {
    throw new TypeError(`translations leave ${this.#insn.op} to the interpreter`)
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
/** Of a kind of flags, the operands' size stands above this. */
const SIZE_SHIFT = 4

const isStep = (kind: number): boolean => (kind & 14) === HeldFlags.inc
/** How many of the values a kind has, from the first on. */
function valuesOf(kind: number): number {
  const which = kind & 15
  if (which === HeldFlags.addCarry || which === HeldFlags.subBorrow) return 3
  return which === HeldFlags.add || which === HeldFlags.sub || which === HeldFlags.result ? 2 : 1
}

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
