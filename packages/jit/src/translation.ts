/** The code of one region: a function whose control flow is the guest's. */
import { type FunctionBuilder, type Label, Load, Op, Store } from '@vmexit/wasm-asm'
import { Gpr, Layout } from '@vmexit/x86'
import {
  Acted,
  CODE_TLB_ENTRIES,
  frequentHandler,
  Handler,
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
  TLB_VERSION,
  TlbKey,
} from '@vmexit/x86/engine'
import type { Exits } from './exits.ts'
import type { Graph } from './graph.ts'
import { linearPageOf } from './insn.ts'
import { Locals } from './locals.ts'
import { EVERYTHING } from './parts.ts'
import type { Window } from './passage.ts'
import type { Plan } from './plan.ts'
import { ALL_REGISTERS, INLINE, type Surroundings, type TranslationProcessor } from './processor.ts'
import type { Block, Edge, Item, Page, Region } from './region.ts'
import { stackRun } from './stack-run.ts'

/** Parameters. */
const BASE = 0
const NESTING = 1

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
  /** The head to go on at where the window misses that an instruction opens, or there is no frame in front of it. */
  readonly missesAt: (item: Item, window?: Window) => number
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
  readonly #target: number
  readonly #outcome: number
  readonly #key: number
  /** The instruction that is emitted: its block, and how many of that are not done when it leaves. */
  #number = 0
  #item!: Item
  #unpaid = 0
  /** Registers and flags are in the state for it to leave. */
  #mayLeave = true
  /** Its exits, if there are any: to be executed the slow way, and to be interpreted. */
  #slow = 0
  #missed = 0
  #missedWindow = 0
  /** Heads to go on at where there is no frame in front of a block. */
  readonly #frameless = new Map<number, number>()
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
    this.#locals = new Locals(fn)
    shop.processor.locals = this.#locals
    shop.processor.surroundings = this
    shop.processor.span = plan.frames.span
    shop.processor.isFrameSure = plan.frames.isSure
    shop.processor.user = region.mode.user
    this.#key = region.mode.user ? TlbKey.user : TlbKey.system
    this.#target = fn.local('i32')
    this.#outcome = fn.local('i64')
  }

  emit(): void {
    this.#reload()
    const first = this.#region.blocks[0]!.items[0]!
    if (first.second) this.#guardSecond(first)
    this.#seeToShape(0)
    this.#holdAll(this.#plan.heldAtStart[0]!)
    this.#seeToFrame(0)
    this.#tree(0)
    this.#fn.unreachable()
  }

  // ── structure ──
  #tree(block: number): void {
    const { header, merge, merges } = this.#graph
    const fn = this.#fn
    if (header[block] || merge[block]) {
      this.#processor.flags = undefined
      const { heldAtStart, shapes, frames } = this.#plan
      this.#processor.meet(heldAtStart[block]!, shapes[block], frames.atStart[block])
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
  /** Is the block reached by branches to a label? Its code then is the same for all of them. */
  #isLabel(block: number): boolean {
    return (this.#graph.header[block]! | this.#graph.merge[block]!) !== 0
  }
  /** Parts that are not in locals yet, and should be where the edge leads to. */
  #missing(to: number): number {
    return this.#isLabel(to) ? this.#plan.heldAtStart[to]! & ~this.#processor.inLocals : 0
  }
  #holdAll(parts: number): void {
    for (let left = parts & EVERYTHING; left !== 0; left &= left - 1)
      this.#processor.hold(31 - Math.clz32(left & -left))
  }
  /** The block expects a frame that there is not. */
  #lacksFrame(to: number): boolean {
    const wanted = this.#plan.frames.atStart[to]
    return wanted !== undefined && wanted !== this.#processor.frame
  }
  #seeToFrame(to: number): void {
    if (this.#lacksFrame(to)) this.#findFrame(to, this.#plan.frames.atStart[to]!, 0)
  }
  /** In front of a block, of which so many instructions are paid for. */
  #findFrame(to: number, above: number, unpaid: number): void {
    this.#processor.findFrame(above, () => {
      if (!this.#plan.flagsAtStart[to]) throw new TypeError('a translation leaves in front of a block unforeseen')
      const head = this.#frameless.get(to) ?? this.#shop.missesAt(this.#region.blocks[to]!.items[0]!)
      this.#frameless.set(to, head)
      this.#leaveBy(this.#shop.exits.interpret(head, unpaid))
    })
  }
  /** Unless the x87 unit has the shape that a block begins in, go on there with the interpreter. */
  #seeToShape(to: number): void {
    const shape = this.#plan.shapes[to]
    const processor = this.#processor
    if (!shape || processor.hasShape(shape)) return
    processor.emit(processor.differs(shape))
    this.#fn.hint(false).if_()
    this.#leaveBy(this.#shop.exits.go(this.#region.blocks[to]!.items[0]!.record))
    this.#fn.end()
    processor.takeShape(shape)
  }

  /** Continue along an edge from a block whose last instruction is `item`. Ends a path. */
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
    this.#seeToShape(to)
    this.#holdAll(this.#missing(to))
    this.#seeToFrame(to)
    if (this.#isLabel(to) && this.#plan.flagsAtStart[to]) this.#processor.storeFlags()
    if (place[to]! <= place[from]!) this.#fn.br(this.#loops[to]!)
    else if (merge[to]) this.#fn.br(this.#labels[to]!)
    else this.#tree(to)
  }
  /** The label of an edge along which nothing else is to be done but what may be done on the other one, too. */
  #label(from: number, item: Item, edge: Edge): Label | undefined {
    const { place, merge } = this.#graph
    const { to } = edge
    const shape = to < 0 ? undefined : this.#plan.shapes[to]
    if (to < 0 || this.#missing(to) !== 0 || this.#lacksFrame(to) || (shape && !this.#processor.hasShape(shape)))
      return undefined
    const first = this.#region.blocks[to]!.items[0]!
    if (first.second || (first.page !== item.page && first.page !== item.second)) return undefined
    if (place[to]! <= place[from]!) return this.#loops[to]
    return merge[to] ? this.#labels[to] : undefined
  }

  // ── blocks ──
  #block(number: number): void {
    const block = this.#region.blocks[number]!
    const { items } = block
    const { mode } = this.#region
    const processor = this.#processor
    const fn = this.#fn
    const { budget } = this.#locals
    const needed = this.#plan.needed[number]!
    if (needed > 0) {
      fn.localGet(budget).i32Const(needed).op(Op.i32LtS)
      fn.hint(false).if_()
      this.#leaveBy(this.#shop.exits.go(items[0]!.record))
      fn.end()
    }
    fn.localGet(budget).i32Const(items.length).op(Op.i32Sub).localSet(budget)
    this.#number = number
    processor.begin(fn)
    if (this.#plan.frames.looks[number]) this.#findFrame(number, 0, items.length)
    const wanted = this.#plan.flagsWanted[number]!
    const stores = this.#plan.storesWanted[number]!
    for (let n = 0; n < items.length; n++) {
      const run = stackRun(items, n, mode)
      // The baseline compiler clears every local when the function is entered: as few as can be.
      processor.begin(fn)
      this.#item = items[n]!
      this.#unpaid = items.length - n
      this.#slow = 0
      this.#missed = 0
      this.#missedWindow = 0
      this.#mayLeave = this.#plan.leaves[number]![n] !== 0
      processor.passage = this.#plan.windows[number]![n]
      processor.flagsWanted = wanted[n]!
      processor.storesWanted = run > 1 ? ALL_REGISTERS : stores[n]!
      if (run > 1) {
        const all = items.slice(n, n + run)
        if (items[n]!.insn.op === 'push') processor.pushes(all, mode)
        else processor.pops(all, mode)
        n += run - 1
      } else if (this.#item.step === 'action' || this.#item.step === 'transfer') {
        this.#action(number, block, this.#item)
        return
      } else processor.instruction(this.#item.insn, this.#item.ip, mode)
    }
    this.#end(number, block, items.at(-1)!)
  }

  // ── what the current instruction asks for ──
  /** Whoever says that it does not leave has its registers and flags not stored. */
  #check(): void {
    if (!this.#mayLeave) throw new TypeError(`${this.#item.insn.op} leaves a translation unforeseen`)
  }
  leave(): void {
    this.#check()
    this.#slow ||= this.#shop.exits.leave(this.#item.record, this.#unpaid, Leave.slow)
    this.#leaveBy(this.#slow)
  }
  miss(): void {
    this.#check()
    this.#missed ||= this.#shop.exits.interpret(this.#item.record, this.#unpaid)
    this.#leaveBy(this.#missed)
  }
  missWindow(): void {
    this.#check()
    this.#missedWindow ||= this.#shop.exits.interpret(
      this.#shop.missesAt(this.#item, this.#processor.passage!.window),
      this.#unpaid,
    )
    this.#leaveBy(this.#missedWindow)
  }
  pause(): void {
    this.#leaveBy(this.#shop.exits.leave(this.#item.record, 0, Leave.repeat))
  }
  act(): void {
    const { known, flags } = this.#processor
    this.#act(this.#number, this.#region.blocks[this.#number]!, this.#item)
    this.#processor.known = known
    this.#processor.flags = flags
  }

  #end(number: number, block: Block, item: Item): void {
    const { end, taken, next } = block
    const ended = this.#processor.ended
    if (end === 'plain' || end === 'repeat') this.#go(number, item, next!)
    else if (end === 'jump') this.#go(number, item, taken!)
    else if (end === 'branch') this.#branch(number, item, ended!.condition!, taken!, next!)
    else if (end === 'call') this.#call(number, item, taken!.ip, next!)
    else if (end === 'callIndirect') this.#callIndirect(number, item, ended!.target!, next!)
    else this.#indirect(number, item, ended!.target!, block.others)
  }

  #branch(number: number, item: Item, condition: Node, taken: Edge, next: Edge): void {
    const processor = this.#processor
    const fn = this.#fn
    const label = this.#label(number, item, taken)
    if (label !== undefined) {
      if (this.#plan.flagsAtStart[taken.to]) processor.storeFlags()
      processor.emit(condition)
      fn.brIf(label)
    } else {
      processor.emit(condition)
      this.#along(number, item, taken)
    }
    this.#go(number, item, next)
  }
  /** If what is on the stack is not 0, along an edge. */
  #along(number: number, item: Item, edge: Edge): void {
    const { flags, known } = this.#processor
    this.#fn.if_()
    this.#go(number, item, edge)
    this.#fn.end()
    this.#processor.flags = flags
    this.#processor.known = known
  }

  // ── what TypeScript does ──
  #action(number: number, block: Block, item: Item): void {
    const { insn } = item
    const processor = this.#processor
    const handler = frequentHandler(insn, this.#region.mode)
    // The record of what ends in another page is none of an action.
    const isAlone = item.step === 'action' && item.second === undefined
    if (handler === Handler.act && isAlone) {
      this.#act(number, block, item)
      return
    }
    if (!INLINE.has(handler) || !isAlone) {
      this.#leaveBy(this.#shop.exits.interpret(item.record, 1))
      return
    }
    // Either way comes by here: they go on at one place.
    processor.storeFlags()
    processor.frequent(handler, insn, item.ip, this.#region.mode)
    // It is written to the state alone.
    if (handler === Handler.fromSegment) processor.inLocals &= ~(1 << insn.operands[0]!.reg)
    this.#go(number, item, block.next!)
  }
  /** By its action. It is paid for already. Ends a path. */
  #act(number: number, block: Block, item: Item): void {
    const fn = this.#fn
    const { budget } = this.#locals
    this.#processor.storeFlags()
    fn.localGet(budget).i32Const(1).op(Op.i32Add).localSet(budget)
    this.#storeBudget()
    fn.i32Const(item.record).call(this.#processor.calls.act)
    fn.localTee(this.#target).i32Const(Acted.next).op(Op.i32Ne)
    fn.hint(false).if_()
    fn.localGet(this.#target).i32Const(Acted.go).op(Op.i32Eq).op(Op.i64ExtendI32U)
    fn.i64Const(32).op(Op.i64Shl).return_()
    fn.end()
    this.#reload()
    this.#go(number, item, block.next!)
  }

  // ── calls ──
  #call(number: number, item: Item, target: number, next: Edge): void {
    const fn = this.#fn
    this.#processor.storeFlags()
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
    this.#storeBudget()
    fn.i32Const(0).i32Const(entry.head).store(Store.i32Store, this.#state(Layout.record))
    this.#noteStack(item)
    fn.localGet(BASE).localGet(NESTING).i32Const(1).op(Op.i32Sub).i32Const(entry.slot)
    this.#return(number, item, next)
  }
  #callIndirect(number: number, item: Item, target: Node, next: Edge): void {
    const fn = this.#fn
    this.#processor.storeFlags()
    const found = this.#lookUp(target)
    fn.localGet(NESTING).op(Op.i32Eqz)
    fn.hint(false).if_()
    this.#jump()
    fn.end()
    this.#storeBudget()
    fn.i32Const(0).localGet(found.value).store(Store.i32Store, this.#state(Layout.record))
    this.#noteStack(item)
    fn.localGet(BASE).localGet(NESTING).i32Const(1).op(Op.i32Sub)
    fn.localGet(found.value).load(Load.i32Load, Record32.imm)
    this.#return(number, item, next)
  }
  /** The stack pointer behind the return of a call that has pushed its return address, in the local for targets. */
  #noteStack({ insn }: Item): void {
    this.#fn.i32Const(0).load(Load.i32Load, this.#state(Layout.gpr + Gpr.sp * 8))
    this.#fn
      .i32Const(insn.opSize >> 3)
      .op(Op.i32Add)
      .localSet(this.#target)
  }
  /** Base, nesting and function are on the stack: call, and go on where it was called from if it comes back there. */
  #return(number: number, item: Item, next: Edge): void {
    const fn = this.#fn
    const wanted = (BigInt(Outcome.jump) << 32n) | BigInt(next.ip)
    fn.callIndirect(this.#shop.type, this.#shop.table).localTee(this.#outcome)
    fn.i64Const(wanted).op(Op.i64Ne)
    fn.hint(false).if_()
    fn.localGet(BASE).localGet(NESTING).localGet(this.#target).localGet(this.#outcome).i64Const(wanted)
    fn.i32Const(this.#region.mode.id).call(this.#processor.calls.resume)
    fn.localTee(this.#outcome).i64Const(wanted).op(Op.i64Ne)
    fn.if_()
    fn.localGet(this.#outcome).return_()
    fn.end()
    fn.end()
    this.#reload()
    const first = next.to < 0 ? undefined : this.#region.blocks[next.to]!.items[0]!
    const isHere = linearPageOf(next.ip, this.#region.mode) === item.page.linear
    const page = first ? first.page : isHere ? item.page : undefined
    const jump = (): void => {
      fn.i32Const(next.ip | 0).localSet(this.#target)
      this.#jump()
    }
    if (!page) {
      jump()
      return
    }
    this.#guard(page, jump)
    // The page is the one that was looked at, whatever the call's was.
    this.#go(number, { ...item, page, second: undefined }, next)
  }
  /** Through the table of what was last found; a jump out of here where that is no translation. */
  #lookUp(target: Node): Node {
    const fn = this.#fn
    const processor = this.#processor
    const { mode } = this.#region
    const { base } = this.#shop
    processor.emit(target)
    fn.localSet(this.#target)
    const to = localNode('i32', this.#target)
    const hash = processor.xor(to, processor.shr(to, processor.i32(16)))
    const slot = processor.shl(processor.and(hash, processor.i32(JUMP_ENTRIES - 1)), processor.i32(2))
    const found = processor.peek('i32', slot, base + Tables.jump, 32)
    const field = (offset: number): Node => processor.peek('i32', found, offset, 32)
    const linear = processor.let(processor.add(to, processor.i32(mode.codeBase | 0)))
    const index = processor.and(processor.shr(linear, processor.i32(12)), processor.i32(CODE_TLB_ENTRIES - 1))
    const tlb = processor.let(processor.shl(index, processor.i32(TLB_ENTRY_SHIFT)))
    const tag = processor.tag(linear)
    const differences = [
      processor.xor(field(Record32.ip), to),
      processor.xor(field(Record32.mode), processor.i32(mode.id)),
      processor.xor(field(Record32.handler), processor.i32(Handler.enter)),
      processor.xor(processor.peek('i32', tlb, base + Tables.code, 32), tag),
      processor.xor(processor.peek('i32', tlb, base + Tables.code + TLB_ADDEND, 32), field(Record32.page)),
    ]
    processor.emit(differences.reduce((a, b) => processor.or(a, b)))
    fn.hint(false).if_()
    this.#jump()
    fn.end()
    return found
  }
  #indirect(number: number, item: Item, target: Node, others: readonly Edge[]): void {
    const fn = this.#fn
    this.#processor.storeFlags()
    this.#processor.emit(target)
    fn.localSet(this.#target)
    if (item.insn.op === 'ret') {
      this.#jump()
      return
    }
    const to = localNode('i32', this.#target)
    // A switch within the region. (A blend of C with one for each record takes 29 % less time, a shell 4 %.)
    for (const edge of others) {
      if (edge.to < 0) continue
      this.#processor.emit(this.#processor.eq(to, this.#processor.i32(edge.ip | 0)))
      const label = this.#label(number, item, edge)
      if (label !== undefined) fn.brIf(label)
      else this.#along(number, item, edge)
    }
    const found = this.#lookUp(to)
    this.#storeBudget()
    fn.i32Const(0).localGet(found.value).store(Store.i32Store, this.#state(Layout.record))
    fn.localGet(BASE).localGet(NESTING).localGet(found.value).load(Load.i32Load, Record32.imm)
    fn.returnCallIndirect(this.#shop.type, this.#shop.table)
  }

  // ── leaving ──
  #goElsewhere(item: Item, ip: number): void {
    const fn = this.#fn
    this.#processor.storeFlags()
    const entry = this.#shop.entryAt(item.page, ip)
    if (!entry) {
      this.#leaveBy(this.#shop.exits.go(this.#stub(item, ip)))
      return
    }
    if (entry.page !== item.page && entry.page !== item.second)
      this.#guard(entry.page, () => this.#leaveBy(this.#shop.exits.go(this.#stub(item, ip))))
    this.#storeBudget()
    fn.i32Const(0).i32Const(entry.head).store(Store.i32Store, this.#state(Layout.record))
    fn.localGet(BASE).localGet(NESTING).i32Const(entry.slot)
    fn.returnCallIndirect(this.#shop.type, this.#shop.table)
  }
  /** A record that leads to `ip`, found from behind `item`. */
  #stub({ page }: Item, ip: number): number {
    const { mode } = this.#region
    return this.#shop.records.exit(page.pfn, ip, mode, linearPageOf(ip, mode) !== page.linear)
  }
  #leaveBy(exit: number): void {
    this.#processor.emitFlags()
    this.#storeBudget()
    this.#fn.i64Const((BigInt(Outcome.exit) << 32n) | BigInt(exit)).return_()
  }
  /** Go on at the offset in the local. Ends a path. */
  #jump(): void {
    const fn = this.#fn
    this.#processor.emitFlags()
    this.#storeBudget()
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
    fn.i32Const((page.linear << 12) | this.#key).op(Op.i32Xor)
    fn.i32Const(0).load(Load.i32Load, entry + TLB_VERSION)
    fn.i32Const(page.version).op(Op.i32Xor).op(Op.i32Or)
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
  /** Others may have changed everything. */
  #reload(): void {
    const fn = this.#fn
    const { budget } = this.#locals
    fn.i32Const(0).load(Load.i32Load, this.#state(Layout.budget)).localSet(budget)
    this.#processor.meet(0, undefined, undefined)
    this.#processor.flags = undefined
  }
  #storeBudget(): void {
    this.#fn.i32Const(0).localGet(this.#locals.budget).store(Store.i32Store, this.#state(Layout.budget))
  }
}
