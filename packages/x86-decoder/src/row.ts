/** A row of the instruction table, in the manual's notation. */

/** CPUID feature that must be present, else the opcode is undefined. */
export type Feature =
  | '386'
  | '486'
  | 'pentium'
  | 'fpu'
  | 'tsc'
  | 'msr'
  | 'cx8'
  | 'sep'
  | 'cmov'
  | 'mmx'
  | 'fxsr'
  | 'sse'
  | 'sse2'
  | 'clfsh'
  | 'vmx'
  | 'lm'
  | 'pause'
  | 'nopl'
  | 'ud'

/**
 * Privilege and sensitivity (Popek and Goldberg; Robin and Irvine).
 * `cpl0`: #GP unless CPL is 0. `iopl`: #GP unless CPL ≤ IOPL. `io`: IOPL or the TSS permission map.
 * `sensitive`: reads or changes privileged state without faulting (SGDT, SMSW, POPF …).
 */
export type Privilege = 'user' | 'cpl0' | 'iopl' | 'io' | 'sensitive'

/**
 * Operand size in 64-bit mode, in the words of SDM volume 2, appendix A.2.5.
 * `v`: 32 bits, 16 with 66, 64 with REX.W. `d64`: 64 bits, 16 with 66; 32 cannot be encoded. `f64`: 64 bits, 66 is ignored.
 */
export type Width = 'v' | 'd64' | 'f64'

/** A row of the instruction table. */
export interface Row {
  /** Opcode in the manual's notation: `0F B6 /r`, `80 /0 ib`, `NP 0F 58 /r`, `F3 0F 10 /r`, `B8+rd id`. */
  readonly opcode: string
  /** Mnemonic in upper case, as the manual prints it. */
  readonly mnemonic: string
  /** Operation name: key of the semantics. Several mnemonics may share one (`JE`, `JNE` → `jcc`). */
  readonly op: string
  /** Operands in the manual's notation with `v` for operand-size-dependent: `r/m8, r8`, `r/mv, rv`, `xmm1, xmm2/m128`. */
  readonly operands: string
  readonly privilege: Privilege
  readonly feature: Feature
  /** LOCK may stand before it (with a memory destination). */
  readonly lockable: boolean
  /** Modes in which the encoding exists. */
  readonly modes: 'all' | 'legacy' | 'long'
  /** How the operand size is found in 64-bit mode. */
  readonly width: Width
}
