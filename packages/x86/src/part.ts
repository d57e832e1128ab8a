/** A CPU as a part of a machine. */
import { type Bus, type Capabilities, definePart, type Need, need, type PartOf, VmexitError } from '@vmexit/core'
import '@vmexit/memory'
import { Cpu, type CpuOptions } from './cpu.ts'
import type { PortSpace } from './system/core.ts'
import { defaultModel } from './system/models.ts'
import type { VmxFeatures } from './vmx/features.ts'

declare module '@vmexit/core' {
  interface Capabilities {
    /** The x86 CPU itself: its state, paging unit and counts. */
    x86: Cpu
    /** The CPU option by which sensitive instructions trap below CPL 0. */
    'sensitive-traps': true
    /** The CPU, which has VMX. */
    vmx: Cpu
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

/** {@link X86} of a CPU with VMX. */
export interface VmxX86 extends X86 {
  readonly vmx: Cpu
}
/** The same with the option `vmx`. */
export type VmxX86Part = PartOf<'x86', X86Needs, never, Pick<Capabilities, 'cpu' | 'x86' | 'vmx'>, never, VmxX86>
/** The option `vmx`: all of it, or what it has beside the basics. */
export type VmxChoice = true | Partial<VmxFeatures>

/** How a machine asks for the option; the remedy that parts which need it name. */
export const needSensitiveTraps: Need<'sensitive-traps', 'use cpu: x86({ sensitiveTraps: true })'> = need(
  'sensitive-traps',
  'use cpu: x86({ sensitiveTraps: true })',
)

/** How a machine asks for VMX; the remedy that parts which need it name. */
export const needVmx: Need<'vmx', 'use cpu: x86({ vmx: true })'> = need('vmx', 'use cpu: x86({ vmx: true })')

/**
 * An x86 CPU for the slot `cpu`. With `sensitiveTraps: true` the sensitive instructions that do not fault on a real
 * processor raise #GP below CPL 0, so that a supervisor can trap and emulate them. With `vmx: true` it has VT-x: a guest can
 * use it, or a supervisor of VMs; `vmx: { ept: false }` and the like take parts of it away.
 */
export function x86(options: X86Options & { readonly sensitiveTraps: true; readonly vmx?: false }): TrappingX86Part
export function x86(options: X86Options & { readonly vmx: VmxChoice; readonly sensitiveTraps?: false }): VmxX86Part
export function x86(options?: X86Options & { readonly sensitiveTraps?: false; readonly vmx?: false }): PlainX86Part
export function x86(
  options: X86Options & { readonly sensitiveTraps?: boolean; readonly vmx?: VmxChoice | false } = {},
): PlainX86Part | TrappingX86Part | VmxX86Part {
  const { sensitiveTraps, vmx, ...rest } = options
  const parts = (services: Pick<Capabilities, 'guestMemory' | 'ports' | 'clock' | 'counters'>, traps: boolean): X86 => {
    const { ports, clock } = services
    const cpu = new Cpu({
      ...(vmx && { model: defaultModel({ features: { vmx: true }, ...(vmx !== true && { vmx }) }) }),
      ...rest,
      memory: services.guestMemory,
      ports: portSpaceOf(ports),
      time: () => clock.now,
      ...(traps ? { sensitiveTraps: { virtualIopl: 0 } } : {}),
    })
    declareCpuCounters(services.counters, cpu)
    return {
      cpu,
      x86: cpu,
      save: () => cpu.save(),
      restore: (state) => cpu.restore(state),
      reset: () => cpu.reset(),
    }
  }
  const needs = [need('guestMemory', 'use memory: ram(size) of @vmexit/memory'), 'ports', 'clock', 'counters'] as const
  if (sensitiveTraps)
    return definePart({
      name: 'x86',
      needs,
      gives: ['cpu', 'x86', 'sensitive-traps'],
      build: (services) => ({ ...parts(services, true), 'sensitive-traps': true as const }),
    })
  if (!vmx)
    return definePart({ name: 'x86', needs, gives: ['cpu', 'x86'], build: (services) => parts(services, false) })
  return definePart({
    name: 'x86',
    needs,
    gives: ['cpu', 'x86', 'vmx'],
    build: (services) => {
      const api = parts(services, false)
      return { ...api, vmx: withVmx(api.x86) }
    },
  })
}

/** The bus `ports` as a CPU takes it. */
export function portSpaceOf(ports: Bus): PortSpace {
  return {
    read: (port, width) => ports.read(port, (width >> 3) as 1 | 2 | 4),
    write: (port, width, value) => ports.write(port, (width >> 3) as 1 | 2 | 4, value >>> 0),
  }
}

/** @throws VmexitError `cpu-model` for a model of one's own that has no VMX. */
function withVmx(cpu: Cpu): Cpu {
  if (cpu.vmx !== undefined) return cpu
  throw new VmexitError('cpu-model', {
    problem: `CPU model ${cpu.model.name} has no VMX`,
    remedy: 'make it by createModel(name, { features: { vmx: true } }), or leave model out',
  })
}

/** Declares a CPU's own counts, by the names under which a machine lists them: for parts that give a CPU made otherwise. */
export function declareCpuCounters(counters: Capabilities['counters'], cpu: Cpu): void {
  const { counts } = cpu.paging.mmu
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0)
  counters.derive('exceptions', 'Exceptions delivered', () => sum(cpu.counts.exceptions))
  counters.derive('page-faults', 'Page faults delivered', () => cpu.counts.exceptions[14]!)
  counters.derive('interrupts', 'External interrupts and NMIs delivered', () => cpu.counts.interrupts)
  counters.derive('tlb-misses-data', 'Data-side TLB misses', () => counts.dataMisses)
  counters.derive('tlb-misses-code', 'Instruction-side TLB misses', () => counts.instructionMisses)
  counters.derive('walk-references', "Entries read from the guest's page tables", () => counts.tableReferences)
  counters.derive(
    'second-stage-references',
    'Entries read from extended page tables',
    () => counts.secondStageReferences,
  )
}
