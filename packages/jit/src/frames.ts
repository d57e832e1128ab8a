/** Where the frame is looked for: the host address of the stack, that accesses at fixed distances from its pointer go by. */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import { SP, type Span } from './accesses.ts'
import type { Form } from './effects.ts'
import type { Graph } from './graph.ts'
import { isHandedOver, type Loops } from './loops.ts'
import { type Block, edgesOf, type Region } from './region.ts'

export interface Frames {
  /**
   * By block that more than one edge leads to: how far the stack pointer is above the frame when it begins; whoever goes
   * there sees to it. Undefined: there is no frame.
   */
  readonly atStart: readonly (number | undefined)[]
  /** By block: not 0 where it begins by looking for it. */
  readonly looks: Uint8Array
  readonly span: Span
  /** Where one is looked for and not found, control leaves: there is no code for what has none. */
  readonly isSure: boolean
  /** By block and item: not 0 where its access to the stack goes by the frame, which is sure. */
  readonly served: readonly Uint8Array[]
}

/** Accesses from which on it pays to find the frame. (For one alone it is hardly less work than its look-up, and more code.) */
const WORTH_A_LOOK = 2
const IN_LOOP = 2
/** Reached at the most, in bytes: what lies farther off is looked up by itself. */
const FARTHEST = 512

/** Bytes of a frame that is sure, at the most: the wider, the more often it lies in two pages. */
const WIDEST = 768

const none = (blocks: readonly Block[]): Frames => ({
  atStart: [],
  looks: new Uint8Array(blocks.length),
  span: { low: 0, high: 0 },
  isSure: false,
  served: blocks.map(({ items }) => new Uint8Array(items.length)),
})

/** Bytes that an instruction reaches at a distance from the stack pointer, if it does. `flat`: segments, as bits. */
function reachOf(insn: Insn, flat: number): { at: number; bytes: number } | undefined {
  const { op, base, index, disp, opSize, addrSize, operands, seg } = insn
  const size = opSize >> 3
  if (op === 'push' || op === 'call' || op === 'call_ind') return { at: -size, bytes: size }
  if (op === 'pop' || op === 'ret') return { at: 0, bytes: size }
  const memory = operands.find(({ kind }) => kind === Kind.mem)
  if (!memory || base !== SP || index >= 0 || addrSize !== 32 || op === 'lea' || ((flat >> seg) & 1) === 0)
    return undefined
  return { at: disp, bytes: Math.max(1, memory.size >> 3) }
}

/** It also accesses the stack by an operand, which {@link reachOf} does not tell. */
function isTwice({ op, base, operands }: Insn): boolean {
  const isImplicit = op === 'push' || op === 'pop' || op === 'call_ind'
  return isImplicit && base === SP && operands.some(({ kind }) => kind === Kind.mem)
}

/** By how much it moves the stack pointer; undefined where that is not known. */
function moveOf({ op, operands, opSize, base, index, disp, imm }: Insn, { movesStack }: Form): number | undefined {
  if (!movesStack) return 0
  const first = operands[0]
  const isPointer = first?.kind === Kind.gpr && first.reg === SP
  if (op === 'push') return -(opSize >> 3)
  if (op === 'pop' && !isPointer) return opSize >> 3
  if (!isPointer || first.size !== 32) return undefined
  if (op === 'lea' && base === SP && index < 0) return disp
  if (operands[1]?.kind !== Kind.imm) return undefined
  return op === 'add' ? imm | 0 : op === 'sub' ? -(imm | 0) : undefined
}

/** `maySure`: it may be taken for sure that there is one. */
export function framesOf(
  { blocks, mode }: Region,
  graph: Graph,
  forms: readonly (readonly Form[])[],
  loops: Loops,
  maySure: boolean,
): Frames {
  const flat = mode.flatRead & mode.flatWrite
  const follow = (
    block: number,
    start: number,
    visit: (from: number, to: number, item: number) => void,
  ): number | undefined => {
    let above: number | undefined = start
    for (const [n, { insn }] of blocks[block]!.items.entries()) {
      const reach = reachOf(insn, flat)
      if (reach) visit(above + reach.at, above + reach.at + reach.bytes, n)
      const move = moveOf(insn, forms[block]![n]!)
      if (move === undefined) return undefined
      above += move
    }
    return isHandedOver(blocks[block]!) ? undefined : above
  }
  const own = new Int32Array(blocks.length)
  const goesOn = new Uint8Array(blocks.length)
  for (const block of graph.order) goesOn[block] = follow(block, 0, () => own[block]!++) === undefined ? 0 : 1
  if (own.reduce((sum, accesses) => sum + accesses, 0) < IN_LOOP) return none(blocks)
  const isLabel = (block: number): boolean => (graph.header[block]! | graph.merge[block]!) !== 0
  const gains = gainsOf(blocks, graph, own, goesOn, isLabel, loops)
  const isLoop = (head: number): boolean => {
    const inside = loops.get(head)
    if (!inside || [...inside].some((block) => !goesOn[block])) return false
    return [...inside].reduce((sum, block) => sum + own[block]!, 0) >= IN_LOOP
  }
  const atStart: (number | undefined)[] = blocks.map(() => undefined)
  const atEnd: (number | undefined)[] = blocks.map(() => undefined)
  const looks = new Uint8Array(blocks.length)
  const served = blocks.map(({ items }) => new Uint8Array(items.length))
  let [low, high] = [0, 0]
  for (const block of graph.order) {
    const before = graph.predecessors[block]!.filter((from) => graph.place[from]! < graph.place[block]!)
    const known = before.length === 0 ? undefined : atEnd[before[0]!]
    let start = before.every((from) => atEnd[from] === known) ? known : undefined
    if (graph.header[block]) start = isLoop(block) ? (start ?? 0) : undefined
    if (isLabel(block)) atStart[block] = start
    if (start === undefined && gains[block]! >= WORTH_A_LOOK) {
      looks[block] = 1
      start = 0
    }
    if (start === undefined) continue
    atEnd[block] = follow(block, start, (from, to, item) => {
      if (from < -FARTHEST || to > FARTHEST) return
      served[block]![item] = isTwice(blocks[block]!.items[item]!.insn) ? 0 : 1
      low = Math.min(low, from)
      high = Math.max(high, to)
    })
  }
  const isFlat = mode.stackBits === 32 && ((flat >> Seg.ss) & 1) === 1
  const isSure = maySure && isFlat && high - low <= WIDEST
  if (!isSure) for (const items of served) items.fill(0)
  return { atStart, looks, span: { low, high }, isSure, served }
}

/**
 * Accesses that a look at the beginning of each block would serve, on average over both ways of a branch. Those behind a loop look
 * for themselves: a look in it would be made each time around.
 */
function gainsOf(
  blocks: readonly Block[],
  graph: Graph,
  own: Int32Array,
  goesOn: Uint8Array,
  isLabel: (block: number) => boolean,
  loops: Loops,
): Float64Array {
  const all = [...loops.values()]
  const leavesLoop = (from: number, to: number): boolean => all.some((inside) => inside.has(from) && !inside.has(to))
  const gains = new Float64Array(blocks.length)
  for (const block of graph.order.toReversed()) {
    gains[block] = own[block]!
    if (!goesOn[block]) continue
    const edges = edgesOf(blocks[block]!)
    for (const { to } of edges) if (!isLabel(to) && !leavesLoop(block, to)) gains[block]! += gains[to]! / edges.length
  }
  return gains
}
