/** Hardware task switching (SDM vol. 3A, 7.3). */
import { Seg } from '@vmexit/x86-decoder'
import { Flag, Layout, LDTR, STATUS_FLAGS, TR, Vector } from '../state/layout.ts'
import { Cr0, Dr6, Dr7 } from './bits.ts'
import { changeControl } from './control-registers.ts'
import type { Core } from './core.ts'
import {
  attributesOf,
  baseOf,
  type Descriptor,
  dplOf,
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
import type { TaskCause } from './event.ts'
import { afterCommit, raise } from './fault.ts'
import { checkVirtualInterrupt } from './flags.ts'
import { refreshMode } from './mode.ts'
import { dataDescriptor, loadDescriptor, loadNull, loadParagraph, stackDescriptor, writeSegment } from './segments.ts'
import { Stack } from './stack.ts'

/** Offsets in a TSS: figures 7-2 and 7-10. Registers are in the order of their numbers, segments in that of `Seg`. */
interface TssFormat {
  /** Size of a register field in bits. */
  readonly bits: 16 | 32
  readonly ip: number
  readonly flags: number
  readonly registers: number
  readonly segments: number
  readonly segmentCount: number
  readonly ldt: number
  /** Smallest limit that the TSS of a new task may have. */
  readonly minimum: number
  /** Smallest limit that has room for what is saved of an old one. */
  readonly saved: number
}
const TSS16: TssFormat = {
  bits: 16,
  ip: 0x0e,
  flags: 0x10,
  registers: 0x12,
  segments: 0x22,
  segmentCount: 4,
  ldt: 0x2a,
  minimum: 0x2b,
  saved: 0x29,
}
const TSS32: TssFormat = {
  bits: 32,
  ip: 0x20,
  flags: 0x24,
  registers: 0x28,
  segments: 0x48,
  segmentCount: 6,
  ldt: 0x60,
  minimum: 0x67,
  saved: 0x5f,
}
const CR3_FIELD = 0x1c
const TRAP_FIELD = 0x64
/** Bit of a TSS descriptor's second half that marks it busy. */
const BUSY = 0x200

/** What a TSS says of its task. */
interface TaskImage {
  readonly wide: boolean
  readonly ip: number
  readonly flags: number
  readonly registers: readonly number[]
  readonly segments: readonly number[]
  readonly ldt: number
  readonly cr3: number
  readonly trap: boolean
}

function formatOf(attributes: number): TssFormat {
  return attributes & 8 ? TSS32 : TSS16
}

/**
 * Switch to the task of `tss`, a descriptor whose type, presence and privilege the caller has checked. `flags` is EFLAGS as the old
 * task is to find it again; `state.ip` is where it goes on. `errorCode` is pushed on the new task's stack.
 * @throws Fault #TS(either TSS), #PF before anything changed; committed #TS, #NP, #SS, #GP, #PF in the new task.
 */
export function switchTask(core: Core, tss: Descriptor, cause: TaskCause, flags: number, errorCode?: number): void {
  const { state, vmx } = core
  if (vmx?.nonRoot) vmx.exitOnTaskSwitch(tss.selector, cause)
  const error = selectorError(tss.selector)
  const format = formatOf(attributesOf(tss))
  const oldFormat = formatOf(state.attributes(TR))
  if (limitOf(tss) < format.minimum) raise(Vector.TS, error)
  const oldSelector = state.selector(TR)
  if (state.segLimit(TR) < oldFormat.saved) raise(Vector.TS, selectorError(oldSelector))
  const nested = cause === 'call' || cause === 'event'
  const oldDescriptor = nested || isNull(oldSelector) ? undefined : readDescriptor(core, oldSelector)
  probeTasks(core, tss, format, oldFormat, oldDescriptor, nested)
  saveImage(core, oldFormat, cause === 'return' ? flags & ~Flag.NT : flags)
  // Read after the old state is saved: a task may be its own successor.
  const image = readImage(core, baseOf(tss), format)
  if (nested) core.linear.write16(baseOf(tss), oldSelector, false)
  if (oldDescriptor) setBusy(core, oldDescriptor, false)
  if (cause !== 'return') setBusy(core, tss, true)
  loadDescriptor(state, TR, tss.selector, tss)
  state.set32(Layout.cr0, state.get32(Layout.cr0) | Cr0.TS)
  state.set32(Layout.dr + 7 * 8, state.get32(Layout.dr + 7 * 8) & ~Dr7.local)
  core.events.shadow = 'none'
  core.events.halted = false
  enter(core, image, nested)
  afterCommit(() => qualify(core, image, errorCode))
}

/** Everything that is about to be read or written must be there: no page fault may come half-way. */
function probeTasks(
  core: Core,
  tss: Descriptor,
  format: TssFormat,
  oldFormat: TssFormat,
  oldDescriptor: Descriptor | undefined,
  nested: boolean,
): void {
  const { state, linear } = core
  const end = oldFormat.segments + oldFormat.segmentCount * (oldFormat.bits >> 3)
  linear.probe((state.segBase(TR) + oldFormat.ip) >>> 0, end - oldFormat.ip, true, false)
  linear.probe(baseOf(tss), format.minimum + 1, false, false)
  if (nested) linear.probe(baseOf(tss), 2, true, false)
  linear.probe((tss.address + 4) >>> 0, 4, true, false)
  if (oldDescriptor) linear.probe((oldDescriptor.address + 4) >>> 0, 4, true, false)
}

function setBusy(core: Core, descriptor: Descriptor, busy: boolean): void {
  descriptor.high = busy ? descriptor.high | BUSY : descriptor.high & ~BUSY
  core.linear.write32((descriptor.address + 4) >>> 0, descriptor.high, false)
}

function readImage(core: Core, base: number, format: TssFormat): TaskImage {
  const { linear } = core
  const wide = format.bits === 32
  const bytes = format.bits >> 3
  const word = (offset: number): number => linear.read16((base + offset) >>> 0, false)
  const field = (offset: number): number => (wide ? linear.read32((base + offset) >>> 0, false) : word(offset))
  // A 16-bit TSS has no upper halves of the registers: they come out as ones.
  const upper = wide ? 0 : 0xffff_0000
  return {
    wide,
    ip: field(format.ip) >>> 0,
    flags: field(format.flags),
    registers: Array.from({ length: 8 }, (_, n) => field(format.registers + n * bytes) | upper),
    segments: Array.from({ length: 6 }, (_, n) => (n < format.segmentCount ? word(format.segments + n * bytes) : 0)),
    ldt: word(format.ldt),
    cr3: wide ? field(CR3_FIELD) >>> 0 : 0,
    trap: wide && (word(TRAP_FIELD) & 1) !== 0,
  }
}

function saveImage(core: Core, format: TssFormat, flags: number): void {
  const { state, linear } = core
  const base = state.segBase(TR)
  const bytes = format.bits >> 3
  const field = (offset: number, value: number): void => {
    if (format.bits === 32) linear.write32((base + offset) >>> 0, value | 0, false)
    else linear.write16((base + offset) >>> 0, value & 0xffff, false)
  }
  field(format.ip, state.ip)
  field(format.flags, flags)
  for (let n = 0; n < 8; n++) field(format.registers + n * bytes, state.reg32(n))
  for (let n = 0; n < format.segmentCount; n++)
    linear.write16((base + format.segments + n * bytes) >>> 0, state.selector(n), false)
}

/** Registers of the new task, with segment registers that hold selectors and nothing else yet. */
function enter(core: Core, image: TaskImage, nested: boolean): void {
  const { state } = core
  for (let n = 0; n < 8; n++) state.setReg32(n, image.registers[n]!)
  state.ip = image.ip
  const flags = image.flags & (STATUS_FLAGS | core.model.flagsMask | Flag.RF | Flag.VM)
  state.eflags = nested ? flags | Flag.NT : flags
  const cpl = state.virtual8086 ? 3 : image.segments[Seg.cs]! & 3
  for (let seg = 0; seg < 6; seg++) writeSegment(state, seg, image.segments[seg]!, 0, 0, seg === Seg.ss ? cpl << 5 : 0)
  loadNull(state, LDTR, image.ldt)
  refreshMode(core)
}

/** The rest of the switch happens in the new task: CR3, LDT, segments, error code, instruction pointer, T bit. */
function qualify(core: Core, image: TaskImage, errorCode: number | undefined): void {
  const { state } = core
  if (image.wide && (state.get32(Layout.cr0) & Cr0.PG) !== 0) {
    changeControl(core, 'cr3', image.cr3)
  }
  loadTaskLdt(core, image.ldt)
  if (state.virtual8086) for (let seg = 0; seg < 6; seg++) loadParagraph(state, seg, image.segments[seg]!)
  else loadTaskSegments(core, image.segments)
  refreshMode(core)
  if (errorCode !== undefined) {
    const stack = Stack.current(core)
    stack.push(image.wide ? 32 : 16, errorCode)
    stack.commit()
  }
  if (state.ip > state.segLimit(Seg.cs)) raise(Vector.GP, 0)
  if (image.trap) core.events.pendingDebug |= Dr6.BT
  checkVirtualInterrupt(core)
}

function loadTaskLdt(core: Core, selector: number): void {
  if (isNull(selector)) return
  const error = selectorError(selector)
  const ldt = selector & 4 ? undefined : readDescriptor(core, selector)
  if (!ldt) raise(Vector.TS, error)
  const attributes = attributesOf(ldt)
  if (systemType(attributes) !== SystemType.ldt || !isPresent(attributes)) raise(Vector.TS, error)
  loadDescriptor(core.state, LDTR, selector, ldt)
}

function loadTaskSegments(core: Core, selectors: readonly number[]): void {
  const { state } = core
  const cpl = selectors[Seg.cs]! & 3
  const code = taskCode(core, selectors[Seg.cs]!)
  markAccessed(core, code)
  loadDescriptor(state, Seg.cs, code.selector, code)
  const stack = stackDescriptor(core, selectors[Seg.ss]!, cpl, Vector.TS)
  markAccessed(core, stack)
  loadDescriptor(state, Seg.ss, stack.selector, stack)
  for (const seg of [Seg.es, Seg.ds, Seg.fs, Seg.gs]) {
    const selector = selectors[seg]!
    if (isNull(selector)) continue
    const data = dataDescriptor(core, selector, cpl, Vector.TS)
    markAccessed(core, data)
    loadDescriptor(state, seg, selector, data)
  }
}

function taskCode(core: Core, selector: number): Descriptor {
  const error = selectorError(selector)
  if (isNull(selector)) raise(Vector.TS, error)
  const code = needDescriptor(core, selector, Vector.TS)
  const attributes = attributesOf(code)
  const dpl = dplOf(attributes)
  const rpl = selector & 3
  if (!isCode(attributes) || (isConforming(attributes) ? dpl > rpl : dpl !== rpl)) raise(Vector.TS, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  return code
}

/** IRET with NT set: back along the link of the current TSS. @throws Fault #TS(link), #NP(link), and as {@link switchTask}. */
export function returnToPreviousTask(core: Core): void {
  const { state } = core
  const link = core.linear.read16(state.segBase(TR), false)
  const error = selectorError(link)
  const tss = link & 4 ? undefined : readDescriptor(core, link)
  if (!tss) raise(Vector.TS, error)
  const attributes = attributesOf(tss)
  const type = systemType(attributes)
  if (type !== SystemType.busyTss16 && type !== SystemType.busyTss32) raise(Vector.TS, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  switchTask(core, tss, 'return', state.eflags)
}
