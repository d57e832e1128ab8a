/**
 * Translations: records in host memory, found by physical address, instruction pointer and mode, so that CR3 reloads
 * and process switches keep them. A page that is written where it has code loses its records; who still points at one
 * finds a record that leaves.
 */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { isAction } from '../reference/engine.ts'
import { Layout, SegmentSlot } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { Entries } from './entries.ts'
import { frequentHandler } from './frequent.ts'
import type { Handlers } from './handlers.ts'
import { canFuse, templateOf } from './key.ts'
import { Handler, JUMP_ENTRIES, Record32, Record64, type RecordLayout, Tables } from './layout.ts'
import { Enters, type Known, MEMO_BYTES, Memo, type RunEnd } from './memo.ts'
import type { Mode } from './mode.ts'

/** What translating needs of guest memory. */
export interface TranslatedCode {
  readPage(pfn: number): number
  markCode(pfn: number, start: number, end: number): boolean
}

/** Decodes the instruction at a host address; negative when bytes are missing or nothing is encoded. */
export type DecodeAt = (host: number, end: number, bits: 16 | 32 | 64) => number

/** Instructions in one straight run at the most. */
const LONGEST_RUN = 64
/** Bytes (SDM vol. 2, 2.3.11). */
const LONGEST_INSTRUCTION = 15
/** No linear page has this number. */
const NO_PAGE = -1
const BRANCHES = new Set(['jmp', 'jcc', 'call', 'loop', 'loope', 'loopne', 'jcxz'])
const INDIRECT = new Set(['jmp_ind', 'call_ind', 'ret'])
/** Actions behind which there is seldom anything to translate, if control comes back at all. */
const TRANSFERS = new Set(
  'int int3 int1 into sysenter sysexit iret ret_far jmp_far jmp_far_ind call_far call_far_ind hlt ud rsm'.split(' '),
)
const REPEATED = new Set(['movs', 'cmps', 'scas', 'lods', 'stos'])

/** An instruction that TypeScript executes. */
interface ActionRecord {
  readonly insn: Insn
  /** Its successor stands behind it. */
  readonly falls: boolean
}

interface Stopped {
  readonly at: number
  readonly handler: number
}

interface Branch {
  readonly record: number
  readonly ip: number
  readonly enters: Enters
}

interface CodePage {
  /** Of this page since it was written last: what records and the code TLB hold. */
  readonly id: number
  readonly pfn: number
  /** By mode: records of instructions by instruction pointer. */
  readonly entries: (Entries | undefined)[]
  /** By mode: heads, which count executions and lead to the translation, by instruction pointer. */
  readonly heads: (Entries | undefined)[]
  /** Where functions begin, as calls say: instruction pointers. */
  readonly functions: Set<number>
  /** All records made for this page. */
  readonly records: number[]
  /** Records of instructions that begin in the page before: in whose entries, and at which instruction pointer. */
  readonly straddling: { readonly entries: Entries; readonly ip: number }[]
}

export class Records {
  readonly layout: RecordLayout
  readonly #state: CpuState
  readonly #handlers: Handlers
  readonly #memory: TranslatedCode
  readonly #decode: DecodeAt
  readonly #insn: Insn
  readonly #start: number
  readonly #end: number
  #next: number
  readonly #pages = new Map<number, CodePage>()
  readonly #byId = new Map<number, CodePage>()
  /** Executions after which a head leaves as hot; 0: there are no heads. */
  readonly #threshold: number
  readonly #onReset: () => void
  readonly #memo: Memo
  #lastPage = 0
  #actions: ActionRecord[] = []
  readonly stats = { runs: 0, instructions: 0, resets: 0, invalidated: 0 }

  constructor(
    width: 32 | 64,
    state: CpuState,
    handlers: Handlers,
    memory: TranslatedCode,
    decode: DecodeAt,
    insn: Insn,
    arena: { address: number; bytes: number },
    threshold = 0,
    onReset = (): void => {},
  ) {
    this.layout = width === 64 ? Record64 : Record32
    this.#state = state
    this.#memo = new Memo(state.host)
    this.#handlers = handlers
    this.#memory = memory
    this.#decode = decode
    this.#insn = insn
    this.#threshold = threshold
    this.#onReset = onReset
    this.#start = arena.address
    this.#end = arena.address + arena.bytes
    this.#next = arena.address
    this.#reset()
  }

