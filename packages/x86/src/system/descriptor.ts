/** Segment, gate and system descriptors (SDM vol. 3A, 3.4.5, 3.5 and 5.8.3). */
import { Layout, LDTR } from '../state/layout.ts'
import type { Core } from './core.ts'
import { raise } from './fault.ts'

/** Bits of `SegmentSlot.attributes`: descriptor bytes 5 and 6. */
export const Attribute = {
  accessed: 1,
  /** Writable data, or readable code. */
  writable: 2,
  /** Expand-down data, or conforming code. */
  conforming: 4,
  code: 8,
  /** Code or data, not a system descriptor. */
  segment: 0x10,
  dpl: 0x60,
  present: 0x80,
  /** D or B. */
  big: 0x400,
  granular: 0x800,
} as const

/** Types of system descriptors (SDM vol. 3A, table 3-2). */
export const SystemType = {
  tss16: 1,
  ldt: 2,
  busyTss16: 3,
  callGate16: 4,
  taskGate: 5,
  interruptGate16: 6,
  trapGate16: 7,
  tss32: 9,
  busyTss32: 11,
  callGate32: 12,
  interruptGate32: 14,
  trapGate32: 15,
} as const

/** A descriptor as read from its table. */
export interface Descriptor {
  /** The selector that named it, 16 bits. */
  readonly selector: number
  /** Linear address of its eight bytes. */
  readonly address: number
  /** int32 each; `high` follows what the processor writes (accessed and busy bits). */
  readonly low: number
  high: number
}

/** A selector as an error code: without its RPL. */
export function selectorError(selector: number): number {
  return selector & 0xfffc
}

/** The selector names no descriptor: index 0 of the GDT. */
export function isNull(selector: number): boolean {
  return (selector & 0xfffc) === 0
}

/** The descriptor that a selector names; undefined outside its table. @throws Fault #PF. */
export function readDescriptor(core: Core, selector: number): Descriptor | undefined {
  const { state } = core
  const local = (selector & 4) !== 0
  if (local && (state.attributes(LDTR) & Attribute.present) === 0) return undefined
  const limit = local ? state.segLimit(LDTR) : state.get32(Layout.gdtLimit)
  const offset = selector & 0xfff8
  if (offset + 7 > limit) return undefined
  const address = ((local ? state.segBase(LDTR) : state.getNumber(Layout.gdtBase)) + offset) >>> 0
  const low = core.linear.read32(address, false)
  return { selector, address, low, high: core.linear.read32((address + 4) >>> 0, false) }
}

/** The descriptor that a selector names. @throws Fault `vector`(selector) when it lies outside its table, #PF. */
export function needDescriptor(core: Core, selector: number, vector: number): Descriptor {
  return readDescriptor(core, selector) ?? raise(vector, selectorError(selector))
}

/** As in `SegmentSlot.attributes`. */
export function attributesOf(descriptor: Descriptor): number {
  return ((descriptor.high >> 8) & 0xff) | ((descriptor.high >> 12) & 0xf00)
}

export function baseOf(descriptor: Descriptor): number {
  return ((descriptor.low >>> 16) | ((descriptor.high & 0xff) << 16) | (descriptor.high & 0xff00_0000)) >>> 0
}

/** Effective limit in bytes, unsigned. */
export function limitOf(descriptor: Descriptor): number {
  const raw = (descriptor.low & 0xffff) | (descriptor.high & 0xf_0000)
  return descriptor.high & 0x80_0000 ? ((raw << 12) | 0xfff) >>> 0 : raw
}

export function dplOf(attributes: number): number {
  return (attributes >> 5) & 3
}

export function isPresent(attributes: number): boolean {
  return (attributes & Attribute.present) !== 0
}

export function isCode(attributes: number): boolean {
  return (attributes & 0x18) === 0x18
}

export function isConforming(attributes: number): boolean {
  return (attributes & 0x1c) === 0x1c
}

export function isWritableData(attributes: number): boolean {
  return (attributes & 0x1a) === 0x12
}

/** Data, or code that may be read. */
export function isReadable(attributes: number): boolean {
  return (attributes & 0x10) !== 0 && (attributes & 0x0a) !== 0x08
}

/** One of {@link SystemType}, or −1 for code and data. */
export function systemType(attributes: number): number {
  return attributes & Attribute.segment ? -1 : attributes & 15
}

/** Gates: the selector within. */
export function gateSelector(gate: Descriptor): number {
  return gate.low >>> 16
}

/** Gates: the offset within, 16 or 32 bits wide by the gate's type. */
export function gateOffset(gate: Descriptor): number {
  const low = gate.low & 0xffff
  return gate.high & 0x800 ? ((gate.high & 0xffff_0000) | low) >>> 0 : low
}

/** Operand size of what a gate pushes: bit 3 of the type. */
export function gateBits(gate: Descriptor): 16 | 32 {
  return gate.high & 0x800 ? 32 : 16
}

/** Set the accessed bit in the table, if it is clear. @throws Fault #PF. */
export function markAccessed(core: Core, descriptor: Descriptor): void {
  if ((descriptor.high & 0x100) !== 0) return
  descriptor.high |= 0x100
  core.linear.write8((descriptor.address + 5) >>> 0, (descriptor.high >> 8) & 0xff, false)
}
