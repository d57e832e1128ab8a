/** Events that wait for a virtual CPU, and those whose delivery an exit has interrupted (SDM vol. 3C, 24.8.3, 27.2.4 and 26.7.5). */
import type { InterruptSource } from '@vmexit/core'
import { combine, EventInfo, EventType, Flag, Primary, Vector, VmcsField, type VmxRoot } from '@vmexit/x86'
import type { PlacedState, PlaceParts } from './placed-state.ts'

/** Of the interruptibility: STI and MOV SS, and an NMI that is handled. */
export const Blocking = { instruction: 3, nmi: 8 } as const

/** Fields are read as unsigned numbers. */
const VALID = EventInfo.valid >>> 0

/** What an entry brings: nothing; an event; one that wakes the guest; or the rest of INT n or its like, which is then done. */
export type Injected = 'nothing' | 'event' | 'woken' | 'instruction'

/** Events that wait for a virtual CPU, as they are saved. */
export type PendingState = {
  readonly nmi: boolean
  readonly unfinished: number
  readonly unfinishedErrorCode: number
  readonly resume: boolean
}

/** Those of one virtual CPU. */
export class PendingEvents {
  readonly #parts: PlaceParts
  readonly #state: PlacedState
  /** Ends the run: there is something to look at. */
  readonly #shorten: () => void
  #interrupts: InterruptSource | undefined
  #windowOpen = false
  /** An NMI waits; and the guest leaves as soon as it can take one. */
  #nmi = false
  #nmiWindowOpen = false
  /** An event that was being delivered when the guest left: interruption information. */
  #unfinished = 0
  #unfinishedErrorCode = 0
  /** RF when the last interrupt or NMI was injected. */
  #resume = false
  /** The vector of an interrupt that is acknowledged, and that the emulator is to deliver. */
  #acknowledged: number | undefined

  constructor(parts: PlaceParts, state: PlacedState, shorten: () => void) {
    this.#parts = parts
    this.#state = state
    this.#shorten = shorten
  }

  nmi(): void {
    this.#nmi = true
    this.#shorten()
  }

