/** The tier: what is hot is gathered, translated in small modules, entered, and dropped again when its code changes. */
import { ModuleBuilder } from '@vmexit/wasm-asm'
import {
  type Mode,
  Outcome,
  ROUTINES,
  type Routine,
  settleFlags,
  type Tier,
  type TierParts,
  type TierStats,
  TRANSLATION,
} from '@vmexit/x86/engine'
import { Decoded } from './decoded.ts'
import { Forms } from './effects.ts'
import { Exits } from './exits.ts'
import { type Graph, structure } from './graph.ts'
import { linearPageOf } from './insn.ts'
import type { JitOptions } from './options.ts'
import { type Plan, plan } from './plan.ts'
import { TranslationProcessor } from './processor.ts'
import { type CodeSource, findRegion, type Page, type Region } from './region.ts'
import { type Entry, emitTranslation } from './translation.ts'

const EXIT_BYTES = 8 << 20
/** A module has no more regions than this. */
const FULL_BATCH = 64
/** How many times as hot what lies within a translation must be to get one of its own. */
const PATIENCE = 4
/** Bytes from the beginning of a function at the most to what is taken for a part of it. */
const FARTHEST = 1024

interface Wanted {
  readonly head: number
  readonly mode: Mode
  /** Found already. */
  readonly region?: Region
}
interface Planned extends Wanted {
  readonly region: Region
  readonly graph: Graph
  readonly plan: Plan
}

/** A translation in use. */
interface Translated {
  readonly head: number
  readonly slot: number
  readonly region: Region
  /** Physical pages that its code is of, or looks for others in. */
  readonly pfns: ReadonlySet<number>
}

export class JitTier implements Tier {
  readonly stats: TierStats = {
    translations: 0,
    blocks: 0,
    instructions: 0,
    modules: 0,
    bytes: 0,
    compiled: 0,
    evicted: 0,
    invalidated: 0,
  }
  readonly #parts: TierParts
  readonly #options: Required<JitOptions>
  readonly #forms: Forms
  readonly #exits: Exits
  readonly #source: CodeSource
  #waiting: Wanted[] = []
  /** Heads by their numbers in the table, and the other way round. */
  #slots = new Map<number, number>()
  #free: number[] = []
  #used = 1
  /** By number in the table. */
  #inUse = new Map<number, Translated>()
  /** By the physical pages that they have code of, or look for others in. */
  #byPage = new Map<number, Set<Translated>>()
  /** By page and offset: not 0 where an instruction begins that is part of a translation. */
  #covered = new Map<number, Uint8Array>()
  /** Heads within translations that got hot all the same. */
  #insisted = new Set<number>()
  /** What stands in the table where nothing is translated yet: go on at the head. */
  readonly #cold: WebAssembly.ExportValue

