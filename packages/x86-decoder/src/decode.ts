/** Decoding at ease: a fresh instruction for each call, and errors that are thrown. */
import { createDecoder, type Decoder, failureName, maxLength } from './decoder.ts'
import type { DecodeFailure, DecodeMode, Insn } from './insn.ts'
import { table } from './table/index.ts'

/** An instruction to decode into. Until then it is a NOP of no length. */
export function createInsn(): Insn {
  const row = table.find((candidate) => candidate.opcode === '90')!
  return {
    row,
    op: row.op,
    length: 0,
    opSize: 32,
    addrSize: 32,
    operands: [],
    cc: 0,
    seg: 3,
    segOverride: false,
    base: -1,
    index: -1,
    scale: 0,
    disp: 0,
    dispHigh: 0,
    ripRelative: false,
    imm: 0,
    immHigh: 0,
    imm2: 0,
    rep: 0,
    lock: false,
    rex: 0,
    modrm: -1,
  }
}

/** Bytes that are no instruction. */
export class DecodeError extends Error {
  override readonly name = 'DecodeError'
  readonly code: DecodeFailure
  /** The bytes, from the first of the instruction on, 15 at most. */
  readonly bytes: Uint8Array

  constructor(code: DecodeFailure, bytes: Uint8Array, mode: DecodeMode) {
    const shown = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const causes: Record<DecodeFailure, string> = {
      truncated: 'the instruction goes on behind the last byte; pass more bytes',
      tooLong: `the instruction is longer than ${maxLength} bytes, for which a processor raises #GP`,
      undefined:
        'no instruction of the table has this encoding, for which a processor raises #UD; check bits and offset',
    }
    super(`cannot decode [${shown}] as ${mode.bits}-bit code: ${causes[code]}`)
    this.code = code
    this.bytes = bytes
  }
}

let shared: Decoder | undefined

export interface DecodeOptions extends DecodeMode {
  /** Where in `bytes` the instruction begins. Default 0. */
  readonly offset?: number
  /** A decoder with chosen features. Default: one with all. */
  readonly decoder?: Decoder
}

/** Decodes one instruction. Throws `DecodeError`, whose `code` says why. */
export function decode(bytes: Uint8Array, options: DecodeOptions): Insn {
  const { bits, offset = 0 } = options
  shared ??= createDecoder()
  const decoder = options.decoder ?? shared
  const insn = createInsn()
  const length = decoder.decode(bytes, offset, bytes.length, bits, insn)
  if (length < 0) throw new DecodeError(failureName(length), bytes.slice(offset, offset + maxLength), options)
  return insn
}
