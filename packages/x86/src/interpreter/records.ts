/**
 * Translations: records in host memory, found by physical address, instruction pointer and mode, so that CR3 reloads
 * and process switches keep them. A page that is written where it has code loses its records; who still points at one
 * finds a record that leaves.
 */
import { type Insn, Kind } from '@vmexit/x86-decoder'
import { isAction } from '../reference/engine.ts'
import { Layout, SegmentSlot } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { ByPage } from './by-page.ts'
import { Entries, EntryRoom } from './entries.ts'
import { controlSlot, frequentHandler } from './frequent.ts'
import type { Handlers } from './handlers.ts'
import { canFuse, templateOf } from './key.ts'
import { Handler, JUMP_ENTRIES, Record32, Record64, type RecordLayout, Tables } from './layout.ts'
import { Enters, Fuses, type Known, MEMO_BYTES, Memo, type RunEnd } from './memo.ts'
import type { Mode } from './mode.ts'
import { addPiece, type CodePage, copyOf, emptyPage, isUnchanged, type Piece } from './pieces.ts'

/** What translating needs of guest memory, and of the CPU. */
export interface TranslatedCode {
  /** Instructions retired. */
  readonly retired: () => number
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
  /**
   * Handlers of the records of pieces as they were made, by number in the arena; `miss` for those that stay as they are when
   * their piece sleeps.
   */
  readonly #made: Int32Array
  #room = new EntryRoom()
  readonly #pages = new ByPage<CodePage>()
  /** Executions after which a head leaves as hot; 0: there are no heads. */
  readonly #threshold: number
  readonly #onReset: () => void
  readonly #memo: Memo
  #lastVersion = 0
  /** What records were that lead on because their page was written. */
  readonly #forwarded = new Map<number, { readonly length: number; readonly target: number }>()
  /** By handler and form of the first instruction, and condition code. */
  readonly #fusedHandlers = new Map<number, number>()
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
    this.#made = new Int32Array(Math.ceil(arena.bytes / this.layout.size))
    this.clear()
  }

  /** The record to begin at for `ip` at physical address `physical`, translated if need be; 0 where code cannot be kept, or is not worth it. */
  find(physical: number, ip: number, mode: Mode): number {
    const pfn = Math.floor(physical / 0x1000)
    const slot = this.#state.base + Tables.jump + ((ip ^ ((ip | 0) >>> 16)) & (JUMP_ENTRIES - 1)) * 4
    const { layout } = this
    const last = this.#state.host.i32[slot >> 2]!
    const page = this.#pages.get(pfn)
    if (page?.asleep) this.#wake(pfn, page)
    if (this.ipOf(last) === ip && this.get(last, layout.mode) === mode.id && this.get(last, layout.page) === pfn) {
      // One that only leads on is none to lead to: the two could lead to each other.
      if (this.#lives(last) && this.#lives(this.plainOf(last))) return last
    }
    const known = page?.entries[mode.id]?.get(ip) ?? 0
    if (!this.#lives(known) && page?.patience.isLost()) return 0
    const plain = this.#lives(known) ? known : this.#translate(pfn, physical & 0xfff, ip, mode)
    if (plain === 0) return 0
    const record = this.#headOf(plain, pfn, mode)
    this.#set(slot, record)
    return record
  }

  /** Of the code in physical page `pfn`: another number each time that it is written. 0 where none is known. */
  versionOf(pfn: number): number {
    return this.#pages.get(pfn)?.version ?? 0
  }
  /** The record of an instruction that a head leads to, or that the record is. */
  plainOf(record: number): number {
    return this.isHead(record) ? this.get(record, this.layout.target) : record
  }
  isHead(record: number): boolean {
    const handler = this.get(record, this.layout.handler)
    return handler === Handler.count || handler === Handler.enter
  }
  /** The record of the instruction at `ip` in physical page `pfn`, if it was met before; else 0. */
  known(pfn: number, ip: number, mode: Mode): number {
    const record = this.#pages.get(pfn)?.entries[mode.id]?.get(ip) ?? 0
    return this.#lives(record) ? record : 0
  }
  /** Where the function begins that `ip` seems to be in, at most `within` bytes before it; undefined: nobody knows. */
  functionAround(pfn: number, ip: number, within: number): number | undefined {
    let found: number | undefined
    for (const start of this.#pages.get(pfn)?.functions ?? [])
      if (start <= ip && start + within > ip && start > (found ?? -1)) found = start
    return found
  }
  isFunction(pfn: number, ip: number): boolean {
    return this.#pages.get(pfn)?.functions.has(ip) ?? false
  }
  /**
   * Where a translation of physical page `from` goes on, at `ip`, that is not translated with it: a head, or a record that
   * leaves and finds one. `elsewhere`: `ip` may lie in another page.
   */
  exit(from: number, ip: number, mode: Mode, elsewhere: boolean): number {
    const plain = elsewhere ? 0 : this.known(from, ip, mode)
    if (plain !== 0) return this.#headOf(plain, from, mode)
    const stub = this.#stub(from, ip, mode, elsewhere ? NO_PAGE : pageNumber(ip, mode), { enters: Enters.loop })
    this.#pages.get(from)!.others.push(stub)
    return stub
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

  /** All heads that have not got hot yet count anew. */
  coolDown(): void {
    const { handler, disp, size } = this.layout
    for (let record = this.#start; record < this.#next; record += size) {
      if (this.get(record, handler) !== Handler.count) continue
      if (this.get(record, disp) < this.#threshold) this.#set(record + disp, this.#threshold)
    }
  }

  /** The head of a record, made if need be. */
  #headOf(record: number, pfn: number, mode: Mode): number {
    if (this.#threshold === 0) return record
    const page = this.#page(pfn, mode)
    const ip = this.ipOf(record)
    page.heads[mode.id] ??= new Entries((head) => this.ipOf(head), this.#room)
    const heads = page.heads[mode.id]!
    const known = heads.get(ip)
    if (known !== 0) {
      // The code was written since.
      this.#set(known + this.layout.target, record)
      // One that only leads on is none to lead to: the two could lead to each other.
      return this.isHead(known) ? known : record
    }
    const head = this.watch(record, pfn, mode)
    heads.set(ip, head)
    return head
  }
  /** A head of its own, which nobody finds, of the record of an instruction in physical page `pfn`. */
  watch(record: number, pfn: number, mode: Mode): number {
    const head = this.#allocate(Handler.count)
    this.#place(head, this.ipOf(record), 0, pfn, mode)
    this.#set(head + this.layout.target, record)
    this.#set(head + this.layout.disp, this.#threshold)
    return head
  }
  /** Is there room for so many more records? */
  hasRoom(records: number): boolean {
    return this.#next + records * this.layout.size <= this.#end
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
    const pays = this.get(stub, length)
    if (pays !== 0) this.#forwarded.set(stub, { length: pays, target: this.get(stub, target) })
    this.#set(stub + handler, crosses ? Handler.cross : Handler.link)
    this.#set(stub + length, 0)
    const enters = this.#isStub(stub) ? this.get(stub, index) : Enters.nothing
    if (enters === Enters.function) this.#pages.get(this.get(found, page))?.functions.add(this.ipOf(found))
    const next = crosses || enters !== Enters.nothing ? found : this.plainOf(found)
    this.#set(stub + target, next)
    if (!crosses) this.#redirect(stub, next)
  }

  /** The branch that `stub` was made for goes to `found` by itself from now on: both are of one page. */
  #redirect(stub: number, found: number): void {
    const { disp, target } = this.layout
    const branch = this.get(stub, disp)
    if (this.#isStub(stub) && branch !== 0) this.#set(branch + target, found)
  }
  /** A record of an instruction whose page was written may stand where a stub did; the next one is not where it is itself. */
  #isStub(record: number): boolean {
    return this.get(record, this.layout.next) === this.get(record, this.layout.ip)
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

  /** Code of a page is about to be written, `byCode` or from outside: all of its records leave. False where there are none. */
  invalidate(pfn: number, byCode: boolean): boolean {
    const page = this.#pages.get(pfn)
    if (!page) return false
    page.version = ++this.#lastVersion
    const { handler } = this.layout
    page.patience.written(byCode ? this.#memory.retired() : undefined)
    const copy = copyOf(page.pieces, this.#state.host.u8, this.#memory.readPage(pfn))
    for (const piece of page.pieces) {
      if (piece.bytes !== undefined) continue
      piece.bytes = copy
      this.#putHandlers(piece, false)
      this.stats.invalidated += (piece.last - piece.first) / this.layout.size
    }
    page.asleep = page.pieces.length > 0
    for (const record of page.others) this.#set(record + handler, Handler.miss)
    for (const { entries, ip } of page.straddling) {
      const record = entries.get(ip)
      if (record !== 0) this.#set(record + handler, Handler.miss)
      entries.delete(ip)
    }
    page.others.length = 0
    page.straddling.length = 0
    return true
  }

  /** Whatever was translated from the bytes that a page has now can be run again. */
  #wake(pfn: number, page: CodePage): void {
    const host = this.#memory.readPage(pfn)
    let asleep = false
    for (const piece of page.pieces) {
      if (piece.bytes === undefined) continue
      if (host !== 0 && isUnchanged(piece, this.#state.host.u8, host)) {
        piece.bytes = undefined
        this.#putHandlers(piece, true)
        this.#memory.markCode(pfn, piece.start, piece.end)
      } else asleep = true
    }
    page.asleep = asleep
  }

  /** Give the instructions of a piece their handlers, or take them away. What leads on does so still: its target leaves. */
  #putHandlers(piece: Piece, awake: boolean): void {
    const { handler, length, target, size } = this.layout
    const { first, last } = piece
    const { i32 } = this.#state.host
    let number = (first - this.#start) / size
    for (let record = first; record < last; record += size) {
      const made = this.#made[number++]!
      if (made === Handler.miss) continue
      const at = (record + handler) >> 2
      if (awake && i32[at] === Handler.link) {
        const before = this.#forwarded.get(record)!
        this.#set(record + length, before.length)
        this.#set(record + target, before.target)
      }
      i32[at] = awake ? made : Handler.miss
    }
  }

  /** Is it a record of an instruction of which no byte was written? */
  #lives(record: number): boolean {
    return record !== 0 && this.get(record, this.layout.handler) > Handler.cross
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
  clear(): void {
    this.#pages.clear()
    this.#forwarded.clear()
    this.#room = new EntryRoom()
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
    if (this.#next + (3 * LONGEST_RUN + 4) * this.layout.size > this.#end) this.clear()
    const page = this.#page(pfn, mode)
    const entries = page.entries[mode.id]!
    const linearPage = pageNumber(ip, mode)
    const { size } = this.layout
    let first = 0
    const begin = this.#next
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
      if (first !== 0 && this.#lives(entries.get(here))) break
      const known = this.#known(host, at, here, pfn, mode)
      if (!known) break
      const record = this.#next - size
      end = known.end
      if (known.distance !== undefined) {
        branches.push({
          record,
          ip: branchTarget(known.distance, advance(here, known.length, mode), known.narrow, mode),
          enters: known.enters,
        })
        if (known.cc >= 0 && before && before.fuses !== Fuses.never) {
          const fused = this.#fused(before, known.cc, host + at - before.length, mode)
          this.#set(record - size + this.layout.handler, fused)
        }
      }
      before = end === 'open' ? known : undefined
      entries.set(here, record)
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
    if (end !== 'stop') this.#stub(pfn, here, mode, linearPage)
    this.#memory.markCode(pfn, offset, at)
    for (const branch of branches) {
      const known = pageNumber(branch.ip, mode) === linearPage ? entries.get(branch.ip) : 0
      if (branch.enters === Enters.function && known !== 0) page.functions.add(branch.ip)
      const found = known !== 0 && branch.enters !== Enters.nothing ? this.#headOf(known, pfn, mode) : known
      this.#set(branch.record + this.layout.target, found || this.#stub(pfn, branch.ip, mode, linearPage, branch))
    }
    this.#handlers.flush()
    this.stats.runs++
    page.patience.translated(this.#memory.retired())
    addPiece(page, this.#pieceOf(begin, offset, at, mode))
    return first
  }

  /** What was made since the arena ended at `first`, of the bytes between two offsets. */
  #pieceOf(first: number, start: number, end: number, mode: Mode): Piece {
    const { handler, size } = this.layout
    const last = this.#next
    let number = (first - this.#start) / size
    // Heads outlive the code.
    for (let record = first; record < last; record += size)
      this.#made[number++] = this.isHead(record) ? Handler.miss : this.get(record, handler)
    return { mode: mode.id, start, end, first, last, bytes: undefined }
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
    if (this.#next + 5 * this.layout.size > this.#end) this.clear()
    u8.copyWithin(scratch, from + offset, from + 0x1000)
    u8.copyWithin(scratch + head, to, to + room - head)
    const length = this.#decode(scratch, scratch + room, mode.codeBits)
    if (length <= head) return 0
    const [page, next] = [this.#page(pfn, mode), this.#page(second, mode)]
    const record = this.#record(second, ip, length, mode)
    const { end, distance, narrow } = this.#fill(record, ip, length, mode)
    this.#set(record + this.layout.length, 1)
    // Which pages lie beside one another is for the TLB to say each time: all that leads on crosses.
    const stubs: number[] = []
    if (end !== 'stop') stubs.push(this.#stub(second, advance(ip, length, mode), mode, NO_PAGE))
    if (distance !== undefined) {
      const target = branchTarget(distance, advance(ip, length, mode), narrow, mode)
      stubs.push(this.#stub(second, target, mode, NO_PAGE))
      this.#set(record + this.layout.target, stubs.at(-1)!)
    }
    const entry = this.#record(pfn, ip, 0, mode)
    this.#set(entry + this.layout.handler, Handler.straddle)
    this.#set(entry + this.layout.target, record)
    const entries = page.entries[mode.id]!
    entries.set(ip, entry)
    for (const lost of [page, next]) {
      lost.others.push(record, entry, ...stubs)
      lost.straddling.push({ entries, ip })
    }
    this.#memory.markCode(pfn, offset, 0x1000)
    this.#memory.markCode(second, 0, length - head)
    this.#handlers.flush()
    return entry
  }

  /** A record for the instruction at `at` in the page at host address `host`; undefined where the run must end before it. */
  #known(host: number, at: number, ip: number, pfn: number, mode: Mode): Known | undefined {
    const memorable =
      at <= 0x1000 - MEMO_BYTES && (mode.codeBits === 64 || (mode.codeLimit === 0xffff_ffff && ip <= 0xffff_0000))
    const known = memorable ? this.#memo.find(host + at, mode) : undefined
    if (known) {
      this.#again(known, ip, pfn, mode)
      return known
    }
    const length = this.#decodable(host, at, ip, mode)
    if (length <= 0) return undefined
    const found = this.#fill(this.#record(pfn, ip, length, mode), ip, length, mode)
    if (memorable && !this.#insn.ripRelative) this.#memo.keep(host + at, mode, found)
    return found
  }
  /** A record for a known instruction at `ip`. */
  #again(known: Known, ip: number, pfn: number, mode: Mode): void {
    const { layout } = this
    const record = this.#next
    this.#next += layout.size
    // Word by word: `copyWithin` costs more than it moves here.
    const { i32 } = this.#state.host
    const [from, to] = [known.source >> 2, record >> 2]
    for (let word = layout.size >> 2; --word >= 0; ) i32[to + word] = i32[from + word]!
    this.#set(record + layout.handler, known.handler)
    this.#place(record, ip, known.length, pfn, mode)
  }

  /** Handler that executes an instruction, whose bytes are at a host address, and the Jcc behind it. */
  #fused(first: Known, cc: number, at: number, mode: Mode): number {
    const key = (first.handler * 4 + first.fuses) * 16 + cc
    let fused = this.#fusedHandlers.get(key)
    if (fused === undefined) {
      this.#decode(at, at + first.length, mode.codeBits)
      fused = this.#handlers.indexOf({ ...templateOf({ ...this.#insn }, mode), branch: cc })
      this.#fusedHandlers.set(key, fused)
    }
    return fused
  }

  #page(pfn: number, mode: Mode): CodePage {
    let page = this.#pages.get(pfn)
    if (!page) {
      page = emptyPage(++this.#lastVersion)
      this.#pages.set(pfn, page)
    }
    page.entries[mode.id] ??= new Entries((record) => this.ipOf(record), this.#room)
    return page
  }

  /** Length of the instruction at `at`, or 0 where the run must end before it. */
  #decodable(host: number, at: number, ip: number, mode: Mode): number {
    if (at >= 0x1000 || ip > mode.codeLimit) return 0
    const room = Math.min(0x1000 - at, mode.codeLimit - ip + 1, LONGEST_INSTRUCTION)
    return this.#decode(host + at, host + at + room, mode.codeBits)
  }

  #record(pfn: number, ip: number, length: number, mode: Mode): number {
    const record = this.#allocate(Handler.slow)
    this.#place(record, ip, length, pfn, mode)
    return record
  }
  #place(record: number, ip: number, length: number, pfn: number, mode: Mode): void {
    const { layout } = this
    this.#setWide(record + layout.ip, ip)
    this.#setWide(record + layout.next, advance(ip, length, mode))
    this.#set(record + layout.page, pfn)
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
    if (target > mode.codeLimit && mode.codeBits !== 64) return knownOf(length, Handler.slow, 'stop', record)
    const handler = this.#handlers.of(insn, mode)
    this.#set(record + layout.handler, handler)
    const { base } = this.#state
    const { operands } = insn
    for (let n = 0; n < operands.length; n++) {
      const { kind, reg, high } = operands[n]!
      if (kind === Kind.gpr) this.#set(record + layout.register[n]!, base + reg * 8 + (high ? 1 : 0))
    }
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
      const cc = insn.op === 'jcc' ? insn.cc : -1
      return { length, handler, end, distance: insn.imm, narrow, enters, cc, fuses: Fuses.never, source: record }
    }
    if (INDIRECT.has(insn.op)) return knownOf(length, handler, 'stop', record)
    if (insn.rep !== 0 && REPEATED.has(insn.op)) return knownOf(length, handler, 'closed', record)
    const fuses = insn.base >= 0 ? Fuses.withBase : Fuses.withoutBase
    return knownOf(length, handler, 'open', record, canFuse(insn) ? fuses : Fuses.never)
  }

  #act(record: number, length: number, mode: Mode): Known {
    const insn = this.#insn
    const falls = !TRANSFERS.has(insn.op)
    const handler = frequentHandler(insn, mode)
    this.#set(record + this.layout.handler, handler)
    const { base } = this.#state
    const { operands } = insn
    for (let n = 0; n < operands.length; n++) {
      const { kind, reg } = operands[n]!
      const slot = kind === Kind.seg ? Layout.segments + reg * SegmentSlot.size : Layout.gpr + reg * 8
      this.#set(record + this.layout.register[n]!, base + (kind === Kind.cr ? controlSlot(reg) : slot))
    }
    this.#set(record + this.layout.base, base + (insn.base >= 0 ? insn.base * 8 : Layout.zero))
    this.#set(record + this.layout.disp, insn.op === 'int' ? insn.imm & 0xff : insn.disp)
    this.#set(record + this.layout.imm, this.#actions.push({ insn: { ...insn }, falls }) - 1)
    return knownOf(length, handler, falls ? 'open' : 'stop', record)
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
  #stub(pfn: number, ip: number, mode: Mode, linearPage: number, branch?: Partial<Branch>): number {
    const record = this.#record(pfn, ip, 0, mode)
    this.#set(record + this.layout.handler, Handler.miss)
    this.#set(record + this.layout.base, pageNumber(ip, mode) === linearPage ? 0 : 1)
    this.#set(record + this.layout.index, branch?.enters ?? Enters.nothing)
    this.#set(record + this.layout.disp, branch?.record ?? 0)
    return record
  }
}

/** What is known of an instruction that is no direct branch. */
function knownOf(length: number, handler: number, end: RunEnd, source: number, fuses: Fuses = Fuses.never): Known {
  return { length, handler, end, distance: undefined, narrow: false, enters: Enters.nothing, cc: -1, fuses, source }
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
