/** The tier: what is hot is gathered, translated in small modules, entered, and dropped again when its code changes. */
import { ModuleBuilder } from '@vmexit/wasm-asm'
import {
  findStack,
  type Mode,
  Outcome,
  peekFlags,
  RESUME,
  ROUTINES,
  type Routine,
  settleFlags,
  type Tier,
  type TierParts,
  type TierStats,
  TRANSLATION,
} from '@vmexit/x86/engine'
import { Catalog, type Compiled, type Translated } from './catalog.ts'
import { Decoded } from './decoded.ts'
import { Forms } from './effects.ts'
import { Exits } from './exits.ts'
import { type Graph, structure } from './graph.ts'
import { linearPageOf } from './insn.ts'
import { Misses, type Watched } from './misses.ts'
import type { JitOptions } from './options.ts'
import type { Window } from './passage.ts'
import { type Plan, plan } from './plan.ts'
import { TranslationProcessor } from './processor.ts'
import { type CodeSource, findRegion, type Item, LARGEST, type Page, type Region } from './region.ts'
import { atEntry, shapeOf } from './shape.ts'
import { type Entry, emitTranslation } from './translation.ts'
import type { Wanted } from './wanted.ts'

/** Room for half a million exits: an instruction has two, most often. Never touched where it is not used. */
const EXIT_BYTES = 8 << 20
/** Exits and records that an instruction takes at the most: an indirect jump may have eight targets, each with four ways to leave. */
const EXITS = 48
/** Translated together at the most. */
const MOST_AT_ONCE = 16
/** Heads with numbers at the most. */
const MOST_SLOTS = 100_000
/** How many times as hot what lies within a translation must be to get one of its own. */
const PATIENCE = 4
/** Bytes from the beginning of a function at the most to what is taken for a part of it. */
const FARTHEST = 1024
/** Instructions after which a batch is translated that has not filled. */
const LONGEST_WAIT = 1_000_000
/**
 * Instructions after which heads count anew: hot is what is executed often in a while. (Else ever more of what is seldom
 * executed gets translated, which never pays: against 2·10⁹, fork and exec take 10 % less time and a boot from the kernel
 * on 8 %. Over 10¹¹ instructions of fork and exec, memory rises by 2 % from the first tenth to the last instead of 6 %.)
 */
const COOL_AFTER = 200_000_000
/** Executions that nobody will see. */
const FAR_OFF = 0x4000_0000

interface Planned extends Wanted {
  readonly region: Region
  readonly graph: Graph
  readonly plan: Plan
}

export class JitTier implements Tier {
  readonly #parts: TierParts
  readonly #options: Required<JitOptions>
  readonly #forms: Forms
  readonly #exits: Exits
  readonly #source: CodeSource
  readonly #catalog: Catalog
  #waiting: Wanted[] = []
  /** Instructions that the first of them has waited for. */
  #waited = 0
  /** Instructions retired when heads began to count anew. */
  #cooled = 0
  /** Heads within translations that got hot all the same. */
  readonly #insisted = new Set<number>()
  readonly #misses: Misses

