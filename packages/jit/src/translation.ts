/** The code of one region: a function whose control flow is the guest's, with its registers and flags in locals. */
import { type FunctionBuilder, type Label, Load, Op, Store } from '@vmexit/wasm-asm'
import { Layout } from '@vmexit/x86'
import {
  Acted,
  CODE_TLB_ENTRIES,
  frequentHandler,
  Handler,
  HeldFlags,
  JUMP_ENTRIES,
  Leave,
  localNode,
  type Node,
  Outcome,
  Record32,
  type Records,
  Tables,
  TLB_ADDEND,
  TLB_ENTRY_SHIFT,
} from '@vmexit/x86/engine'
import { Kind } from '@vmexit/x86-decoder'
import type { Exits } from './exits.ts'
import type { Graph } from './graph.ts'
import { linearPageOf } from './insn.ts'
import { declareLocals } from './locals.ts'
import type { Plan } from './plan.ts'
import type { Locals, Surroundings, TranslationProcessor } from './processor.ts'
import type { Block, Edge, Item, Page, Region } from './region.ts'

const BASE = 0
const NESTING = 1
const PAGE_MASK = ~0xfff

/** A place that another translation begins at, or may once begin at. */
export interface Entry {
  readonly head: number
  /** Number in the table of translations. */
  readonly slot: number
  readonly page: Page
}

/** What the code of a region is made with. */
export interface Workshop {
  readonly base: number
  readonly records: Records
  readonly exits: Exits
  readonly processor: TranslationProcessor
  /** Function type and table of translations, in the module being built. */
  readonly type: number
  readonly table: number
  /** Where code at `ip` begins, seen from `page`; undefined where it was never met. */
  readonly entryAt: (page: Page, ip: number) => Entry | undefined
}

/** Emits the code of `region` into `fn`. */
export function emitTranslation(shop: Workshop, fn: FunctionBuilder, region: Region, graph: Graph, plan: Plan): void {
  new Translation(shop, fn, region, graph, plan).emit()
}

class Translation implements Surroundings {
  readonly #shop: Workshop
  readonly #fn: FunctionBuilder
  readonly #region: Region
  readonly #graph: Graph
  readonly #plan: Plan
  readonly #locals: Locals
  readonly #processor: TranslationProcessor
  /** Locals: of an exit, where it is; of a jump, the target; of going on elsewhere, record and function. */
  readonly #exit: number
  readonly #target: number
  readonly #outcome: number
  /** Labels behind which the function ends: by an exit, by a jump, in another translation. */
  #leaves!: Label
  #jumps!: Label
  #continues!: Label
  /** The instruction that is emitted: its block, how many of that are not done when it leaves, its exit if there is one. */
  #number = 0
  #item!: Item
  #unpaid = 0
  #slow = 0
  #missed = 0
  readonly #labels: Label[] = []
  readonly #loops: Label[] = []

  constructor(shop: Workshop, fn: FunctionBuilder, region: Region, graph: Graph, plan: Plan) {
    this.#shop = shop
    this.#fn = fn
    this.#region = region
    this.#graph = graph
    this.#plan = plan
    this.#processor = shop.processor
    shop.processor.begin(fn)
    this.#locals = declareLocals(fn)
    shop.processor.locals = this.#locals
    shop.processor.surroundings = this
    this.#exit = fn.local('i32')
    this.#target = fn.local('i32')
    this.#outcome = fn.local('i64')
  }

  emit(): void {
    const fn = this.#fn
    this.#processor.writesThrough = !this.#plan.loops
    this.#reload()
    this.#continues = fn.block()
    this.#jumps = fn.block()
    this.#leaves = fn.block()
    const first = this.#region.blocks[0]!.items[0]!
    if (first.second) this.#guardSecond(first)
    this.#tree(0)
    fn.unreachable()
    fn.end()
    this.#endByExit()
    fn.end()
    this.#endByJump()
    fn.end()
    this.#endElsewhere()
  }

