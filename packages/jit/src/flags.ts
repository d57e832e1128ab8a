/**
 * Flags of a translation: they stay what they were made of, in locals, until somebody may ask for them. See `HeldFlags`; what the
 * state alone has is looked at there, and settled only where its slots are asked for.
 */
import { Store } from '@vmexit/wasm-asm'
import { Layout } from '@vmexit/x86'
import { type FlagSlot, HeldFlags, localNode, type Made, type Node, peekFlags } from '@vmexit/x86/engine'
import type { Insn } from '@vmexit/x86-decoder'
import { AccessProcessor } from './accesses.ts'

/** Function indices, in the module being built, of what translations call. */
export interface Calls {
  readonly act: number
  readonly resume: number
  readonly settle: number
}

/** Flags that the locals hold, of a kind of {@link HeldFlags}. */
export interface Flags {
  readonly kind: number
  /** The state has them, too. */
  readonly stored: boolean
  readonly made: Made | undefined
  /** Of INC and DEC: CF is that of the flags in the state, and not looked at yet. */
  readonly carryInState?: boolean
}

export abstract class FlagsProcessor extends AccessProcessor {
  calls!: Calls
  /** Flags whose locals have their values; undefined: the state alone has them. */
  flags: Flags | undefined
  /** Flags that the current instruction sets are asked for by somebody. */
  flagsWanted = true
  protected insn!: Insn
  /** Counts what sets flags. */
  protected flagSets = 0
  /** The carry that the instruction asked for. */
  #carryIn: Node | undefined

  /** An instruction begins. */
  protected beginFlags(insn: Insn): void {
    this.insn = insn
    this.#carryIn = undefined
    this.made = this.flags?.made
  }
  /** Have the state hold the flags. */
  storeFlags(): void {
    const { flags } = this
    if (!flags || flags.stored) return
    this.emitFlags()
    this.flags = { ...flags, stored: true, carryInState: false }
  }
  /** The same on a path that ends: what follows elsewhere is as it was. */
  emitFlags(): void {
    const { flags, fn } = this
    if (!flags || flags.stored) return
    if (flags.carryInState) this.#emitCarry()
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
  /** Have its local hold the carry that the state has. */
  #emitCarry(): void {
    const [, carry] = this.call(peekFlags, this.state()) as [Node, Node]
    this.emit(carry)
    this.fn.localSet(this.locals.flags[2])
  }
  /** Somebody asks for the flags that the locals have: for the carry, too. */
  #completeFlags(): void {
    const { flags } = this
    if (!flags?.carryInState) return
    this.#emitCarry()
    if (this.conditional === 0) this.flags = { ...flags, carryInState: false }
  }
  /** Have the slots of the state hold the flags. */
  #settle(): void {
    const { fn, flags } = this
    this.effects.readsFlags = true
    if (flags?.kind === HeldFlags.settled) return
    this.#completeFlags()
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
    if (code === 1 || code === 3) this.#completeFlags()
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
    this.flagSets++
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
  #made(kind: number, made: Made | undefined, size: number = this.#size, carryInState = false): void {
    this.made = made
    this.flags = { kind: kind | (size << SIZE_SHIFT), stored: false, made, carryInState }
    if (this.conditional > 0) this.storeFlags()
  }
  get #size(): number {
    return this.insn.operands[0]?.size ?? 0
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
  /** CF stays: that of flags which the locals have is taken along, that of the state is looked at when somebody asks. */
  #step(kind: number, a: Node, by: number): void {
    const { fn, flags } = this
    const [held, , carry] = this.locals.flags
    const { readsFlags } = this.effects
    this.flagSets++
    if (!this.flagsWanted) {
      this.flags = undefined
      this.made = undefined
      return
    }
    const keepCarry = (): void => {
      this.emit(this.carry())
      fn.localSet(carry)
    }
    // That of the state is looked at when somebody asks for it: mostly nobody does.
    const carryInState = !flags || flags.carryInState === true
    if (flags && !isStep(flags.kind)) keepCarry()
    this.emit(a)
    fn.localSet(held)
    const value = localNode('i32', held)
    const result = this.#canonical(this.add(value, this.i32(by)))
    this.#made(kind, { by: 'other', a: value, b: value, result }, this.#size, carryInState)
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
    this.flagSets++
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
}

/** Of a kind of flags, the operands' size stands above this. */
const SIZE_SHIFT = 4

const isStep = (kind: number): boolean => (kind & 14) === HeldFlags.inc
/** How many of the values a kind has, from the first on. */
function valuesOf(kind: number): number {
  const which = kind & 15
  if (which === HeldFlags.addCarry || which === HeldFlags.subBorrow) return 3
  return which === HeldFlags.add || which === HeldFlags.sub || which === HeldFlags.result ? 2 : 1
}
