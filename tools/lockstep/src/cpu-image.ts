/** All that one instruction can change in a CPU, as bytes that are cheap to compare. */
import { VmexitError } from '@vmexit/core'
import type { Pc } from '@vmexit/vmexit'
import { type Cpu, Layout } from '@vmexit/x86'

/**
 * Parts of the state that have one form only. Left out are the status flags, which are kept in a form that may differ
 * and are read as EFLAGS instead, and what engines note down for themselves.
 */
const plain: readonly (readonly [start: number, end: number])[] = [
  [Layout.gpr, Layout.FR],
  [Layout.segments, Layout.xmm + 256],
]
const plainBytes = plain.reduce((sum, [start, end]) => sum + end - start, 0)
const shadows = ['none', 'sti', 'ss'] as const

/** The CPU of a machine. */
export function cpuOf(pc: Pc): Cpu {
  const cpu = pc.machine.find('x86')
  if (cpu !== undefined) return cpu
  throw new VmexitError('lockstep-cpu', { problem: 'this machine has no x86 CPU', remedy: 'compose it with x86()' })
}

/** Interrupts and exceptions delivered so far. */
export function eventsOf({ counts }: Cpu): number {
  return counts.exceptions.reduce((sum, count) => sum + count, counts.interrupts)
}

/** Registers, what is pending, and counts of the CPU. */
export function cpuImage(cpu: Cpu): Buffer {
  const { state, events, counts } = cpu
  const { exceptions } = counts
  const { dataMisses, instructionMisses, tableReferences } = cpu.paging.mmu.counts
  const numbers = Float64Array.of(
    state.eflags,
    cpu.retired,
    counts.interrupts,
    ...exceptions,
    dataMisses,
    instructionMisses,
    tableReferences,
    events.halted ? 1 : 0,
    events.shutdown ? 1 : 0,
    shadows.indexOf(events.shadow),
    events.pendingDebug,
    events.nmiBlocked ? 1 : 0,
  )
  const image = Buffer.alloc(plainBytes + numbers.byteLength)
  let at = 0
  for (const [start, end] of plain) {
    image.set(state.host.u8.subarray(state.base + start, state.base + end), at)
    at += end - start
  }
  image.set(new Uint8Array(numbers.buffer), at)
  return image
}
