/**
 * Delivery of exceptions and interrupts (SDM vol. 3A, chapter 6; vol. 2, INT n; vol. 3B, 20.2 for virtual-8086 mode).
 * Nothing architectural changes before the last check and the last push have succeeded.
 */
import { Seg } from '@vmexit/x86-decoder'
import { Flag, Layout, Vector } from '../state/layout.ts'
import { Gpr } from '../state/state.ts'
import { Dr6, Dr7 } from './bits.ts'
import type { Core } from './core.ts'
import {
  attributesOf,
  type Descriptor,
  dplOf,
  gateBits,
  gateOffset,
  gateSelector,
  isCode,
  isConforming,
  isNull,
  isPresent,
  limitOf,
  markAccessed,
  needDescriptor,
  readDescriptor,
  SystemType,
  selectorError,
  systemType,
} from './descriptor.ts'
import type { CpuEvent } from './event.ts'
import { EPT_FAULT, Fault, LeftGuest, raise } from './fault.ts'
import { refreshMode } from './mode.ts'
import { loadDescriptor, loadNull, loadParagraph, stackDescriptor } from './segments.ts'
import { Stack } from './stack.ts'
import { switchTask } from './task.ts'
import { innerStack } from './tss.ts'

/** Interrupt, trap and task gates; others are no business of the IDT. */
const IDT_GATES: readonly number[] = [
  SystemType.taskGate,
  SystemType.interruptGate16,
  SystemType.trapGate16,
  SystemType.interruptGate32,
  SystemType.trapGate32,
]
/** Aborts, which nothing returns from: RF is pushed as it is. */
const ABORTS: readonly number[] = [Vector.DF, Vector.MC]
const CONTRIBUTORY: readonly number[] = [Vector.DE, Vector.TS, Vector.NP, Vector.SS, Vector.GP]

/** Faults in a row, each met while delivering the one before. Without benign ones there are three at most. */
const DEEPEST = 8

/**
 * Deliver an event, and what goes wrong on the way, up to a double fault or a shutdown. Throws no {@link Fault}.
 *
 * A benign fault can come again while it is delivered, forever (#AC at CPL 3 does, to a misaligned stack of the same level): a real
 * processor then does nothing else. Here the delivery is given up instead and nothing has changed, so that the engine finds the same
 * instruction faulting again and can account for the time.
 */
export function deliver(core: Core, event: CpuEvent): void {
  if (core.toRingZero?.(event)) return
  const { vmx } = core
  let current: CpuEvent | undefined = event
  for (let depth = 0; current; depth++) {
    if (depth === DEEPEST) break
    if (vmx?.nonRoot && vmx.interceptEvent(current)) return
    try {
      vectorThrough(core, current)
      return
    } catch (error) {
      if (error instanceof LeftGuest) return
      if (!(error instanceof Fault)) throw error
      // A guest's fault may leave it before it makes a double fault of the two (SDM vol. 3C, 25.2).
      if (vmx?.nonRoot && vmx.interceptEvent(eventOf(error))) return
      if (error.vector === Vector.PF && error.errorCode !== EPT_FAULT) core.state.setNumber(Layout.cr2, error.address)
      current = combine(current, error)
    }
  }
  if (vmx) vmx.vectoring = undefined
  if (current) return
  if (vmx?.nonRoot) {
    vmx.exitOnTripleFault()
    return
  }
  core.events.shutdown = true
  // No instruction follows that it could hold an interrupt off from.
  core.events.shadow = 'none'
}

/** A fault as it is delivered. */
export interface FaultKind {
  readonly vector: number
  /** For the vectors that push one. */
  readonly errorCode: number | undefined
  /** Linear address for CR2, when a page fault. */
  readonly address: number
}

/** The event that a caught fault is. */
export function eventOf(fault: FaultKind): CpuEvent {
  return { vector: fault.vector, source: 'fault', errorCode: fault.errorCode, address: fault.address }
}

/**
 * What is delivered when `second` is raised while `first` is being delivered; undefined for a shutdown
 * (SDM vol. 3A, table 6-5). Interrupts and software interrupts are benign whatever their vector.
 */
