/**
 * Semantics as the code of a translation: general registers and status flags in locals, constants where records have fields.
 * An instruction that cannot go on leaves by an exit, which stores the locals; until then they are what they were before it.
 */
import { Load, Op, Store } from '@vmexit/wasm-asm'
import { Layout, SegmentSlot } from '@vmexit/x86'
import {
  CodeProcessor,
  emitFrequent,
  type FlagSlot,
  type FrequentCode,
  Handler,
  HeldFlags,
  i32Node,
  localNode,
  type Made,
  type Mode,
  type Node,
  NodeKind,
  type RoutineLinker,
  semantics,
  Tables,
  type Through,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_SHIFT,
} from '@vmexit/x86/engine'
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { nextOf } from './insn.ts'

/** Function indices, in the module being built, of what translations call. */
export interface Calls {
  readonly read: number
  readonly write: number
  readonly act: number
  readonly settle: number
}

/** What the processor asks of the translation that it emits for. */
export interface Surroundings {
  /** Leave before the current instruction, to have it executed the slow way. Ends a path. */
  leave(): void
  /** Leave before the current instruction, to have it interpreted. Ends a path. */
  miss(): void
  /** The same where the i32 on the stack is not 0, after {@link prepareLeave}. */
  prepareLeave(): void
  leaveIf(): void
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

/** What one instruction does with registers and flags. */
export interface Effects {
  /** Registers whose old value it needs, and those that it writes, as bits. */
  uses: number
  defines: number
  /** It asks for flags. */
  readsFlags: boolean
  /** It sets all of them, whatever happens. */
  setsFlags: boolean
  /** It may leave. */
  leaves: boolean
}

/** Locals of a function that is a translation; parameters are the CPU's base and the nesting that is left. */
export interface Locals {
  readonly registers: readonly number[]
  /** Kind and values of the status flags: see {@link HeldFlags}. */
  readonly flags: Readonly<Record<'kind' | 'a' | 'b' | 'c', number>>
  readonly budget: number
  readonly key: number
}

export class TranslationProcessor extends CodeProcessor implements FrequentCode {
  readonly width = 32
  readonly #base: number
  calls!: Calls
  locals!: Locals
  surroundings!: Surroundings
  /** Registers and flags are written to the state at once; their locals have what was read or written in this stretch of code. */
  writesThrough = false
  /** Then: registers whose locals have their values, as bits. */
  held = 0
  ended: Ended | undefined
  effects: Effects = { uses: 0, defines: 0, readsFlags: false, setsFlags: false, leaves: false }
  /** Flags that the current instruction sets are asked for by somebody. */
  flagsWanted = true
  /** What the local has that holds the kind of the flags, where that is certain. */
  flagsKind: number | undefined
  #insn!: Insn
  #ip = 0
  #handler = 0
  /** The carry that the instruction asked for. */
  #carryIn: Node | undefined
  /** Depth of conditions that hold for some values only. */
  #conditional = 0
  /** Counts what sets flags. */
  #flagSets = 0
  /** Nodes that stand for a register's local since the instruction began. */
  #given: (Node | undefined)[] = []

  constructor(base: number, link: RoutineLinker) {
    super(link)
    this.#base = base
  }

  /** Emit an instruction; {@link ended} says how it goes on if it is a branch. */
  instruction(insn: Insn, ip: number, mode: Mode): void {
    this.#insn = insn
    this.#ip = ip
    this.through = throughOf(mode)
    this.stackBits = mode.stackBits
    this.#given = []
    this.ended = undefined
    this.#carryIn = undefined
    semantics[insn.op]!(this, insn)
  }
  /** What an instruction that has an action does in its plain case; false where it has none. Registers are in the state. */
  frequent(handler: number, insn: Insn, ip: number, mode: Mode): boolean {
    this.#insn = insn
    this.#ip = ip
    this.through = throughOf(mode)
    this.stackBits = mode.stackBits
    this.#given = []
    this.ended = undefined
    this.#handler = handler
    return emitFrequent(this, handler)
  }
  /** How the flags were made that stand in their locals. */
  get flagsMade(): Made | undefined {
    return this.made
  }
  set flagsMade(made: Made | undefined) {
    this.made = made
  }

