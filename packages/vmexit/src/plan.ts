/** What a PC is composed of by its technique, or why it cannot be. */
import { VmexitError } from '@vmexit/core'
import { parseSize } from '@vmexit/memory'
import type { PcHardware, PcOptions } from './options.ts'
import {
  type MmuRow,
  mmuNames,
  mmuRow,
  type NestedPages,
  nestedPagesNames,
  type TechniqueName,
  type TechniqueRow,
  techniqueNames,
  techniqueRow,
  vmTechniqueNames,
} from './techniques.ts'

/** A PC that is a VM: the rows of the tables. */
export interface VmPlan {
  readonly technique: TechniqueName
  readonly row: TechniqueRow
  readonly mmu: { readonly name: string; readonly row: MmuRow; readonly pages: NestedPages | undefined } | undefined
  /** Bytes of the machine that the VM takes. */
  readonly machineBytes: number
}

/** Bytes of the machine for a VM beside memory and tables: VMX regions, ROMs. */
const regions = 2 << 20

/** The plan of a VM; undefined for a bare machine. Throws a {@link VmexitError} `pc-technique` for what cannot be. */
export function planOf(options: PcOptions): VmPlan | undefined {
  const { technique = 'native', mmu, nestedPages: pages } = options
  if (technique === 'native') {
    if (mmu === undefined && pages === undefined) return undefined
    if (mmu === undefined) throw refusePages(technique)
    throw refuse(
      `there is no VMM that could follow page tables by ${mmu}: with technique native the guest owns the machine`,
      `leave mmu out, or take a technique that has one: ${techniquesWithMmu()}`,
    )
  }
  const row = techniqueRow(technique)
  if (row === undefined) {
    throw refuse(`there is no technique '${technique}'`, `take one of ${techniqueNames.join(', ')}`)
  }
  if (mmu !== undefined && row.mmu === undefined) {
    throw refuse(
      `${technique} follows the guest's page tables by itself, not by ${mmu}`,
      `leave mmu out, or take a technique that has one: ${techniquesWithMmu()}`,
    )
  }
  if (options.vmx) {
    throw refuse(`the guest of a VM under ${technique} has no VT-x`, 'leave vmx out, or take technique native')
  }
  if (row.inMachine && (options.display ?? 'none') !== 'none') {
    throw refuse(`a VM under ${technique} has no display yet`, "leave display out, or give 'none'")
  }
  const name = mmu ?? row.mmu
  const strategy = name === undefined ? undefined : mmuRow(name)
  if (name !== undefined && strategy === undefined) {
    throw refuse(`there is no MMU strategy '${name}'`, `take one of ${mmuNames.join(', ')}`)
  }
  if (pages !== undefined && !strategy?.takesPages) throw refusePages(name ?? technique)
  if (pages !== undefined && !nestedPagesNames.includes(pages)) {
    throw refuse(`there are no nested pages of '${pages}'`, `take one of ${nestedPagesNames.join(', ')}`)
  }
  return {
    technique,
    row,
    mmu: strategy && { name: name!, row: strategy, pages },
    machineBytes: row.inMachine ? machineBytesOf(options, strategy) : 0,
  }
}

/** The hardware as the plan has it: where a VM has no display, none unless stated. */
export function hardwareOf<O extends PcHardware>(options: O, plan: VmPlan | undefined): O {
  return plan?.row.inMachine ? { ...options, display: 'none' } : options
}

function machineBytesOf({ memory = '128 MiB' }: PcHardware, mmu: MmuRow | undefined): number {
  const bytes = parseSize(memory)
  return bytes + (mmu?.tables(bytes) ?? 0) + regions
}

function techniquesWithMmu(): string {
  return vmTechniqueNames.filter((name) => techniqueRow(name)?.mmu !== undefined).join(', ')
}

function refusePages(name: string): VmexitError {
  const takers = mmuNames.filter((each) => mmuRow(each)?.takesPages)
  return refuse(`${name} has no second stage of paging`, `leave nestedPages out, or take mmu ${takers.join(' or ')}`)
}

function refuse(problem: string, remedy: string): VmexitError {
  return new VmexitError('pc-technique', { problem, remedy })
}
