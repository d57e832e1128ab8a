/** The loops of a region, and where others have been at work. */
import type { Graph } from './graph.ts'
import type { Block } from './region.ts'

/** Behind it, others may have used of the budget and written registers. */
export const isHandedOver = ({ end }: Block): boolean => end === 'call' || end === 'callIndirect' || end === 'action'

export type Loops = ReadonlyMap<number, ReadonlySet<number>>

/** By head of a loop: the blocks that lead back to it. */
export function loopsOf(graph: Graph): Loops {
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
