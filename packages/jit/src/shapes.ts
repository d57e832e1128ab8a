/** The shapes that the x87 unit has in a region, from that at its beginning on, as far as instructions tell. */
import type { Form, Forms } from './effects.ts'
import type { Graph } from './graph.ts'
import { isHandedOver, type Loops } from './loops.ts'
import { edgesOf, type Region } from './region.ts'
import { type Shape, withValue } from './shape.ts'

export interface Predicted {
  /** By block and item. */
  readonly forms: readonly (readonly Form[])[]
  /** By block: the shape that is seen to when it begins; undefined where that is not worth it. */
  readonly atStart: readonly (Shape | undefined)[]
}

/** What is found of a block that begins in a certain shape. */
interface Found {
  readonly forms: readonly Form[]
  /** The first instruction that depends on the shape finds the stack empty, or full; undefined if none does. */
  readonly faults: boolean | undefined
  readonly end: Shape
}

/** A call is taken to leave the shape as it was, unless the instructions behind it ask for a value. */
export function predictShapes(region: Region, graph: Graph, loops: Loops, forms: Forms, entry: Shape): Predicted {
  const { blocks, mode } = region
  const expected: (Shape | undefined)[] = []
  const found: Found[] = []
  const isBehindCall = new Uint8Array(blocks.length)
  expected[0] = entry
  const follow = (block: number): Found => {
    let shape = expected[block]!
    let faults: boolean | undefined
    const all = blocks[block]!.items.map(({ insn }) => {
      const form = forms.inShape(insn, mode, shape)
      if (form.shaped) faults ??= form.faults
      shape = form.after ?? shape
      // The next one asks for exceptions that the control word lets through.
      if (form.loadsControl) shape = { ...shape, fcw: undefined }
      return form
    })
    return { forms: all, faults, end: shape }
  }
  for (const block of graph.order) {
    expected[block] ??= entry
    found[block] = follow(block)
    if (isBehindCall[block] && found[block]!.faults) {
      expected[block] = withValue(expected[block]!)
      found[block] = follow(block)
    }
    const { end } = blocks[block]!
    for (const { to } of edgesOf(blocks[block]!)) {
      if (expected[to]) continue
      expected[to] = { ...found[block]!.end, fcw: entry.fcw }
      isBehindCall[to] = end === 'call' || end === 'callIndirect' ? 1 : 0
    }
  }
  const isSeenTo = sureShapes(region, graph, loops, expected, found)
  return {
    forms: blocks.map((_, block) => found[block]?.forms ?? []),
    atStart: expected.map((shape, n) => (isSeenTo[n] ? shape : undefined)),
  }
}

/** Where the shape is needed, in the block or the loop that it is the head of, or known from all that lead there. */
function sureShapes(
  { blocks }: Region,
  graph: Graph,
  loops: Loops,
  expected: readonly (Shape | undefined)[],
  found: readonly Found[],
): Uint8Array {
  const needed = new Uint8Array(blocks.length)
  for (const block of graph.order) if (found[block]!.faults !== undefined) needed[block] = 1
  for (const [head, inside] of loops)
    for (const block of inside) if (found[block]!.faults !== undefined) needed[head] = 1
  const sure = new Uint8Array(blocks.length).fill(1)
  sure[0] = needed[0]!
  const arrives = (from: number, to: number): boolean => {
    const { end } = found[from]!
    const wanted = expected[to]!
    if (!sure[from] || isHandedOver(blocks[from]!)) return false
    return end.top === wanted.top && end.empty === wanted.empty && end.fcw === wanted.fcw
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const block of graph.order) {
      if (!sure[block] || needed[block]) continue
      if (block !== 0 && graph.predecessors[block]!.every((from) => arrives(from, block))) continue
      if (sure[block]) changed = true
      sure[block] = 0
    }
  }
  return sure
}
