/**
 * Saved state: plain data with names and a version, so that a snapshot can be read, compared, sent and migrated.
 *
 * Saving and restoring must be invisible to the guest and to every count.
 */
import { VmexitError } from './errors.ts'

/** What a state is made of: what JSON can say, and bytes. 64-bit registers are two numbers or a hex string. */
export type StateValue =
  | null
  | boolean
  | number
  | string
  | Uint8Array
  | readonly StateValue[]
  | { readonly [field: string]: StateValue }

/**
 * A part's saved state: named fields and the version of their layout, a whole number that changes when the fields do.
 * Declare yours as a `type`, not an `interface`: only a type alias has the implicit index signature this needs.
 */
export type State = { readonly version: number; readonly [field: string]: StateValue }

/** Something with state to save. */
export interface Stateful<S extends State = State> {
  /** A copy of the state: later changes to the part do not reach it. */
  save(): S
  /** Become what was saved. Throws a {@link VmexitError} `state-mismatch` if `state` is not of this part. */
  restore(state: S): void
}

/**
 * Checks that `state` has the version and the fields of `like` (usually what `save()` returns now), each of the same
 * kind or null, and returns it typed. What lies inside a record or a list is the owner's to check. Throws a
 * {@link VmexitError} `state-mismatch` that lists every difference.
 */
export function checkState<S extends State>(owner: string, state: State, like: S): S {
  const problems = problemsOf(state, like)
  if (problems.length === 0) return state as S
  throw new VmexitError('state-mismatch', {
    problem: `this is not a saved state of ${owner} (${problems.join('; ')})`,
    remedy: `restore what save() of the same version of ${owner} returned`,
  })
}

/** Whatever came in a snapshot: a list of parts that is too short has undefined where a state should be. */
function problemsOf(state: State | null | undefined, like: State): string[] {
  if (typeof state !== 'object' || state === null || Array.isArray(state)) return ['it is no record']
  return state.version === like.version ? differences(state, like) : [wrongVersion(state, like)]
}

const wrongVersion = (found: State, like: State): string => `version is ${found.version}, not ${like.version}`

function differences(found: State, like: State): string[] {
  const problems: string[] = []
  for (const field of Object.keys(like)) {
    const a = found[field]
    const b = like[field]!
    if (a === undefined) problems.push(`${field} is missing`)
    else if (a !== null && b !== null && kindOf(a) !== kindOf(b))
      problems.push(`${field} is ${kindOf(a)}, not ${kindOf(b)}`)
  }
  for (const field of Object.keys(found)) if (!(field in like)) problems.push(`${field} is unknown`)
  return problems
}

function kindOf(value: StateValue): string {
  if (value instanceof Uint8Array) return 'bytes'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'a record' : `a ${typeof value}`
}