  constructor(parts: TierParts, options: Required<JitOptions>) {
    this.#parts = parts
    this.#options = options
    this.#forms = new Forms(parts.state.base)
    this.#exits = new Exits(parts.host, EXIT_BYTES)
    this.#misses = new Misses(parts.state, parts.records)
    this.#catalog = new Catalog(parts.records, parts.imports.table, coldFunction(), (heads) =>
      this.#misses.forget(heads),
    )
    this.#source = {
      records: parts.records,
      decoder: parts.decoder,
      bytes: () => parts.host.u8,
      readPage: (pfn) => parts.memory.readPage(pfn),
      codePage: parts.codePage,
      decoded: new Decoded(),
    }
  }

  get stats(): TierStats {
    return this.#catalog.stats
  }

  hot(head: number, mode: Mode): void {
    const { records } = this.#parts
    const watched = this.#misses.of(head)
    if (watched) {
      this.#missed(head, watched)
      this.#translateMany()
      return
    }
    const ip = records.ipOf(head)
    const pfn = records.get(head, records.layout.page)
    // What is in a translation already, or soon will be, waits: control should come by there.
    const waits =
      !this.#insisted.has(head) && (this.#isCovered(pfn, ip, mode) || this.#wantFunction(pfn, ip, mode, head))
    if (waits) this.#letWait(head)
    else this.#want({ head, mode, shape: shapeOf(this.#parts.state) })
    this.#translateMany()
  }
  #translateMany(): void {
    if (this.#waiting.length >= Math.min(this.#options.batch, MOST_AT_ONCE)) this.#translate()
  }

  /** A window of a translation, or its frame, has missed often. */
  #missed(head: number, watched: Watched): void {
    const { threshold } = this.#options
    this.#parts.records.countFrom(head, threshold * PATIENCE)
    if (!this.#misses.renounce(watched, this.#parts.retired(), threshold)) return
    this.#catalog.dropAt(watched.wanted.head)
    this.#insisted.add(watched.wanted.head)
    this.#want(watched.wanted)
  }
  #letWait(head: number): void {
    this.#insisted.add(head)
    this.#parts.records.countFrom(head, this.#options.threshold * PATIENCE)
  }
  #want(wanted: Wanted): void {
    // Until the batch is translated.
    this.#parts.records.countFrom(wanted.head, FAR_OFF)
    this.#waiting.push(wanted)
  }
  #isCovered(pfn: number, ip: number, mode: Mode): boolean {
    return this.#catalog.isCovered(pfn, (ip + mode.codeBase) & 0xfff)
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
    if (!this.#waiting.some((wanted) => wanted.head === whole))
      this.#want({ head: whole, mode, shape: atEntry(shapeOf(this.#parts.state)), region })
    return true
  }

  turn(instructions: number): void {
    const now = this.#parts.retired()
    // A state that was restored may be an earlier one.
    if (Math.abs(now - this.#cooled) > COOL_AFTER) {
      this.#cooled = now
      this.#parts.records.coolDown()
    }
    if (this.#waiting.length === 0) return
    this.#waited += instructions
    if (this.#waited > LONGEST_WAIT) this.#translate()
  }
  invalidated(pfn: number): void {
    this.#catalog.invalidate(pfn)
  }
  reset(): void {
    this.#waiting = []
    this.#catalog.clear()
    this.#insisted.clear()
    this.#misses.clear()
    this.#exits.clear()
  }

  #translate(): void {
    const start = this.#options.now()
    this.#translateWaiting()
    this.stats.time += this.#options.now() - start
  }
  #translateWaiting(): void {
    const wanted = this.#waiting.splice(0)
    this.#waited = 0
    // No translation runs now.
    const { quota } = this.#options
    if (!this.#parts.records.hasRoom(wanted.length * LARGEST * EXITS)) {
      this.#parts.records.clear()
      return
    }
    const isFull =
      this.stats.bytes > quota || this.#exits.room < wanted.length * LARGEST * EXITS || this.#catalog.slots > MOST_SLOTS
    if (isFull) {
      this.#catalog.evict()
      this.#insisted.clear()
      this.#misses.clear()
      this.#exits.clear()
    }
    const planned: Planned[] = []
    for (const each of wanted) {
      const found = this.#plan(each)
      if (!found) continue
      const { page, ip } = found.region.blocks[0]!.items[0]!
      // It got hot beside one that it is a part of now. (Without this, half of what a shell or a sort has translated was there twice.)
      if (!this.#insisted.has(each.head) && this.#isCovered(page.pfn, ip, each.mode)) {
        this.#letWait(each.head)
        continue
      }
      this.#catalog.cover(found.region)
      planned.push(found)
    }
    if (planned.length > 0) this.#compile(planned)
  }

  #plan({ head, mode, shape, region: found }: Wanted): Planned | undefined {
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
    return { head, mode, shape, region, graph, plan: plan(region, graph, this.#forms, shape, head, this.#misses) }
  }

  #compile(batch: readonly Planned[]): void {
    const { records, state, routines, imports } = this.#parts
    // The form of an instruction does not tell its condition.
    const needed = new Set<Routine>([settleFlags, peekFlags, findStack])
    for (const { plan } of batch) for (const routine of plan.routines) needed.add(routine)
    routines.require(needed)
    const module = new ModuleBuilder({ name: 'translations' })
    module.importMemory('env', 'memory', { initial: 1, maximum: 65536 })
    const table = module.importTable('env', 'table', { element: 'funcref', initial: 1 })
    const calls = {
      act: module.importFunction('env', 'act', ['i32'], ['i32']),
      resume: module.importFunction('env', 'resume', ...RESUME),
    }
    const index = new Map<Routine, number>()
    for (const routine of needed)
      index.set(routine, module.importFunction(ROUTINES, routine.name, routine.params, routine.results))
    const processor = new TranslationProcessor(state.base, (routine) => index.get(routine)!)
    processor.calls = { ...calls, settle: index.get(settleFlags)! }
    const type = module.type(...TRANSLATION)
    const made = batch.map(({ head, region, graph, plan, mode, shape }) => {
      const slot = this.#catalog.slotOf(head)
      const fn = module.func(...TRANSLATION, 'translation')
      module.element(table, slot, [fn.index])
      const pfns = new Set(region.pages.map(({ pfn }) => pfn))
      const entryAt = (page: Page, ip: number): Entry | undefined => {
        const entry = this.#entryAt(page, ip, mode)
        if (entry) pfns.add(entry.page.pfn)
        return entry
      }
      const wanted = { head, mode, shape }
      const watched: number[] = []
      const missesAt = (item: Item, window?: Window): number => {
        const at = this.#misses.watch(wanted, item, window, this.#parts.retired())
        watched.push(at)
        return at
      }
      const shop = { base: state.base, records, exits: this.#exits, processor, type, table, entryAt, missesAt }
      emitTranslation(shop, fn, region, graph, plan)
      return { head, slot, region, pfns, watched }
    })
    const bytes = module.toBytes()
    const env = { ...imports } as unknown as WebAssembly.ModuleImports
    new WebAssembly.Instance(new WebAssembly.Module(bytes), { env, [ROUTINES]: routines.functions })
    this.stats.compiled++
    const compiled: Compiled = { bytes: bytes.length, inUse: 0 }
    for (const { head, slot, region, pfns, watched } of made) {
      const { blocks, instructions } = region
      const size = { blocks: blocks.length, instructions }
      const translated: Translated = { head, slot, ...size, pfns, watched, module: compiled }
      this.#catalog.add(translated)
    }
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
    return records.isHead(head) ? { head, slot: this.#catalog.slotOf(head), page } : undefined
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
