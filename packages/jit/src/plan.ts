/** What is known of a region before its code is made: registers and flags that matter, and where the budget is looked at. */
import type { Routine } from '@vmexit/x86/engine'
import type { Form, Forms } from './effects.ts'
import type { Graph } from './graph.ts'
import type { Block, Edge, Region } from './region.ts'

export interface Plan {
  /** Registers that the region reads or writes, and those that it writes, as bits. */
  readonly touched: number
  readonly written: number
  /** By block and item: somebody may ask for the flags that the instruction sets. */
  readonly flagsWanted: readonly (readonly boolean[])[]
  /** Not 0: the budget must suffice for so many instructions when the block begins: those until it is looked at again. */
  readonly needed: Int32Array
  readonly routines: ReadonlySet<Routine>
  /** There is a loop without calls: registers are worth keeping in locals. Else small code is worth more. */
  readonly loops: boolean
}

export function plan(region: Region, graph: Graph, forms: Forms): Plan {
  const { blocks, mode } = region
  const routines = new Set<Routine>()
  let touched = 0
  let written = 0
  const known: Form[][] = blocks.map(() => [])
  for (const block of graph.order) {
    known[block] = blocks[block]!.items.map(({ insn }) => forms.of(insn, mode))
    for (const form of known[block]!) {
      touched |= form.uses | form.defines
      written |= form.defines
      for (const routine of form.routines) routines.add(routine)
    }
  }
  const checked = checkpoints(blocks, graph)
  return {
    touched,
    written,
    routines,
    loops: hasInnerLoop(blocks, graph),
    flagsWanted: flagsWanted(blocks, graph, known, checked),
    needed: budgets(blocks, graph, checked),
  }
}

/** Is there a loop through blocks that call nothing? */
function hasInnerLoop(blocks: readonly Block[], graph: Graph): boolean {
  const isCall = ({ end }: Block): boolean => end === 'call' || end === 'callIndirect' || end === 'action'
  for (const head of graph.order) {
    if (!graph.header[head]) continue
    // Forward from the head, through its loop's blocks: those it dominates are enough to look at.
    const seen = new Set<number>()
    const waiting = [head]
    while (waiting.length > 0) {
      const block = waiting.pop()!
      if (isCall(blocks[block]!)) continue
      for (const edge of [blocks[block]!.taken, blocks[block]!.next]) {
        if (!edge || edge.to < 0) continue
        if (edge.to === head) return true
        if (seen.has(edge.to) || graph.place[edge.to]! < graph.place[head]!) continue
        seen.add(edge.to)
        waiting.push(edge.to)
      }
    }
  }
  return false
}

/** Where the budget is looked at: at the entry and at loops' heads, and where others have used of it. */
function checkpoints(blocks: readonly Block[], graph: Graph): Uint8Array {
  const checked = Uint8Array.from(graph.header)
  checked[0] = 1
  for (const from of graph.order) {
    const { end, next } = blocks[from]!
    const others = end === 'call' || end === 'callIndirect' || end === 'repeat' || end === 'action'
    if (others && next && next.to >= 0) checked[next.to] = 1
  }
  return checked
}

const leads = ({ taken, next }: Block): boolean =>
  (taken !== undefined && taken.to < 0) || (next !== undefined && next.to < 0)

/** The longest way, in instructions, from a checked block to the next check. */
function budgets(blocks: readonly Block[], graph: Graph, checked: Uint8Array): Int32Array {
  const longest = new Int32Array(blocks.length)
  for (const block of graph.order.toReversed()) {
    let most = 0
    const { taken, next } = blocks[block]!
    for (const edge of [taken, next])
      if (edge && edge.to >= 0 && !checked[edge.to]) most = Math.max(most, longest[edge.to]!)
    longest[block] = most + blocks[block]!.items.length
  }
  return longest.map((instructions, block) => (checked[block] ? instructions : 0))
}

/** Backwards: flags are wanted until all of them are set anew; whatever may leave wants them. */
function flagsWanted(
  blocks: readonly Block[],
  graph: Graph,
  forms: readonly (readonly Form[])[],
  checked: Uint8Array,
): boolean[][] {
  const wanted: boolean[][] = blocks.map(({ items }) => items.map(() => true))
  const atStart = new Uint8Array(blocks.length)
  const isLive = (edge: Edge | undefined): boolean => edge !== undefined && edge.to >= 0 && atStart[edge.to] !== 0
  for (let changed = true; changed; ) {
    changed = false
    for (const block of graph.order.toReversed()) {
      const { end, taken, next } = blocks[block]!
      const goesOn = end === 'plain' || end === 'branch' || end === 'jump' || end === 'repeat'
      let live = !goesOn || leads(blocks[block]!) || isLive(taken) || isLive(next)
      for (let n = forms[block]!.length - 1; n >= 0; n--) {
        const form = forms[block]![n]!
        wanted[block]![n] = live
        if (form.setsFlags) live = false
        if (form.readsFlags || form.leaves) live = true
      }
      const start = live || checked[block] ? 1 : 0
      if (start === atStart[block]) continue
      atStart[block] = start
      changed = true
    }
  }
  return wanted
}
