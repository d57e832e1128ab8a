/**
 * The generated code: one function that dispatches, with the hottest handlers inline in one `br_table`, and the rest in a
 * function table, compiled in small modules when they are first needed. (All handlers in one `br_table` were measured at a
 * quarter of the speed: a huge switch function collapses.)
 */
import { type FunctionBuilder, Load, ModuleBuilder, Store } from '@vmexit/wasm-asm'
import type { Insn, Operand, Row } from '@vmexit/x86-decoder'
import { settleFlags } from '../generated/held-flags.ts'
import type { RoutineLinker } from '../ops/emit.ts'
import type { Routine } from '../ops/ops.ts'
import { ROUTINES, type RoutineLibrary } from '../ops/routines.ts'
import { semantics } from '../semantics/index.ts'
import { integer } from '../semantics/integer/index.ts'
import { Layout } from '../state/layout.ts'
import { BASE, Kept, RECORD } from './kept.ts'
import { keyOf, type Template, templateOf, withBase } from './key.ts'
import { Handler } from './layout.ts'
import { LASTING_MODES, type Mode } from './mode.ts'
import { type Continuation, HandlerProcessor, type SlowPaths } from './processor.ts'
import { RESUME, TRANSLATION } from './translation.ts'

/** What the modules import. */
export interface HandlerImports {
  readonly memory: WebAssembly.Memory
  /**
   * (base, linear address, bytes) → not 0, with the host address in `Layout.reached`, or 0 to leave: `linear` is a
   * number, or a bigint in 64-bit code.
   */
  readonly read: (base: number, linear: never, bytes: number) => number
  readonly write: (base: number, linear: never, bytes: number) => number
  /** Code at a linear address of 32 bits → its physical page number, or −1 to leave. */
  readonly code: (linear: number) => number
  /**
   * Execute the instruction of the record in `Layout.record` by its action → 1 to go on at the record that is there then
   * and paid for, or 0 to leave.
   */
  readonly act: () => number
  /** The translations of the tier behind the interpreter, by number. */
  readonly translations: WebAssembly.Table | undefined
}

const TABLE_INITIAL = 1024
/** Integer instructions whose keys say more than their operands do. */
const NEEDS_KEY = new Set(['ret', 'pop'])

export class Handlers {
  readonly width: 32 | 64
  readonly #imports: HandlerImports
  readonly #routines: RoutineLibrary
  readonly #index = new Map<string, number>()
  readonly #fused = new Set<number>()
  /** Lists of operands that were met, numbered; and handlers by row and the rest of what makes them. */
  readonly #operands = new Map<readonly Operand[], number>()
  readonly #byRow = new Map<Row, Map<number, number>>()
  readonly #waiting: { index: number; template: Template }[] = []
  readonly #table: WebAssembly.Table
  #count: number = Handler.first
  /** Handlers below this index stand in the dispatcher. */
  readonly #inline: number
  /** Modules and bytes compiled so far. */
  readonly stats = { modules: 0, bytes: 0, handlers: 0 }
  /** Run from the record in `Layout.record` until something makes it leave. */
  readonly run: (base: number) => void
  /** Interprets until a call comes back: see `RESUME`; undefined where there are no translations. */
  readonly resume: WebAssembly.ExportValue | undefined

  constructor(width: 32 | 64, imports: HandlerImports, hot: readonly Template[], routines: RoutineLibrary) {
    this.width = width
    this.#imports = imports
    this.#routines = routines
    this.#table = new WebAssembly.Table({ element: 'anyfunc', initial: TABLE_INITIAL })
    const { run, resume } = this.#compileDispatcher(hot)
    this.run = run
    this.resume = resume
    this.#inline = this.#count
  }

