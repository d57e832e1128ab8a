/** Composition at run time: parts are checked, put in order and built. It ends at wiring; nothing runs here. */

import { VmexitError } from '../errors.ts'
import type { Frame } from './frame.ts'
import type { Need, Part, PartApi } from './part.ts'
import { type Composed, CompositionError, findProblems, listParts } from './problems.ts'

/** A part as it was built for one machine or VM. */
export interface BuiltPart {
  /** Its name there: the part's own, or `serial#2` for the second one called `serial`. */
  readonly name: string
  readonly part: Part
  /** What its `build` returned. */
  readonly api: PartApi
}

/** Parts that were composed. */
export interface Composition {
  /** Every capability, by name. */
  readonly capabilities: ReadonlyMap<string, unknown>
  /** In the order in which they were built: each after what it needs. */
  readonly parts: readonly BuiltPart[]
}

/**
 * Checks and builds parts. `system` is what the composition has without a part giving it, `hardware` the capabilities
 * of the machine below. Throws a {@link CompositionError} with every problem; if a part fails to build, those that were
 * built are disposed and its error is thrown.
 */
export async function compose(
  frame: Frame,
  composed: Composed,
  system: ReadonlyMap<string, unknown>,
  hardware?: ReadonlyMap<string, unknown>,
): Promise<Composition> {
  const problems = findProblems(frame, composed, new Set(system.keys()), hardware && new Set(hardware.keys()))
  if (problems.length > 0) throw new CompositionError(frame.what, problems)
  const listed = listParts(frame, composed)
  const order = buildOrder(frame, listed)
  const names = nameParts(listed)

  const capabilities = new Map(system)
  const parts: BuiltPart[] = []
  try {
    for (const part of order) {
      const name = names.get(part)!
      const api = (await build(part, pick(part.needs, capabilities), pick(part.hardware, hardware), name)) as PartApi
      parts.push({ name, part, api })
      for (const key of part.gives) capabilities.set(key, given(name, api, key))
    }
  } catch (error) {
    await disposeParts(parts)
    throw error
  }
  return { capabilities, parts }
}

/** Disposes parts, the last built first, and all of them even if some fail; then throws what failed. */
export async function disposeParts(parts: readonly BuiltPart[]): Promise<void> {
  const errors: unknown[] = []
  for (const { api } of parts.toReversed()) {
    try {
      if (api[Symbol.asyncDispose] !== undefined) await api[Symbol.asyncDispose]!()
      else api[Symbol.dispose]?.()
    } catch (error) {
      errors.push(error)
    }
  }
  throwAll(errors)
}

/** As {@link disposeParts}, at once. Throws a {@link VmexitError} `dispose-async` if a part takes time for it. */
export function disposePartsNow(parts: readonly BuiltPart[]): void {
  const slow = parts.filter(({ api }) => api[Symbol.asyncDispose] !== undefined && api[Symbol.dispose] === undefined)
  if (slow.length > 0) {
    throw new VmexitError('dispose-async', {
      problem: `${slow.map(({ name }) => name).join(', ')} cannot be disposed at once`,
      remedy: 'write `await using`, or await [Symbol.asyncDispose]()',
    })
  }
  const errors: unknown[] = []
  for (const { api } of parts.toReversed()) {
    try {
      api[Symbol.dispose]?.()
    } catch (error) {
      errors.push(error)
    }
  }
  throwAll(errors)
}

function throwAll(errors: readonly unknown[]): void {
  if (errors.length === 1) throw errors[0]
  if (errors.length > 1) throw new AggregateError(errors, `${errors.length} parts failed to be disposed`)
}

/** The parts, each after those that give what it needs; otherwise as listed. */
function buildOrder(frame: Frame, parts: readonly Part[]): Part[] {
  const order = new Set<Part>()
  const path: Part[] = []
  const visit = (part: Part): void => {
    if (order.has(part)) return
    if (path.includes(part)) throw new CompositionError(frame.what, [cycle([...path.slice(path.indexOf(part)), part])])
    path.push(part)
    for (const { capability } of part.needs) {
      const giver = parts.find((other) => other.gives.includes(capability))
      if (giver !== undefined) visit(giver)
    }
    path.pop()
    order.add(part)
  }
  for (const part of parts) visit(part)
  return [...order]
}

function cycle(path: readonly Part[]): string {
  const names = path.map(({ name }) => name).join(' → ')
  return `✗ ${names} need one another: let one of them be told of the other after it is built`
}

function nameParts(parts: readonly Part[]): Map<Part, string> {
  const used = new Map<string, number>()
  return new Map(
    parts.map((part) => {
      const count = (used.get(part.name) ?? 0) + 1
      used.set(part.name, count)
      return [part, count === 1 ? part.name : `${part.name}#${count}`]
    }),
  )
}

function build(part: Part, services: object, hardware: object, name: string): unknown {
  return part.build(services as never, hardware as never, { name })
}

function pick(needs: readonly Need[], from: ReadonlyMap<string, unknown> | undefined): object {
  return Object.fromEntries(needs.map(({ capability }) => [capability, from?.get(capability)]))
}

function given(name: string, api: PartApi, key: string): unknown {
  const value = (api as unknown as Readonly<Record<string, unknown>>)[key]
  if (value !== undefined) return value
  throw new VmexitError('part-gives-nothing', {
    problem: `${name} says it gives '${key}', but what its build returned has no such property`,
    remedy: `return { ${key}: … } from build`,
  })
}