export function combine(first: Pick<CpuEvent, 'vector' | 'source'>, second: FaultKind): CpuEvent | undefined {
  if (second.errorCode === EPT_FAULT) return eventOf(second)
  const harmful = isContributory(second.vector) || second.vector === Vector.PF
  if (first.source === 'fault' && harmful) {
    if (first.vector === Vector.DF) return undefined
    const double = first.vector === Vector.PF || (isContributory(first.vector) && second.vector !== Vector.PF)
    if (double) return { vector: Vector.DF, source: 'fault', errorCode: 0 }
  }
  return eventOf(second)
}

function isContributory(vector: number): boolean {
  return CONTRIBUTORY.includes(vector)
}

/**
 * Deliver one event. @throws Fault when that fails, the state being as before (or in a new task, then `committed`);
 * selector error codes carry EXT unless the event is a software interrupt.
 */
export function vectorThrough(core: Core, event: CpuEvent): void {
  if (core.toRingZero?.(event)) return
  const { vmx } = core
  try {
    if (vmx) vmx.vectoring = event
    beginDelivery(core, event)
    if (core.state.protectedMode) throughIdt(core, event)
    else throughVectorTable(core, event)
  } catch (error) {
    if (error instanceof Fault && error.errorCode !== undefined && event.source !== 'software') {
      if (error.vector >= Vector.TS && error.vector <= Vector.GP) error.errorCode |= 1
    }
    throw error
  }
  if (event.vector === Vector.DB && event.source !== 'software') openDebugRegisters(core)
  core.events.shadow = 'none'
  core.events.halted = false
  if (vmx) vmx.vectoring = undefined
}

/** A debug handler may use the debug registers. */
function openDebugRegisters({ state }: Core): void {
  state.set32(Layout.dr + 7 * 8, state.get32(Layout.dr + 7 * 8) & ~Dr7.GD)
}

/** Registers that tell the handler what happened, and the NMI mask. */
function beginDelivery(core: Core, event: CpuEvent): void {
  const { state, events } = core
  if (event.source === 'nmi') events.nmiBlocked = true
  if (event.source === 'fault' && event.vector === Vector.PF) state.setNumber(Layout.cr2, event.address ?? 0)
  const interrupt = event.source === 'software' || event.source === 'int1'
  if (event.vector === Vector.DB && !interrupt) {
    state.set32(Layout.dr + 6 * 8, state.get32(Layout.dr + 6 * 8) | events.pendingDebug)
  }
  // The handler of a software interrupt is not single-stepped; a data breakpoint held back by MOV SS is still to come.
  events.pendingDebug = interrupt ? events.pendingDebug & ~Dr6.BS : 0
}

/** EFLAGS as pushed: RF says whether an instruction breakpoint is to be ignored on return (SDM vol. 3B, 17.3.1.1). */
function pushedFlags(core: Core, event: CpuEvent): number {
  const flags = core.state.eflags
  const restarts = event.source === 'fault' && !event.injected && !ABORTS.includes(event.vector)
  return restarts || event.resume ? flags | Flag.RF : flags
}

/** Real mode (SDM vol. 3B, 20.1.4). */
function throughVectorTable(core: Core, event: CpuEvent): void {
  const { state, linear } = core
  const entry = event.vector * 4
  if (entry + 3 > state.get32(Layout.idtLimit)) raise(Vector.GP, event.vector * 8 + 2)
  const target = linear.read32((state.getNumber(Layout.idtBase) + entry) >>> 0, false)
  const stack = Stack.current(core)
  stack.reserve(16, 3)
  stack.push(16, state.eflags)
  stack.push(16, state.selector(Seg.cs))
  stack.push(16, state.ip)
  stack.commit()
  loadParagraph(state, Seg.cs, target >>> 16)
  state.ip = target & 0xffff
  state.setFlag(Flag.IF | Flag.TF | Flag.RF | Flag.AC, false)
  refreshMode(core)
}