  // ── state at a fixed address ──
  override state(): Node {
    return i32Node(this.#base)
  }
  override peek(type: 'i32' | 'i64' | 'v128', address: Node, offset: number, bits: number, signed = false): Node {
    if (address.kind !== NodeKind.i32) return super.peek(type, address, offset, bits, signed)
    return super.peek(type, i32Node(0), address.value + offset, bits, signed)
  }
  override poke(address: Node, offset: number, value: Node, bits: number): void {
    if (address.kind !== NodeKind.i32) super.poke(address, offset, value, bits)
    else super.poke(i32Node(0), address.value + offset, value, bits)
  }

  // ── conditions that not all values meet ──
  override if(condition: Node, then: () => void, otherwise?: () => void): void {
    if (condition.kind === NodeKind.i32) {
      super.if(condition, then, otherwise)
      return
    }
    const { flagsKind: kind, made, held } = this
    this.#guarded(() =>
      super.if(
        condition,
        then,
        otherwise &&
          (() => {
            this.held = held
            this.flagsKind = kind
            this.made = made
            otherwise()
          }),
      ),
    )
  }
  override while(condition: () => Node, body: () => void): void {
    this.#guarded(() => super.while(condition, body))
  }
  #guarded(emit: () => void): void {
    this.#keepGiven()
    const [kind, made, sets, held] = [this.flagsKind, this.made, this.#flagSets, this.held]
    this.#conditional++
    emit()
    this.#conditional--
    this.held = held
    const same = sets === this.#flagSets && this.flagsKind === kind
    this.flagsKind = same ? kind : undefined
    this.made = same ? made : undefined
  }

