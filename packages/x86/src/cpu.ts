/** A CPU: state, system part and engines, and the loop that delivers what is to be delivered between instructions. */
import { checkState, type InterruptSource, type State, type StateValue } from '@vmexit/core'
import type { GuestMemory, Span } from '@vmexit/memory'
import { Mmu } from '@vmexit/paging'
import { createDecoder } from '@vmexit/x86-decoder'
import { enterFlat, type FlatStart } from './flat.ts'
import { type GeneratedStats, Interpreter, type PageFault } from './interpreter/engine.ts'
import { Tables } from './interpreter/layout.ts'
import type { TierFactory } from './interpreter/tier.ts'
import { TranslatedMemory } from './memory/linear.ts'
import { CpuPaging } from './memory/paging-unit.ts'
import { ReferenceEngine } from './reference/engine.ts'
import { resetState } from './reset.ts'
import { Flag, Layout, Vector } from './state/layout.ts'
import { readRegisters, writeRegisters } from './state/registers.ts'
import { CpuState } from './state/state.ts'
import type { Core, CoreEvents, CpuModel, Msrs, PortSpace, SensitiveTraps } from './system/core.ts'
import { afterInstruction, beforeInstruction, DataBreakpoints, mustStep } from './system/debug.ts'
import type { CpuEvent } from './system/event.ts'
import { deliver, eventOf } from './system/exceptions.ts'
import { EPT_FAULT, Fault } from './system/fault.ts'
import { pageFaultThroughFlatGate } from './system/flat-gate.ts'
import { refreshMode } from './system/mode.ts'
import { defaultModel } from './system/models.ts'
import type { RingZero } from './system/ring-zero.ts'
import { loadParagraph } from './system/segments.ts'
import { sensitiveCheck } from './system/sensitive.ts'
import { Pin } from './vmx/controls.ts'
import {
  endsHalt,
  exitAtBoundary,
  exitBeforeTraps,
  exitsWhileDisabled,
  interceptPageFault,
  type Waiting,
  wantsAttention,
} from './vmx/events.ts'
import type { VmxState } from './vmx/unit.ts'
import { Vmx } from './vmx/vmx.ts'

declare module '@vmexit/core' {
  interface ExitReasons {
    'vm-exit': 'a guest has left VMX non-root operation, to the VMM outside of the machine'
    'ring-0': 'user code has come to ring 0, whose owner is outside of the machine'
  }
}

/** How the CPU is made fast; the counts are the same. */
export type Engine = 'reference' | 'interpreter' | 'jit'
/** What a {@link Cpu} takes: the name of an engine, or what `jit()` of `@vmexit/jit` makes. */
export type EngineChoice = Exclude<Engine, 'jit'> | TierFactory

/** What the CPU asks of an interrupt controller; `InterruptSource` of `@vmexit/core` is one. */
export interface InterruptPin {
  /** The level of INTR. */
  readonly pending: boolean
  /** The interrupt acknowledge cycle: the vector. */
  acknowledge(): number
  /** The global enable of IA32_APIC_BASE, where there is a local APIC. */
  setEnabled?(enabled: boolean): void
}

/** What a {@link Cpu} is made of. */
export interface CpuOptions {
  readonly memory: GuestMemory
  /** Default: nobody there; reads give all ones. */
  readonly ports?: PortSpace
  /** Default: none, until {@link Cpu.connect}. */
  readonly interrupts?: InterruptPin
  /** Number in the machine. Default 0. */
  readonly id?: number
  /** Default {@link defaultModel}. */
  readonly model?: CpuModel
  /** Default `'interpreter'` where there is WebAssembly, else `'reference'`. */
  readonly engine?: EngineChoice
  /** Geometry of the modelled TLB: entries, powers of two. */
  readonly tlb?: { readonly data?: number; readonly instruction?: number }
  /**
   * What the time stamp counter counts, in whole numbers. Default: instructions retired. In a machine it is virtual time,
   * which goes on while the CPU waits, as an invariant time stamp counter does.
   */
  readonly time?: () => number
  /** Make sensitive instructions trap (see `sensitive.ts`). Default: they do not. */
  readonly sensitiveTraps?: SensitiveTraps
}

/** Why {@link Cpu.run} returned. One object, rewritten in place. */
export interface CpuExit {
  /**
   * `vm-exit`: a guest has left, to the VMM that stands outside of the machine, see `VmxRoot`. `ring-0`: user code has come to ring 0, see
   * `RingZero`.
   */
  reason: 'budget' | 'halt' | 'shutdown' | 'vm-exit' | 'ring-0'
  /** With `ring-0`: what it has come by. */
  event?: CpuEvent | undefined
}

