/** Segment registers: loading them, and checking accesses through them (SDM vol. 3A, chapters 3 and 5; 20.1 for real mode). */
import { Seg } from '@vmexit/x86-decoder'
import { Layout, LDTR, SegmentSlot, Vector } from '../state/layout.ts'
import type { CpuState } from '../state/state.ts'
import type { Core } from './core.ts'
import {
  Attribute,
  attributesOf,
  baseOf,
  type Descriptor,
  dplOf,
  isCode,
  isConforming,
  isNull,
  isPresent,
  isReadable,
  isWritableData,
  limitOf,
  markAccessed,
  needDescriptor,
  selectorError,
} from './descriptor.ts'
import { raise } from './fault.ts'
import { refreshMode, usesDescriptors } from './mode.ts'

export type AccessKind = 'read' | 'write' | 'execute'

/** Attributes of a segment in virtual-8086 mode: present, DPL 3, writable data, accessed. */
const VIRTUAL_8086 = 0xf3
/** What a segment register holds after reset, and in real mode where it held nothing before. */
const REAL_MODE = 0x93
/** Longest access that spans vouch for. */
const LONGEST = 16

/** Fill a segment register and its descriptor cache. `limit` is effective, unsigned. */
export function writeSegment(
  state: CpuState,
  seg: number,
  selector: number,
  base: number,
  limit: number,
  attributes: number,
): void {
  const slot = Layout.segments + seg * SegmentSlot.size
  state.setNumber(slot + SegmentSlot.base, base)
  state.set32(slot + SegmentSlot.limit, limit)
  state.set32(slot + SegmentSlot.selector, selector & 0xffff)
  state.set32(slot + SegmentSlot.attributes, attributes)
  writeSpans(state, seg)
}

/** Offsets `low` to `low + count − 1` are where an access of {@link LONGEST} bytes may begin. */
function writeSpans(state: CpuState, seg: number): void {
  const attributes = state.attributes(seg)
  const limit = state.segLimit(seg)
  let low = 0
  let count = limit - LONGEST + 2
  if (isExpandDown(attributes)) {
    low = limit + 1
    count = topOf(attributes) - LONGEST + 2 - low
  }
  if (count < 0 || !isPresent(attributes)) count = 0
  const typed = state.protectedMode
  const slot = Layout.segments + seg * SegmentSlot.size
  state.set32(slot + SegmentSlot.low, low)
  state.set32(slot + SegmentSlot.readSpan, typed && !isReadable(attributes) ? 0 : count)
  state.set32(slot + SegmentSlot.writeSpan, typed && !isWritableData(attributes) ? 0 : count)
}

/** CR0.PE changed: types are checked in protected mode only. */
export function refreshSpans(state: CpuState): void {
  for (let seg = 0; seg < LDTR; seg++) writeSpans(state, seg)
}

function isExpandDown(attributes: number): boolean {
  return (attributes & 0x1c) === 0x14
}

/** Highest offset of an expand-down segment. */
function topOf(attributes: number): number {
  return attributes & Attribute.big ? 0xffff_ffff : 0xffff
}

/** Are `bytes` at `offset` (unsigned) within the limit? A segment of 4 GB has no end to run over. */
export function withinLimit(attributes: number, limit: number, offset: number, bytes: number): boolean {
  const last = offset + bytes - 1
  if (isExpandDown(attributes)) return offset > limit && last <= topOf(attributes)
  return last <= limit || limit === 0xffff_ffff
}

/**
 * The exact check of an access of `bytes` at `offset`, for when the spans do not vouch for it. Returns its linear address.
 * `offset` is unsigned; in 64-bit code it is a canonical address as a signed number. @throws Fault #SS(0) for SS, else #GP(0).
 */
export function checkSegment(core: Core, seg: number, offset: number, bytes: number, access: AccessKind): number {
  const { state } = core
  if (state.long64) return checkCanonical(state, seg, offset, bytes)
  const attributes = state.attributes(seg)
  const permitted = !usesDescriptors(core) || permits(attributes, access)
  if (!permitted || !isPresent(attributes) || !withinLimit(attributes, state.segLimit(seg), offset, bytes)) {
    raise(seg === Seg.ss ? Vector.SS : Vector.GP, 0)
  }
  return (state.segBase(seg) + offset) >>> 0
}

function permits(attributes: number, access: AccessKind): boolean {
  if (access === 'read') return isReadable(attributes)
  return access === 'write' ? isWritableData(attributes) : isCode(attributes)
}

