/** What an engine behind the interpreter is made of: the export `./engine`, for `@vmexit/jit` and whoever writes another. */

export { DataAccess, type Through } from './generated/data.ts'
export { HeldFlags, peekFlags, settleFlags } from './generated/held-flags.ts'
export { CodeProcessor, type Made } from './generated/processor.ts'
export { emitFrequent, frequentHandler } from './interpreter/frequent.ts'
export type { FrequentCode } from './interpreter/frequent-code.ts'
export {
  CODE_TLB_ENTRIES,
  Handler,
  JUMP_ENTRIES,
  Record32,
  Tables,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_SHIFT,
  TLB_VERSION,
  TlbKey,
} from './interpreter/layout.ts'
export type { Mode } from './interpreter/mode.ts'
export { Records } from './interpreter/records.ts'
export { findStack } from './interpreter/stack-page.ts'
export type { Tier, TierFactory, TierImports, TierParts, TierStats } from './interpreter/tier.ts'
export { Acted, Exit, NESTING, Outcome, RESUME, TRANSLATION } from './interpreter/translation.ts'
export { Emitter, type RoutineLinker } from './ops/emit.ts'
export { i32Node, localNode, type Node, NodeKind } from './ops/node.ts'
export type { Routine } from './ops/ops.ts'
export { ROUTINES, RoutineLibrary } from './ops/routines.ts'
export { shortOr } from './ops/shortcut.ts'
export { isAction } from './reference/engine.ts'
export { semantics } from './semantics/index.ts'
export type { FlagSlot } from './semantics/lazy-flags.ts'
export type { Processor } from './semantics/processor.ts'
export { Leave } from './state/layout.ts'