/** A saved CPU: registers by name in hexadecimal, what is pending, the paging unit with its TLB, counts. */
export type SavedCpu = State & {
  readonly version: 1
  readonly registers: { readonly [name: string]: string }
  readonly msrs: { readonly [name: string]: string }
  readonly events: { readonly [name: string]: StateValue }
  readonly mmu: StateValue
  /** Where the model has VMX. */
  readonly vmx?: StateValue
  readonly counts: { readonly [name: string]: StateValue }
}

/** What the CPU has done. Only ever added to. */
export interface CpuCounts {
  /** Instructions retired; each iteration of a REP is one. */
  instructions: number
  /** Exceptions delivered, by vector. */
  readonly exceptions: Float64Array
  /** External interrupts and NMIs delivered. */
  interrupts: number
}

const NO_PORTS: PortSpace = { read: (_port, width) => (width === 32 ? -1 : 2 ** width - 1), write: () => {} }
const NO_INTERRUPTS: InterruptPin = { pending: false, acknowledge: () => 0xff }
/** Deliveries in a row, without an instruction retired between, from which on each takes one instruction's time: a guest that faults forever must not hold the host. */
const PATIENCE = 1000
const CS = 1

/** An x86 CPU. See the package's README for how it is run; nothing a guest does makes its methods throw. */
export class Cpu implements Core {
  readonly state: CpuState
  readonly linear: TranslatedMemory
  readonly paging: CpuPaging
  readonly ports: PortSpace
  readonly model: CpuModel
  readonly msrs: Msrs = { sysenterCs: 0, sysenterEsp: 0, sysenterEip: 0, tscOffset: 0n, other: new Map() }
  readonly sensitiveTraps?: SensitiveTraps
  readonly events: CoreEvents
  readonly memory: GuestMemory
  readonly engine: Engine
  readonly vmx: Vmx | undefined
  /** Ring 0 outside of the machine: set it where all code is user code. */
  ringZero: RingZero | undefined = undefined
  readonly counts: CpuCounts = { instructions: 0, exceptions: new Float64Array(32), interrupts: 0 }
  /** Where the state is. */
  readonly #span: Span
  readonly #interpreter: Interpreter | undefined
  readonly #reference: ReferenceEngine
  /** A REP instruction has iterations behind it and before it: an interrupt pushes RF as 1. */
  #midRepeat = false
  readonly id: number
  #interrupts: InterruptPin
  readonly #time: (() => number) | undefined
  readonly #exit: CpuExit = { reason: 'budget' }
  #nmi = false
  /** Budget of the current run when it was last accounted for. */
  #granted = 0
  #deliveries = 0

