/** Routines that have a short way to their results. */
import type { Ops, Routine, Shortcut, ShortWay, ValueType } from './ops.ts'

/** `routine` with a short way. */
export function shortened(routine: Routine, shortcut: Shortcut): Routine {
  const { results, body } = routine
  return {
    ...routine,
    shortcut,
    body: (o, ...params) => shortOr(o, results, shortcut(o, ...params), () => body(o, ...params)),
  }
}

/** The results (i32 and i64) by the short way where that serves, else the others. */
export function shortOr<V>(
  o: Ops<V>,
  types: readonly ValueType[],
  { serves, results }: ShortWay<V>,
  otherwise: () => readonly V[],
): readonly V[] {
  const variables = types.map((type) => o.variable(type === 'i64' ? o.i64(0n) : o.i32(0)))
  const set = (values: readonly V[]): void => {
    for (const [n, variable] of variables.entries()) o.set(variable, values[n]!)
  }
  o.if(
    serves,
    () => set(results()),
    () => set(otherwise()),
    true,
  )
  return variables.map((variable) => o.get(variable))
}
