/**
 * Which code is translated together: blocks that lead to each other by direct branches, in pages that lie side by side
 * for as long as the code TLB says so. Only code that the interpreter has met takes part; what a branch never led to stays
 * out and costs nothing.
 */
import type { Mode, Records } from '@vmexit/x86/engine'
import { createInsn, type Decoder, type Insn } from '@vmexit/x86-decoder'
import type { Decoded } from './decoded.ts'
import { linearPageOf, nextOf, type Step, stepOf, targetOf } from './insn.ts'
import { tableTargets } from './jump-table.ts'

/** A page that code of a region lies in. */
export interface Page {
  /** See `Records.versionOf`: another one when it is written. */
  readonly version: number
  readonly pfn: number
  readonly linear: number
}

/** An instruction of a region. */
export interface Item {
  readonly ip: number
  readonly insn: Insn
  readonly step: Step
  /** Its record. */
  readonly record: number
  readonly page: Page
  /** The page that it ends in, if that is the next one. */
  readonly second: Page | undefined
}

/** Where a block leads to. */
export interface Edge {
  readonly ip: number
  /** Number of the block; −1: outside of the region. */
  to: number
}

export interface Block {
  readonly items: readonly Item[]
  /** How the last instruction goes on; `plain` if the next block follows. */
  readonly end: Step
  /** Where it goes if a branch is taken. */
  readonly taken: Edge | undefined
  /** The instruction behind it, if control can come there. */
  readonly next: Edge | undefined
  /** Where an indirect jump may go: the target is compared with each. */
  readonly others: readonly Edge[]
}

/** All edges of a block that lead to another one. */
export function edgesOf({ taken, next, others }: Block): Edge[] {
  return [taken, next, ...others].filter((edge) => edge !== undefined && edge.to >= 0) as Edge[]
}

export interface Region {
  readonly mode: Mode
  /** The first one is the entry. */
  readonly blocks: readonly Block[]
  readonly pages: readonly Page[]
  readonly instructions: number
}

/** What looking for code takes. */
export interface CodeSource {
  readonly records: Records
  readonly decoder: Decoder
  /** All of the host's memory. */
  readonly bytes: () => Uint8Array
  /** Host address of a physical page, 0 where there is none. */
  readonly readPage: (pfn: number) => number
  /** Physical page of code in a linear page; −1 where it faults. */
  readonly codePage: (linear: number) => number
  readonly decoded: Decoded
}

/**
 * Instructions of a region at the most: larger functions take V8 longer than they save. (With 120, longer loops came to be translated
 * from each of their branches' targets anew: gzip had 3300 instructions translated for 870, and took a fifth longer. With 500, as long.)
 */
export const LARGEST = 300
const LONGEST = 15
/** Targets of an indirect jump that are worth comparing with. */
const MOST_TARGETS = 8
const PAGE = 0x1000

/** Finds the region that begins at `ip`; undefined where nothing there can be translated. */
export function findRegion(source: CodeSource, mode: Mode, ip: number, pfn: number): Region | undefined {
  const search = new Search(source, mode)
  return search.region(ip, pfn)
}

class Search {
  readonly #source: CodeSource
  readonly #mode: Mode
  readonly #pages = new Map<number, Page | undefined>()
  readonly #items = new Map<number, Item>()
  readonly #leaders = new Set<number>()
  /** By indirect jump: where it may lead. */
  readonly #targets = new Map<number, number[]>()
  readonly #scratch = new Uint8Array(2 * LONGEST)

  constructor(source: CodeSource, mode: Mode) {
    this.#source = source
    this.#mode = mode
  }

