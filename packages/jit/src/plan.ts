/** What is known of a region before its code is made: flags, registers and shapes that matter, and where the budget is looked at. */
import type { Routine } from '@vmexit/x86/engine'
import type { Form, Forms } from './effects.ts'
import { type Frames, framesOf } from './frames.ts'
import type { Graph } from './graph.ts'
import { isHandedOver, type Loops, loopsOf } from './loops.ts'
import type { Torn } from './misses.ts'
import { EVERYTHING } from './parts.ts'
import { ALL_REGISTERS } from './processor.ts'
import { type Block, type Edge, edgesOf, type Region } from './region.ts'
import type { Shape } from './shape.ts'
import { predictShapes } from './shapes.ts'
import { stackRun } from './stack-run.ts'
import { type Windows, windowsOf } from './windows.ts'

export interface Plan {
  /** By block and item: somebody may ask for the flags that the instruction sets. */
  readonly flagsWanted: readonly (readonly boolean[])[]
  /** By block and item: general registers, as bits, that the state must have when the instruction has written them. */
  readonly storesWanted: readonly Uint8Array[]
  /** By block: not 0 where somebody may ask for the flags that are there when it begins. */
  readonly flagsAtStart: Uint8Array
  /** By block: parts that are in locals when it begins, as bits; whoever goes to the head of a loop sees to that. */
  readonly heldAtStart: Int32Array
  /** By block: the shape that the x87 unit is to have when it begins; whoever goes there sees to it. */
  readonly shapes: readonly (Shape | undefined)[]
  /** Not 0: the budget must suffice for so many instructions when the block begins: those until it is looked at again. */
  readonly needed: Int32Array
  readonly routines: ReadonlySet<Routine>
  readonly frames: Frames
  readonly windows: Windows
  /** By block and item: not 0 where control may leave before the instruction is done. */
  readonly leaves: readonly Uint8Array[]
}

/** `shape`: that of the x87 unit where the region begins, most likely. */
export function plan(region: Region, graph: Graph, forms: Forms, shape: Shape, head: number, misses: Torn): Plan {
  const { blocks } = region
  const routines = new Set<Routine>()
  const loops = loopsOf(graph)
  const { forms: known, atStart: shapes } = predictShapes(region, graph, loops, forms, shape)
  const windows = windowsOf(region, graph, known, misses.narrow)
  for (const block of graph.order)
    for (const form of known[block]!) for (const routine of form.routines) routines.add(routine)
  const checked = checkpoints(blocks, graph)
  const flagsAtStart = new Uint8Array(blocks.length)
  const frames = framesOf(region, graph, known, loops, !misses.frameless.has(head))
  const leaves = leavesOf(region, known, windows, frames)
  const left = guarded(blocks, graph, checked, shapes, frames)
  const held = heldAtStart(blocks, graph, known, loops)
  return {
    routines,
    flagsWanted: flagsWanted(blocks, graph, known, leaves, left, flagsAtStart),
    storesWanted: storesWanted(blocks, graph, known, leaves, left, held),
    flagsAtStart,
    heldAtStart: held,
    shapes,
    needed: budgets(blocks, graph, checked),
    frames,
    windows,
    leaves,
  }
}

/** Where control may leave: not by accesses to an open window or a frame that is sure. */
function leavesOf(
  { blocks, mode }: Region,
  forms: readonly (readonly Form[])[],
  windows: Windows,
  { served }: Frames,
): Uint8Array[] {
  return forms.map((all, block) => {
    const { items } = blocks[block]!
    const passages = windows[block]!
    const leaves = Uint8Array.from(all, (form, n) => {
      const passage = passages[n]
      const reaches = form.reaches > 0 && (!passage || passage.opens)
      return form.leaves || reaches || (form.stacks && served[block]![n] === 0) ? 1 : 0
    })
    // Those of a run make one access.
    for (let n = 0; n < items.length; n++) {
      const run = stackRun(items, n, mode)
      if (run < 2) continue
      leaves.fill(leaves.subarray(n, n + run).some((leave) => leave !== 0) ? 1 : 0, n, n + run)
      n += run - 1
    }
    return leaves
  })
}

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

