/** Ways to run a routine with given arguments, for tests. */
import { Evaluator, type Value } from '../../src/ops/evaluate.ts'
import type { Routine } from '../../src/ops/ops.ts'

/** Arguments and results: i32 as a number, i64 as a bigint (results signed). */
export type Run = (routine: Routine, args: readonly Value[]) => readonly Value[]

export interface RoutineEngine {
  readonly name: string
  readonly run: Run
}

const memory = new Uint8Array(16)
const evaluator = new Evaluator({ data: new DataView(memory.buffer), u8: memory }, 0)

export const evaluating: RoutineEngine = {
  name: 'evaluated',
  run: (routine, args) => evaluator.call(routine, ...args),
}