  constructor(options: CpuOptions) {
    this.memory = options.memory
    this.model = options.model ?? defaultModel()
    this.ports = options.ports ?? NO_PORTS
    this.id = options.id ?? 0
    this.#interrupts = options.interrupts ?? NO_INTERRUPTS
    this.#time = options.time
    const host = options.memory.host
    const choice = options.engine ?? (host.isWebAssembly ? 'interpreter' : 'reference')
    const tier = typeof choice === 'object' ? choice : undefined
    this.engine = typeof choice === 'object' ? choice.name : choice
    this.#span = host.reserve(this.engine === 'reference' ? Layout.size : Tables.size, 'CPU state')
    this.state = new CpuState(host, this.#span.address)
    const mmu = new Mmu({
      tables: options.memory,
      features: { maxPhysicalAddress: this.model.physicalAddressBits },
      ...(options.tlb?.data ? { dataEntries: options.tlb.data } : {}),
      ...(options.tlb?.instruction ? { instructionEntries: options.tlb.instruction } : {}),
    })
    this.paging = new CpuPaging(mmu, this.state)
    if (options.sensitiveTraps) this.sensitiveTraps = options.sensitiveTraps
    this.events = {
      halted: false,
      shutdown: false,
      shadow: 'none',
      pendingDebug: 0,
      nmiBlocked: false,
      apicEnabled: (enabled) => this.#interrupts.setEnabled?.(enabled),
      modeChanged: () => {
        this.linear.wrap32 = !this.state.long64
        this.#reference.fetch.forget()
        this.#interpreter?.modeChanged()
      },
    }
    const { vmx } = this.model
    this.vmx = vmx && new Vmx({ core: this, memory: options.memory, mmu, capabilities: vmx })
    this.linear = new TranslatedMemory(this.paging, options.memory, new DataBreakpoints(this.state, this.events))
    const decoder = createDecoder({ features: this.model.features })
    this.#reference = new ReferenceEngine(
      this,
      this.paging,
      options.memory,
      decoder,
      options.sensitiveTraps ? sensitiveCheck : undefined,
    )
    mmu.listener = {
      onEvict: (page, instruction) => {
        if (instruction) this.#reference.fetch.forget()
        this.#interpreter?.evicted(page, instruction)
      },
      onFlush: (keepsGlobal) => {
        this.#reference.fetch.forget()
        this.#interpreter?.flushed(keepsGlobal)
      },
    }
    if (this.engine !== 'reference') {
      this.#interpreter = new Interpreter({
        state: this.state,
        host,
        memory: options.memory,
        paging: this.paging,
        decoder,
        reference: this.#reference,
        calm: (paired) => this.#calm(paired),
        retired: () => this.retired,
        tier,
      })
    }
    this.reset()
  }

  /** As after RESET# (SDM vol. 3A, 9.1.1). */
  reset(): void {
    this.vmx?.reset()
    resetState(this)
    this.events.halted = false
    this.events.shutdown = false
    this.events.shadow = 'none'
    this.events.pendingDebug = 0
    this.events.nmiBlocked = false
    this.#nmi = false
    this.#midRepeat = false
    this.#deliveries = 0
    this.paging.mmu.setControls(this.state.get32(Layout.cr0), 0, 0)
    this.paging.mmu.setRoot(0)
    this.events.modeChanged()
  }

  /** Gives the host's memory back that the state is in: the CPU is not used any more. */
  [Symbol.dispose](): void {
    this.memory.host.free(this.#span)
  }

  /**
   * The registers in the state were written from outside, all of them: everything that depends on them is brought up to date, and the TLB
   * emptied. `pdptes`: the PAE pointers, low and high half each.
   */
  adoptRegisters(pdptes: Uint32Array): void {
    const { mmu } = this.paging
    mmu.pdptes.set(pdptes)
    mmu.load({
      cr0: this.state.get32(Layout.cr0),
      cr3: this.state.getNumber(Layout.cr3),
      cr4: this.state.get32(Layout.cr4),
      efer: this.state.get32(Layout.efer),
      second: undefined,
    })
    mmu.flush()
    refreshMode(this)
  }

  /** Continue at `cs`:`ip` in real mode, as a far jump would: where a program was put that no firmware starts. */
  startAt(cs: number, ip: number): void {
    loadParagraph(this.state, CS, cs)
    this.state.ip = ip
    this.events.halted = false
    this.events.modeChanged()
  }

  /**
   * Reset, then continue in 32-bit protected mode with flat segments, paging and interrupts off: what firmware and boot
   * loaders hand to a kernel. The descriptor table is not looked at; it is for the guest's own segment loads.
   */
  startFlat(start: FlatStart): void {
    this.reset()
    enterFlat(this, start)
  }

  /** What the interpreter has generated and translated so far; undefined for the reference engine. */
  get generated(): GeneratedStats | undefined {
    return this.#interpreter?.stats
  }

  /** Assert the NMI line for a moment. */
  nmi(): void {
    this.#nmi = true
    this.shorten(0)
  }
  /** Take external interrupts from `interrupts` from now on. One that a device raises during a run ends what runs. */
  connect(interrupts: InterruptPin & Partial<Pick<InterruptSource, 'watch'>>): void {
    this.#interrupts = interrupts
    interrupts.watch?.((pending) => {
      if (pending) this.shorten(0)
    })
  }
  /** The A20M# pin: while it is off, bit 20 of every physical address is 0. */
  setA20(enabled: boolean): void {
    this.paging.mmu.setA20(enabled)
  }
  /** HLT was executed and nothing that would end it is pending. */
  get halted(): boolean {
    if (!this.events.halted || (this.#nmi && !this.events.nmiBlocked)) return false
    if (this.vmx?.nonRoot && endsHalt(this.vmx, this.#waiting)) return false
    return !(this.state.flag(Flag.IF) && this.#interrupts.pending)
  }

  /** Interrupts are enabled: what comes ends HLT. */
  get wakeable(): boolean {
    return this.state.flag(Flag.IF)
  }

  /** Instructions retired, exact also while the CPU runs. */
  get retired(): number {
    return this.counts.instructions + this.#granted - this.state.get32(Layout.budget)
  }
  timeStamp(): bigint {
    const now = BigInt(this.#time?.() ?? this.retired)
    return this.vmx?.nonRoot ? now + this.vmx.tscOffset : now
  }
  ferr(_asserted: boolean): void {}

  /**
   * Called by a device during {@link run}: end it once `remaining` more instructions are retired. The one in progress
   * counts and completes, so 0 and 1 both mean at once.
   */
  shorten(remaining: number): void {
    const budget = Math.max(1, remaining)
    const left = this.state.get32(Layout.budget)
    if (budget >= left) return
    this.#granted -= left - budget
    this.state.set32(Layout.budget, budget)
  }

  /** Called by a VMM during {@link run}: the instruction in progress was done in software. It uses up budget, but is not retired. */
  disown(): void {
    this.#granted--
  }

  /** The same of an instruction that is over: called by a VMM between two of the guest's. */
  forgo(): void {
    this.#granted--
    this.state.set32(Layout.budget, this.state.get32(Layout.budget) - 1)
  }

  /** See `Core`. */
  toRingZero(event: CpuEvent): boolean {
    if (this.ringZero === undefined) return false
    if (event.source === 'fault' && event.vector === Vector.PF) this.state.setNumber(Layout.cr2, event.address ?? 0)
    // (A step over INT ends in ring 0, which may go on with somebody else; a fault's instruction is stepped over when it is made again.)
    this.events.pendingDebug = 0
    if (!this.ringZero.enter(event)) {
      this.#exit.reason = 'ring-0'
      this.#exit.event = event
      this.shorten(0)
    }
    return true
  }

  save(): SavedCpu {
    const { events, msrs, counts } = this
    const other: Record<string, string> = {}
    for (const [msr, value] of msrs.other) other[msr.toString(16)] = value.toString(16)
    return {
      version: 1,
      registers: readRegisters(this.state),
      msrs: {
        ...other,
        sysenterCs: msrs.sysenterCs.toString(16),
        sysenterEsp: msrs.sysenterEsp.toString(16),
        sysenterEip: msrs.sysenterEip.toString(16),
        tscOffset: msrs.tscOffset.toString(16),
      },
      events: {
        halted: events.halted,
        shutdown: events.shutdown,
        shadow: events.shadow,
        pendingDebug: events.pendingDebug,
        nmiBlocked: events.nmiBlocked,
        nmi: this.#nmi,
        midRepeat: this.#midRepeat,
        deliveries: this.#deliveries,
      },
      mmu: this.paging.mmu.save() as unknown as StateValue,
      ...(this.vmx && { vmx: this.vmx.save() }),
      counts: { instructions: counts.instructions, interrupts: counts.interrupts, exceptions: [...counts.exceptions] },
    }
  }

  /** @throws VmexitError `state-mismatch` for a state that is not of this CPU. */
  restore(saved: State): void {
    const state = checkState('the CPU', saved, this.save())
    writeRegisters(this.state, state.registers)
    this.#restoreMsrs(state.msrs)
    const { nmi, midRepeat, deliveries, ...events } = state.events as Record<string, never>
    Object.assign(this.events, events)
    this.#nmi = nmi!
    this.#midRepeat = midRepeat!
    this.#deliveries = deliveries!
    this.paging.mmu.restore(state.mmu as never)
    const { exceptions, ...counts } = state.counts as { exceptions: number[] }
    Object.assign(this.counts, counts)
    this.counts.exceptions.set(exceptions)
    if (this.vmx) this.vmx.restore(state.vmx as VmxState)
    this.#interpreter?.flushed()
    this.events.modeChanged()
  }

  #restoreMsrs(saved: Readonly<Record<string, string>>): void {
    const { sysenterCs, sysenterEsp, sysenterEip, tscOffset, ...other } = saved
    const { msrs } = this
    msrs.sysenterCs = Number.parseInt(sysenterCs!, 16)
    msrs.sysenterEsp = Number.parseInt(sysenterEsp!, 16)
    msrs.sysenterEip = Number.parseInt(sysenterEip!, 16)
    msrs.tscOffset = signedHex(tscOffset!)
    msrs.other.clear()
    for (const [msr, value] of Object.entries(other)) msrs.other.set(Number.parseInt(msr, 16), signedHex(value))
  }

  /** Run at most `budget` instructions (below 2^31). The exit is the same object each time. */
  run(budget: number): CpuExit {
    const { state, events } = this
    this.#granted = budget
    state.set32(Layout.budget, budget)
    this.#exit.reason = 'budget'
    this.#exit.event = undefined
    this.#interpreter?.turn(budget)
    this.#untilTimer()
    for (;;) {
      if (this.#exit.event !== undefined) break
      if (this.vmx?.external && !this.vmx.nonRoot) {
        this.vmx.onExit?.(false)
        if (!this.vmx.nonRoot) {
          this.#exit.reason = 'vm-exit'
          break
        }
      }
      if (events.shutdown) {
        this.#exit.reason = 'shutdown'
        break
      }
      if (this.#deliverPending()) continue
      if (events.halted) {
        this.#exit.reason = 'halt'
        break
      }
      if (state.get32(Layout.budget) <= 0) break
      try {
        if (this.#single && !this.#resumes()) this.#step()
        else {
          const fault = this.#interpret(this.#interpreter!)
          if (fault) this.#deliverPageFault(fault)
        }
      } catch (error) {
        if (!(error instanceof Fault)) throw error
        this.#deliver(eventOf(error))
      }
    }
    this.counts.instructions = this.retired
    this.#granted = 0
    state.set32(Layout.budget, 0)
    return this.#exit
  }

  /** One instruction at a time: the reference engine, TF, RF, breakpoints, interrupt shadows, alignment checks. */
  get #single(): boolean {
    return (
      this.#interpreter === undefined ||
      this.events.shadow !== 'none' ||
      this.sensitiveTraps !== undefined ||
      this.vmx?.steps === true ||
      this.state.get32(Layout.alignmentCheck) !== 0 ||
      mustStep(this)
    )
  }

  /**
   * Is RF all that asks for one instruction by itself? Then it is cleared, as before any instruction, and the interpreter goes
   * on: no breakpoint is there to be held off. So it is behind each page fault.
   */
  #resumes(): boolean {
    const { state, events } = this
    if (!this.#interpreter || events.shadow !== 'none' || this.sensitiveTraps !== undefined) return false
    if (this.vmx?.steps) return false
    if (state.get32(Layout.alignmentCheck) !== 0 || mustStep(this, Flag.TF)) return false
    state.setFlag(Flag.RF, false)
    return true
  }

  /** See `InterpreterParts.calm`. The shadow of STI is of no account when what follows comes before anything else could. */
  #calm(paired: boolean): boolean {
    const { events } = this
    const { shadow } = events
    if (paired && shadow === 'sti') events.shadow = 'none'
    const waiting = this.#tellGenerated() && this.#takes()
    if (!waiting && !events.halted && !events.shutdown && !this.#single) return true
    events.shadow = shadow
    return false
  }

  /** What generated code is to know that TypeScript alone changes. Does an interrupt or NMI wait? */
  #tellGenerated(): boolean {
    const { state } = this
    const { vmx } = this
    const waiting = this.#nmi || this.#interrupts.pending || (vmx !== undefined && wantsAttention(vmx))
    state.set32(Layout.intercepts, vmx?.generatedIntercepts ?? 0)
    state.set32(Layout.attention, waiting ? 1 : 0)
    state.set32(Layout.nmiBlocked, this.events.nmiBlocked ? 1 : 0)
    state.set32(Layout.sysenterCs, this.msrs.sysenterCs)
    state.set32(Layout.sysenterEsp, this.msrs.sysenterEsp)
    state.set32(Layout.sysenterEip, this.msrs.sysenterEip)
    // Time passes with the instructions of the run.
    const end = (this.#time?.() ?? this.retired) + state.get32(Layout.budget)
    // (BigInts would take a third of a microsecond at each entry of a guest.)
    const ahead = this.msrs.tscOffset === 0n ? (vmx?.tscOffsetNumber ?? 0) : Number.NaN
    if (end + ahead >= 0) state.setNumber(Layout.stamp, end + ahead)
    else state.set64(Layout.stamp, BigInt.asIntN(64, BigInt(end) + this.msrs.tscOffset + (vmx?.tscOffset ?? 0n)))
    return waiting
  }

  #step(): void {
    const { state, events } = this
    const { shadow } = events
    const start = state.ip
    if (beforeInstruction(this, this.#linearCode(start), this.#midRepeat)) return
    // A shadow lasts for one instruction, unless that instruction casts a new one; of several loads of SS in a row only the
    // first does (SDM vol. 2, MOV).
    events.shadow = 'none'
    let retired = false
    try {
      retired = this.#reference.step()
    } catch (error) {
      events.shadow = shadow
      throw error
    }
    if (!retired) return
    if (shadow === 'ss' && this.events.shadow === 'ss') events.shadow = 'none'
    state.set32(Layout.budget, state.get32(Layout.budget) - 1)
    this.#deliveries = 0
    this.#midRepeat = this.#reference.fetch.insn.rep !== 0 && state.ip === start
    afterInstruction(this)
    if (this.vmx?.steps) this.vmx.trapPending = true
  }

  /** What waits, as VMX asks for it. */
  readonly #waiting: Waiting = {
    nmi: () => this.#nmi,
    interrupt: () => this.#interrupts.pending,
    acknowledge: () => this.#interrupts.acknowledge(),
    takeNmi: () => {
      this.#nmi = false
    },
  }
  /** Does something that waits get attention now? */
  #takes(): boolean {
    if (this.#nmi || this.state.flag(Flag.IF)) return true
    // (A guest that polls a port with a window open left generated code at each IN.)
    return this.vmx?.nonRoot === true && exitsWhileDisabled(this.vmx, this.#waiting)
  }

  /** A guest's preemption timer ends the run, so that it is looked at. */
  #untilTimer(): void {
    const { vmx } = this
    if (!vmx?.nonRoot || (vmx.controls.pin & Pin.preemptionTimer) === 0) return
    this.shorten(Math.max(1, vmx.timerEnd - Number(this.timeStamp() - vmx.tscOffset)))
  }

  /** Linear address of code at `ip`. (A conditional subtraction: `%` on doubles was a fifth of the reference engine's time.) */
  #linearCode(ip: number): number {
    if (this.state.long64) return ip
    const sum = ip + this.state.segBase(CS)
    return sum > 0xffff_ffff ? sum - 0x1_0000_0000 : sum
  }

  #interpret(interpreter: Interpreter): PageFault | undefined {
    const before = this.retired
    this.#tellGenerated()
    let fault: PageFault | undefined
    try {
      fault = interpreter.run()
    } finally {
      // Also when what comes after them faults.
      if (this.retired !== before) this.#deliveries = 0
    }
    this.#midRepeat = interpreter.midRepeat
    return fault
  }

  /** Traps and interrupts at an instruction boundary, by priority (SDM vol. 3A, table 6-2). True if one was delivered. */
  #deliverPending(): boolean {
    const { state, events, vmx } = this
    if (vmx?.nonRoot && exitBeforeTraps(vmx)) return true
    if (events.shadow === 'ss') return false
    if (events.pendingDebug !== 0) {
      this.#deliver({ vector: Vector.DB, source: 'trap' })
      return true
    }
    if (vmx?.nonRoot && exitAtBoundary(vmx, this.#waiting)) return true
    if (events.shadow !== 'none') return false
    if (this.#nmi && !events.nmiBlocked) {
      this.#nmi = false
      this.counts.interrupts++
      deliver(this, { vector: Vector.NMI, source: 'nmi', resume: this.#midRepeat })
      this.#midRepeat = false
      return true
    }
    if (!state.flag(Flag.IF) || !this.#interrupts.pending) return false
    this.counts.interrupts++
    deliver(this, { vector: this.#interrupts.acknowledge(), source: 'external', resume: this.#midRepeat })
    this.#midRepeat = false
    return true
  }

  #deliverPageFault({ errorCode, address }: PageFault): void {
    const { vmx } = this
    if (vmx?.nonRoot && (errorCode === EPT_FAULT || interceptPageFault(vmx, errorCode, address))) {
      if (errorCode === EPT_FAULT) this.#deliver({ vector: Vector.PF, source: 'fault', errorCode, address })
      return
    }
    if (this.ringZero === undefined && pageFaultThroughFlatGate(this, errorCode, address)) this.#delivered(Vector.PF)
    else this.#deliver({ vector: Vector.PF, source: 'fault', errorCode, address })
  }

  #deliver(event: CpuEvent): void {
    const entered = this.vmx?.nonRoot
    deliver(this, event)
    // What has left a guest was not delivered.
    if (this.vmx?.nonRoot === entered) this.#delivered(event.vector)
  }
  #delivered(vector: number): void {
    this.counts.exceptions[vector]!++
    if (this.vmx) this.vmx.unblocksNmis = false
    this.#midRepeat = false
    if (++this.#deliveries > PATIENCE) this.state.set32(Layout.budget, this.state.get32(Layout.budget) - 1)
  }
}

const signedHex = (text: string): bigint => (text.startsWith('-') ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`))
