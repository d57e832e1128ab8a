/**
 * The shape in which the tables are written: one line of the manual's instruction pages.
 *
 * Opcode notation (SDM volume 2, section 3.1.1.1), with these shorthands for what the manual spells out size by size:
 * - `NP`, `66`, `F3`, `F2` in front: mandatory prefix. A line without one ignores these prefixes.
 * - `REX.W` in front: the form that REX.W selects.
 * - `+r`, `+cc`, `+i`: the low bits of the byte hold a register, a condition, a stack register.
 * - `/r`, `/0`–`/7`: ModRM, with a register or an opcode extension in its reg field. A second opcode byte is a whole ModRM.
 * - `ib iw` immediate of 8 and 16 bits; `iz` 16 or 32 and `iv` 16, 32 or 64 by operand size; `cb cz cp` relative and far code
 *   offsets; `mo` a memory offset of the address size.
 *
 * Operand notation:
 * - Size letters (SDM appendix A.2.2): `v` operand size; `z` operand size, at most 32; `y` 64 with REX.W, else 32;
 *   `n` the mode's own size, 64 in 64-bit mode, else 32.
 * - `r8 rv` a register in ModRM.reg, or in the opcode of a `+r` line; `r/m8 r/mv` register or memory; `rv/m16` a register of one
 *   size or memory of another; `m m64 mv` memory only; `m16:v` a far pointer; `mv&v` a pair; `m8(SI)` memory at a fixed pointer.
 * - `mm1 xmm1` in ModRM.reg, `mm2 xmm2` in ModRM.rm; on a line with an opcode extension both are in ModRM.rm.
 * - `imm8s`: imm8, sign-extended to the operand size.
 * - A line with `CR` or `DR` takes its `rn` from ModRM.rm and ignores ModRM.mod.
 */
import type { Feature, Row, Width } from '../row.ts'

/** A mark behind a line: what differs from user-mode, not lockable, all modes, operand size `v`, and the group's feature. */
export type Mark =
  | 'lock'
  | 'cpl0'
  | 'iopl'
  | 'io'
  | 'sensitive'
  | 'legacy'
  | 'long'
  | Exclude<Width, 'v'>
  | { feature: Feature }

/** One line: opcode, mnemonic, operation, operands, marks. */
export type Line = readonly [opcode: string, mnemonic: string, op: string, operands: string, ...marks: Mark[]]

/** Turns lines into rows; `feature` is what a line requires unless it is marked otherwise. */
export function rows(feature: Feature, lines: readonly Line[]): readonly Row[] {
  return lines.map(([opcode, mnemonic, op, operands, ...marks]) => {
    const row = {
      opcode,
      mnemonic,
      op,
      operands,
      privilege: 'user',
      feature,
      lockable: false,
      modes: 'all',
      width: 'v',
    } as {
      -readonly [K in keyof Row]: Row[K]
    }
    for (const mark of marks) {
      if (typeof mark === 'object') row.feature = mark.feature
      else if (mark === 'lock') row.lockable = true
      else if (mark === 'legacy' || mark === 'long') row.modes = mark
      else if (mark === 'd64' || mark === 'f64') row.width = mark
      else row.privilege = mark
    }
    return Object.freeze(row)
  })
}

/** A byte as the manual prints it. */
export function hex(byte: number): string {
  return byte.toString(16).toUpperCase().padStart(2, '0')
}
