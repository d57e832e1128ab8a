/**
 * Classic BPF as seccomp has it (seccomp(2), "Filters"; the Linux Socket Filtering document): what is accepted as a filter, and
 * what a filter answers. Jumps only lead forward, so a filter ends.
 */

/** One instruction. */
export interface BpfInstruction {
  readonly code: number
  readonly jt: number
  readonly jf: number
  /** Unsigned. */
  readonly k: number
}

// biome-ignore format: a table
/** Classes and modes, operations, sources: parts of `code`. */
export const Bpf = {
  LD: 0x00, LDX: 0x01, ST: 0x02, STX: 0x03, ALU: 0x04, JMP: 0x05, RET: 0x06, MISC: 0x07,
  IMM: 0x00, ABS: 0x20, MEM: 0x60, LEN: 0x80,
  ADD: 0x00, SUB: 0x10, MUL: 0x20, DIV: 0x30, OR: 0x40, AND: 0x50, LSH: 0x60, RSH: 0x70, NEG: 0x80, XOR: 0xa0,
  JA: 0x00, JEQ: 0x10, JGT: 0x20, JGE: 0x30, JSET: 0x40,
  K: 0x00, X: 0x08, A: 0x10, TAX: 0x00, TXA: 0x80,
} as const

/** The most instructions: BPF_MAXINSNS. */
export const MOST_INSTRUCTIONS = 4096
/** Words of memory: BPF_MEMWORDS. */
const MEMORY = 16
/** Words of `struct seccomp_data`. */
export const DATA_WORDS = 16

const CLASS = 7
const OPERATION = 0xf0
const ALU_OPERATIONS: readonly number[] = [
  ...[Bpf.ADD, Bpf.SUB, Bpf.MUL, Bpf.DIV, Bpf.OR, Bpf.AND, Bpf.LSH, Bpf.RSH, Bpf.XOR],
]
const JUMPS: readonly number[] = [Bpf.JEQ, Bpf.JGT, Bpf.JGE, Bpf.JSET]

/** Would Linux take it as a filter of calls? */
export function isValidFilter(program: readonly BpfInstruction[]): boolean {
  const { length } = program
  if (length === 0 || length > MOST_INSTRUCTIONS) return false
  if (!program.every((instruction, pc) => isValid(instruction, length - pc - 1))) return false
  return (program[length - 1]!.code & CLASS) === Bpf.RET && readsOnlyWhatIsWritten(program)
}

/** One instruction, with `left` behind it. */
function isValid({ code, jt, jf, k }: BpfInstruction, left: number): boolean {
  switch (code & CLASS) {
    case Bpf.LD:
      if (code === (Bpf.LD | Bpf.ABS)) return k % 4 === 0 && k < DATA_WORDS * 4
      return code === Bpf.LEN || code === Bpf.IMM || (code === Bpf.MEM && k < MEMORY)
    case Bpf.LDX:
      return code === (Bpf.LDX | Bpf.LEN) || code === Bpf.LDX || (code === (Bpf.LDX | Bpf.MEM) && k < MEMORY)
    case Bpf.ST:
    case Bpf.STX:
      return (code === Bpf.ST || code === Bpf.STX) && k < MEMORY
    case Bpf.ALU: {
      if (code === (Bpf.ALU | Bpf.NEG)) return true
      const operation = code & OPERATION
      if (!ALU_OPERATIONS.includes(operation) || code > 0xff) return false
      if ((code & Bpf.X) !== 0) return true
      if (operation === Bpf.DIV) return k !== 0
      return (operation !== Bpf.LSH && operation !== Bpf.RSH) || k < 32
    }
    case Bpf.JMP:
      if (code === (Bpf.JMP | Bpf.JA)) return k < left
      return JUMPS.includes(code & OPERATION) && code <= 0xff && jt < left && jf < left
    case Bpf.RET:
      return code === (Bpf.RET | Bpf.K) || code === (Bpf.RET | Bpf.A)
    default:
      return code === (Bpf.MISC | Bpf.TAX) || code === (Bpf.MISC | Bpf.TXA)
  }
}

/** On every path, a word of memory is stored before it is loaded. */
function readsOnlyWhatIsWritten(program: readonly BpfInstruction[]): boolean {
  const known = new Uint16Array(program.length + 1).fill(0xffff)
  let written = 0
  for (const [pc, { code, jt, jf, k }] of program.entries()) {
    written &= known[pc]!
    if (code === Bpf.ST || code === Bpf.STX) written |= 1 << k
    else if (code === Bpf.MEM || code === (Bpf.LDX | Bpf.MEM)) {
      if ((written & (1 << k)) === 0) return false
    } else if ((code & CLASS) === Bpf.JMP) {
      const targets = code === (Bpf.JMP | Bpf.JA) ? [k] : [jt, jf]
      for (const target of targets) known[pc + 1 + target]! &= written
      // What follows is reached by jumps alone.
      written = 0xffff
    }
  }
  return true
}

const memory = new Uint32Array(MEMORY)

/** What a valid filter answers to a call, which is given as words of `struct seccomp_data`. Unsigned. */
export function runFilter(program: readonly BpfInstruction[], data: Uint32Array): number {
  let a = 0
  let x = 0
  for (let pc = 0; ; pc++) {
    const { code, jt, jf, k } = program[pc]!
    switch (code & CLASS) {
      case Bpf.LD:
        a = load(code, k, data)
        break
      case Bpf.LDX:
        x = load(code & ~1, k, data)
        break
      case Bpf.ST:
        memory[k] = a
        break
      case Bpf.STX:
        memory[k] = x
        break
      case Bpf.ALU: {
        const operand = (code & Bpf.X) !== 0 ? x : k
        // Division by X = 0 ends the filter: it answers 0, which kills.
        if ((code & OPERATION) === Bpf.DIV && operand === 0) return 0
        a = compute(code & OPERATION, a, operand)
        break
      }
      case Bpf.JMP:
        if ((code & OPERATION) === Bpf.JA) pc += k
        else pc += holds(code & OPERATION, a, (code & Bpf.X) !== 0 ? x : k) ? jt : jf
        break
      case Bpf.RET:
        return (code & Bpf.A) !== 0 ? a : k
      default:
        if (code === (Bpf.MISC | Bpf.TAX)) x = a
        else a = x
    }
  }
}

function load(code: number, k: number, data: Uint32Array): number {
  if (code === Bpf.ABS) return data[k >>> 2]!
  if (code === Bpf.MEM) return memory[k]!
  return code === Bpf.LEN ? DATA_WORDS * 4 : k
}

function compute(operation: number, a: number, operand: number): number {
  switch (operation) {
    case Bpf.ADD:
      return (a + operand) >>> 0
    case Bpf.SUB:
      return (a - operand) >>> 0
    case Bpf.MUL:
      return Math.imul(a, operand) >>> 0
    case Bpf.DIV:
      return Math.floor(a / operand)
    case Bpf.OR:
      return (a | operand) >>> 0
    case Bpf.AND:
      return (a & operand) >>> 0
    case Bpf.XOR:
      return (a ^ operand) >>> 0
    case Bpf.LSH:
      return (a << (operand & 31)) >>> 0
    case Bpf.RSH:
      return a >>> (operand & 31)
    default:
      return -a >>> 0
  }
}

function holds(operation: number, a: number, operand: number): boolean {
  if (operation === Bpf.JEQ) return a === operand
  if (operation === Bpf.JGT) return a > operand
  return operation === Bpf.JGE ? a >= operand : (a & operand) !== 0
}
