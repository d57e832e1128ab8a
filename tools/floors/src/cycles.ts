/** Finds the groups of nodes of a directed graph that reach themselves (Tarjan's strongly connected components). */

/** Each group is one cycle or several that share nodes, its members sorted; the groups are sorted by first member. */
export function cycles(graph: ReadonlyMap<string, Iterable<string>>): string[][] {
  const order = new Map<string, number>()
  const low = new Map<string, number>()
  const open = new Set<string>()
  const found: string[][] = []

  const visit = (node: string): void => {
    order.set(node, order.size)
    low.set(node, order.get(node)!)
    open.add(node)
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) {
        visit(next)
        low.set(node, Math.min(low.get(node)!, low.get(next)!))
      } else if (open.has(next)) {
        low.set(node, Math.min(low.get(node)!, order.get(next)!))
      }
    }
    if (low.get(node) !== order.get(node)) return
    const stack = [...open]
    const group = stack.slice(stack.indexOf(node))
    for (const member of group) open.delete(member)
    if (group.length > 1 || [...(graph.get(node) ?? [])].includes(node)) found.push(group.sort())
  }

  for (const node of [...graph.keys()].sort()) if (!order.has(node)) visit(node)
  return found.sort((a, b) => (a[0]! < b[0]! ? -1 : 1))
}
