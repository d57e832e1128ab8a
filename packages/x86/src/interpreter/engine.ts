/** The generated WebAssembly interpreter: records, handlers and the engine's TLBs put to work. */
import type { GuestMemory, HostMemory } from '@vmexit/memory'
import { createInsn, type Decoder, type Insn } from '@vmexit/x86-decoder'
import { settleFlags } from '../generated/held-flags.ts'
import { Access } from '../memory/linear.ts'
import type { CpuPaging } from '../memory/paging-unit.ts'
import { RoutineLibrary } from '../ops/routines.ts'
import type { ReferenceEngine } from '../reference/engine.ts'
import { Layout, Leave } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import { Handlers } from './handlers.ts'
import { hotTemplates } from './hot.ts'
import { HELD } from './layout.ts'
import { type Mode, Modes } from './mode.ts'
import { Records, type TranslatedCode } from './records.ts'
import type { Tier, TierFactory, TierStats } from './tier.ts'
import { EngineTlb } from './tlb.ts'
import { Acted, NESTING } from './translation.ts'

/** Bytes of records for each width: of 1.3 million instructions. Room that is not used is never touched. */
const ARENA_BYTES = 80 << 20
const PAGE = 0x1000
/** Bytes (SDM vol. 2, 2.3.11). */
const LONGEST_INSTRUCTION = 15

export interface InterpreterParts {
  readonly state: CpuState
  readonly host: HostMemory
  readonly memory: GuestMemory
  readonly paging: CpuPaging
  readonly decoder: Decoder
  readonly reference: ReferenceEngine
  /**
   * May generated code go on, an instruction having been executed by its action: is there nothing to be delivered, and
   * none to be executed by itself? `paired`: nothing can come between that instruction and the next one.
   */
  readonly calm: (paired: boolean) => boolean
  /** Instructions retired. */
  readonly retired: () => number
  /** What translates hot code of 16 and 32 bits; without one all is interpreted. */
  readonly tier?: TierFactory | undefined
}

/** What an engine has generated and translated: of the host's work, not of the guest's. */
export interface GeneratedStats {
  /** WebAssembly modules, their bytes, and the handlers in them. */
  modules: number
  bytes: number
  handlers: number
  /** Straight runs of code translated, and the instructions in them. */
  runs: number
  instructions: number
  /** Modes of execution that translated code is told by. */
  modes: number
  /** Of the tier behind the interpreter, if there is one. */
  translated?: TierStats
}

/** A page fault that an instruction meets, of which nothing has happened. One object, rewritten in place. */
export interface PageFault {
  errorCode: number
  /** Linear, for CR2. */
  address: number
}

interface Code {
  readonly handlers: Handlers
  readonly records: Records
  readonly tier?: Tier | undefined
}

export class Interpreter {
  readonly #tlb: EngineTlb
  readonly #parts: InterpreterParts
  readonly #modes = new Modes()
  readonly #routines: RoutineLibrary
  readonly #insn: Insn = createInsn()
  readonly #code: { 32?: Code; 64?: Code } = {}
  #mode: Mode | undefined
  /** The code whose dispatcher runs. */
  #running!: Code
  /** The modelled TLB has lost something of its instruction side: the page that code runs in has to be entered again. */
  #codeGone = false
  /** What {@link run} returns where it does. */
  readonly #fault: PageFault = { errorCode: 0, address: 0 }
  #faulted = false
  /** In {@link run}. */
  #runs = false
  /** The last {@link run} ended between two iterations of a REP instruction. */
  midRepeat = false

