/** A virtual CPU in VMX non-root operation: its run and its exits. Where its state is: `placed-state.ts`; what waits for it: `pending-events.ts`. */
import {
  type Capabilities,
  type Cpu as CpuSeam,
  checkState,
  type Exit,
  type InterruptSource,
  type State,
  VmexitError,
} from '@vmexit/core'
import { Access } from '@vmexit/paging'
import { isMachineFull, type VcpuMmu, type VmMemory } from '@vmexit/vmm'
import { type Cpu, EXIT_REASONS, exitReasonName, Flag, VmcsField } from '@vmexit/x86'
import { EXITS, type ExitedVcpu } from './exits.ts'
import { Moves } from './moves.ts'
import { Blocking, PendingEvents, type PendingState, setBlocking } from './pending-events.ts'
import { PlacedState, type PlaceParts } from './placed-state.ts'

declare module '@vmexit/core' {
  interface ExitReasons {
    'machine-memory': 'the machine has no page left that the guest needs: only a reset brings it back'
  }
}

/** Exits in a row that may retire nothing. */
const PATIENCE = 1000
/** Of pending debug exceptions: an instruction was single-stepped. */
const STEPPED = 1 << 14

/** What a {@link VtxVcpu} is made of. */
export interface VcpuParts extends PlaceParts {
  readonly memory: VmMemory
  readonly ports: Capabilities['ports']
  readonly clock: Capabilities['clock']
}

/** Who watches a virtual CPU; one that does nothing unless stated. */
export interface VcpuObserver {
  /** The guest has left, by a reason of `ExitReason`. The rest is in the VMCS and in `root.exit` of the virtual CPU's host. */
  onExit?(reason: number): void
}

/** One virtual CPU. */
export class VtxVcpu implements CpuSeam, ExitedVcpu {
  readonly id = 0
  readonly parts: VcpuParts
  readonly state: PlacedState
  #a20 = true
  #halted = false
  #shutdown = false
  #retired = 0
  /** The CPU's count when it began to run for this one; while it does. */
  #since: number | undefined
  /** What {@link retired} is to be at most in this run. */
  #end = 0
  readonly #events: PendingEvents
  #fruitless = 0
  /** What the VMCS says of time: the VM's ahead of the machine's, and the guest's own offset. */
  #ahead = Number.NaN
  #tscOffset = 0n
  #lastRetired = 0
  /** The exit that has ended the run has been handled in it. */
  #handled = false
  readonly #moves: Moves
  readonly #exit: { reason: Exit['reason'] } = { reason: 'budget' }
  observer: VcpuObserver = {}
  /** Exits so far by reason, and instructions executed by the emulator. Only ever added to. */
  readonly counts: { readonly exits: Float64Array; emulated: number } = {
    exits: new Float64Array(EXIT_REASONS),
    emulated: 0,
  }

