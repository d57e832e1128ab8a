/** Register names of Intel syntax. */
import { Kind, type Operand } from './insn.ts'

const byteNames = ['al', 'cl', 'dl', 'bl', 'spl', 'bpl', 'sil', 'dil']
const highNames = ['ah', 'ch', 'dh', 'bh']
const wordNames = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']

/** Segment registers by number. */
export const segmentNames: readonly string[] = ['es', 'cs', 'ss', 'ds', 'fs', 'gs']

/** Name of a general-purpose register 0–15 of 8, 16, 32 or 64 bits. */
export function gprName(reg: number, size: number, high = false): string {
  if (high) return highNames[reg]!
  if (reg >= 8) return `r${reg}${size === 8 ? 'b' : size === 16 ? 'w' : size === 32 ? 'd' : ''}`
  if (size === 8) return byteNames[reg]!
  return (size === 16 ? '' : size === 32 ? 'e' : 'r') + wordNames[reg]!
}

/** Name of the register that an operand names; the empty string where it names none. */
export function registerName({ kind, reg, size, high }: Operand): string {
  switch (kind) {
    case Kind.gpr:
      return gprName(reg, size, high)
    case Kind.seg:
      return segmentNames[reg]!
    case Kind.cr:
      return `cr${reg}`
    case Kind.dr:
      return `dr${reg}`
    case Kind.st:
      return `st(${reg})`
    case Kind.mm:
      return `mm${reg}`
    case Kind.xmm:
      return `xmm${reg}`
    default:
      return ''
  }
}
