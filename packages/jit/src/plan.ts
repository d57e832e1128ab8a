/** What is known of a region before its code is made: flags and registers that matter, and where the budget is looked at. */
import type { Routine } from '@vmexit/x86/engine'
import type { Form, Forms } from './effects.ts'
import type { Graph } from './graph.ts'
import type { Block, Edge, Region } from './region.ts'

export interface Plan {
  /** By block and item: somebody may ask for the flags that the instruction sets. */
  readonly flagsWanted: readonly (readonly boolean[])[]
  /** By block: not 0 where somebody may ask for the flags that are there when it begins. */
  readonly flagsAtStart: Uint8Array
  /** By block: registers that are in locals when it begins, as bits; whoever goes to the head of a loop sees to that. */
  readonly heldAtStart: Uint8Array
  /** Not 0: the budget must suffice for so many instructions when the block begins: those until it is looked at again. */
  readonly needed: Int32Array
  readonly routines: ReadonlySet<Routine>
}

export function plan(region: Region, graph: Graph, forms: Forms): Plan {
  const { blocks, mode } = region
  const routines = new Set<Routine>()
  const known: Form[][] = blocks.map(() => [])
  for (const block of graph.order) {
    known[block] = blocks[block]!.items.map(({ insn }) => forms.of(insn, mode))
    for (const form of known[block]!) for (const routine of form.routines) routines.add(routine)
  }
  const checked = checkpoints(blocks, graph)
  const flagsAtStart = new Uint8Array(blocks.length)
  return {
    routines,
    flagsWanted: flagsWanted(blocks, graph, known, checked, flagsAtStart),
    flagsAtStart,
    heldAtStart: heldAtStart(blocks, graph, known, loopsOf(graph)),
    needed: budgets(blocks, graph, checked),
  }
}

/** Behind it, others may have used of the budget and written registers. */
const isHandedOver = ({ end }: Block): boolean => end === 'call' || end === 'callIndirect' || end === 'action'

/** Where the budget is looked at: at the entry and at loops' heads, and where others have used of it. */
function checkpoints(blocks: readonly Block[], graph: Graph): Uint8Array {
  const checked = Uint8Array.from(graph.header)
  checked[0] = 1
  for (const from of graph.order) {
    const { end, next } = blocks[from]!
    if ((isHandedOver(blocks[from]!) || end === 'repeat') && next && next.to >= 0) checked[next.to] = 1
  }
  return checked
}

const edgesOf = ({ taken, next }: Block): readonly (Edge | undefined)[] => [taken, next]

/** The longest way, in instructions, from a checked block to the next check. */
function budgets(blocks: readonly Block[], graph: Graph, checked: Uint8Array): Int32Array {
  const longest = new Int32Array(blocks.length)
  for (const block of graph.order.toReversed()) {
    let most = 0
    for (const edge of edgesOf(blocks[block]!))
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
  atStart: Uint8Array,
): boolean[][] {
  const wanted: boolean[][] = blocks.map(({ items }) => items.map(() => true))
  const isLive = (edge: Edge | undefined): boolean => edge !== undefined && (edge.to < 0 || atStart[edge.to] !== 0)
  const backwards = graph.order.toReversed()
  for (let changed = true; changed; ) {
    changed = false
    for (const block of backwards) {
      const { end, taken, next } = blocks[block]!
      const goesOn = end === 'plain' || end === 'branch' || end === 'jump' || end === 'repeat'
      let live = !goesOn || isLive(taken) || isLive(next)
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

type Loops = ReadonlyMap<number, ReadonlySet<number>>

/** By head of a loop: the blocks that lead back to it. */
function loopsOf(graph: Graph): Loops {
  const loops = new Map<number, Set<number>>()
  for (const head of graph.order) {
    if (!graph.header[head]) continue
    const inside = new Set([head])
    const waiting = graph.predecessors[head]!.filter((from) => graph.place[from]! >= graph.place[head]!)
    for (let block = waiting.pop(); block !== undefined; block = waiting.pop()) {
      if (inside.has(block)) continue
      inside.add(block)
      waiting.push(...graph.predecessors[block]!)
    }
    loops.set(head, inside)
  }
  return loops
}

/** Forwards: what every way here has in locals. What a loop uses is put there before it. */
function heldAtStart(
  blocks: readonly Block[],
  graph: Graph,
  forms: readonly (readonly Form[])[],
  loops: Loops,
): Uint8Array {
  const atStart = new Uint8Array(blocks.length).fill(0xff)
  atStart[0] = 0
  const used = new Uint8Array(blocks.length)
  for (const [head, inside] of loops)
    for (const block of inside) for (const { uses } of forms[block]!) used[head]! |= uses
  const behind = (block: number): number => {
    if (isHandedOver(blocks[block]!)) return 0
    return forms[block]!.reduce((held, { holds }) => held | holds, atStart[block]!)
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const block of graph.order) {
      if (block === 0 && !graph.header[0]) continue
      let held = 0xff
      for (const from of graph.predecessors[block]!) {
        const isBack = graph.place[from]! >= graph.place[block]!
        if (!graph.header[block] || isBack) held &= behind(from)
      }
      if (graph.header[block]) held &= used[block]!
      if (held === atStart[block]) continue
      atStart[block] = held
      changed = true
    }
  }
  return atStart
}