  constructor(parts: TierParts, options: Required<JitOptions>) {
    this.#parts = parts
    this.#options = options
    const { base } = parts.state
    this.#forms = new Forms(base)
    this.#exits = new Exits(parts.host, EXIT_BYTES)
    this.#source = {
      records: parts.records,
      decoder: parts.decoder,
      bytes: () => parts.host.u8,
      readPage: (pfn) => parts.memory.readPage(pfn),
      codePage: parts.codePage,
      decoded: new Decoded(),
    }
    this.#cold = coldFunction()
  }

  hot(head: number, mode: Mode): void {
    const { records } = this.#parts
    const ip = records.ipOf(head)
    const pfn = records.get(head, records.layout.page)
    if (!this.#insisted.has(head)) {
      // It is in a translation already, or soon will be: control should come by there.
      if (this.#isCovered(pfn, ip, mode) || this.#wantFunction(pfn, ip, mode, head)) {
        this.#insisted.add(head)
        records.countFrom(head, this.#options.threshold * PATIENCE)
        this.#flush()
        return
      }
    }
    this.#want({ head, mode })
    this.#flush()
  }

  #want(wanted: Wanted): void {
    // Counted from far off until the batch is translated.
    this.#parts.records.countFrom(wanted.head, 0x4000_0000)
    this.#waiting.push(wanted)
  }
  /** The function around `ip` is to be translated if that will have `ip` in it. */
  #wantFunction(pfn: number, ip: number, mode: Mode, head: number): boolean {
    const { records } = this.#parts
    const start = records.functionAround(pfn, ip, FARTHEST)
    if (start === undefined || start === ip || records.known(pfn, start, mode) === 0) return false
    const whole = records.exit(pfn, start, mode, false)
    if (whole === head || !records.isHead(whole)) return false
    const region = findRegion(this.#source, mode, start, pfn)
    if (!region?.blocks.some(({ items }) => items.some((item) => item.ip === ip))) return false
    if (!this.#waiting.some((wanted) => wanted.head === whole)) this.#want({ head: whole, mode, region })
    return true
  }
  #isCovered(pfn: number, ip: number, mode: Mode): boolean {
    return (this.#covered.get(pfn)?.[(ip + mode.codeBase) & 0xfff] ?? 0) !== 0
  }
  #cover({ blocks, mode }: Region): void {
    for (const { items } of blocks)
      for (const { page, ip } of items) {
        let covered = this.#covered.get(page.pfn)
        if (!covered) this.#covered.set(page.pfn, (covered = new Uint8Array(0x1000)))
        covered[(ip + mode.codeBase) & 0xfff] = 1
      }
  }
  #flush(): void {
    if (this.#waiting.length >= this.#options.batch) this.#translate()
  }

  invalidated(pfn: number): void {
    const lost = this.#byPage.get(pfn)
    this.#covered.delete(pfn)
    if (!lost) return
    this.#byPage.delete(pfn)
    for (const translated of lost) {
      if (!this.#drop(translated)) continue
      this.stats.invalidated++
    }
  }

  reset(): void {
    const { table } = this.#parts.imports
    for (let slot = 0; slot < this.#used; slot++) table.set(slot, this.#cold)
    this.#waiting = []
    this.#slots.clear()
    this.#free = []
    this.#used = 1
    this.#byPage.clear()
    this.#inUse.clear()
    this.#covered.clear()
    this.#insisted.clear()
    this.#exits.clear()
    Object.assign(this.stats, { translations: 0, blocks: 0, instructions: 0, modules: 0, bytes: 0 })
  }

  /** False where it was dropped before. */
  #drop(translated: Translated): boolean {
    const { head, slot, region } = translated
    const { records, imports } = this.#parts
    if (this.#inUse.get(slot) !== translated) return false
    this.#inUse.delete(slot)
    imports.table.set(slot, this.#cold)
    if (records.isHead(head)) records.enterAt(head, 0)
    this.stats.translations--
    this.stats.blocks -= region.blocks.length
    this.stats.instructions -= region.instructions
    for (const pfn of translated.pfns) this.#byPage.get(pfn)?.delete(translated)
    return true
  }

  #translate(): void {
    const planned: Planned[] = []
    for (const wanted of this.#waiting.splice(0)) {
      const found = this.#plan(wanted)
      if (found) planned.push(found)
    }
    for (let n = 0; n < planned.length; n += FULL_BATCH) this.#compile(planned.slice(n, n + FULL_BATCH))
  }

  #plan({ head, mode, region: found }: Wanted): Planned | undefined {
    const { records } = this.#parts
    if (!records.isHead(head)) return undefined
    const pfn = records.get(head, records.layout.page)
    const isCurrent = found?.pages.every((page) => records.versionOf(page.pfn) === page.version)
    const region = isCurrent ? found : findRegion(this.#source, mode, records.ipOf(head), pfn)
    if (!region) {
      records.giveUp(head)
      return undefined
    }
    const graph = structure(region.blocks)
    return { head, mode, region, graph, plan: plan(region, graph, this.#forms) }
  }

  #compile(batch: readonly Planned[]): void {
    const { records, state, routines, imports } = this.#parts
    const wanted = new Set<Routine>()
    for (const { plan } of batch) for (const routine of plan.routines) wanted.add(routine)
    routines.require(wanted)
    const module = new ModuleBuilder({ name: 'translations' })
    module.importMemory('env', 'memory', { initial: 1, maximum: 65536 })
    const table = module.importTable('env', 'table', { element: 'funcref', initial: 1 })
    const calls = {
      fill: module.importFunction('env', 'fill', ['i32', 'i32'], ['i32']),
      act: module.importFunction('env', 'act', ['i32'], ['i32']),
    }
    const index = new Map<Routine, number>()
    wanted.add(settleFlags)
    for (const routine of wanted)
      index.set(routine, module.importFunction(ROUTINES, routine.name, routine.params, routine.results))
    const processor = new TranslationProcessor(state.base, (routine) => index.get(routine)!)
    processor.calls = { ...calls, settle: index.get(settleFlags)! }
    const type = module.type(...TRANSLATION)
    const done: Translated[] = []
    for (const { head, region, graph, plan, mode } of batch) {
      const slot = this.#slotOf(head)
      const fn = module.func(...TRANSLATION, 'translation')
      module.element(table, slot, [fn.index])
      const pfns = new Set(region.pages.map(({ pfn }) => pfn))
      const entryAt = (page: Page, ip: number): Entry | undefined => {
        const entry = this.#entryAt(page, ip, mode)
        if (entry) pfns.add(entry.page.pfn)
        return entry
      }
      const shop = { base: state.base, records, exits: this.#exits, processor, type, table, entryAt }
      emitTranslation(shop, fn, region, graph, plan)
      done.push({ head, slot, region, pfns })
    }
    const bytes = module.toBytes()
    const env = { ...imports } as unknown as WebAssembly.ModuleImports
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { env, [ROUTINES]: routines.functions })
    this.stats.modules++
    this.stats.compiled++
    this.stats.bytes += bytes.length
    for (const translated of done) {
      const { head, slot, region } = translated
      records.enterAt(head, slot)
      this.stats.translations++
      this.stats.blocks += region.blocks.length
      this.stats.instructions += region.instructions
      this.#inUse.set(slot, translated)
      for (const pfn of translated.pfns) {
        let set = this.#byPage.get(pfn)
        if (!set) this.#byPage.set(pfn, (set = new Set()))
        set.add(translated)
      }
      this.#cover(region)
    }
  }

  /** Number in the table for what begins at a head. */
  #slotOf(head: number): number {
    const known = this.#slots.get(head)
    if (known !== undefined) return known
    const slot = this.#free.pop() ?? this.#used++
    const { table } = this.#parts.imports
    if (slot >= table.length) table.grow(Math.max(1024, table.length))
    table.set(slot, this.#cold)
    this.#slots.set(head, slot)
    return slot
  }

  /** See `Workshop.entryAt`. */
  #entryAt(from: Page, ip: number, mode: Mode): Entry | undefined {
    const { records, codePage } = this.#parts
    const linear = linearPageOf(ip, mode)
    let page = from
    if (linear !== from.linear) {
      const pfn = codePage(linear * 0x1000)
      const version = pfn < 0 ? 0 : records.versionOf(pfn)
      if (version === 0) return undefined
      page = { version, pfn, linear }
    }
    if (records.known(page.pfn, ip, mode) === 0) return undefined
    const head = records.exit(page.pfn, ip, mode, false)
    return records.isHead(head) ? { head, slot: this.#slotOf(head), page } : undefined
  }
}

/** A function that goes on at the head that its caller has put into the state. */
function coldFunction(): WebAssembly.ExportValue {
  const module = new ModuleBuilder()
  const fn = module.func(...TRANSLATION, 'cold')
  fn.i64Const(BigInt(Outcome.go) << 32n)
  module.exportFunction('cold', fn.index)
  return new WebAssembly.Instance(new WebAssembly.Module(module.toBytes())).exports['cold']!
}