  constructor(parts: VcpuParts) {
    this.parts = parts
    this.state = new PlacedState(parts, () => this.#count())
    this.#moves = new Moves(parts.host.cpu)
    this.#events = new PendingEvents(parts, this.state, () => this.shorten(0))
  }

  get retired(): number {
    return this.#since === undefined ? this.#retired : this.#retired + this.parts.host.cpu.retired - this.#since
  }
  get halted(): boolean {
    // It is to say that it is dead.
    if (this.parts.memory.exhausted) return false
    return this.#halted && !this.#events.wake
  }
  get wakeable(): boolean {
    return (this.state.flags & Flag.IF) !== 0
  }

  shorten(remaining: number): void {
    const end = this.retired + Math.max(0, remaining)
    if (end >= this.#end) return
    this.#end = end
    if (this.#since !== undefined) this.parts.host.cpu.shorten(remaining)
  }

  nmi(): void {
    this.#events.nmi()
  }

  connect(interrupts: InterruptSource): void {
    this.#events.connect(interrupts)
  }

  /** No control of VMX masks an address bit of the guest's alone: while the gate is closed, the emulator executes all. */
  setA20(enabled: boolean): void {
    this.#a20 = enabled
    this.parts.emulator.setA20(enabled)
  }

  reset(): void {
    this.state.toEmulator()
    this.parts.emulator.reset()
    this.#halted = false
    this.#shutdown = false
    this.#events.reset()
  }

  run(budget: number): Exit {
    this.#end = this.retired + budget
    try {
      return this.#run()
    } catch (error) {
      if (!isMachineFull(error)) throw error
      return this.#die()
    }
  }

  #run(): Exit {
    const { host, memory } = this.parts
    for (;;) {
      if (memory.exhausted) return this.#die()
      if (this.#isFruitless()) return this.#stop('budget')
      if (this.#shutdown) return this.#stop('shutdown')
      if (this.halted) return this.#stop('halt')
      if (this.retired >= this.#end) return this.#stop('budget')
      if (!this.#a20) this.state.toEmulator()
      if (!this.state.isInHardware && this.#needsEmulator()) {
        // One at a time: what protects itself goes to the hardware at once, and chips see time go by.
        this.#events.passNmi()
        this.#emulateOne()
        // It may have loaded CR3, or changed how tables are read.
        if (!this.#needsEmulator()) this.state.invalidate()
        continue
      }
      this.state.toHardware()
      if (!this.#enter()) {
        this.#handle()
        continue
      }
      const budget = this.#end - this.retired
      if (budget <= 0) return this.#stop('budget')
      host.clock.follow(host.cpu)
      host.root.onExit(this.#onExit)
      this.#handled = false
      this.#since = host.cpu.retired
      const { reason } = host.cpu.run(budget)
      this.#retired += host.cpu.retired - this.#since
      this.#since = undefined
      host.clock.settle()
      // Timers of the machine may have become due while the VMM did the guest's work.
      if (host.clock.deadline <= host.clock.now) host.clock.advanceTo(host.clock.now)
      if (reason === 'vm-exit' && !this.#handled) this.#handle()
    }
  }

  /** The guest has left in the middle of a run, which goes on if the guest can be entered again at once. */
  readonly #onExit = (instruction: boolean): void => {
    // A step that ends the instruction is the run's business.
    if (this.#handled || (instruction && this.#isStepped())) return
    const before = this.#retired
    this.#handled = true
    try {
      this.#handle()
    } catch (error) {
      if (!isMachineFull(error)) throw error
      this.parts.memory.exhausted = true
    }
    const done = this.#retired - before
    if ((instruction && done === 0) || !this.#canGoOn()) return
    // If the entry ends in an exit, that is still to be handled.
    this.#handled = false
    if (!this.#enter() || done === 0) return
    const { cpu } = this.parts.host
    if (instruction) cpu.disown()
    else cpu.forgo()
  }

  #canGoOn(): boolean {
    if (!this.state.isInHardware || this.#halted || this.#shutdown || !this.#a20) return false
    return !this.parts.memory.exhausted && this.retired < this.#end && !this.#isFruitless()
  }

  /** The machine has no page left that the guest needs. What the guest had goes back to it, so that the other VMs go on. */
  #die(): Exit {
    const { memory } = this.parts
    memory.exhausted = true
    this.state.toEmulator()
    memory.release()
    return this.#stop('machine-memory')
  }

  /** So many exits in a row have retired nothing that the run loop is to look: a guest that faults forever must not hold the host. */
  #isFruitless(): boolean {
    if (this.#retired !== this.#lastRetired) {
      this.#lastRetired = this.#retired
      this.#fruitless = 0
    }
    return ++this.#fruitless > PATIENCE
  }

  #stop(reason: Exit['reason']): Exit {
    this.#exit.reason = reason
    return this.#exit
  }

  // ── Entering ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** In the guest, with what waits injected. False if the entry has ended in an exit. */
  #enter(): boolean {
    const { root } = this.parts.host
    if (root.inGuest) {
      if (this.#events.fit) return true
      root.interrupt()
      this.#count()
    }
    const injected = this.#events.inject()
    // An event that wakes the guest comes with the entry.
    if (injected === 'woken') this.#halted = false
    this.#setTime()
    const entered = root.enter()
    if (entered && injected === 'instruction') this.#complete()
    return entered
  }

  /** INT n or its like, whose delivery had been interrupted by an exit, is over. */
  #complete(): void {
    this.#retired++
    this.#pass(1)
    if (this.#since !== undefined) this.parts.host.cpu.forgo()
  }

  /** The guest's time stamp counter is the VM's time. */
  #setTime(): void {
    const { host, clock, emulator } = this.parts
    const ahead = clock.now - host.clock.now
    const { tscOffset } = emulator.msrs
    if (ahead === this.#ahead && tscOffset === this.#tscOffset) return
    this.#ahead = ahead
    this.#tscOffset = tscOffset
    host.root.write(VmcsField.tscOffset, BigInt.asUintN(64, BigInt(ahead) + tscOffset))
  }

  // ── Exits ───────────────────────────────────────────────────────────────────────────────────────────────────────

  #count(): number {
    const reason = this.parts.host.root.exitReason
    this.counts.exits[reason]!++
    this.observer.onExit?.(reason)
    return reason
  }

  #handle(): void {
    const { root } = this.parts.host
    const reason = this.#count()
    if (root.entryFailed) {
      throw new VmexitError('vm-entry-failed', {
        problem: `VM entry fails by ${exitReasonName(reason)}, qualification ${root.exit.qualification}`,
        remedy: 'this is a fault of the VMM: report it with what the guest did',
      })
    }
    this.#events.interrupted()
    const handler = EXITS[reason]
    if (handler === undefined) {
      throw new VmexitError('vm-exit-unexpected', {
        problem: `the guest leaves by ${exitReasonName(reason) ?? reason}, which was not asked for`,
        remedy: 'this is a fault of the VMM: report it with what the guest did',
      })
    }
    handler(this)
  }

  loadCr3(value: number): boolean {
    return this.state.loadCr3(value)
  }
  get cr3(): number {
    return this.state.cr3
  }
  invalidate(linear?: number): void {
    this.state.invalidate(linear)
  }
  get mmu(): VcpuMmu {
    return this.state.mmu
  }
  /** The guest waits for an interrupt, unless a trap comes at once. */
  halt(): void {
    this.#halted = !this.#isStepped()
  }
  blockNmis(): void {
    setBlocking(this.parts.host.root, 0, Blocking.nmi)
  }
  /** The guest has stopped for good. */
  shutDown(): void {
    this.#shutdown = true
  }
  /** Raises an exception in the guest instead of the instruction that has left it. */
  raise(vector: number, errorCode?: number): void {
    if (!this.#events.raise(vector, errorCode)) this.#shutdown = true
  }
  /** Goes on behind the instruction that has left the guest, which is done. */
  skip(): void {
    this.#finish(this.parts.host.root.exit.instructionLength)
  }
  /** The guest's instruction, of so many bytes, is done. */
  #finish(length: number): void {
    const { root } = this.parts.host
    root.write(VmcsField.guestRip, (root.read(VmcsField.guestRip) + length) >>> 0)
    const flags = root.read(VmcsField.guestRflags)
    if ((flags & Flag.RF) !== 0) root.write(VmcsField.guestRflags, flags & ~Flag.RF)
    setBlocking(root, Blocking.instruction, 0)
    if (this.#isStepped()) root.write(VmcsField.guestPendingDebug, root.read(VmcsField.guestPendingDebug) | STEPPED)
    this.#retired++
    this.#pass(1)
  }
  /** The guest executes single steps: behind each instruction, whoever has executed it, is a trap. */
  #isStepped(): boolean {
    return this.parts.host.cpu.state.flag(Flag.TF)
  }
  /**
   * Executes the instruction that has left the guest, or what comes in its place, on the virtual state. If an event was being delivered, the
   * emulator delivers it: an instruction that has raised it, or is it, by being executed again.
   */
  emulate(): void {
    this.state.toEmulator()
    this.#events.toEmulator()
    this.#emulateOne()
  }

  /** Most accesses to devices, and most stores that must be seen, are MOVs. */
  access(linear: number, write: boolean): void {
    const move = this.#events.delivers ? undefined : this.#moves.find()
    const isIt = move !== undefined && move.linear === linear && move.stores === write
    const user = this.parts.host.cpu.state.cpl === 3 ? Access.USER : 0
    const address = isIt ? this.state.translate(linear, user | (write ? Access.WRITE : 0)) : -1
    if (!isIt || address < 0) {
      this.emulate()
      return
    }
    this.#moves.perform(move, this.parts.memory, address)
    this.counts.emulated++
    this.#finish(move.insn.length)
  }

  #needsEmulator(): boolean {
    return !this.#a20 || !this.state.canRunOnCpu
  }

  /** The emulator's next instruction, or what it delivers in its place. */
  #emulateOne(): void {
    const { emulator } = this.parts
    const before = emulator.retired
    const { reason } = emulator.run(1)
    const done = emulator.retired - before
    this.counts.emulated += done
    this.#retired += done
    this.#pass(done)
    if (reason === 'shutdown') this.#shutdown = true
    this.#halted = emulator.events.halted && emulator.events.pendingDebug === 0
  }

  /** What the VMM executes for the guest takes the machine's time too. */
  #pass(ticks: number): void {
    const { clock } = this.parts.host
    if (this.#since === undefined) clock.advanceTo(clock.now + ticks)
    else clock.pass(ticks)
  }

  /** Gives back what it has of the machine: it does not run any more. */
  [Symbol.dispose](): void {
    this.state[Symbol.dispose]()
    this.parts.emulator[Symbol.dispose]()
  }

  // ── State ───────────────────────────────────────────────────────────────────────────────────────────────────────

  save(): VcpuState {
    this.state.toEmulator()
    return {
      version: 2,
      cpu: this.parts.emulator.save(),
      retired: this.#retired,
      halted: this.#halted,
      shutdown: this.#shutdown,
      ...this.#events.save(),
    }
  }

  /** @throws VmexitError `state-mismatch`. */
  restore(saved: State): void {
    const state = checkState('a virtual CPU', saved, this.save())
    this.parts.emulator.restore(state.cpu as State)
    this.#retired = state.retired
    this.#halted = state.halted
    this.#shutdown = state.shutdown
    this.#events.restore(state)
    this.state.invalidate()
  }
}

/** A saved virtual CPU. */
export type VcpuState = State &
  PendingState & {
    readonly version: 2
    readonly cpu: ReturnType<Cpu['save']>
    readonly retired: number
    readonly halted: boolean
    readonly shutdown: boolean
  }
