/** The parts of the state that translations keep in locals: general registers, and those of the x87 unit and SSE. */
import { Layout } from '@vmexit/x86'
import type { Node } from '@vmexit/x86/engine'

/** Parts by number: general registers, then these; of each XMM register one, of each x87 register two. */
export const Part = { gpr: 0, fsw: 8, fcw: 9, mxcsr: 10, xmm: 11, significand: 19, exponent: 27 } as const
const PARTS = 35

/** A set of parts as bits, one for both parts of an x87 register. */
export const bitOf = (part: number): number => 1 << (part < Part.exponent ? part : part - 8)
/** The other part of an x87 register; −1 for all others. */
export const otherOf = (part: number): number =>
  part < Part.significand ? -1 : part < Part.exponent ? part + 8 : part - 8
export const EVERYTHING: number = (1 << Part.exponent) - 1

interface Place {
  readonly offset: number
  readonly type: Node['type']
  readonly bits: number
}

function placeOf(part: number): Place {
  if (part < Part.fsw) return { offset: Layout.gpr + part * 8, type: 'i32', bits: 32 }
  if (part === Part.fsw) return { offset: Layout.fsw, type: 'i32', bits: 32 }
  if (part === Part.fcw) return { offset: Layout.fcw, type: 'i32', bits: 32 }
  if (part === Part.mxcsr) return { offset: Layout.mxcsr, type: 'i32', bits: 32 }
  if (part < Part.significand) return { offset: Layout.xmm + (part - Part.xmm) * 16, type: 'v128', bits: 128 }
  if (part < Part.exponent) return { offset: Layout.fpr + (part - Part.significand) * 16, type: 'i64', bits: 64 }
  return { offset: Layout.fpr + (part - Part.exponent) * 16 + 8, type: 'i32', bits: 16 }
}

export const places: readonly Place[] = Array.from({ length: PARTS }, (_, part) => placeOf(part))

const byOffset = new Map(places.map(({ offset }, part) => [offset, part]))

/** The part that begins at an offset of the state; general registers are none here. */
export function partAt(offset: number): number | undefined {
  const part = byOffset.get(offset)
  return part === undefined || part < Part.fsw ? undefined : part
}
/** The XMM register that an offset lies in. */
export function xmmAround(offset: number): number | undefined {
  const reg = (offset - Layout.xmm) >> 4
  return reg >= 0 && reg < 8 ? Part.xmm + reg : undefined
}