  connect(interrupts: InterruptSource): void {
    this.#interrupts = interrupts
    interrupts.watch((pending) => {
      if (pending) this.#shorten()
    })
    const taken = (): number => {
      const vector = this.#acknowledged!
      this.#acknowledged = undefined
      return vector
    }
    const isPending = (): boolean => this.#acknowledged !== undefined || interrupts.pending
    this.#parts.emulator.connect({
      get pending() {
        return isPending()
      },
      acknowledge: () => (this.#acknowledged === undefined ? interrupts.acknowledge() : taken()),
      setEnabled: (enabled) => interrupts.setEnabled?.(enabled),
      watch: (changed) => interrupts.watch(changed),
    })
  }

  reset(): void {
    this.#nmi = false
    this.#unfinished = 0
  }

  /** Something waits that ends HLT. */
  get wake(): boolean {
    if (this.#nmi && !this.#blocksNmis()) return true
    return this.#interrupts?.pending === true && (this.#state.flags & Flag.IF) !== 0
  }
  /** A guest that is still entered leaves when it can take what waits. */
  get fit(): boolean {
    const waiting = this.#interrupts?.pending === true
    return (!waiting || this.#windowOpen) && this.#nmi === this.#nmiWindowOpen
  }
  /** An event was being delivered when the guest left. */
  get delivers(): boolean {
    return this.#unfinished !== 0
  }

  // ── Into the guest ──────────────────────────────────────────────────────────────────────────────────────────────

  /** Before an entry: has it deliver what comes first, and the guest leave as soon as it can take what else waits. */
  inject(): Injected {
    const waiting = this.#interrupts?.pending === true
    let injected: Injected = 'nothing'
    if (this.#unfinished !== 0) injected = this.#injectUnfinished()
    else if (this.#nmi && !this.#blocksNmis() && !this.#isHeldOff()) {
      this.#nmi = false
      injected = this.#inject((EventType.nmi << 8) + Vector.NMI)
    } else if (waiting && (this.#state.flags & Flag.IF) !== 0 && !this.#isHeldOff())
      injected = this.#inject(this.#interrupts!.acknowledge())
    this.#setWindows(this.#interrupts?.pending === true, this.#nmi)
    return injected
  }

  #injectUnfinished(): Injected {
    const { root } = this.#parts.host
    const type = typeOf(this.#unfinished)
    this.#restoreResume(type)
    // To be delivered, it must not be blocked by itself.
    if (type === EventType.nmi) setBlocking(root, Blocking.nmi, 0)
    root.write(VmcsField.entryInterruption, this.#unfinished)
    root.write(VmcsField.entryErrorCode, this.#unfinishedErrorCode)
    root.write(VmcsField.entryInstructionLength, root.exit.instructionLength)
    this.#unfinished = 0
    return type >= EventType.softwareInterrupt ? 'instruction' : 'event'
  }

  #inject(event: number): 'woken' {
    const { root } = this.#parts.host
    root.write(VmcsField.entryInterruption, VALID + event)
    this.#resume = (this.#state.flags & Flag.RF) !== 0
    if (root.read(VmcsField.guestActivity) !== 0) root.write(VmcsField.guestActivity, 0)
    return 'woken'
  }

  /**
   * RF as it was before the event: a fault met on the way has left it 1, and what is pushed now is to be as if there had been none. That of
   * an exception is 1 anyway.
   */
  #restoreResume(type: number): void {
    if (type === EventType.hardwareException) return
    const { root } = this.#parts.host
    const resume = type < EventType.softwareInterrupt && this.#resume
    const before = root.read(VmcsField.guestRflags)
    const after = resume ? before | Flag.RF : before & ~Flag.RF
    if (after !== before) root.write(VmcsField.guestRflags, after)
  }

  /** Is there something that comes before an interrupt or NMI: the instruction behind STI or MOV SS, or a single step's trap? */
  #isHeldOff(): boolean {
    const { root } = this.#parts.host
    if ((root.read(VmcsField.guestInterruptibility) & Blocking.instruction) !== 0) return true
    return (this.#state.flags & Flag.TF) !== 0 && root.read(VmcsField.guestPendingDebug) !== 0
  }

  #blocksNmis(): boolean {
    const { emulator, host } = this.#parts
    if (!this.#state.isInHardware) return emulator.events.nmiBlocked
    return (host.root.read(VmcsField.guestInterruptibility) & Blocking.nmi) !== 0
  }

  #setWindows(interrupt: boolean, nmi: boolean): void {
    if (interrupt === this.#windowOpen && nmi === this.#nmiWindowOpen) return
    const { root } = this.#parts.host
    const others = root.read(VmcsField.primaryControls) & ~(Primary.interruptWindowExiting | Primary.nmiWindowExiting)
    const windows = (interrupt ? Primary.interruptWindowExiting : 0) | (nmi ? Primary.nmiWindowExiting : 0)
    root.write(VmcsField.primaryControls, others | windows)
    this.#windowOpen = interrupt
    this.#nmiWindowOpen = nmi
  }

  // ── Out of it ───────────────────────────────────────────────────────────────────────────────────────────────────

  /** The guest has left, perhaps while an event was being delivered: it comes again with the next entry. */
  interrupted(): void {
    const { vectoring, vectoringErrorCode } = this.#parts.host.root.exit
    if (vectoring < VALID) return
    this.#unfinished = vectoring
    this.#unfinishedErrorCode = vectoringErrorCode
  }

  /**
   * An exception in place of what has left the guest. One that came while another was delivered makes a double fault of the two; false if it ends
   * the guest (SDM vol. 3A, table 6-5).
   */
  raise(vector: number, errorCode?: number): boolean {
    const first = this.#unfinished
    this.#unfinished = 0
    const raised = { vector, errorCode, address: 0 }
    const isFault = first !== 0 && typeOf(first) === EventType.hardwareException
    const event = isFault ? combine({ vector: first & 0xff, source: 'fault' }, raised) : raised
    if (event === undefined) return false
    const pushes = event.errorCode === undefined ? 0 : EventInfo.errorCode
    this.#unfinished = VALID + (EventType.hardwareException << 8) + event.vector + pushes
    this.#unfinishedErrorCode = event.errorCode ?? 0
    return true
  }

  /**
   * The emulator executes what has left the guest: it delivers an event whose delivery was interrupted, an instruction that has raised it, or
   * is it, by being executed again.
   */
  toEmulator(): void {
    const event = this.#unfinished
    const { emulator } = this.#parts
    this.#unfinished = 0
    if (event === 0) return
    if (typeOf(event) === EventType.externalInterrupt) this.#acknowledged = event & 0xff
    if (typeOf(event) === EventType.nmi) {
      emulator.events.nmiBlocked = false
      emulator.nmi()
    }
  }

  /** An NMI that waits is the emulator's, if that delivers it at once. */
  passNmi(): void {
    const { emulator } = this.#parts
    const { shadow, pendingDebug, nmiBlocked } = emulator.events
    if (!this.#nmi || shadow !== 'none' || pendingDebug !== 0 || nmiBlocked) return
    this.#nmi = false
    emulator.nmi()
  }

  save(): PendingState {
    return {
      nmi: this.#nmi,
      unfinished: this.#unfinished,
      unfinishedErrorCode: this.#unfinishedErrorCode,
      resume: this.#resume,
    }
  }
  restore(state: PendingState): void {
    this.#nmi = state.nmi
    this.#unfinished = state.unfinished
    this.#unfinishedErrorCode = state.unfinishedErrorCode
    this.#resume = state.resume
  }
}

/** Clears and sets bits of the guest's interruptibility. */
export function setBlocking(root: VmxRoot, clear: number, set: number): void {
  const before = root.read(VmcsField.guestInterruptibility)
  const after = (before & ~clear) | set
  if (after !== before) root.write(VmcsField.guestInterruptibility, after)
}

/** Of interruption information. */
const typeOf = (event: number): number => (event >>> 8) & 7