/** 64-bit code: FS and GS have bases, nothing has a limit (SDM vol. 1, 3.3.7.1). */
function checkCanonical(state: CpuState, seg: number, offset: number, bytes: number): number {
  const linear = offset + (seg === Seg.fs || seg === Seg.gs ? state.segBase(seg) : 0)
  if (linear < -(2 ** 47) || linear + bytes - 1 >= 2 ** 47) raise(seg === Seg.ss ? Vector.SS : Vector.GP, 0)
  return linear
}

/**
 * Load a segment register outside of protected mode. In real mode limit and attributes stay as they were (SDM vol. 3A, 9.9;
 * "unreal mode"), in virtual-8086 mode they are fixed.
 */
export function loadParagraph(state: CpuState, seg: number, selector: number): void {
  const base = (selector & 0xffff) * 16
  if (state.virtual8086) writeSegment(state, seg, selector, base, 0xffff, VIRTUAL_8086)
  else if (isPresent(state.attributes(seg)))
    writeSegment(state, seg, selector, base, state.segLimit(seg), state.attributes(seg))
  else writeSegment(state, seg, selector, base, 0xffff, REAL_MODE)
}

/** Load a segment register from a descriptor that has passed all checks and is marked accessed. `selector` has its final RPL. */
export function loadDescriptor(state: CpuState, seg: number, selector: number, descriptor: Descriptor): void {
  writeSegment(state, seg, selector, baseOf(descriptor), limitOf(descriptor), attributesOf(descriptor))
}

/** Make a segment register unusable. */
export function loadNull(state: CpuState, seg: number, selector: number): void {
  writeSegment(state, seg, selector, 0, 0, 0)
}

/**
 * The descriptor for SS at privilege level `cpl`. @throws Fault `vector`(selector) when it is null, out of bounds, not writable
 * data or of another privilege, #SS(selector) when it is not present.
 */
export function stackDescriptor(core: Core, selector: number, cpl: number, vector: number): Descriptor {
  const error = selectorError(selector)
  if (isNull(selector)) raise(vector, error)
  const descriptor = needDescriptor(core, selector, vector)
  const attributes = attributesOf(descriptor)
  if ((selector & 3) !== cpl || !isWritableData(attributes) || dplOf(attributes) !== cpl) raise(vector, error)
  if (!isPresent(attributes)) raise(Vector.SS, error)
  return descriptor
}

/**
 * The descriptor for DS, ES, FS or GS at privilege level `cpl`; the selector is not null. @throws Fault `vector`(selector) when it is
 * out of bounds, not readable or too privileged, #NP(selector) when it is not present.
 */
export function dataDescriptor(core: Core, selector: number, cpl: number, vector: number): Descriptor {
  const error = selectorError(selector)
  const descriptor = needDescriptor(core, selector, vector)
  const attributes = attributesOf(descriptor)
  if (!isReadable(attributes)) raise(vector, error)
  if (!isConforming(attributes) && dplOf(attributes) < Math.max(cpl, selector & 3)) raise(vector, error)
  if (!isPresent(attributes)) raise(Vector.NP, error)
  return descriptor
}

/** Load SS, DS, ES, FS or GS as MOV, POP and LDS do. @throws Fault #GP, #SS, #NP (selector), #PF. */
export function loadSegment(core: Core, seg: number, selector: number): void {
  const { state } = core
  if (!usesDescriptors(core)) loadParagraph(state, seg, selector)
  else if (seg === Seg.ss) loadStackSegment(core, selector)
  else if (isNull(selector)) loadNull(state, seg, selector)
  else {
    const descriptor = dataDescriptor(core, selector, state.cpl, Vector.GP)
    markAccessed(core, descriptor)
    loadDescriptor(state, seg, selector, descriptor)
  }
  if (seg === Seg.ss) refreshMode(core)
  else core.events.modeChanged()
}

function loadStackSegment(core: Core, selector: number): void {
  const { state } = core
  const cpl = state.cpl
  if (state.long64 && isNull(selector) && cpl < 3 && (selector & 3) === cpl) {
    // 64-bit code below CPL 3 may run without a stack segment; its DPL still holds the CPL.
    writeSegment(state, Seg.ss, selector, 0, 0, cpl << 5)
    return
  }
  const descriptor = stackDescriptor(core, selector, cpl, Vector.GP)
  markAccessed(core, descriptor)
  loadDescriptor(state, Seg.ss, selector, descriptor)
}

/**
 * A return to an outer level: data segments that the new level may not see are made null (SDM vol. 3A, 5.8.6).
 */
export function dropPrivilegedSegments(state: CpuState, cpl: number): void {
  for (const seg of [Seg.es, Seg.ds, Seg.fs, Seg.gs]) {
    const attributes = state.attributes(seg)
    if (!isConforming(attributes) && dplOf(attributes) < cpl) loadNull(state, seg, 0)
  }
}