/** Protected and virtual-8086 mode. */
function throughIdt(core: Core, event: CpuEvent): void {
  const { state, linear } = core
  const error = event.vector * 8 + 2
  if (event.vector * 8 + 7 > state.get32(Layout.idtLimit)) raise(Vector.GP, error)
  const address = (state.getNumber(Layout.idtBase) + event.vector * 8) >>> 0
  const low = linear.read32(address, false)
  const gate: Descriptor = { selector: 0, address, low, high: linear.read32((address + 4) >>> 0, false) }
  const attributes = attributesOf(gate)
  const type = systemType(attributes)
  if (!IDT_GATES.includes(type)) raise(Vector.GP, error)
  if (event.source === 'software' && dplOf(attributes) < state.cpl) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  if (type === SystemType.taskGate) throughTaskGate(core, gate, event)
  else throughInterruptGate(core, gate, event)
}

function throughTaskGate(core: Core, gate: Descriptor, event: CpuEvent): void {
  const selector = gateSelector(gate)
  const error = selectorError(selector)
  const tss = selector & 4 ? undefined : readDescriptor(core, selector)
  if (!tss) raise(Vector.GP, error)
  const attributes = attributesOf(tss)
  const type = systemType(attributes)
  if (type !== SystemType.tss16 && type !== SystemType.tss32) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  switchTask(core, tss, 'event', pushedFlags(core, event), event.source === 'fault' ? event.errorCode : undefined)
}

/** The code segment of an interrupt or trap gate. */
function handlerCode(core: Core, selector: number): Descriptor {
  const { state } = core
  const error = selectorError(selector)
  if (isNull(selector)) raise(Vector.GP, 0)
  const code = needDescriptor(core, selector, Vector.GP)
  const attributes = attributesOf(code)
  if (!isCode(attributes) || dplOf(attributes) > state.cpl) raise(Vector.GP, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  // From virtual-8086 mode there is one way in: ring 0.
  if (state.virtual8086 && (isConforming(attributes) || dplOf(attributes) !== 0)) raise(Vector.GP, error)
  return code
}

function throughInterruptGate(core: Core, gate: Descriptor, event: CpuEvent): void {
  const { state } = core
  const bits = gateBits(gate)
  const fromVirtual8086 = state.virtual8086
  const errorCode = event.source === 'fault' ? event.errorCode : undefined
  const code = handlerCode(core, gateSelector(gate))
  const cpl = isConforming(attributesOf(code)) ? state.cpl : dplOf(attributesOf(code))
  let stack = Stack.current(core)
  let newStack: Descriptor | undefined
  let count = 3
  if (cpl < state.cpl) {
    const inner = innerStack(core, cpl)
    newStack = stackDescriptor(core, inner.selector, cpl, Vector.TS)
    stack = Stack.within(core, newStack, inner.pointer)
    count = fromVirtual8086 ? 9 : 5
  }
  stack.reserve(bits, errorCode === undefined ? count : count + 1)
  if (gateOffset(gate) > limitOf(code)) raise(Vector.GP, 0)

  if (fromVirtual8086) for (const seg of [Seg.gs, Seg.fs, Seg.ds, Seg.es]) stack.push(bits, state.selector(seg))
  if (newStack) {
    stack.push(bits, state.selector(Seg.ss))
    stack.push(bits, state.reg32(Gpr.sp))
  }
  stack.push(bits, pushedFlags(core, event))
  stack.push(bits, state.selector(Seg.cs))
  stack.push(bits, state.ip)
  if (errorCode !== undefined) stack.push(bits, errorCode)
  markAccessed(core, code)
  if (newStack) markAccessed(core, newStack)

  state.setFlag(Flag.TF | Flag.NT | Flag.RF | Flag.VM, false)
  const type = systemType(attributesOf(gate))
  if (type === SystemType.interruptGate16 || type === SystemType.interruptGate32) state.setFlag(Flag.IF, false)
  if (newStack) loadDescriptor(state, Seg.ss, newStack.selector, newStack)
  stack.commit()
  loadDescriptor(state, Seg.cs, (gateSelector(gate) & 0xfffc) | cpl, code)
  state.ip = gateOffset(gate)
  if (fromVirtual8086) for (const seg of [Seg.es, Seg.ds, Seg.fs, Seg.gs]) loadNull(state, seg, 0)
  refreshMode(core)
}