  // ── structure ──
  #tree(block: number): void {
    const { header, merges } = this.#graph
    const fn = this.#fn
    if (header[block] || this.#graph.merge[block]) {
      this.#processor.flagsKind = undefined
      this.#processor.flagsMade = undefined
      this.#processor.held = 0
    }
    if (header[block]) this.#loops[block] = fn.loop()
    this.#within(block, merges[block]!, 0)
    if (header[block]) fn.end()
  }
  #within(block: number, merges: readonly number[], n: number): void {
    const merge = merges[n]
    if (merge === undefined) {
      this.#block(block)
      return
    }
    this.#labels[merge] = this.#fn.block()
    this.#within(block, merges, n + 1)
    this.#fn.end()
    this.#tree(merge)
  }

  /** Continue along an edge from a block whose last instruction is `from`. Ends a path. */
  #go(from: number, item: Item, edge: Edge): void {
    const { place, merge } = this.#graph
    const { to } = edge
    if (to < 0) {
      this.#goElsewhere(item, edge.ip)
      return
    }
    const first = this.#region.blocks[to]!.items[0]!
    if (first.page !== item.page && first.page !== item.second)
      this.#guard(first.page, () => this.#leaveBy(this.#shop.exits.go(this.#stub(item, edge.ip))))
    if (first.second && first.second !== item.second) this.#guardSecond(first)
    if (place[to]! <= place[from]!) this.#fn.br(this.#loops[to]!)
    else if (merge[to]) this.#fn.br(this.#labels[to]!)
    else this.#tree(to)
  }
  /** The label of an edge along which nothing else is to be done. */
  #label(from: number, item: Item, edge: Edge): Label | undefined {
    const { place, merge } = this.#graph
    const { to } = edge
    if (to < 0) return undefined
    const first = this.#region.blocks[to]!.items[0]!
    if (first.second || (first.page !== item.page && first.page !== item.second)) return undefined
    if (place[to]! <= place[from]!) return this.#loops[to]
    return merge[to] ? this.#labels[to] : undefined
  }

  // ── blocks ──
  #block(number: number): void {
    const block = this.#region.blocks[number]!
    const { items } = block
    const processor = this.#processor
    const fn = this.#fn
    const needed = this.#plan.needed[number]!
    const { budget } = this.#locals
    if (needed > 0) {
      fn.localGet(budget).i32Const(needed).op(Op.i32LtS)
      fn.hint(false).if_()
      this.#leaveBy(this.#shop.exits.go(items[0]!.record))
      fn.end()
    }
    fn.localGet(budget).i32Const(items.length).op(Op.i32Sub).localSet(budget)
    this.#number = number
    const wanted = this.#plan.flagsWanted[number]!
    for (let n = 0; n < items.length; n++) {
      const item = items[n]!
      // The baseline compiler clears every local when the function is entered: as few as can be.
      processor.begin(fn)
      this.#item = item
      this.#unpaid = items.length - n
      this.#slow = 0
      this.#missed = 0
      processor.flagsWanted = wanted[n]!
      if (item.step === 'action' || item.step === 'transfer') this.#action(number, block, item)
      else {
        processor.instruction(item.insn, item.ip, this.#region.mode)
        if (n === items.length - 1) this.#end(number, block, item)
      }
    }
  }

  // ── what the current instruction asks for ──
  leave(): void {
    this.#leaveBy(this.#slowExit())
  }
  prepareLeave(): void {
    this.#fn.i32Const(this.#slowExit()).localSet(this.#exit)
  }
  leaveIf(): void {
    this.#fn.hint(false).brIf(this.#leaves)
  }
  miss(): void {
    this.#missed ||= this.#shop.exits.interpret(this.#item.record, this.#unpaid)
    this.#leaveBy(this.#missed)
  }
  pause(): void {
    this.#leaveBy(this.#shop.exits.leave(this.#item.record, 0, Leave.repeat))
  }
  act(): void {
    this.#act(this.#number, this.#region.blocks[this.#number]!, this.#item)
  }
  #slowExit(): number {
    this.#slow ||= this.#shop.exits.leave(this.#item.record, this.#unpaid, Leave.slow)
    return this.#slow
  }

  #end(number: number, block: Block, item: Item): void {
    const { end, taken, next } = block
    const ended = this.#processor.ended
    if (end === 'plain' || end === 'repeat') this.#go(number, item, next!)
    else if (end === 'jump') this.#go(number, item, taken!)
    else if (end === 'branch') this.#branch(number, item, ended!.condition!, taken!, next!)
    else if (end === 'call') this.#call(number, item, taken!.ip, next!)
    else if (end === 'callIndirect') this.#callIndirect(number, item, ended!.target!, next!)
    else this.#indirect(item, ended!.target!)
  }

  #branch(number: number, item: Item, condition: Node, taken: Edge, next: Edge): void {
    const processor = this.#processor
    const fn = this.#fn
    processor.emit(condition)
    const label = this.#label(number, item, taken)
    if (label !== undefined) fn.brIf(label)
    else {
      const { flagsKind: kind, flagsMade: made, held } = processor
      fn.if_()
      this.#go(number, item, taken)
      fn.end()
      processor.held = held
      processor.flagsKind = kind
      processor.flagsMade = made
    }
    this.#go(number, item, next)
  }

  // ── what TypeScript does ──
  #action(number: number, block: Block, item: Item): void {
    const { insn } = item
    const fn = this.#fn
    const handler = frequentHandler(insn, this.#region.mode)
    if (handler === Handler.act) {
      this.#act(number, block, item)
      return
    }
    const { registers } = this.#locals
    const through = this.#processor.writesThrough
    for (const { kind, reg } of insn.operands)
      if (kind === Kind.gpr && !through) fn.i32Const(0).localGet(registers[reg]!).store(Store.i32Store, this.#gpr(reg))
    this.#processor.frequent(handler, insn, item.ip, this.#region.mode)
    if (this.#processor.ended) {
      this.#processor.emit(this.#processor.ended.target!)
      fn.localSet(this.#target)
      this.#jump()
      return
    }
    if (handler === Handler.fromSegment) {
      const { reg } = insn.operands[0]!
      if (through) this.#processor.held &= ~(1 << reg)
      else fn.i32Const(0).load(Load.i32Load, this.#gpr(reg)).localSet(registers[reg]!)
    }
    this.#go(number, item, block.next!)
  }
  /** By its action. It is paid for already. Ends a path. */
  #act(number: number, block: Block, item: Item): void {
    const fn = this.#fn
    const { budget } = this.#locals
    fn.localGet(budget).i32Const(1).op(Op.i32Add).localSet(budget)
    this.#store()
    fn.i32Const(item.record).call(this.#processor.calls.act)
    if (!block.next) {
      this.#returnActed()
      return
    }
    fn.localTee(this.#target).i32Const(Acted.next).op(Op.i32Ne)
    fn.hint(false).if_()
    fn.localGet(this.#target)
    this.#returnActed()
    fn.end()
    this.#reload()
    this.#go(number, item, block.next)
  }
  #returnActed(): void {
    const fn = this.#fn
    fn.i32Const(Acted.go).op(Op.i32Eq).op(Op.i64ExtendI32U)
    fn.i64Const(32).op(Op.i64Shl).return_()
  }

  // ── calls ──
  #call(number: number, item: Item, target: number, next: Edge): void {
    const fn = this.#fn
    const entry = this.#shop.entryAt(item.page, target)
    if (!entry) {
      this.#leaveBy(this.#shop.exits.go(this.#stub(item, target)))
      return
    }
    if (entry.page !== item.page && entry.page !== item.second)
      this.#guard(entry.page, () => this.#leaveBy(this.#shop.exits.go(this.#stub(item, target))))
    fn.localGet(NESTING).op(Op.i32Eqz)
    fn.hint(false).if_()
    this.#leaveBy(this.#shop.exits.go(entry.head))
    fn.end()
    this.#store()
    fn.i32Const(0).i32Const(entry.head).store(Store.i32Store, this.#state(Layout.record))
    fn.localGet(BASE).localGet(NESTING).i32Const(1).op(Op.i32Sub).i32Const(entry.slot)
    this.#return(number, item, next)
  }
  #callIndirect(number: number, item: Item, target: Node, next: Edge): void {
    const fn = this.#fn
    const found = this.#lookUp(target)
    fn.localGet(NESTING).op(Op.i32Eqz)
    fn.hint(false).if_()
    this.#jump()
    fn.end()
    this.#store()
    fn.i32Const(0).localGet(found.value).store(Store.i32Store, this.#state(Layout.record))
    fn.localGet(BASE).localGet(NESTING).i32Const(1).op(Op.i32Sub)
    fn.localGet(found.value).load(Load.i32Load, Record32.imm)
    this.#return(number, item, next)
  }
  /** Base, nesting and function are on the stack: call, and go on where it was called from if it comes back there. */
  #return(number: number, item: Item, next: Edge): void {
    const fn = this.#fn
    fn.callIndirect(this.#shop.type, this.#shop.table).localTee(this.#outcome)
    fn.i64Const((BigInt(Outcome.jump) << 32n) | BigInt(next.ip)).op(Op.i64Ne)
    fn.hint(false).if_()
    fn.localGet(this.#outcome).return_()
    fn.end()
    this.#reload()
    const first = next.to < 0 ? undefined : this.#region.blocks[next.to]!.items[0]!
    const page = first
      ? first.page
      : linearPageOf(next.ip, this.#region.mode) === item.page.linear
        ? item.page
        : undefined
    if (page)
      this.#guard(page, () => {
        fn.i32Const(next.ip | 0)
          .localSet(this.#target)
          .br(this.#jumps)
      })
    if (!page) {
      fn.i32Const(next.ip | 0)
        .localSet(this.#target)
        .br(this.#jumps)
      return
    }
    // The page is the one that was looked at, whatever the call's was.
    this.#go(number, { ...item, page, second: undefined }, next)
  }
  /** Through the table of what was last found; a jump out of here where that is no translation. */
  #lookUp(target: Node): Node {
    const fn = this.#fn
    const processor = this.#processor
    const { mode } = this.#region
    processor.emit(target)
    fn.localSet(this.#target)
    const to = localNode('i32', this.#target)
    const slot = processor.shl(processor.and(to, processor.i32(JUMP_ENTRIES - 1)), processor.i32(2))
    const found = processor.let(processor.peek('i32', slot, this.#shop.base + Tables.jump, 32))
    const field = (offset: number): Node => processor.peek('i32', found, offset, 32)
    const linear = processor.let(processor.add(to, processor.i32(mode.codeBase | 0)))
    const index = processor.and(processor.shr(linear, processor.i32(12)), processor.i32(CODE_TLB_ENTRIES - 1))
    const tlb = processor.let(processor.shl(index, processor.i32(TLB_ENTRY_SHIFT)))
    const tag = processor.or(processor.and(linear, processor.i32(PAGE_MASK)), localNode('i32', this.#locals.key))
    const all = [
      processor.eq(field(Record32.ip), to),
      processor.eq(field(Record32.mode), processor.i32(mode.id)),
      processor.eq(field(Record32.handler), processor.i32(Handler.enter)),
      processor.eq(processor.peek('i32', tlb, this.#shop.base + Tables.code, 32), tag),
      processor.eq(processor.peek('i32', tlb, this.#shop.base + Tables.code + TLB_ADDEND, 32), field(Record32.page)),
    ].reduce((a, b) => processor.and(a, b))
    processor.emit(processor.eqz(all))
    fn.hint(false).if_()
    this.#jump()
    fn.end()
    return found
  }
  #indirect(item: Item, target: Node): void {
    const fn = this.#fn
    if (item.insn.op === 'ret') {
      this.#processor.emit(target)
      fn.localSet(this.#target)
      this.#jump()
      return
    }
    const found = this.#lookUp(target)
    fn.localGet(found.value).localSet(this.#exit)
    fn.localGet(found.value).load(Load.i32Load, Record32.imm).localSet(this.#target)
    fn.br(this.#continues)
  }

  // ── leaving ──
  #goElsewhere(item: Item, ip: number): void {
    const fn = this.#fn
    const entry = this.#shop.entryAt(item.page, ip)
    if (!entry) {
      this.#leaveBy(this.#shop.exits.go(this.#stub(item, ip)))
      return
    }
    if (entry.page !== item.page && entry.page !== item.second)
      this.#guard(entry.page, () => this.#leaveBy(this.#shop.exits.go(this.#stub(item, ip))))
    fn.i32Const(entry.head).localSet(this.#exit).i32Const(entry.slot).localSet(this.#target).br(this.#continues)
  }
  /** A record that leads to `ip`, found from behind `item`. */
  #stub({ page }: Item, ip: number): number {
    const { mode } = this.#region
    return this.#shop.records.exit(page.id, ip, mode, linearPageOf(ip, mode) !== page.linear)
  }
  #leaveBy(exit: number): void {
    const fn = this.#fn
    if (!this.#processor.writesThrough) {
      fn.i32Const(exit).localSet(this.#exit).br(this.#leaves)
      return
    }
    this.#store()
    fn.i64Const((BigInt(Outcome.exit) << 32n) | BigInt(exit)).return_()
  }
  /** Go on at the offset in the local. Ends a path. */
  #jump(): void {
    if (this.#processor.writesThrough) {
      this.#store()
      this.#returnJump()
    } else this.#fn.br(this.#jumps)
  }
  #returnJump(): void {
    const fn = this.#fn
    fn.localGet(this.#target)
      .op(Op.i64ExtendI32U)
      .i64Const(BigInt(Outcome.jump) << 32n)
      .op(Op.i64Or)
      .return_()
  }
  /** Unless the code TLB has `page`, do `otherwise`, which ends a path. */
  #guard(page: Page, otherwise: () => void): void {
    const fn = this.#fn
    const entry = this.#shop.base + Tables.code + ((page.linear & (CODE_TLB_ENTRIES - 1)) << TLB_ENTRY_SHIFT)
    fn.i32Const(0).load(Load.i32Load, entry)
    fn.localGet(this.#locals.key)
    fn.i32Const((page.linear << 12) | 0)
      .op(Op.i32Or)
      .op(Op.i32Ne)
    fn.i32Const(0).load(Load.i32Load, entry + TLB_ADDEND)
    fn.i32Const(page.id).op(Op.i32Ne).op(Op.i32Or)
    fn.hint(false).if_()
    otherwise()
    fn.end()
  }
  #guardSecond(item: Item): void {
    this.#guard(item.second!, () => this.#leaveBy(this.#shop.exits.go(item.record)))
  }

  // ── the state ──
  #state(offset: number): number {
    return this.#shop.base + offset
  }
  #gpr(reg: number): number {
    return this.#state(Layout.gpr + reg * 8)
  }
  #reload(): void {
    const fn = this.#fn
    const { registers, budget, key, flags } = this.#locals
    const through = this.#processor.writesThrough
    for (let reg = 0; reg < 8; reg++)
      if (!through && (this.#plan.touched >> reg) & 1)
        fn.i32Const(0).load(Load.i32Load, this.#gpr(reg)).localSet(registers[reg]!)
    fn.i32Const(0).load(Load.i32Load, this.#state(Layout.budget)).localSet(budget)
    fn.i32Const(0).load(Load.i32Load, this.#state(Layout.tlbKey)).localSet(key)
    // Settled, or pending in the state.
    if (!through) fn.i32Const(0).localSet(flags.kind)
    this.#processor.held = 0
    this.#processor.flagsKind = undefined
    this.#processor.flagsMade = undefined
  }
  /** Registers, flags and budget, from their locals. */
  #store(): void {
    const fn = this.#fn
    const { registers, flags, budget } = this.#locals
    fn.i32Const(0).localGet(budget).store(Store.i32Store, this.#state(Layout.budget))
    if (this.#processor.writesThrough) return
    for (let reg = 0; reg < 8; reg++)
      if ((this.#plan.written >> reg) & 1)
        fn.i32Const(0).localGet(registers[reg]!).store(Store.i32Store, this.#gpr(reg))
    const kind = this.#processor.flagsKind
    if (kind === undefined) fn.localGet(flags.kind).if_()
    if (kind !== HeldFlags.settled)
      for (const [n, local] of [flags.kind, flags.a, flags.b, flags.c].entries())
        fn.i32Const(0)
          .localGet(local)
          .store(Store.i32Store, this.#state(Layout.heldFlags + 4 * n))
    if (kind === undefined) fn.end()
  }
  #endByExit(): void {
    const fn = this.#fn
    this.#processor.flagsKind = undefined
    this.#store()
    fn.localGet(this.#exit)
      .op(Op.i64ExtendI32U)
      .i64Const(BigInt(Outcome.exit) << 32n)
      .op(Op.i64Or)
      .return_()
  }
  #endByJump(): void {
    this.#processor.flagsKind = undefined
    this.#store()
    this.#returnJump()
  }
  #endElsewhere(): void {
    const fn = this.#fn
    this.#processor.flagsKind = undefined
    this.#store()
    fn.i32Const(0).localGet(this.#exit).store(Store.i32Store, this.#state(Layout.record))
    fn.localGet(BASE).localGet(NESTING).localGet(this.#target)
    fn.returnCallIndirect(this.#shop.type, this.#shop.table)
  }
}
