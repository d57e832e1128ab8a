/** What of two CPUs that should be equal is not. */
import { type Cpu, Layout } from '../../src/index.ts'
import { readRegisters } from '../../src/state/registers.ts'
import { type Machine, RAM_BYTES } from './machine.ts'

/** Words of the state that are architectural whatever the engine: the lazy status flags and what engines note are not. */
const SPANS = [
  [Layout.gpr, Layout.FR],
  [Layout.fpuBlocked, Layout.vector],
  [Layout.alignmentCheck, Layout.alignmentCheck + 4],
  [Layout.segments, Layout.xmm + 16 * 16],
] as const

function equalWords(a: Cpu, b: Cpu): boolean {
  const [x, y] = [a.state.host.i32, b.state.host.i32]
  const [from, to] = [a.state.base >> 2, b.state.base >> 2]
  for (const [start, end] of SPANS)
    for (let i = start >> 2; i < end >> 2; i++) if (x[from + i] !== y[to + i]) return false
  return a.state.eflags === b.state.eflags
}

function unequalFields(name: string, a: object, b: object): string[] {
  const [x, y] = [a as Record<string, unknown>, b as Record<string, unknown>]
  const differing = Object.keys(x).filter(
    (key) => typeof x[key] !== 'function' && typeof x[key] !== 'object' && x[key] !== y[key],
  )
  return differing.map((key) => `${name}${key}: ${String(x[key])}, ${String(y[key])}`)
}

/** Registers, events and counts. */
export function differences(a: Cpu, b: Cpu): string[] {
  const found: string[] = []
  if (!equalWords(a, b)) found.push(...unequalFields('', readRegisters(a.state), readRegisters(b.state)))
  found.push(...unequalFields('events.', a.events, b.events), ...unequalFields('counts.', a.counts, b.counts))
  found.push(...unequalFields('mmu.', a.paging.mmu.counts, b.paging.mmu.counts))
  for (let n = 0; n < 32; n++) {
    const [x, y] = [a.counts.exceptions[n], b.counts.exceptions[n]]
    if (x !== y) found.push(`exceptions of vector ${n}: ${x}, ${y}`)
  }
  if (a.retired !== b.retired) found.push(`retired: ${a.retired}, ${b.retired}`)
  return found
}

const first = new Uint8Array(RAM_BYTES)
const second = new Uint8Array(RAM_BYTES)

/** The same, and all of memory, the modelled TLB and whatever else is saved. */
export function allDifferences(a: Machine, b: Machine): string[] {
  const found = differences(a.cpu, b.cpu)
  a.memory.readBytes(0, first)
  b.memory.readBytes(0, second)
  const at = first.findIndex((byte, i) => byte !== second[i])
  if (at >= 0) found.push(`memory at ${at.toString(16)}: ${first[at]!.toString(16)}, ${second[at]!.toString(16)}`)
  const [x, y] = [a.cpu.save(), b.cpu.save()]
  for (const part of ['mmu', 'events', 'msrs'] as const) {
    const [left, right] = [JSON.stringify(x[part]), JSON.stringify(y[part])]
    if (left !== right) found.push(`saved ${part}: ${left}, ${right}`)
  }
  return found
}
