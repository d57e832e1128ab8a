export { createInsn, DecodeError, type DecodeOptions, decode } from './decode.ts'
export {
  allFeatures,
  createDecoder,
  type Decoder,
  type DecoderOptions,
  Failure,
  failureName,
  maxLength,
} from './decoder.ts'
export { type DisassembleOptions, disassemble } from './disassemble.ts'
export { type DecodeFailure, type DecodeMode, type Insn, Kind, type Operand, Seg } from './insn.ts'
export { gprName, registerName, segmentNames } from './registers.ts'
export type { Feature, Privilege, Row, Width } from './row.ts'
export { table } from './table/index.ts'
