/** Whether parts fit: the registry of `@vmexit/core` is asked, and what it answers is shown in its own words. */
import {
  CompositionError,
  createMachine,
  createVm,
  isVmexitError,
  type MachineParts,
  type Part,
  type VmParts,
} from '@vmexit/core'
import { type Composition, machineChoices, type PartChoice, vmChoices } from './choices.ts'

/** What came of it. */
export interface Verdict {
  /** Of the machine and of the VM, each with what to do; none where all fits. */
  readonly problems: readonly string[]
  /** The composition as a program. */
  readonly program: string
  /** The technique that a whole PC of this kind has, by its name in `techniques.ts`, where it fits. */
  readonly way: string | undefined
}

type Table = Readonly<Record<string, readonly PartChoice[]>>
type Chosen = Readonly<Record<string, readonly string[]>>

const chosenOf = (table: Table, chosen: Chosen, slot: string): PartChoice[] =>
  table[slot]!.filter(({ words }) => chosen[slot]?.includes(words))

/** Parts by slot, as `createMachine` and `createVm` take them. */
function partsOf(table: Table, chosen: Chosen): object {
  const slots = Object.keys(table).flatMap((slot): [string, Part | Part[]][] => {
    const made = chosenOf(table, chosen, slot).map(({ make }) => make())
    if (slot === 'devices') return [[slot, made]]
    return made.length === 0 ? [] : [[slot, made[0]!]]
  })
  return Object.fromEntries(slots)
}

/** Composes it, and takes it apart again. */
export async function judge(composition: Composition): Promise<Verdict> {
  const problems = await problemsOf(composition)
  const way = problems.length === 0 ? wayOf(composition) : undefined
  return { problems, program: programOf(composition), way }
}

async function problemsOf({ machine: chosen, vm }: Composition): Promise<readonly string[]> {
  try {
    await using machine = await createMachine(partsOf(machineChoices, chosen) as MachineParts)
    if (vm === undefined) return []
    await using _vm = await createVm(machine, partsOf(vmChoices, vm) as VmParts)
    return []
  } catch (error) {
    if (error instanceof CompositionError) return error.problems
    if (isVmexitError(error)) return [`✗ ${error.message}`]
    throw error
  }
}

function wayOf({ vm }: Composition): string {
  if (vm === undefined) return 'native'
  if (vm.execution[0] === 'softwareEmulation()') return 'software-emulation'
  return vm.mmu[0] === 'shadowPaging()' ? 'vtx-shadow' : 'vtx-nested'
}

function programOf({ machine, vm }: Composition): string {
  const used = new Map<string, Set<string>>([['core', new Set(['createMachine'])]])
  const list = (table: Table, chosen: Chosen) =>
    Object.keys(table).flatMap((slot) => {
      const all = chosenOf(table, chosen, slot)
      for (const { words, from } of all) {
        const names = used.get(from) ?? new Set()
        used.set(from, names.add(words.replace(/\(.*/, '')))
      }
      if (all.length === 0) return []
      return [`  ${slot}: ${slot === 'devices' ? `[${all.map(({ words }) => words).join(', ')}]` : all[0]!.words},`]
    })
  const body = ['await using machine = await createMachine({', ...list(machineChoices, machine), '})']
  if (vm !== undefined) {
    used.get('core')!.add('createVm')
    body.push('await using vm = await createVm(machine, {', ...list(vmChoices, vm), '})')
  }
  const imports = [...used]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([from, names]) => `import { ${[...names].sort().join(', ')} } from '@vmexit/${from}'`)
  return [...imports, '', ...body].join('\n')
}
