export type { ByteWriter } from './bytes.ts'
export type { CodeBuffer } from './code.ts'
export { WasmAsmError, type WasmAsmErrorCode } from './error.ts'
export type { BlockType, FunctionBuilder, Label } from './function.ts'
export {
  type GlobalType,
  type InitialValue,
  type MemoryType,
  ModuleBuilder,
  type ModuleOptions,
  type TableType,
} from './module.ts'
export { Load, Op, Store } from './opcodes.ts'
export { Lane, LoadLane, Simd, StoreLane } from './simd.ts'
export type { Owner, ValueType } from './value.ts'