  region(ip: number, pfn: number): Region | undefined {
    const version = this.#source.records.versionOf(pfn)
    if (version === 0) return undefined
    const linear = linearPageOf(ip, this.#mode)
    this.#pages.set(linear, { version, pfn, linear })
    this.#explore(ip)
    if (!this.#items.has(ip)) return undefined
    const blocks = this.#cut(ip)
    const pages = new Set<Page>()
    let instructions = 0
    for (const { items } of blocks) {
      instructions += items.length
      for (const { page, second } of items) {
        pages.add(page)
        if (second) pages.add(second)
      }
    }
    return { mode: this.#mode, blocks, pages: [...pages], instructions }
  }

  /** Decode from `entry` on, nearest first, as far as code is known and there is room. */
  #explore(entry: number): void {
    const waiting = [entry]
    this.#leaders.add(entry)
    const lead = (ip: number): void => {
      if (this.#leaders.has(ip)) return
      this.#leaders.add(ip)
      waiting.push(ip)
    }
    for (let n = 0; n < waiting.length; n++) {
      let ip = waiting[n]!
      while (!this.#items.has(ip) && this.#items.size < LARGEST) {
        const item = this.#decode(ip)
        if (!item) break
        this.#items.set(ip, item)
        const { step, insn } = item
        const next = nextOf(ip, insn)
        const target = step === 'branch' || step === 'jump' ? targetOf(ip, insn) : ip
        // A jump to the beginning of a function is a call in its last place.
        if (target !== ip && !(step === 'jump' && this.#source.records.isFunction(item.page.pfn, target))) lead(target)
        if (step === 'indirect') for (const to of this.#mayReach(item)) lead(to)
        if (step === 'jump' || step === 'indirect' || step === 'transfer') break
        // What ends in another page has a check in front of it.
        if (item.second) lead(ip)
        // What follows is a place to look at the budget again, or has a check of its own.
        if (step !== 'plain' || item.second) lead(next)
        if (linearPageOf(next, this.#mode) !== item.page.linear) lead(next)
        ip = next
      }
    }
  }

  /** Of what an indirect jump may lead to, the code that is known. */
  #mayReach({ ip, insn }: Item): readonly number[] {
    const targets = tableTargets(insn, this.#mode, (linear) => this.#word(linear))
    const known = targets.filter((target) => {
      const page = this.#page(linearPageOf(target, this.#mode))
      return page && target <= this.#mode.codeLimit && this.#source.records.known(page.pfn, target, this.#mode) !== 0
    })
    const few = known.length > MOST_TARGETS ? [] : known
    this.#targets.set(ip, few)
    return few
  }
  /** The aligned word at a linear address, if it can be had without a trace. */
  #word(linear: number): number | undefined {
    const pfn = (linear & 3) === 0 ? this.#source.codePage(linear - (linear % PAGE)) : -1
    const host = pfn < 0 ? 0 : this.#source.readPage(pfn)
    if (host === 0) return undefined
    const bytes = this.#source.bytes()
    return new DataView(bytes.buffer, bytes.byteOffset).getUint32(host + (linear % PAGE), true)
  }

  #page(linear: number): Page | undefined {
    if (this.#pages.has(linear)) return this.#pages.get(linear)
    const pfn = this.#source.codePage(linear * PAGE)
    const version = pfn < 0 ? 0 : this.#source.records.versionOf(pfn)
    const page = version === 0 ? undefined : { version, pfn, linear }
    this.#pages.set(linear, page)
    return page
  }

  #decode(ip: number): Item | undefined {
    const mode = this.#mode
    if (ip > mode.codeLimit) return undefined
    const { records, decoder, readPage } = this.#source
    const page = this.#page(linearPageOf(ip, mode))
    if (!page) return undefined
    const record = records.known(page.pfn, ip, mode)
    const host = record === 0 ? 0 : readPage(page.pfn)
    if (host === 0) return undefined
    const offset = (ip + mode.codeBase) & (PAGE - 1)
    const room = Math.min(LONGEST, mode.codeLimit - ip + 1)
    const here = Math.min(room, PAGE - offset)
    const place = offset * 2 + (mode.codeBits === 16 ? 1 : 0)
    const known = here === LONGEST ? this.#source.decoded.get(page.version, place) : undefined
    if (known) return this.#item(ip, known, record, page, undefined)
    const insn = createInsn()
    const bytes = this.#source.bytes()
    let second: Page | undefined
    let length = decoder.decode(bytes, host + offset, host + offset + here, mode.codeBits, insn)
    if (length <= 0) {
      if (here === room) return undefined
      second = this.#page((page.linear + 1) & 0xfffff)
      const beyond = second ? readPage(second.pfn) : 0
      if (beyond === 0) return undefined
      this.#scratch.set(bytes.subarray(host + offset, host + PAGE))
      this.#scratch.set(bytes.subarray(beyond, beyond + room - here), here)
      length = decoder.decode(this.#scratch, 0, room, mode.codeBits, insn)
      if (length <= 0) return undefined
    }
    if (here === LONGEST) this.#source.decoded.set(page.version, place, insn)
    return this.#item(ip, insn, record, page, second)
  }
  #item(ip: number, insn: Insn, record: number, page: Page, second: Page | undefined): Item | undefined {
    const step = stepOf(insn)
    // Out of bounds: the slow way raises what there is to raise.
    const leads = step === 'branch' || step === 'jump' || step === 'call'
    return leads && targetOf(ip, insn) > this.#mode.codeLimit ? undefined : { ip, insn, step, record, page, second }
  }

  /** Blocks from leader to leader, the entry first. */
  #cut(entry: number): Block[] {
    const starts = [entry, ...[...this.#leaders].filter((ip) => ip !== entry && this.#items.has(ip))]
    const numbers = new Map(starts.map((ip, n) => [ip, n]))
    const edge = (ip: number): Edge => ({ ip, to: numbers.get(ip) ?? -1 })
    return starts.map((start) => {
      const items: Item[] = []
      let ip = start
      for (;;) {
        const item = this.#items.get(ip)
        if (!item) return { items, end: 'plain', taken: undefined, next: edge(ip), others: [] }
        items.push(item)
        ip = nextOf(ip, item.insn)
        const { step } = item
        const ends = step !== 'plain'
        if (!ends && !numbers.has(ip)) continue
        const leads = step === 'branch' || step === 'jump' || step === 'call'
        const stops = step === 'jump' || step === 'indirect' || step === 'transfer'
        return {
          items,
          end: step,
          taken: leads
            ? { ip: targetOf(item.ip, item.insn), to: step === 'call' ? -1 : edge(targetOf(item.ip, item.insn)).to }
            : undefined,
          next: stops ? undefined : edge(ip),
          others: (this.#targets.get(item.ip) ?? []).map(edge),
        }
      }
    })
  }
}