  constructor(parts: InterpreterParts) {
    this.#parts = parts
    this.#routines = new RoutineLibrary(parts.host.memory as WebAssembly.Memory)
    this.#tlb = new EngineTlb(parts.state)
    parts.memory.listen({
      onWriteRestricted: (pfn) => this.#tlb.dropFrame(parts.memory.readPage(pfn), false),
      onAllWriteRestricted: () => this.#tlb.dropWrites(),
      onRemapped: (pfn) => this.#tlb.dropFrame(parts.memory.readPage(pfn), true),
      onCodeWrite: (pfn) => {
        for (const code of [this.#code[32], this.#code[64]]) {
          if (!code?.records.invalidate(pfn, this.#runs)) continue
          code.tier?.invalidated(pfn)
          this.#tlb.dropCodeAt(pfn)
        }
      },
    })
  }

  /** The modelled TLB no longer holds `page` (of 48-bit linear addresses) on that side. */
  evicted(page: number, instruction: boolean): void {
    const linear = page >= 2 ** 35 ? page - 2 ** 36 : page
    if (instruction) {
      this.#tlb.dropCode(linear)
      this.#codeGone = true
    } else this.#tlb.dropData(linear)
  }
  /** The modelled TLB was flushed, or what its entries permit has changed. */
  flushed(keepsGlobal = false): void {
    this.#tlb.flush(keepsGlobal)
    this.#codeGone = true
  }

  /** CS, SS, CPL or a segment changed. */
  modeChanged(): void {
    this.#mode = undefined
    this.#tlb.keyChanged()
  }

  /** Totals of what was generated, for whoever watches. */
  get stats(): GeneratedStats {
    const total: GeneratedStats = {
      modules: 0,
      bytes: 0,
      handlers: 0,
      runs: 0,
      instructions: 0,
      modes: this.#modes.all.length,
    }
    for (const code of [this.#code[32], this.#code[64]]) {
      if (!code) continue
      total.modules += code.handlers.stats.modules
      total.bytes += code.handlers.stats.bytes
      total.handlers += code.handlers.stats.handlers
      total.runs += code.records.stats.runs
      total.instructions += code.records.stats.instructions
      if (code.tier) total.translated = { ...code.tier.stats }
    }
    return total
  }

  /**
   * Run until the budget in the state is used up or an instruction was executed the slow way, which may want attention.
   * Returns a page fault that is to be delivered. @throws Fault as {@link ReferenceEngine.step}.
   *
   * (Page faults are met by the ten thousand: to have the reference engine raise them, and catch what it throws, took 5 µs.)
   */
  run(): PageFault | undefined {
    this.#faulted = false
    this.#runs = true
    try {
      this.#run()
    } finally {
      this.#runs = false
    }
    return this.#faulted ? this.#fault : undefined
  }

  /** The CPU begins to run, for so many instructions at the most. */
  turn(instructions: number): void {
    this.#code[32]?.tier?.turn(instructions)
  }

  #run(): void {
    const { state, reference } = this.#parts
    this.midRepeat = false
    let stub = 0
    let resets = 0
    for (;;) {
      const budget = state.get32(Layout.budget)
      if (budget <= 0) return
      if (this.#modes.areMany) this.#forgetModes()
      const mode = this.#currentMode()
      this.#running = this.#codeOf(mode)
      const { handlers, records, tier } = this.#running
      const head = this.#find(records, mode)
      if (this.#faulted) return
      // A head costs nothing; what it leads to pays when it is entered, unless the budget ends in it.
      const plain = head === 0 ? 0 : records.plainOf(head)
      const short = plain !== 0 && records.get(plain, records.layout.length) > budget
      const record = short ? plain : head
      if (stub !== 0 && head !== 0 && resets === records.stats.resets) records.link(stub, head)
      stub = 0
      const cost = record === 0 ? 0 : records.get(record, records.layout.length)
      const stopped = cost > budget ? records.stopAt(record, budget) : undefined
      if (record === 0 || (cost > budget && stopped === undefined)) {
        this.#step(reference)
        // Code that is not worth translating is executed so for a while.
        if (this.midRepeat || !this.#parts.calm(false)) return
        continue
      }
      state.set32(Layout.budget, budget - cost)
      state.set32(Layout.record, record)
      state.set64(Layout.comeback, -1n)
      state.set32(Layout.nesting, NESTING)
      if (stopped === undefined) handlers.run(state.base)
      else {
        // Not all of the run is paid for: an STI before its end casts its shadow.
        state.set32(Layout.attention, 1)
        try {
          handlers.run(state.base)
        } finally {
          records.restore(stopped)
        }
      }
      const left = state.get32(Layout.record)
      if (left !== 0) state.ip = records.ipOf(left)
      const reason = state.get32(Layout.leave)
      if (reason === Leave.event || this.#faulted) return
      this.midRepeat = reason === Leave.repeat
      if (reason === Leave.miss) {
        stub = left
        resets = records.stats.resets
      } else if (reason === Leave.hot) {
        // Not the mode that the run began in: an action may have changed it meanwhile.
        tier!.hot(left, this.#modes.all[records.get(left, records.layout.mode)]!)
      } else if (reason === Leave.slow) {
        // What straddles two pages is not paid for yet when it leaves.
        if (state.get32(Layout.budget) > 0) this.#step(reference)
        return
      }
    }
  }

  /** The handler `act`: see {@link HandlerImports.act}. @throws Fault as {@link run}, the state being what it is then. */
  #act(): number {
    const { state, reference, calm } = this.#parts
    const code = this.#running
    const { records } = code
    const { layout } = records
    const record = state.get32(Layout.record)
    const paid = records.get(record, layout.length)
    state.set32(Layout.budget, state.get32(Layout.budget) + paid)
    this.midRepeat = false
    this.#codeGone = false
    const { insn, falls } = records.actionOf(record)
    const start = records.ipOf(record)
    if (!reference.perform(insn, start)) return this.#left(0)
    const left = state.get32(Layout.budget) - 1
    state.set32(Layout.budget, left)
    const { ip } = state
    const mode = this.#currentMode()
    const inRun =
      falls &&
      !this.#codeGone &&
      ip === records.nextOf(record) &&
      records.get(record, layout.mode) === mode.id &&
      records.acts(record)
    const goesOn = left > 0 && calm(inRun && paid > 1 && paid <= left + 1)
    if (goesOn && this.#codeOf(mode) === code && !this.#modes.areMany) {
      const next = inRun ? record + layout.size : this.#find(records, mode)
      const cost = next === 0 ? 0 : records.get(next, layout.length)
      if (next !== 0 && cost <= left) {
        state.set32(Layout.budget, left - cost)
        state.set32(Layout.record, next)
        return 1
      }
    }
    this.midRepeat = insn.rep !== 0 && ip === start
    state.set32(Layout.record, 0)
    state.set32(Layout.leave, Leave.event)
    return 0
  }

  /** See `TierImports.act`. @throws Fault as {@link run}. */
  #actTranslated(record: number): number {
    const { state, reference, calm } = this.#parts
    if (state.get32(Layout.heldFlags) !== 0) this.#settle(state.base, 0, 0, 0, 0)
    const code = this.#running
    const { records } = code
    this.midRepeat = false
    this.#codeGone = false
    const { insn, falls } = records.actionOf(record)
    const start = records.ipOf(record)
    if (!reference.perform(insn, start)) return this.#left(Acted.leave)
    const left = state.get32(Layout.budget) - 1
    state.set32(Layout.budget, left)
    const { ip } = state
    const mode = this.#currentMode()
    const inPlace =
      falls &&
      !this.#codeGone &&
      ip === records.nextOf(record) &&
      records.get(record, records.layout.mode) === mode.id &&
      records.acts(record)
    if (left > 0 && calm(inPlace) && this.#codeOf(mode) === code && !this.#modes.areMany) {
      if (inPlace) return Acted.next
      const next = this.#find(records, mode)
      if (next !== 0) {
        state.set32(Layout.record, next)
        return Acted.go
      }
    }
    this.midRepeat = insn.rep !== 0 && ip === start
    state.set32(Layout.record, 0)
    state.set32(Layout.leave, Leave.event)
    return Acted.leave
  }

  /** The instruction has left a guest, and is not retired: generated code is to leave too. */
  #left(answer: number): number {
    const { state } = this.#parts
    state.set32(Layout.record, 0)
    state.set32(Layout.leave, Leave.event)
    return answer
  }

  /** See {@link settleFlags}. */
  get #settle(): (...values: number[]) => void {
    return this.#routines.functions[settleFlags.name] as unknown as (...values: number[]) => void
  }

  #step(reference: ReferenceEngine): void {
    const { state } = this.#parts
    const start = state.ip
    this.midRepeat = false
    if (!reference.step()) return
    this.midRepeat = reference.fetch.insn.rep !== 0 && state.ip === start
    state.set32(Layout.budget, state.get32(Layout.budget) - 1)
  }

  /** Nothing generated runs now. */
  #forgetModes(): void {
    for (const code of [this.#code[32], this.#code[64]]) code?.records.clear()
    this.#modes.forget()
    this.#mode = undefined
  }

  #currentMode(): Mode {
    const { state } = this.#parts
    if (!this.#mode) {
      this.#mode = this.#modes.of(state)
      state.set32(Layout.mode, this.#mode.id)
    }
    // Generated code has changed the privilege level, perhaps.
    const id = state.get32(Layout.mode)
    if (this.#mode.id !== id) this.#mode = this.#modes.all[id]!
    return this.#mode
  }

  /** A page fault at `linear`, whose error code the paging unit has. */
  #setFault(linear: number): 0 {
    this.#faulted = true
    this.#fault.errorCode = this.#parts.paging.errorCode
    this.#fault.address = linear
    return 0
  }

  /** The record at `ip`; 0 where the slow way must fetch, or fetching faults. */
  #find(records: Records, mode: Mode): number {
    const { state } = this.#parts
    const ip = state.ip
    if (mode.codeBits !== 64 && ip > mode.codeLimit) return 0
    const sum = ip + mode.codeBase
    const linear = mode.codeBits !== 64 && sum > 0xffff_ffff ? sum - 0x1_0000_0000 : sum
    const physical = this.#locate(linear)
    if (physical < 0) return 0
    const record = records.find(physical, ip, mode) || this.#straddling(records, mode, linear, physical)
    this.#fillCode(records, linear, Math.floor(physical / PAGE))
    return record
  }

  /** Physical page number of code at `linear`, entered in the code TLB; −1 where fetching it faults. */
  #enterPage(linear: number): number {
    const physical = this.#locate(linear)
    if (physical < 0) return -1
    const pfn = Math.floor(physical / PAGE)
    this.#fillCode(this.#running.records, linear, pfn)
    return pfn
  }
  /** Physical address of code, the page being entered; −1 where fetching it faults. */
  #locate(linear: number): number {
    const physical = this.#parts.reference.fetch.find(linear)
    if (physical < 0) this.#setFault(linear)
    return physical
  }
  #fillCode(records: Records, linear: number, pfn: number): void {
    const page = Math.floor(linear / PAGE)
    this.#tlb.fillCode(page, pfn, records.versionOf(pfn), this.#parts.paging.isGlobal(page, true))
  }

