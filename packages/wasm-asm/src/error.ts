/** What went wrong while a module was built; the message names the function or module, the cause and the remedy. */
export type WasmAsmErrorCode =
  /** `end` with no open block left: the function's own end is written by `toBytes`. */
  | 'unbalanced-end'
  /** `else_` whose innermost open block is not an `if` without an `else`. */
  | 'misplaced-else'
  /** A function (or prologue) was finished with blocks still open. */
  | 'unclosed-block'
  /** A branch to a label whose block is not open here. */
  | 'label-out-of-scope'
  /** `hint` was called and no `if_` or `brIf` followed. */
  | 'dangling-hint'
  /** A prologue was begun inside a prologue. */
  | 'nested-prologue'
  /** A local index that was never declared, or a temporary used after `free`. */
  | 'unknown-local'
  /** `free` of a local that is not a temporary, or is free already. */
  | 'not-a-temporary'
  /** A constant, index, offset, lane or alignment outside its range. */
  | 'immediate-out-of-range'
  /** An import declared after the module's own first definition of that kind: it would move every later index. */
  | 'late-import'
  /** Two exports of one name. */
  | 'duplicate-export'
  /** A second memory: loads and stores address memory 0. */
  | 'second-memory'
  /** A shared memory without a maximum size. */
  | 'shared-without-maximum'

/** Thrown by `ModuleBuilder` and `FunctionBuilder`; programs match on `code`. */
export class WasmAsmError extends Error {
  readonly code: WasmAsmErrorCode

  /** `owner`: the function or module, as the message names it. */
  constructor(code: WasmAsmErrorCode, owner: string, cause: string) {
    super(`${owner}: ${cause}`)
    this.name = 'WasmAsmError'
    this.code = code
  }
}
