/**
 * How a guest shares a machine: one row for each technique, one for each MMU strategy. A row says which parts make the VM, and what of the
 * machine below they want. Which strategy goes with which technique is not said here: the parts' own needs and conflicts say it.
 */
import type { Part, Vm, VmProblems } from '@vmexit/core'
import { ram } from '@vmexit/memory'
import { nestedPaging } from '@vmexit/nested-paging'
import { shadowPaging } from '@vmexit/shadow-paging'
import { softwareEmulation } from '@vmexit/software-emulation'
import { vmMemory } from '@vmexit/vmm'
import { vtx } from '@vmexit/vtx'
import { type CpuModel, type EngineChoice, type PlainX86Part, type VmxX86Part, x86 } from '@vmexit/x86'
import { type PcCpu, plainCpu } from './pc-cpu.ts'
import { vtxCpu } from './vtx-cpu.ts'

/**
 * By name, what makes a VM.
 *
 * @internal
 */
export const TECHNIQUES = {
  vtx: {
    /** The CPU of the machine. */
    hardware: (engine: EngineChoice): VmxX86Part => x86({ vmx: true, engine }),
    memory: (size: number | string): ReturnType<typeof vmMemory> => vmMemory(size),
    execution: (model: CpuModel, _engine: EngineChoice): ReturnType<typeof vtx> => vtx({ model }),
    /** The guest's memory lies in the machine's, where a display finds no window to it yet. */
    inMachine: true,
    /** The MMU strategy unless another is asked for. */
    mmu: 'nested-paging',
    /** Where its guest's registers are, and what executes it. */
    cpu: (vm: Vm): PcCpu => vtxCpu(vm),
  },
  'software-emulation': {
    hardware: (engine: EngineChoice): PlainX86Part => x86({ engine }),
    memory: (size: number | string): ReturnType<typeof ram> => ram(size),
    execution: (model: CpuModel, engine: EngineChoice): ReturnType<typeof softwareEmulation> =>
      softwareEmulation({ model, ...(engine === 'reference' && { engine }) }),
    inMachine: false,
    mmu: undefined,
    cpu: (vm: Vm): PcCpu => plainCpu(vm),
  },
}

/**
 * By name, what follows a VM's page tables.
 *
 * @internal
 */
export const MMUS = {
  'nested-paging': {
    part: (pages?: NestedPages): ReturnType<typeof nestedPaging> => nestedPaging(pages && { pages }),
    /** Bytes of tables for so many of memory: 8 for each page, what is begun, and what a large page may lie askew. */
    tables: (bytes: number): number => bytes / 512 + 0x1_0000 + 0x20_0000,
    takesPages: true,
  },
  'shadow-paging': {
    part: (): ReturnType<typeof shadowPaging> => shadowPaging(),
    /** 4096 tables at the most, then it begins anew. */
    tables: (_bytes: number): number => 0x110_0000,
    takesPages: false,
  },
}

/** How a guest shares the machine's CPU. With `native` it does not: it owns the machine. */
export type TechniqueName = 'native' | VmTechniqueName
/** A technique by which a PC is a VM on a machine. */
export type VmTechniqueName = keyof typeof TECHNIQUES
/** How a VM's page tables are followed. */
export type MmuName = keyof typeof MMUS

/** Pages of the second stage, where there is one. */
export type NestedPages = '4 KiB' | '2 MiB'

/** What a machine for a technique gives. */
type Hardware = 'cpu' | 'x86' | 'vmx' | 'memory' | 'guestMemory'
type RowOf<T extends VmTechniqueName> = (typeof TECHNIQUES)[T]
/** @internal */
export type PairProblems<T extends VmTechniqueName, M extends MmuName> = VmProblems<
  {
    memory: ReturnType<RowOf<T>['memory']>
    execution: ReturnType<RowOf<T>['execution']>
    mmu: ReturnType<(typeof MMUS)[M]['part']>
  },
  Hardware
>
/** The MMU strategies that go with a technique: those whose parts do. */
export type MmuFor<T extends VmTechniqueName> = {
  [M in MmuName]: [PairProblems<T, M>] extends [never] ? M : never
}[MmuName]

/** A VM on a machine: the technique, and an MMU strategy where the technique takes one. */
export type VmTechnique = {
  [T in VmTechniqueName]: {
    readonly technique: T
    readonly mmu?: MmuFor<T> | undefined
    /** With nested paging, what its tables map memory by: 4 KiB unless stated. */
    readonly nestedPages?: ('nested-paging' extends MmuFor<T> ? NestedPages : never) | undefined
  }
}[VmTechniqueName]
/** `native` unless stated: the guest owns the machine, so there is nothing else to say. */
export type PcTechnique =
  | { readonly technique?: 'native' | undefined; readonly mmu?: undefined; readonly nestedPages?: undefined }
  | VmTechnique

/** A row of the table of techniques. */
export interface TechniqueRow {
  readonly hardware: (engine: EngineChoice) => Part
  readonly memory: (size: number | string) => Part
  readonly execution: (model: CpuModel, engine: EngineChoice) => Part
  readonly inMachine: boolean
  readonly mmu: string | undefined
  readonly cpu: (vm: Vm) => PcCpu
}
/** A row of the table of MMU strategies. */
export interface MmuRow {
  readonly part: (pages?: NestedPages) => Part
  readonly tables: (bytes: number) => number
  /** Whether one may choose its pages. */
  readonly takesPages: boolean
}

/** The row of a technique by which a PC is a VM, if there is one of that name. */
export const techniqueRow = (name: string): TechniqueRow | undefined => rowOf(TECHNIQUES, name)
/** The row of an MMU strategy, if there is one of that name. */
export const mmuRow = (name: string): MmuRow | undefined => rowOf(MMUS, name)
function rowOf<R>(table: Readonly<Record<string, R>>, name: string): R | undefined {
  return Object.hasOwn(table, name) ? table[name] : undefined
}

/** Names of the techniques by which a PC is a VM. */
export const vmTechniqueNames: readonly VmTechniqueName[] = Object.keys(TECHNIQUES) as VmTechniqueName[]
/** Names of all techniques. */
export const techniqueNames: readonly TechniqueName[] = ['native', ...vmTechniqueNames]
/** Names of all MMU strategies. */
export const mmuNames: readonly MmuName[] = Object.keys(MMUS) as MmuName[]
/** Pages that the second stage can have. */
export const nestedPagesNames: readonly NestedPages[] = ['4 KiB', '2 MiB']