  /** The record to begin at for `ip` at physical address `physical`, translated if need be; 0 where code cannot be kept. */
  find(physical: number, ip: number, mode: Mode): number {
    const pfn = Math.floor(physical / 0x1000)
    const slot = this.#state.base + Tables.jump + (ip & (JUMP_ENTRIES - 1)) * 4
    const { layout } = this
    const last = this.#state.host.i32[slot >> 2]!
    if (
      this.ipOf(last) === ip &&
      this.get(last, layout.mode) === mode.id &&
      this.get(last, layout.page) === this.#pages.get(pfn)?.id
    ) {
      // One that only leads on is none to lead to: the two could lead to each other.
      if (this.get(last, layout.handler) > Handler.cross) return last
    }
    const known = this.#pages.get(pfn)?.entries[mode.id]?.get(ip)
    const plain = known || this.#translate(pfn, physical & 0xfff, ip, mode)
    if (plain === 0) return 0
    const record = this.#headOf(plain, this.#pages.get(pfn)!, mode)
    this.#set(slot, record)
    return record
  }

  /** Number of the page of code at physical page `pfn`, for the code TLB; 0 where there is none. */
  pageAt(pfn: number): number {
    return this.#pages.get(pfn)?.id ?? 0
  }
  /** Physical page number by that number; undefined for a page that was written since. */
  pfnOf(page: number): number | undefined {
    return this.#byId.get(page)?.pfn
  }
  /** The record of an instruction that a head leads to, or that the record is. */
  plainOf(record: number): number {
    return this.isHead(record) ? this.get(record, this.layout.target) : record
  }
  isHead(record: number): boolean {
    const handler = this.get(record, this.layout.handler)
    return handler === Handler.count || handler === Handler.enter
  }
  /** The record of the instruction at `ip` in page `page`, if it was met before; else 0. */
  known(page: number, ip: number, mode: Mode): number {
    return this.#byId.get(page)?.entries[mode.id]?.get(ip) ?? 0
  }
  /** Where the function begins that `ip` seems to be in, at most `within` bytes before it; undefined: nobody knows. */
  functionAround(page: number, ip: number, within: number): number | undefined {
    let found: number | undefined
    for (const start of this.#byId.get(page)?.functions ?? [])
      if (start <= ip && start + within > ip && start > (found ?? -1)) found = start
    return found
  }
  isFunction(page: number, ip: number): boolean {
    return this.#byId.get(page)?.functions.has(ip) ?? false
  }
  /**
   * Where a translation goes on, at `ip`, that is not translated with it: a head, or a record that leaves and finds one.
   * `from` is the page that leads there, `elsewhere`: `ip` may lie in another.
   */
  exit(from: number, ip: number, mode: Mode, elsewhere: boolean): number {
    const page = this.#byId.get(from)!
    const plain = elsewhere ? 0 : (page.entries[mode.id]?.get(ip) ?? 0)
    if (plain !== 0) return this.#headOf(plain, page, mode)
    return this.#stub(page, ip, mode, elsewhere ? NO_PAGE : pageNumber(ip, mode), { enters: Enters.loop })
  }
  /** Have the head lead to function `slot` of the table of translations; none: count again. */
  enterAt(head: number, slot: number): void {
    this.#set(head + this.layout.imm, slot)
    this.#set(head + this.layout.handler, slot === 0 ? Handler.count : Handler.enter)
    this.#set(head + this.layout.disp, this.#threshold)
  }
  /** Have the head lead to its instruction for good: it is not to be translated. */
  giveUp(head: number): void {
    this.#set(head + this.layout.handler, Handler.link)
  }
  /** Count on, from `executions` to go. */
  countFrom(head: number, executions: number): void {
    this.#set(head + this.layout.disp, executions)
  }

  /** The head of a record, made if need be. */
  #headOf(record: number, page: CodePage, mode: Mode): number {
    if (this.#threshold === 0) return record
    const ip = this.ipOf(record)
    page.heads[mode.id] ??= new Entries((head) => this.ipOf(head))
    const heads = page.heads[mode.id]!
    const known = heads.get(ip)
    // One that only leads on is none to lead to: the two could lead to each other.
    if (known !== 0) return this.isHead(known) ? known : record
    const head = this.#allocate(Handler.count)
    this.#place(head, ip, 0, page.id, mode)
    this.#set(head + this.layout.target, record)
    this.#set(head + this.layout.disp, this.#threshold)
    page.records.push(head)
    heads.set(ip, head)
    return head
  }

  get(record: number, offset: number): number {
    return this.#state.host.i32[(record + offset) >> 2]!
  }
  ipOf(record: number): number {
    return this.#getWide(record + this.layout.ip)
  }
  /** Instruction pointer behind the instruction. */
  nextOf(record: number): number {
    return this.#getWide(record + this.layout.next)
  }
  #getWide(address: number): number {
    const low = this.#state.host.u32[address >> 2]!
    return this.layout === Record64 ? this.#state.host.i32[(address + 4) >> 2]! * 0x1_0000_0000 + low : low
  }
  /** Is the record, still, one of an instruction that has an action? */
  acts(record: number): boolean {
    const handler = this.get(record, this.layout.handler)
    return handler >= Handler.act && handler < Handler.first
  }
  /** What is done for it. */
  actionOf(record: number): ActionRecord {
    return this.#actions[this.get(record, this.layout.imm)]!
  }