  /**
   * Index of the handler for `insn`, as {@link indexOf}. By numbers, where the key of a template is made of such: to write
   * keys out took a third of the time of translating.
   */
  of(insn: Insn, mode: Mode): number {
    if (!integer[insn.op] || NEEDS_KEY.has(insn.op) || mode.id >= LASTING_MODES)
      return this.indexOf(templateOf(insn, mode))
    const operands = this.#operands.get(insn.operands) ?? this.#operands.size
    if (operands === this.#operands.size) this.#operands.set(insn.operands, operands)
    const address =
      ((insn.base >= 0 ? 1 : 0) * 8 + (insn.index >= 0 ? insn.scale + 1 : 0)) * 2 + (insn.ripRelative ? 1 : 0)
    const sizes = (insn.opSize >> 4) * 8 + (insn.addrSize >> 4)
    const prefixes = (insn.rep & 3) * 8 + insn.seg
    const kind = (((address * 64 + sizes) * 32 + prefixes) * 16 + insn.cc) * LASTING_MODES + mode.id
    let byKind = this.#byRow.get(insn.row)
    if (!byKind) this.#byRow.set(insn.row, (byKind = new Map()))
    // Together 48 bits or less.
    const number = kind * 0x1_0000 + operands
    const known = byKind.get(number)
    if (known !== undefined) return known
    const index = this.indexOf(templateOf(insn, mode))
    if (operands < 0x1_0000) byKind.set(number, index)
    return index
  }

  /** Index of the handler for `template`; ready to run after the next {@link flush}. */
  indexOf(template: Template): number {
    const key = keyOf(template)
    const known = this.#index.get(key)
    if (known !== undefined) return known
    const inline = this.#inlineWithBase(template)
    if (inline !== undefined) {
      this.#index.set(key, inline)
      return inline
    }
    const index = this.#count++
    this.#index.set(key, index)
    if (template.branch !== undefined) this.#fused.add(index)
    this.#waiting.push({ index, template: { ...template, insn: { ...template.insn } } })
    return index
  }

  /** A handler of the dispatcher that serves `template` too. */
  #inlineWithBase(template: Template): number | undefined {
    const based = withBase(template)
    const index = based && this.#index.get(keyOf(based))
    return index !== undefined && index < this.#inline ? index : undefined
  }

  /** Does the handler execute the Jcc behind its instruction too? */
  isFused(index: number): boolean {
    return this.#fused.has(index)
  }

