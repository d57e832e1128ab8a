/**
 * Windows: accesses at several distances from the same registers take one look-up, of the lowest byte and the highest, if those
 * lie in one page; its host address stays in a local for as long as the registers keep their values and nobody else is at work,
 * for only others change a TLB. Where it misses, control leaves: see `misses.ts`.
 */
import type { Insn } from '@vmexit/x86-decoder'
import { SP } from './accesses.ts'
import type { Form } from './effects.ts'
import type { Graph } from './graph.ts'
import { isHandedOver } from './loops.ts'
import type { Passage } from './passage.ts'
import type { Block, Item, Region } from './region.ts'
import { stackRun } from './stack-run.ts'

/** By block and item. */
export type Windows = readonly (readonly (Passage | undefined)[])[]

/** Bytes of a window at the most: the wider, the more often it lies in two pages. */
const WIDEST = 256
/** Everything may have changed. */
const HANDED_OVER = 0x100

/** A window that is planned. */
interface Planned {
  n: number
  readonly block: number
  readonly key: number
  /** Registers of the address, as bits. */
  readonly uses: number
  low: number
  high: number
  write: boolean
  readonly served: number[]
}

interface PlannedPassage extends Passage {
  readonly window: Planned
}

/** `narrow`: records of instructions that are to have none. */
export function windowsOf(
  { blocks, mode }: Region,
  graph: Graph,
  forms: readonly (readonly Form[])[],
  narrow: ReadonlySet<number>,
): Windows {
  const flat = mode.flatRead & mode.flatWrite
  const mayHave = ({ insn, second, record }: Item, { reaches }: Form): boolean => {
    const isPlain = reaches > 0 && !second && insn.base !== SP && insn.addrSize === 32
    return isPlain && ((flat >> insn.seg) & 1) !== 0 && !narrow.has(record)
  }
  const changes = blocks.map((block, n) => (graph.place[n]! < 0 ? 0 : changesOf(block, forms[n]!)))
  const passages: (PlannedPassage | undefined)[][] = blocks.map(() => [])
  const atEnd: Map<number, Planned>[] = []
  for (const block of graph.order) {
    const { items } = blocks[block]!
    const open = inherited(block, graph, changes, atEnd)
    atEnd[block] = open
    for (let n = 0; n < items.length; n++) {
      const form = forms[block]![n]!
      if (mayHave(items[n]!, form)) passages[block]![n] = enter(open, block, items[n]!, form)
      let changed = form.changes
      for (let left = stackRun(items, n, mode) - 1; left > 0; left--) changed |= forms[block]![++n]!.changes
      if (changed !== 0) for (const { key, uses } of [...open.values()]) if (uses & changed) open.delete(key)
    }
  }
  // One access alone takes a look-up of its own.
  let count = 0
  for (const all of passages)
    for (const [n, passage] of all.entries()) {
      if (passage?.window.served.length === 1) all[n] = undefined
      else if (passage?.opens) passage.window.n = count++
    }
  return passages
}

/** By the window that is open for its registers, if that can reach so far, or by a new one. */
function enter(
  open: Map<number, Planned>,
  block: number,
  { insn, record }: Item,
  { reaches, stores }: Form,
): PlannedPassage {
  const key = keyOf(insn)
  const [low, high] = [insn.disp, insn.disp + reaches]
  const known = open.get(key)
  if (known && extend(known, block, low, high, stores)) {
    known.served.push(record)
    return { window: known, opens: false }
  }
  const window: Planned = { n: 0, block, key, uses: usesOf(insn), low, high, write: stores, served: [record] }
  open.set(key, window)
  return { window, opens: true }
}

const usesOf = ({ base, index }: Insn): number => (base < 0 ? 0 : 1 << base) | (index < 0 ? 0 : 1 << index)
const keyOf = ({ base, index, scale }: Insn): number => (base * 9 + index) * 4 + (index < 0 ? 0 : scale)

/** Have the window reach as far, if it can; what may be written or not, a block knows only of itself. */
function extend(window: Planned, block: number, low: number, high: number, stores: boolean): boolean {
  const [lowest, highest] = [Math.min(window.low, low), Math.max(window.high, high)]
  if (highest - lowest > WIDEST || (stores && !window.write && window.block !== block)) return false
  window.low = lowest
  window.high = highest
  window.write ||= stores
  return true
}

/** General registers that a block may change, as bits. */
function changesOf(block: Block, forms: readonly Form[]): number {
  return isHandedOver(block) ? HANDED_OVER : forms.reduce((bits, form) => bits | form.changes, 0)
}

/** Windows that are open when a block begins: those of its dominator that nothing closes on any way from there. */
function inherited(
  block: number,
  { dominator, predecessors }: Graph,
  changes: readonly number[],
  atEnd: readonly Map<number, Planned>[],
): Map<number, Planned> {
  const from = dominator[block]!
  if (from === block || changes[from] === HANDED_OVER) return new Map()
  let changed = 0
  const seen = new Set([from])
  const waiting = [...predecessors[block]!]
  for (let way = waiting.pop(); way !== undefined; way = waiting.pop()) {
    if (seen.has(way)) continue
    seen.add(way)
    changed |= changes[way]!
    waiting.push(...predecessors[way]!)
  }
  if (changed >= HANDED_OVER) return new Map()
  return new Map([...atEnd[from]!].filter(([, { uses }]) => (uses & changed) === 0))
}
