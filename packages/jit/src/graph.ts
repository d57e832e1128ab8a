/**
 * The order and nesting in which a region's blocks become structured control flow: reverse postorder, dominators, loops
 * (N. Ramsey, "Beyond Relooper", ICFP 2022). An edge into the middle of a loop leaves the region instead.
 */
import { type Block, type Edge, edgesOf } from './region.ts'

/** The structure of a region. Blocks are named by their numbers. */
export interface Graph {
  /** Reverse postorder of the blocks that can be reached. */
  readonly order: readonly number[]
  /** Place in the order; −1 for the others. */
  readonly place: Int32Array
  /** Immediate dominator. */
  readonly dominator: Int32Array
  /** Is a loop's first block. */
  readonly header: Uint8Array
  /** Is reached by more than one edge forward: the end of a wasm block. */
  readonly merge: Uint8Array
  /** The merge blocks that a block dominates immediately, last in the order first. */
  readonly merges: readonly (readonly number[])[]
  /** Blocks that lead here. */
  readonly predecessors: readonly (readonly number[])[]
}

/** Cuts edges (`to` becomes −1) that no structure has. */
export function structure(blocks: readonly Block[]): Graph {
  for (;;) {
    const graph = analyze(blocks)
    if (graph) return graph
  }
}

function analyze(blocks: readonly Block[]): Graph | undefined {
  const count = blocks.length
  const order = reversePostorder(blocks)
  const place = new Int32Array(count).fill(-1)
  for (const [n, block] of order.entries()) place[block] = n
  const predecessors: number[][] = blocks.map(() => [])
  for (const from of order)
    for (const { to } of edgesOf(blocks[from]!)) {
      predecessors[to]!.push(from)
      // Behind an action control goes on from two places: its plain case, and the action itself.
      if (blocks[from]!.end === 'action') predecessors[to]!.push(from)
    }
  const dominator = dominators(order, place, predecessors)
  const header = new Uint8Array(count)
  const merge = new Uint8Array(count)
  const dominates = (a: number, b: number): boolean => {
    let at = b
    while (place[at]! > place[a]!) at = dominator[at]!
    return at === a
  }
  let cut = false
  for (const from of order)
    for (const edge of edgesOf(blocks[from]!)) {
      if (place[edge.to]! > place[from]!) continue
      if (dominates(edge.to, from)) header[edge.to] = 1
      else {
        edge.to = -1
        cut = true
      }
    }
  if (cut) return undefined
  const merges: number[][] = blocks.map(() => [])
  for (const block of order) {
    const forward = predecessors[block]!.filter((from) => place[from]! < place[block]!).length
    merge[block] = forward > 1 ? 1 : 0
    if (forward > 1) merges[dominator[block]!]!.push(block)
  }
  for (const list of merges) list.sort((a, b) => place[b]! - place[a]!)
  return { order, place, dominator, header, merge, merges, predecessors }
}

function reversePostorder(blocks: readonly Block[]): number[] {
  const seen = new Uint8Array(blocks.length)
  const post: number[] = []
  // Explicit, for a chain of blocks may be longer than the host's stack.
  const path: { block: number; edges: Edge[] }[] = []
  const visit = (block: number): void => {
    seen[block] = 1
    path.push({ block, edges: edgesOf(blocks[block]!) })
  }
  visit(0)
  while (path.length > 0) {
    const { block, edges } = path.at(-1)!
    const edge = edges.pop()
    if (!edge) {
      post.push(block)
      path.pop()
    } else if (!seen[edge.to]) visit(edge.to)
  }
  return post.reverse()
}

function dominators(
  order: readonly number[],
  place: Int32Array,
  predecessors: readonly (readonly number[])[],
): Int32Array {
  const dominator = new Int32Array(place.length).fill(-1)
  dominator[order[0]!] = order[0]!
  const common = (a: number, b: number): number => {
    let [x, y] = [a, b]
    while (x !== y) {
      while (place[x]! > place[y]!) x = dominator[x]!
      while (place[y]! > place[x]!) y = dominator[y]!
    }
    return x
  }
  for (let changed = true; changed; ) {
    changed = false
    for (const block of order.slice(1)) {
      let found = -1
      for (const from of predecessors[block]!)
        if (dominator[from] !== -1) found = found < 0 ? from : common(found, from)
      if (dominator[block] === found) continue
      dominator[block] = found
      changed = true
    }
  }
  return dominator
}