/** Blocks that control may leave in front of: checked ones, and those with a guard of their page, of the x87 unit or of the frame. */
function guarded(
  blocks: readonly Block[],
  graph: Graph,
  checked: Uint8Array,
  shapes: readonly (Shape | undefined)[],
  { isSure, looks }: Frames,
): Uint8Array {
  const all = Uint8Array.from(checked)
  for (const block of graph.order) {
    const { page, second } = blocks[block]!.items[0]!
    const isElsewhere = (from: number): boolean => blocks[from]!.items.at(-1)!.page !== page
    const isMet = graph.predecessors[block]!.some(isElsewhere)
    if (shapes[block] || (isSure && looks[block]) || second || isMet) all[block] = 1
  }
  return all
}

/** The longest way, in instructions, from a checked block to the next check. */
function budgets(blocks: readonly Block[], graph: Graph, checked: Uint8Array): Int32Array {
  const longest = new Int32Array(blocks.length)
  for (const block of graph.order.toReversed()) {
    let most = 0
    for (const { to } of edgesOf(blocks[block]!)) if (!checked[to]) most = Math.max(most, longest[to]!)
    longest[block] = most + blocks[block]!.items.length
  }
  return longest.map((instructions, block) => (checked[block] ? instructions : 0))
}

/** Backwards: flags are wanted until all of them are set anew; whatever may leave wants them. */
function flagsWanted(
  blocks: readonly Block[],
  graph: Graph,
  forms: readonly (readonly Form[])[],
  leaves: readonly Uint8Array[],
  guarded: Uint8Array,
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
        if (form.readsFlags || leaves[block]![n]) live = true
      }
      const start = live || guarded[block] ? 1 : 0
      if (start === atStart[block]) continue
      atStart[block] = start
      changed = true
    }
  }
  return wanted
}

/**
 * Backwards: a register's value is wanted in the state unless it is written anew before control may leave, or before a block that does not
 * know it to be in its local.
 */
function storesWanted(
  blocks: readonly Block[],
  graph: Graph,
  forms: readonly (readonly Form[])[],
  leaves: readonly Uint8Array[],
  guarded: Uint8Array,
  held: Int32Array,
): Uint8Array[] {
  const wanted = blocks.map(({ items }) => new Uint8Array(items.length).fill(ALL_REGISTERS))
  const atStart = new Uint8Array(blocks.length)
  const along = (edge: Edge | undefined): number => {
    if (edge === undefined) return 0
    const { to } = edge
    if (to < 0) return ALL_REGISTERS
    const unknown = graph.header[to] || graph.merge[to] ? ~held[to]! & ALL_REGISTERS : 0
    return atStart[to]! | unknown
  }
  const backwards = graph.order.toReversed()
  for (let changed = true; changed; ) {
    changed = false
    for (const block of backwards) {
      const { end, taken, next } = blocks[block]!
      const staysHere = end === 'plain' || end === 'branch' || end === 'jump'
      let live = staysHere ? along(taken) | along(next) : ALL_REGISTERS
      for (let n = forms[block]!.length - 1; n >= 0; n--) {
        const form = forms[block]![n]!
        wanted[block]![n] = live
        live = leaves[block]![n] ? ALL_REGISTERS : live & ~form.sets
      }
      const start = guarded[block] ? ALL_REGISTERS : live
      if (start === atStart[block]) continue
      atStart[block] = start
      changed = true
    }
  }
  return wanted
}

/** Forwards: what every way here has in locals. What a loop uses is put there before it. */
function heldAtStart(
  blocks: readonly Block[],
  graph: Graph,
  forms: readonly (readonly Form[])[],
  loops: Loops,
): Int32Array {
  const atStart = new Int32Array(blocks.length).fill(EVERYTHING)
  atStart[0] = 0
  const used = new Int32Array(blocks.length)
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
      let held = EVERYTHING
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