  override repeat(insn: Insn, step: () => void): void {
    if (insn.rep === 0) {
      step()
      return
    }
    // Whatever way is taken in it, these are known.
    for (const reg of STRING_REGISTERS) this.#hold32(reg)
    this.#guarded(() => {
      // At the head of the loop they are those of before, or of an iteration.
      if (insn.op === 'cmps' || insn.op === 'scas') {
        this.flagsKind = undefined
        this.made = undefined
      }
      super.repeat(insn, step)
    })
  }

  // ── registers ──
  #uses(reg: number): void {
    if (((this.effects.defines >> reg) & 1) === 0) this.effects.uses |= 1 << reg
  }
  /** The register's local; a node that stays what it is when the register is written. */
  #whole(reg: number): Node {
    this.#uses(reg)
    this.#hold32(reg)
    const given = this.#given[reg]
    if (given) return given
    const node = localNode('i32', this.locals.registers[reg]!)
    this.#given[reg] = node
    return node
  }
  /** Have the register's local hold it. */
  #hold32(reg: number): void {
    if (!this.writesThrough || (this.held >> reg) & 1) return
    this.fn.i32Const(0).load(Load.i32Load, this.#at(reg)).localSet(this.locals.registers[reg]!)
    this.held |= 1 << reg
  }
  /** Host address of a register in the state. */
  #at(reg: number): number {
    return this.#base + Layout.gpr + reg * 8
  }
  /** The register is about to be written: whoever has its old value keeps that. */
  #keep(reg: number): void {
    const given = this.#given[reg]
    if (!given) return
    const copy = this.temporary('i32')
    this.fn.localGet(this.locals.registers[reg]!).localSet(copy)
    ;(given as { value: number }).value = copy
    this.#given[reg] = undefined
  }
  #keepGiven(): void {
    for (let reg = 0; reg < 8; reg++) this.#keep(reg)
  }
  #readPart(reg: number, bits: number, high: boolean, signed: boolean): Node {
    const whole = this.#whole(reg)
    if (bits === 32) return whole
    if (high)
      return signed
        ? this.signExtend(this.shr(whole, this.i32(8)), 8)
        : this.zeroExtend(this.shr(whole, this.i32(8)), 8)
    return signed ? this.signExtend(whole, bits) : this.zeroExtend(whole, bits)
  }
  #writePart(reg: number, bits: number, high: boolean, value: Node): void {
    const { fn } = this
    const local = this.locals.registers[reg]!
    if (bits < 32 || this.#conditional > 0) this.#uses(reg)
    this.effects.defines |= 1 << reg
    if (bits < 32 && this.writesThrough && ((this.held >> reg) & 1) === 0) {
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
    this.#keep(reg)
    fn.localSet(local)
    if (!this.writesThrough) return
    fn.i32Const(0).localGet(local).store(Store.i32Store, this.#at(reg))
    this.held |= 1 << reg
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
    let sum: Node | undefined = insn.base >= 0 ? this.#whole(insn.base) : undefined
    if (insn.index >= 0) {
      const index = this.shl(this.#whole(insn.index), this.i32(insn.scale))
      sum = sum ? this.add(sum, index) : index
    }
    const displaced = sum ? this.add(sum, this.i32(insn.disp)) : this.i32(insn.disp)
    return this.let(insn.addrSize === 16 ? this.zeroExtend(displaced, 16) : displaced)
  }

  // ── memory ──
  protected key(): Node {
    return localNode('i32', this.locals.key)
  }
  protected missed(): void {
    throw new TypeError('translations look up the TLB in their own way')
  }
  /**
   * One comparison; what misses asks TypeScript, and leaves where that says so. The hit branches first: V8's baseline
   * compiler lets the first branch to a label say which registers hold what there, and behind a call none hold anything.
   */
  protected override translate(linear: Node, bytes: number, write: boolean): Node {
    const { fn } = this
    const table = this.#base + (write ? Tables.write : Tables.read)
    const address = this.let(linear)
    const entry = this.temporary('i32')
    this.emit(this.and(this.shr(address, this.i32(8)), this.i32((TLB_ENTRIES - 1) << TLB_ENTRY_SHIFT)))
    fn.localSet(entry)
    if (this.writesThrough) {
      // Small before all: the interpreter makes the access, and fills the TLB.
      fn.localGet(entry).load(Load.i32Load, table)
      this.emit(this.tag(bytes > 1 ? this.add(address, this.i32(bytes - 1)) : address))
      fn.op(Op.i32Ne)
      fn.hint(false).if_()
      this.effects.leaves = true
      this.surroundings.miss()
      fn.end()
      fn.localGet(entry).load(Load.i32Load, table + TLB_ADDEND)
      this.emit(address)
      fn.op(Op.i32Add).localSet(entry)
      return localNode('i32', entry)
    }
    const found = fn.block('i32')
    fn.localGet(entry).load(Load.i32Load, table + TLB_ADDEND)
    fn.localGet(entry).load(Load.i32Load, table)
    this.emit(this.tag(bytes > 1 ? this.add(address, this.i32(bytes - 1)) : address))
    fn.op(Op.i32Eq)
    fn.hint(true).brIf(found)
    fn.drop()
    const host = this.temporary('i32')
    this.effects.leaves = true
    this.surroundings.prepareLeave()
    this.emit(address)
    fn.i32Const(bytes).call(write ? this.calls.write : this.calls.read)
    fn.localTee(host).op(Op.i32Eqz)
    this.surroundings.leaveIf()
    fn.localGet(host)
    this.emit(address)
    fn.op(Op.i32Sub)
    fn.end()
    this.emit(address)
    fn.op(Op.i32Add).localSet(entry)
    return localNode('i32', entry)
  }
  protected leave(): void {
    this.effects.leaves = true
    this.surroundings.leave()
  }

  // ── flags ──
  /** Have the slots of the state hold the flags. */
  #settle(): void {
    const { fn } = this
    const { kind, a, b, c } = this.locals.flags
    this.emit(this.state())
    if (this.writesThrough) fn.i32Const(0).i32Const(0).i32Const(0).i32Const(0).call(this.calls.settle)
    else {
      fn.localGet(kind).localGet(a).localGet(b).localGet(c).call(this.calls.settle)
      fn.i32Const(HeldFlags.settled).localSet(kind)
    }
    this.flagsKind = HeldFlags.settled
    this.made = undefined
    this.effects.readsFlags = true
  }
  override slot(name: FlagSlot): Node {
    if (this.flagsKind !== HeldFlags.settled) this.#settle()
    this.effects.readsFlags = true
    return super.slot(name)
  }
  override condition(cc: number): Node {
    this.effects.readsFlags = true
    return super.condition(cc)
  }
  override carry(): Node {
    this.#carryIn = this.condition(2)
    return this.#carryIn
  }
  /** Hold flags of one kind; `result` is an expression of the values, of the locals that hold them. */
  #hold(kind: number, values: readonly Node[], by?: Made['by'], result?: (a: Node, b: Node) => Node): void {
    this.#flagSets++
    if (this.#conditional === 0) this.effects.setsFlags = true
    this.made = undefined
    if (!this.flagsWanted) return
    const { fn } = this
    const { flags } = this.locals
    const locals = [flags.a, flags.b, flags.c]
    for (const value of values) this.emit(value)
    for (let n = values.length - 1; n >= 0; n--) fn.localSet(locals[n]!)
    this.#setKind(kind | ((this.#insn.operands[0]?.size ?? 0) << 4))
    if (this.writesThrough) for (const n of values.keys()) this.#passOn(n)
    if (!by) return
    const [a, b] = [localNode('i32', flags.a), localNode('i32', flags.b)]
    this.made = { by, a, b, result: result!(a, b) }
  }
  #setKind(kind: number): void {
    const { fn } = this
    this.flagsKind = kind
    if (this.writesThrough)
      fn.i32Const(0)
        .i32Const(kind)
        .store(Store.i32Store, this.#base + Layout.heldFlags)
    else fn.i32Const(kind).localSet(this.locals.flags.kind)
  }
  /** Write value `n` of the flags to the state. */
  #passOn(n: number): void {
    const { a, b, c } = this.locals.flags
    const at = this.#base + Layout.heldFlags + 4 * (n + 1)
    this.fn.i32Const(0).localGet([a, b, c][n]!).store(Store.i32Store, at)
  }
  #canonical(value: Node): Node {
    const size = this.#insn.operands[0]?.size ?? 32
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
    const { fn } = this
    const { flags } = this.locals
    const before = this.flagsKind
    const sized = kind | ((this.#insn.operands[0]?.size ?? 0) << 4)
    this.effects.readsFlags = true
    this.#flagSets++
    if (!this.flagsWanted) {
      this.made = undefined
      return
    }
    const carried = (known: number): boolean => (known & 15) === HeldFlags.inc || (known & 15) === HeldFlags.dec
    const keepCarry = (): void => {
      this.emit(this.carry())
      fn.localSet(flags.c)
      if (this.writesThrough) this.#passOn(2)
    }
    if (before !== undefined && !carried(before)) keepCarry()
    else if (before === undefined) {
      // Whatever it was, it is INC or DEC again in a loop.
      if (this.writesThrough) fn.i32Const(0).load(Load.i32Load, this.#base + Layout.heldFlags)
      else fn.localGet(flags.kind)
      fn.i32Const(14).op(Op.i32And).i32Const(HeldFlags.inc).op(Op.i32Ne).if_()
      keepCarry()
      fn.end()
    }
    this.emit(a)
    fn.localSet(flags.a)
    this.#setKind(sized)
    if (this.writesThrough) this.#passOn(0)
    const held = localNode('i32', flags.a)
    this.made = { by: 'other', a: held, b: held, result: this.#canonical(this.add(held, this.i32(by))) }
  }
  override flagsCarry(carry: Node): void {
    this.#change(() => super.flagsCarry(carry), carry)
  }
  override flagsRotate(overflow: Node, carry: Node): void {
    this.#change(() => super.flagsRotate(this.let(overflow), carry), carry)
  }
  /** Change some of them in the state. */
  #change(change: () => void, carry: Node): void {
    this.let(carry)
    this.#flagSets++
    this.effects.readsFlags = true
    this.made = undefined
    if (!this.flagsWanted) return
    if (this.flagsKind !== HeldFlags.settled) this.#settle()
    change()
  }

  // ── control flow ──
  nextIp(insn: Insn): Node {
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
    return this.i32(this.#base + slot)
  }
  /** The instruction is its block's last. For STI: what follows comes before anything else while there is a budget. */
  paid(): Node {
    if (this.#handler !== Handler.sti) return this.i32(1)
    return this.select(this.gtS(this.budget(), this.i32(0)), this.i32(2), this.i32(1))
  }
  readable(linear: Node, bytes: number): Node {
    return this.translate(linear, bytes, false)
  }
  setUser(user: boolean): void {
    const key = this.let(this.peek('i32', this.state(), Layout.tlbKey, 32))
    this.poke(this.state(), Layout.tlbKey, user ? this.or(key, this.i32(1)) : this.and(key, this.i32(~1)), 32)
  }
  goTo(target: Node): void {
    this.ended = { target }
  }
  otherwise(condition: Node): void {
    this.emit(condition)
    this.fn.hint(false).if_()
    this.surroundings.act()
    this.fn.end()
  }
}

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
