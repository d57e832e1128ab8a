/** Ways to run a routine with given arguments, for tests. */
import { Evaluator, type Value } from '../../src/ops/evaluate.ts'
import type { Routine } from '../../src/ops/ops.ts'
import { RoutineLibrary } from '../../src/ops/routines.ts'

/** Arguments and results: i32 as a number, i64 as a bigint (results signed). */
export type Run = (routine: Routine, args: readonly Value[]) => readonly Value[]

export interface RoutineEngine {
  readonly name: string
  readonly run: Run
}

const memory = new Uint8Array(16)
const evaluator = new Evaluator({ view: new DataView(memory.buffer), u8: memory }, 0)

export const evaluating: RoutineEngine = {
  name: 'evaluated',
  run: (routine, args) => evaluator.call(routine, ...args),
}

const library = new RoutineLibrary()

export const generating: RoutineEngine = {
  name: 'as WebAssembly',
  run(routine, args) {
    if (!library.functions[routine.name]) library.require([routine])
    const result = (library.functions[routine.name] as (...args: readonly Value[]) => Value | readonly Value[])(...args)
    return routine.results.length === 1 ? [result as Value] : (result as readonly Value[])
  },
}
