/**
 * The shape of the x87 unit: what of its state instructions depend on so much that translations are made for one shape.
 * With TOP and the tags known, a stack register is a place, none is empty that should not be, and pushing and popping is
 * nothing; with the control word, no exception is looked for that is masked. Compiled code has one shape at each place of a
 * function. What a shape costs is a guard in front of the first x87 instruction of a path.
 */
import { type CpuState, Layout } from '@vmexit/x86'

export interface Shape {
  readonly top: number
  /** Bit i: physical register i is empty. */
  readonly empty: number
  /** The control word; undefined where the program has loaded another. */
  readonly fcw: number | undefined
}

const ALL_EMPTY = 0xff

export function shapeOf(state: CpuState): Shape {
  return {
    top: state.get32(Layout.top),
    empty: state.get32(Layout.empty),
    fcw: state.get32(Layout.fcw),
  }
}

/** At the beginning of a function in which there is this shape: by all conventions its stack is empty there. */
export function atEntry({ top, empty, fcw }: Shape): Shape {
  let used = 0
  for (let bits = ~empty & ALL_EMPTY; bits !== 0; bits &= bits - 1) used++
  return { top: (top + used) & 7, empty: ALL_EMPTY, fcw }
}

/** With a value on the stack that a function has returned. */
export function withValue({ top, empty, fcw }: Shape): Shape {
  const pushed = (top - 1) & 7
  return { top: pushed, empty: empty & ~(1 << pushed), fcw }
}
