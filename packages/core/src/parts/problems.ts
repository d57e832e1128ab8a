/** The check of a composition at run time: every problem at once, in the words of the compiler's check (`check.ts`). */
import { VmexitError } from '../errors.ts'
import type { Frame } from './frame.ts'
import type { Need, Part } from './part.ts'

/** Parts and lists of parts by slot, as an app gave them. */
export type Composed = Readonly<Record<string, Part | readonly Part[] | undefined>>

/** Thrown when parts do not make a machine or a VM. `problems` are the messages that the compiler has too. */
export class CompositionError extends VmexitError<'composition'> {
  override readonly name = 'CompositionError'
  /** Each begins with ✗, and names the part and the remedy. */
  readonly problems: readonly string[]

  constructor(what: string, problems: readonly string[]) {
    super('composition', { problem: `these parts make no ${what}`, remedy: `\n${problems.join('\n')}` })
    this.problems = problems
  }
}

/** The parts of a composition, in the order of the frame's slots. */
export function listParts(frame: Frame, composed: Composed): Part[] {
  return frame.order.flatMap((slot) => composed[slot] ?? []).filter(isPart)
}

/** Every problem of a composition. `system`: what it has without a part; `hardware`: what the machine below has. */
export function findProblems(
  frame: Frame,
  composed: Composed,
  system: ReadonlySet<string>,
  hardware: ReadonlySet<string> | undefined,
): string[] {
  const parts = listParts(frame, composed)
  const given = new Set([...system, ...parts.flatMap((part) => part.gives)])
  return [
    ...slotProblems(frame, composed),
    ...parts.flatMap((part, index) => {
      const before = parts.slice(0, index)
      if (before.includes(part)) return [`✗ ${part.name} is there twice: make another one for the second place`]
      return [
        ...part.needs.filter(({ capability }) => !given.has(capability)).map((need) => missing(part, need)),
        ...hardwareProblems(part, hardware),
        ...givenTwice(frame, part, before, system),
        ...conflicts(part, parts),
      ]
    }),
  ]
}

function slotProblems(frame: Frame, composed: Composed): string[] {
  const missing = frame.required.filter((slot) => composed[slot] === undefined)
  return [
    ...missing.map((slot) => `✗ a ${frame.what} needs a part in its slot '${slot}'`),
    ...Object.entries(composed).flatMap(([slot, filled]) => slotProblem(frame, slot, filled)),
  ]
}

function slotProblem(frame: Frame, slot: string, filled: Composed[string]): string[] {
  if (!frame.order.includes(slot)) return [`✗ a ${frame.what} has no slot '${slot}': its slots are ${frame.slots}`]
  const takes = frame.takes[slot]
  return [filled ?? []].flat().flatMap((part: Part) => {
    if (!isPart(part)) return [`✗ what is in ${slot} is no part: use a function that makes one, or definePart`]
    if (takes === undefined || part.gives.some((key) => key === takes)) return []
    return [`✗ ${part.name} does not give '${takes}': the slot ${slot} takes a part that does`]
  })
}

function missing({ name }: Part, { capability, remedy }: Need): string {
  return `✗ ${name} needs '${capability}': ${remedy}`
}

function hardwareProblems({ name, hardware: needs }: Part, hardware: ReadonlySet<string> | undefined): string[] {
  if (needs.length === 0) return []
  if (hardware === undefined) return [`✗ ${name} stands on a machine: use it in createVm(machine, …)`]
  const missing = needs.filter(({ capability }) => !hardware.has(capability))
  return missing.map(({ capability, remedy }) => `✗ ${name} needs '${capability}' of the machine: ${remedy}`)
}

function givenTwice(frame: Frame, part: Part, before: readonly Part[], system: ReadonlySet<string>): string[] {
  return part.gives.flatMap((key) => {
    if (system.has(key)) return [`✗ ${part.name} gives '${key}', which every ${frame.what} has: leave it out`]
    const rivals = before.filter((other) => other.gives.includes(key))
    return rivals.map(({ name }) => `✗ ${part.name} gives '${key}', which ${name} gives too: keep one of them`)
  })
}

function conflicts({ name, conflicts }: Part, parts: readonly Part[]): string[] {
  return conflicts.flatMap(({ capability, remedy }) => {
    const rivals = parts.filter((other) => other.gives.includes(capability))
    return rivals.map((rival) => `✗ ${name} conflicts with '${capability}' of ${rival.name}: ${remedy}`)
  })
}

function isPart(value: unknown): value is Part {
  return typeof value === 'object' && value !== null && 'build' in value && 'gives' in value && 'needs' in value
}
