/** A CPU as a part of a machine. */
import { type Capabilities, definePart, type Need, need, type PartOf } from '@vmexit/core'
import '@vmexit/memory'
import { Cpu, type CpuOptions } from './cpu.ts'
import type { PortSpace } from './system/core.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** The x86 CPU itself: its state, paging unit and counts. */
    x86: Cpu
    /** The CPU option by which sensitive instructions trap below CPL 0. */
    'sensitive-traps': true
  }
}

/** What `machine.of(part)` gives. */
export interface X86 {
  readonly cpu: Cpu
  readonly x86: Cpu
  save(): ReturnType<Cpu['save']>
  restore(state: Parameters<Cpu['restore']>[0]): void
  reset(): void
}
/** {@link X86} of a CPU whose sensitive instructions trap. */
export interface TrappingX86 extends X86 {
  readonly 'sensitive-traps': true
}

/** Options of the part: the machine gives memory, ports and interrupts. */
export type X86Options = Omit<CpuOptions, 'memory' | 'ports' | 'interrupts' | 'time' | 'sensitiveTraps'>

/** What the CPU needs of a machine. */
export type X86Needs = Need<'guestMemory', 'use memory: ram(size) of @vmexit/memory'> | 'ports' | 'clock' | 'counters'
/** The part that {@link x86} makes. */
export type PlainX86Part = PartOf<'x86', X86Needs, never, Pick<Capabilities, 'cpu' | 'x86'>, never, X86>
/** The same with the option `sensitiveTraps`. */
export type TrappingX86Part = PartOf<
  'x86',
  X86Needs,
  never,
  Pick<Capabilities, 'cpu' | 'x86' | 'sensitive-traps'>,
  never,
  TrappingX86
>

/** How a machine asks for the option; the remedy that parts which need it name. */
export const needSensitiveTraps: Need<'sensitive-traps', 'use cpu: x86({ sensitiveTraps: true })'> = need(
  'sensitive-traps',
  'use cpu: x86({ sensitiveTraps: true })',
)

/**
 * An x86 CPU for the slot `cpu`. With `sensitiveTraps: true` the sensitive instructions that do not fault on a real
 * processor raise #GP below CPL 0, so that a supervisor can trap and emulate them.
 */
export function x86(options: X86Options & { readonly sensitiveTraps: true }): TrappingX86Part
export function x86(options?: X86Options & { readonly sensitiveTraps?: false }): PlainX86Part
export function x86(options: X86Options & { readonly sensitiveTraps?: boolean } = {}): PlainX86Part | TrappingX86Part {
  const { sensitiveTraps, ...rest } = options
  const parts = (services: Pick<Capabilities, 'guestMemory' | 'ports' | 'clock' | 'counters'>, traps: boolean): X86 => {
    const { ports, clock } = services
    const space: PortSpace = {
      read: (port, width) => ports.read(port, (width >> 3) as 1 | 2 | 4),
      write: (port, width, value) => ports.write(port, (width >> 3) as 1 | 2 | 4, value >>> 0),
    }
    const cpu = new Cpu({
      ...rest,
      memory: services.guestMemory,
      ports: space,
      time: () => clock.now,
      ...(traps ? { sensitiveTraps: { virtualIopl: 0 } } : {}),
    })
    declareCounters(services.counters, cpu)
    return {
      cpu,
      x86: cpu,
      save: () => cpu.save(),
      restore: (state) => cpu.restore(state),
      reset: () => cpu.reset(),
    }
  }
  const needs = [need('guestMemory', 'use memory: ram(size) of @vmexit/memory'), 'ports', 'clock', 'counters'] as const
  if (!sensitiveTraps)
    return definePart({ name: 'x86', needs, gives: ['cpu', 'x86'], build: (services) => parts(services, false) })
  return definePart({
    name: 'x86',
    needs,
    gives: ['cpu', 'x86', 'sensitive-traps'],
    build: (services) => ({ ...parts(services, true), 'sensitive-traps': true as const }),
  })
}

/** The CPU's own counts, by the names under which a machine lists them. */
function declareCounters(counters: Capabilities['counters'], cpu: Cpu): void {
  const { counts } = cpu.paging.mmu
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)
  counters.derive('exceptions', 'Exceptions delivered', () => sum(cpu.counts.exceptions))
  counters.derive('page-faults', 'Page faults delivered', () => cpu.counts.exceptions[14]!)
  counters.derive('interrupts', 'External interrupts and NMIs delivered', () => cpu.counts.interrupts)
  counters.derive('tlb-misses-data', 'Data-side TLB misses', () => counts.dataMisses)
  counters.derive('tlb-misses-code', 'Instruction-side TLB misses', () => counts.instructionMisses)
  counters.derive('walk-references', "Entries read from the guest's page tables", () => counts.tableReferences)
}