  /** Compile what {@link indexOf} has promised. */
  flush(): void {
    if (this.#waiting.length === 0) return
    const batch = this.#waiting.splice(0)
    this.#grow(this.#count)
    const routines = new Set<Routine>()
    for (const { template } of batch) for (const routine of this.#routinesOf(template)) routines.add(routine)
    this.#routines.require(routines)
    const { module, slow, processor, handlerType } = this.#begin(routines)
    for (const { index, template } of batch) {
      const fn = module.func(...handlerType, template.insn.op)
      module.element(0, index, [fn.index])
      processor.begin(fn)
      processor.handler(template, semantics[template.insn.op]!, slow, returning(fn))
      fn.unreachable()
    }
    this.#instantiate(module)
    this.stats.handlers += batch.length
  }

  #compileDispatcher(hot: readonly Template[]): {
    run: (base: number) => void
    resume: WebAssembly.ExportValue | undefined
  } {
    const inline: Template[] = []
    for (const template of hot) {
      const key = keyOf(template)
      if (this.#index.has(key)) continue
      if (template.branch !== undefined) this.#fused.add(this.#count)
      this.#index.set(key, this.#count++)
      inline.push(template)
    }
    const { translations } = this.#imports
    const used = new Set(translations ? [settleFlags] : [])
    this.#routines.require(used)
    const { module, slow, processor, handlerType, routine } = this.#begin(used)
    const act = module.importFunction('env', 'act', [], ['i32'])
    const enter = translations && {
      settle: routine(settleFlags),
      table: module.importTable('env', 'translations', { element: 'funcref', initial: 1 }),
      type: module.type(...TRANSLATION),
    }
    const cold = module.type(...handlerType)
    const fn = module.func(['i32'], [], 'run')
    module.exportFunction('run', fn.index)
    const kept = new Kept(fn)
    const exit = fn.block()
    const again = fn.loop()
    const other = fn.block()
    const total = Handler.first + inline.length
    const labels: number[] = []
    for (let i = total - 1; i >= 0; i--) labels[i] = fn.block()
    fn.localGet(RECORD).load(Load.i32Load, processor.record.handler).brTable(labels, other)
    const end: Continuation = {
      kept,
      go: () => void fn.localSet(RECORD).br(again),
      exit: () => void fn.br(exit),
    }
    for (let i = 0; i < total; i++) {
      fn.end()
      processor.begin(fn)
      if (i < Handler.first) processor.special(i, slow, { act, enter }, end)
      else {
        const template = inline[i - Handler.first]!
        processor.handler(template, semantics[template.insn.op]!, slow, end)
      }
    }
    fn.end()
    kept.give()
    fn.localGet(BASE).localGet(RECORD).localGet(RECORD).load(Load.i32Load, processor.record.handler).callIndirect(cold)
    kept.take()
    fn.brIf(again)
    fn.end()
    fn.end()
    kept.giveBudget()
    if (enter) {
      const resume = module.func(...RESUME, 'resume')
      processor.resume(resume, fn.index, enter, slow)
      module.exportFunction('resume', resume.index)
    }
    const exports = this.#instantiate(module)
    this.stats.handlers += inline.length
    return { run: exports['run'] as (base: number) => void, resume: exports['resume'] }
  }

  #begin(routines: ReadonlySet<Routine>): {
    module: ModuleBuilder
    slow: SlowPaths
    processor: HandlerProcessor
    handlerType: [params: ['i32', 'i32'], results: ['i32']]
    routine: RoutineLinker
  } {
    const module = new ModuleBuilder({ name: `interpreter${this.width}` })
    const address = this.width === 64 ? 'i64' : 'i32'
    module.importMemory('env', 'memory', { initial: 1, maximum: 65536 })
    module.importTable('env', 'table', { element: 'funcref', initial: this.#table.length })
    const slow: SlowPaths = {
      read: module.importFunction('env', 'read', ['i32', address, 'i32'], ['i32']),
      write: module.importFunction('env', 'write', ['i32', address, 'i32'], ['i32']),
      code: module.importFunction('env', 'code', ['i32'], ['i32']),
    }
    const index = new Map<Routine, number>()
    for (const routine of routines)
      index.set(routine, module.importFunction(ROUTINES, routine.name, routine.params, routine.results))
    const routine: RoutineLinker = (wanted) => index.get(wanted)!
    return {
      module,
      slow,
      routine,
      processor: new HandlerProcessor(this.width, routine, this.#imports.translations !== undefined),
      handlerType: [['i32', 'i32'], ['i32']],
    }
  }

  #instantiate(module: ModuleBuilder): WebAssembly.Exports {
    const bytes = module.toBytes()
    this.stats.modules++
    this.stats.bytes += bytes.length
    const { memory, read, write, code, act, translations } = this.#imports
    const imports = { memory, read, write, code, act, table: this.#table, translations }
    const env = imports as unknown as WebAssembly.ModuleImports
    return new WebAssembly.Instance(new WebAssembly.Module(bytes), { env, [ROUTINES]: this.#routines.functions })
      .exports
  }

  #grow(count: number): void {
    if (count > this.#table.length) this.#table.grow(Math.max(count - this.#table.length, this.#table.length))
  }

  /** Found by emitting the handler into a module that is thrown away. */
  #routinesOf(template: Template): ReadonlySet<Routine> {
    const found = new Set<Routine>()
    const fn = new ModuleBuilder().func(['i32', 'i32'], ['i32'])
    const processor = new HandlerProcessor(this.width, (routine) => {
      found.add(routine)
      return 0
    })
    processor.begin(fn)
    processor.handler(template, semantics[template.insn.op]!, { read: 0, write: 0, code: 0 }, returning(fn))
    return found
  }
}

/** A handler in a function of its own leaves the next record in memory and returns 1, or 0 to leave. */
function returning(fn: FunctionBuilder): Continuation {
  const next = fn.local('i32')
  return {
    go: () =>
      void fn.localSet(next).localGet(BASE).localGet(next).store(Store.i32Store, Layout.record).i32Const(1).return_(),
    exit: () => void fn.i32Const(0).return_(),
  }
}