  /**
   * The record that was left as a miss is to lead on to `found`: directly while both lie in one page, else through a
   * check that the page is still mapped there.
   */
  link(stub: number, found: number): void {
    if (stub === 0 || stub === found) return
    const { handler, length, page, target, base, index } = this.layout
    const kind = this.get(stub, handler)
    if (kind !== Handler.miss && kind !== Handler.cross) return
    const crosses = this.get(stub, base) === 1
    // The page was mapped elsewhere while code in it ran: nothing lasting can be said.
    if (!crosses && this.get(stub, page) !== this.get(found, page)) return
    this.#set(stub + handler, crosses ? Handler.cross : Handler.link)
    this.#set(stub + length, 0)
    const enters = this.get(stub, index)
    if (enters === Enters.function) this.#byId.get(this.get(found, page))?.functions.add(this.ipOf(found))
    const next = crosses || enters !== Enters.nothing ? found : this.plainOf(found)
    this.#set(stub + target, next)
    if (!crosses) this.#redirect(stub, next)
  }

  /** The branch that `stub` was made for goes to `found` by itself from now on: both are of one page. */
  #redirect(stub: number, found: number): void {
    const { ip, next, disp, target } = this.layout
    // A record of an instruction whose page was written may stand here too; the next one is not where it is itself.
    const isStub = this.get(stub, next) === this.get(stub, ip)
    const branch = this.get(stub, disp)
    if (isStub && branch !== 0) this.#set(branch + target, found)
  }

  /**
   * Have the run that begins at `record` end after `count` instructions, until {@link restore} is given what this
   * returns; after one less where one handler does the last of them and what comes then. Undefined where none is left.
   */
  stopAt(record: number, count: number): Stopped | undefined {
    const { size } = this.layout
    let at = record + count * size
    if (this.#handlers.isFused(this.get(at - size, this.layout.handler))) at -= size
    if (at === record) return undefined
    const handler = this.get(at, this.layout.handler)
    this.#set(at + this.layout.handler, Handler.stop)
    return { at, handler }
  }
  restore({ at, handler }: Stopped): void {
    // Unless the code was written meanwhile.
    if (this.get(at, this.layout.handler) === Handler.stop) this.#set(at + this.layout.handler, handler)
  }

  /** Code of a page was written: all of its records leave. The number that the page had, 0 where there was none. */
  invalidate(pfn: number): number {
    const page = this.#pages.get(pfn)
    if (!page) return 0
    this.#pages.delete(pfn)
    this.#byId.delete(page.id)
    for (const record of page.records) this.#set(record + this.layout.handler, Handler.miss)
    for (const { entries, ip } of page.straddling) {
      const record = entries.get(ip)
      if (record !== 0) this.#set(record + this.layout.handler, Handler.miss)
      entries.delete(ip)
    }
    this.stats.invalidated += page.records.length
    return page.id
  }

  #set(address: number, value: number): void {
    this.#state.host.i32[address >> 2] = value
  }
  /** A field as wide as an address. */
  #setWide(address: number, value: number): void {
    this.#set(address, value | 0)
    if (this.layout === Record64) this.#set(address + 4, Math.floor(value / 0x1_0000_0000))
  }

  /** Forget everything. The first record matches no instruction pointer and stands for "none". */
  #reset(): void {
    this.#pages.clear()
    this.#byId.clear()
    this.#actions = []
    this.#memo.forget()
    this.#next = this.#start
    const none = this.#allocate(Handler.miss)
    this.#set(none + this.layout.mode, -1)
    const jump = (this.#state.base + Tables.jump) >> 2
    this.#state.host.i32.fill(none, jump, jump + JUMP_ENTRIES)
    this.stats.resets++
    this.#onReset()
  }

  #allocate(handler: number): number {
    const record = this.#next
    this.#next += this.layout.size
    this.#state.host.i32.fill(0, record >> 2, (record + this.layout.size) >> 2)
    this.#set(record + this.layout.handler, handler)
    return record
  }

  /** Translate from `ip` on: straight runs, one behind the other, as far as control can fall through. */
  #translate(pfn: number, offset: number, ip: number, mode: Mode): number {
    const host = this.#memory.readPage(pfn)
    if (host === 0) return 0
    if (this.#next + (3 * LONGEST_RUN + 4) * this.layout.size > this.#end) this.#reset()
    const page = this.#page(pfn, mode)
    const entries = page.entries[mode.id]!
    const linearPage = pageNumber(ip, mode)
    const { size } = this.layout
    let first = 0
    const branches: Branch[] = []
    let at = offset
    let here = ip
    let end: RunEnd = 'open'
    let before: Known | undefined
    let run = 0
    const close = (): void => {
      for (let n = run, record = this.#next - size; n > 0; n--, record -= size)
        this.#set(record + this.layout.length, run - n + 1)
      run = 0
    }
    for (let count = 0; end !== 'stop' && count < LONGEST_RUN; count++) {
      if (first !== 0 && entries.get(here) !== 0) break
      const known = this.#known(host, at, here, page.id, mode)
      if (!known) break
      const record = this.#next - size
      end = known.end
      if (known.distance !== undefined) {
        branches.push({
          record,
          ip: branchTarget(known.distance, advance(here, known.length, mode), known.narrow, mode),
          enters: known.enters,
        })
        if (known.cc >= 0 && before?.template)
          this.#set(record - size + this.layout.handler, this.#fused(before, known.cc))
      }
      before = end === 'open' ? known : undefined
      entries.set(here, record)
      page.records.push(record)
      run++
      if (first === 0) first = record
      if (end !== 'open') close()
      at += known.length
      here = advance(here, known.length, mode)
      this.stats.instructions++
    }
    // What cannot be decoded within the page is executed the slow way each time.
    if (first === 0) return 0
    close()
    if (end !== 'stop') this.#stub(page, here, mode, linearPage)
    this.#memory.markCode(pfn, offset, at)
    for (const branch of branches) {
      const known = pageNumber(branch.ip, mode) === linearPage ? entries.get(branch.ip) : 0
      if (branch.enters === Enters.function && known !== 0) page.functions.add(branch.ip)
      const found = known !== 0 && branch.enters !== Enters.nothing ? this.#headOf(known, page, mode) : known
      this.#set(branch.record + this.layout.target, found || this.#stub(page, branch.ip, mode, linearPage, branch))
    }
    this.#handlers.flush()
    this.stats.runs++
    return first
  }

  /**
   * A record for the instruction at `ip` that begins at physical address `physical` and ends in the page after, which
   * lies in physical page `second`; 0 where there is none. The bytes of both are put together at `scratch`, a host address.
   */
  straddle(physical: number, second: number, ip: number, mode: Mode, scratch: number): number {
    const pfn = Math.floor(physical / 0x1000)
    const offset = physical & 0xfff
    const head = 0x1000 - offset
    const { u8 } = this.#state.host
    const [from, to] = [this.#memory.readPage(pfn), this.#memory.readPage(second)]
    const room = Math.min(LONGEST_INSTRUCTION, mode.codeLimit - ip + 1)
    if (from === 0 || to === 0 || head >= room) return 0
    if (this.#next + 5 * this.layout.size > this.#end) this.#reset()
    u8.copyWithin(scratch, from + offset, from + 0x1000)
    u8.copyWithin(scratch + head, to, to + room - head)
    const length = this.#decode(scratch, scratch + room, mode.codeBits)
    if (length <= head) return 0
    const [page, next] = [this.#page(pfn, mode), this.#page(second, mode)]
    const record = this.#record(next.id, ip, length, mode)
    const { end, distance, narrow } = this.#fill(record, ip, length, mode)
    this.#set(record + this.layout.length, 1)
    // Which pages lie beside one another is for the TLB to say each time: all that leads on crosses.
    if (end !== 'stop') this.#stub(next, advance(ip, length, mode), mode, NO_PAGE)
    if (distance !== undefined) {
      const target = branchTarget(distance, advance(ip, length, mode), narrow, mode)
      this.#set(record + this.layout.target, this.#stub(next, target, mode, NO_PAGE))
    }
    const entry = this.#record(page.id, ip, 0, mode)
    this.#set(entry + this.layout.handler, Handler.straddle)
    this.#set(entry + this.layout.target, record)
    page.entries[mode.id]!.set(ip, entry)
    page.records.push(record, entry)
    next.records.push(record)
    next.straddling.push({ entries: page.entries[mode.id]!, ip })
    this.#memory.markCode(pfn, offset, 0x1000)
    this.#memory.markCode(second, 0, length - head)
    this.#handlers.flush()
    return entry
  }

  /** A record for the instruction at `at` in the page at host address `host`; undefined where the run must end before it. */
  #known(host: number, at: number, ip: number, page: number, mode: Mode): Known | undefined {
    const memorable =
      at <= 0x1000 - MEMO_BYTES && (mode.codeBits === 64 || (mode.codeLimit === 0xffff_ffff && ip <= 0xffff_0000))
    const known = memorable ? this.#memo.find(host + at, mode) : undefined
    if (known) {
      this.#again(known, ip, page, mode)
      return known
    }
    const length = this.#decodable(host, at, ip, mode)
    if (length <= 0) return undefined
    const found = this.#fill(this.#record(page, ip, length, mode), ip, length, mode)
    if (memorable && !this.#insn.ripRelative) this.#memo.keep(host + at, mode, found)
    return found
  }
  /** A record for a known instruction at `ip`. */
  #again(known: Known, ip: number, page: number, mode: Mode): void {
    const { layout } = this
    const record = this.#next
    this.#next += layout.size
    // Word by word: `copyWithin` costs more than it moves here.
    const { i32 } = this.#state.host
    const [from, to] = [known.source >> 2, record >> 2]
    for (let word = layout.size >> 2; --word >= 0; ) i32[to + word] = i32[from + word]!
    this.#set(record + layout.handler, known.handler)
    this.#place(record, ip, known.length, page, mode)
  }

  /** Handler that executes an instruction and the Jcc behind it. */
  #fused(first: Known, cc: number): number {
    return (first.fused[cc] ??= this.#handlers.indexOf({ ...first.template!, branch: cc }))
  }

  #page(pfn: number, mode: Mode): CodePage {
    let page = this.#pages.get(pfn)
    if (!page) {
      page = { id: ++this.#lastPage, pfn, entries: [], heads: [], functions: new Set(), records: [], straddling: [] }
      this.#pages.set(pfn, page)
      this.#byId.set(page.id, page)
    }
    page.entries[mode.id] ??= new Entries((record) => this.ipOf(record))
    return page
  }

  /** Length of the instruction at `at`, or 0 where the run must end before it. */
  #decodable(host: number, at: number, ip: number, mode: Mode): number {
    if (at >= 0x1000 || ip > mode.codeLimit) return 0
    const room = Math.min(0x1000 - at, mode.codeLimit - ip + 1, LONGEST_INSTRUCTION)
    return this.#decode(host + at, host + at + room, mode.codeBits)
  }

  #record(page: number, ip: number, length: number, mode: Mode): number {
    const record = this.#allocate(Handler.slow)
    this.#place(record, ip, length, page, mode)
    return record
  }
  #place(record: number, ip: number, length: number, page: number, mode: Mode): void {
    const { layout } = this
    this.#setWide(record + layout.ip, ip)
    this.#setWide(record + layout.next, advance(ip, length, mode))
    this.#set(record + layout.page, page)
    this.#set(record + layout.mode, mode.id)
  }

  /** Fill in handler and operands of the instruction decoded last. */
  #fill(record: number, ip: number, length: number, mode: Mode): Known {
    const insn = this.#insn
    const { layout } = this
    if (isAction(insn)) return this.#act(record, length, mode)
    const branch = BRANCHES.has(insn.op)
    const narrow = insn.opSize === 16
    const target = branch ? branchTarget(insn.imm, advance(ip, length, mode), narrow, mode) : 0
    const known = {
      length,
      narrow,
      cc: -1,
      fused: [],
      distance: undefined,
      enters: Enters.nothing,
      template: undefined,
      source: record,
    }
    if (target > mode.codeLimit && mode.codeBits !== 64) return { ...known, handler: Handler.slow, end: 'stop' }
    const handler = this.#handlers.of(insn, mode)
    this.#set(record + layout.handler, handler)
    const { base } = this.#state
    insn.operands.forEach((operand, n) => {
      if (operand.kind === Kind.gpr)
        this.#set(record + layout.register[n]!, base + operand.reg * 8 + (operand.high ? 1 : 0))
    })
    this.#set(record + layout.base, insn.base >= 0 ? base + insn.base * 8 : base + Layout.zero)
    this.#set(record + layout.index, insn.index >= 0 ? base + insn.index * 8 : base + Layout.zero)
    this.#immediate(record, insn)
    this.#setWide(
      record + layout.disp,
      insn.dispHigh * 0x1_0000_0000 + (insn.disp >>> 0) + (insn.ripRelative ? ip + length : 0),
    )
    if (branch) {
      const end = insn.op === 'jmp' || insn.op === 'call' ? 'stop' : 'closed'
      const enters = insn.op === 'call' ? Enters.function : insn.imm < 0 ? Enters.loop : Enters.nothing
      return { ...known, handler, end, distance: insn.imm, enters, cc: insn.op === 'jcc' ? insn.cc : -1 }
    }
    if (INDIRECT.has(insn.op)) return { ...known, handler, end: 'stop' }
    if (insn.rep !== 0 && REPEATED.has(insn.op)) return { ...known, handler, end: 'closed' }
    return { ...known, handler, end: 'open', template: canFuse(insn) ? templateOf({ ...insn }, mode) : undefined }
  }

  #act(record: number, length: number, mode: Mode): Known {
    const insn = this.#insn
    const falls = !TRANSFERS.has(insn.op)
    const handler = frequentHandler(insn, mode)
    this.#set(record + this.layout.handler, handler)
    for (const [n, { kind, reg }] of insn.operands.entries()) {
      const slot = kind === Kind.seg ? Layout.segments + reg * SegmentSlot.size : Layout.gpr + reg * 8
      this.#set(record + this.layout.register[n]!, this.#state.base + slot)
    }
    this.#set(record + this.layout.imm, this.#actions.push({ insn: { ...insn }, falls }) - 1)
    const end = falls ? 'open' : 'stop'
    const none = { distance: undefined, enters: Enters.nothing, narrow: false, cc: -1, template: undefined, fused: [] }
    return { ...none, length, handler, end, source: record }
  }

  /** Sign-extended from its own size, whatever that is. */
  #immediate(record: number, insn: Insn): void {
    const operand = insn.operands.find((candidate) => candidate.kind === Kind.imm)
    if (!operand) return
    const at = record + this.layout.imm
    const value = operand.size < 32 ? (insn.imm << (32 - operand.size)) >> (32 - operand.size) : insn.imm
    this.#set(at, value)
    if (this.layout === Record64) this.#set(at + 4, operand.size === 64 ? insn.immHigh : value >> 31)
  }

  /** A record that leaves, for code at `ip` that is not translated; `branch` says what leads to it, if it is a branch. */
  #stub(page: CodePage, ip: number, mode: Mode, linearPage: number, branch?: Partial<Branch>): number {
    const record = this.#record(page.id, ip, 0, mode)
    this.#set(record + this.layout.handler, Handler.miss)
    this.#set(record + this.layout.base, pageNumber(ip, mode) === linearPage ? 0 : 1)
    this.#set(record + this.layout.index, branch?.enters ?? Enters.nothing)
    this.#set(record + this.layout.disp, branch?.record ?? 0)
    page.records.push(record)
    return record
  }
}

/** Linear page number of code at `ip`. */
function pageNumber(ip: number, mode: Mode): number {
  const linear = ip + mode.codeBase
  return Math.floor((mode.codeBits !== 64 && linear > 0xffff_ffff ? linear - 0x1_0000_0000 : linear) / 0x1000)
}

function advance(ip: number, by: number, mode: Mode): number {
  const next = ip + by
  return mode.codeBits !== 64 && next > 0xffff_ffff ? next - 0x1_0000_0000 : next
}

function branchTarget(distance: number, next: number, narrow: boolean, mode: Mode): number {
  const target = next + distance
  if (mode.codeBits === 64) return target
  return narrow ? target & 0xffff : target >>> 0
}