  /** The record of an instruction that goes on in the next page; 0 where it does not, or the slow way must fetch. */
  #straddling(records: Records, mode: Mode, linear: number, physical: number): number {
    const { state, paging } = this.#parts
    if ((linear & 0xfff) <= PAGE - LONGEST_INSTRUCTION) return 0
    const second = paging.peek(linear - (linear & 0xfff) + PAGE, Access.execute | (state.cpl === 3 ? Access.user : 0))
    if (second < 0 || linear + PAGE > 0xffff_ffff) return 0
    return records.straddle(physical, Math.floor(second / PAGE), state.ip, mode, state.base + Layout.scratch)
  }

  #codeOf(mode: Mode): Code {
    const width = mode.codeBits === 64 ? 64 : 32
    return (this.#code[width] ??= this.#create(width))
  }

  #create(width: 32 | 64): Code {
    const { state, host, memory, decoder } = this.#parts
    const memory32 = host.memory as WebAssembly.Memory
    const factory = width === 32 ? this.#parts.tier : undefined
    const table = factory && new WebAssembly.Table({ element: 'anyfunc', initial: 1 })
    const imports = {
      memory: memory32,
      read: (_base: number, linear: number | bigint, bytes: number) => this.#answer(this.#reach(linear, bytes, false)),
      write: (_base: number, linear: number | bigint, bytes: number) => this.#answer(this.#reach(linear, bytes, true)),
      code: (linear: number) => this.#enterPage(linear >>> 0),
      act: () => this.#act(),
      translations: table,
    }
    const handlers = new Handlers(width, imports, hotTemplates(decoder, width), this.#routines)
    const arena = host.reserve(ARENA_BYTES, `interpreter records, ${width} bits`)
    const decode = (at: number, end: number, bits: 16 | 32 | 64): number =>
      decoder.decode(host.u8, at, end, bits, this.#insn)
    const onReset = (): void => this.#code[width]?.tier?.reset()
    const { retired } = this.#parts
    const code: TranslatedCode = {
      readPage: (pfn) => memory.readPage(pfn),
      markCode: (pfn, start, end) => memory.markCode(pfn, start, end),
      retired,
    }
    const records = new Records(width, state, handlers, code, decode, this.#insn, arena, factory?.threshold, onReset)
    const tier = factory?.create({
      state,
      host,
      memory,
      decoder,
      records,
      routines: this.#routines,
      retired,
      imports: {
        memory: memory32,
        act: (record) => this.#actTranslated(record),
        resume: handlers.resume!,
        table: table!,
      },
      codePage: (linear) => {
        const physical = this.#parts.paging.peek(linear, Access.execute | (state.cpl === 3 ? Access.user : 0))
        return physical < 0 ? -1 : Math.floor(physical / PAGE)
      },
    })
    return { handlers, records, tier }
  }

  /** To generated code: the host address, where it looks for it. */
  #answer(host: number): number {
    this.#parts.state.set32(Layout.reached, host)
    return host
  }

  /**
   * Generated code did not find `linear` in its TLB: the host address of its byte, entered in the TLB where plain accesses
   * may go on; 0 where the access faults, and then it was made; 0 with nothing counted and nothing changed where the slow
   * way must make it (MMIO, ROM, page crossings, watched pages).
   */
  #reach(given: number | bigint, bytes: number, write: boolean): number {
    const { state, memory, paging } = this.#parts
    state.set32(Layout.leave, Leave.slow)
    const linear = typeof given === 'number' ? given >>> 0 : Number(given)
    if (bytes > HELD) return this.#held(linear, bytes - HELD, write)
    const offset = linear & 0xfff
    if (offset + bytes > PAGE) return 0
    if (typeof given === 'bigint' && BigInt.asIntN(48, given) !== given) return 0
    const access = (state.cpl === 3 ? Access.user : 0) | (write ? Access.write : 0)
    const expected = paging.peek(linear, access)
    if (expected < 0) {
      paging.take()
      return this.#setFault(linear)
    }
    const pfn = Math.floor(expected / PAGE)
    if (write) {
      const plain = memory.writePage(pfn)
      if (plain === 0) return this.#prepare(pfn, offset, bytes)
      paging.take()
      memory.noteWriteCached(pfn)
      const page = Math.floor(linear / PAGE)
      this.#tlb.fillData(true, page, plain, paging.isGlobal(page, false))
      return plain + offset
    }
    if (memory.readPage(pfn) === 0) return 0
    paging.take()
    // Flags in a page table of this page may have given it a frame of its own.
    const frame = memory.readPage(pfn)
    memory.noteReadCached(pfn)
    const page = Math.floor(linear / PAGE)
    this.#tlb.fillData(false, page, frame, paging.isGlobal(page, false))
    return frame + offset
  }

  /** See {@link HELD}: the host address of such an access; 0 where there is none. */
  #held(linear: number, bytes: number, write: boolean): number {
    const { memory, paging } = this.#parts
    const offset = linear & 0xfff
    const physical = offset + bytes > PAGE ? -1 : paging.find(linear, write ? Access.write : 0)
    if (physical < 0) return 0
    const pfn = Math.floor(physical / PAGE)
    const host = write ? memory.writePage(pfn) : memory.readPage(pfn)
    if (host === 0) return 0
    if (write) memory.noteWriteCached(pfn)
    else memory.noteReadCached(pfn)
    const page = Math.floor(linear / PAGE)
    this.#tlb.fillData(write, page, host, paging.isGlobal(page, false), true)
    return host + offset
  }

  /** A store to a page that is not plainly writable: what belongs to it is done, and this one store goes through. */
  #prepare(pfn: number, offset: number, bytes: number): number {
    const { memory, paging } = this.#parts
    const at = memory.prepareWrite(pfn, offset, bytes)
    if (at !== 0) paging.take()
    return at
  }
}
