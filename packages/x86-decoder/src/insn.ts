/**
 * A decoded instruction: what the bytes say, before any meaning is given to them.
 * Intel SDM volume 2, chapters 2 (format) and 3–5 (reference).
 */
import type { Row } from './row.ts'

/** What an operand is. `reg*` kinds index the register file that their name says. */
export const Kind = {
  /** No operand. */
  none: 0,
  /** General-purpose register; `high` marks AH, CH, DH, BH (then `reg` is 0–3). */
  gpr: 1,
  /** The one memory operand, described by the address fields of the instruction. */
  mem: 2,
  /** Immediate: `imm` (and `immHigh` when `size` is 64 and it is not sign-extended). */
  imm: 3,
  /** Branch displacement, relative to the next instruction: `imm`. */
  rel: 4,
  /** Far pointer `sel:offset`: offset in `imm`, selector in `imm2`. */
  far: 5,
  /** Segment register: ES CS SS DS FS GS. */
  seg: 6,
  /** Control register. */
  cr: 7,
  /** Debug register. */
  dr: 8,
  /** x87 stack register ST(reg). */
  st: 9,
  /** MMX register. */
  mm: 10,
  /** XMM register. */
  xmm: 11,
  /** The constant in `reg` (the 1 of `D1 /4`, the 3 of `INT3`). */
  one: 12,
  /** Second immediate: `imm2` (ENTER's level). */
  imm2: 13,
} as const
export type Kind = (typeof Kind)[keyof typeof Kind]

/** One operand of an instruction. */
export interface Operand {
  readonly kind: Kind
  /** Register number 0–15 in its file, 0 where `kind` names none. Memory of a string instruction: its pointer, SI 6 or DI 7. */
  readonly reg: number
  /** Size in bits: 8, 16, 32, 48, 64, 80, 128; 0 for memory of no size (LEA, INVLPG, FXSAVE). */
  readonly size: number
  /** AH, CH, DH, BH. */
  readonly high: boolean
}

/** Segment register numbers, in the encoding's order. */
export const Seg = { es: 0, cs: 1, ss: 2, ds: 3, fs: 4, gs: 5 } as const
export type Seg = (typeof Seg)[keyof typeof Seg]

/** The processor mode that decides how bytes read. */
export interface DecodeMode {
  /** Default operand and address size: CS.D clear 16, set 32; 64 for a 64-bit code segment. */
  readonly bits: 16 | 32 | 64
}

/** A decoded instruction. */
export interface Insn {
  /** The table's row: mnemonic, operation, operands, privilege, flags. */
  row: Row
  /** Name of the operation, the key of its semantics: `add`, `movzx`, `cmpxchg8b`, `fadd`, `paddb` … */
  op: string
  /** Length in bytes, 1–15. */
  length: number
  /** Effective operand size in bits: 16, 32 or 64. */
  opSize: 16 | 32 | 64
  /** Effective address size in bits. */
  addrSize: 16 | 32 | 64
  /** Operands in the manual's order; destination first. */
  operands: readonly Operand[]
  /** Condition code 0–15 of Jcc, SETcc, CMOVcc; 0 elsewhere. */
  cc: number
  /** Effective segment of the memory operand (default or override). */
  seg: Seg
  /** Whether an override prefix chose a segment other than the default. */
  segOverride: boolean
  /**
   * Base register, −1 for none. In 16-bit addressing BX, BP, SI or DI.
   * String instructions: SI where one operand lies there, else DI; the operand at DI is always in ES.
   */
  base: number
  /** Index register, −1 for none. */
  index: number
  /** log2 of the scale. */
  scale: 0 | 1 | 2 | 3
  /** Displacement, sign-extended to 32 bits (a 16-bit form is sign-extended too). */
  disp: number
  /** Upper half of a 64-bit displacement (MOV moffs64), else the sign of `disp`. */
  dispHigh: number
  /** Displacement is relative to the next instruction (64-bit mode). */
  ripRelative: boolean
  /** Immediate, sign-extended to 32 bits where the operation extends it, else zero-extended as int32. */
  imm: number
  /** Upper half of a 64-bit immediate, else the sign of `imm`. */
  immHigh: number
  /** Second immediate (ENTER), or the selector of a far pointer. */
  imm2: number
  /**
   * REP prefix of a string instruction: 0 none, 0xF3 (REP, REPE), 0xF2 (REPNE). Only the last one counts.
   * 0 on all other instructions, which ignore it or have it as a part of the opcode.
   */
  rep: 0 | 0xf3 | 0xf2
  lock: boolean
  /** REX byte or 0. */
  rex: number
  /** The ModRM byte, −1 where there is none. */
  modrm: number
}

/** Why bytes do not decode. `truncated`: more bytes are needed; `tooLong`: over 15 bytes (#GP); `undefined`: #UD. */
export type DecodeFailure = 'truncated' | 'tooLong' | 'undefined'
