/** Rows and columns by name. */
import { VmexitError } from '@vmexit/core'

/**
 * Those of `all` whose names are given, in the given order. `what` is the word for one in errors.
 * @throws VmexitError `compare-unknown` that names all that are unknown, and all that there are.
 */
export function chosen<T extends { readonly name: string }>(
  what: string,
  all: readonly T[],
  names: readonly string[],
): readonly T[] {
  const unknown = names.filter((name) => !all.some((each) => each.name === name))
  if (unknown.length > 0 || names.length === 0) {
    const listed = unknown.map((name) => `'${name}'`).join(' or ')
    throw new VmexitError('compare-unknown', {
      problem: listed === '' ? `no ${what} is named` : `there is no ${what} ${listed}`,
      remedy: `take some of ${all.map(({ name }) => name).join(', ')}`,
    })
  }
  return [...new Set(names)].map((name) => all.find((each) => each.name === name)!)
}
