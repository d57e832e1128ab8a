/**
 * Tests captured from an 80286, read as an 80386 would answer them. Each rule says where the two differ in real mode, or what
 * the manual leaves undefined, and changes the expectation as little as that takes. Where nothing is the same, the rule says
 * what the 80386 does instead, and that is tested.
 */
import { createDecoder, createInsn, Failure, type Insn, Kind } from '@vmexit/x86-decoder'
import { type CpuModel, Flag, Vector } from '../../src/index.ts'
import { Draft } from './draft.ts'
import type { SingleStepTest } from './moo.ts'

/** A test and its instruction as an 80386 decodes it. */
export interface Case {
  readonly test: SingleStepTest
  /** Undefined where the 80386 raises #UD. */
  readonly insn: Insn | undefined
}

export interface Rule {
  readonly name: string
  readonly why: string
  readonly applies: (c: Case) => boolean
  /** Change what is expected … */
  readonly change?: (draft: Draft, c: Case) => void
  /** … or expect nothing of the test but that its first instruction raises this vector (−1: none). */
  readonly instead?: number
}

const { CF, PF, AF, ZF, SF, OF } = Flag
const STATUS = CF | PF | AF | ZF | SF | OF
const WORD_STRINGS = ['movs', 'cmps', 'scas', 'lods', 'stos', 'ins', 'outs']

const vectorOf = (c: Case): number => c.test.exception?.vector ?? -1
const isOp = (...ops: string[]) => {
  const known = new Set(ops)
  return (c: Case): boolean => c.insn !== undefined && known.has(c.insn.op)
}
/** Completed, so that its flags are those it computes. */
const completed = (...ops: string[]) => {
  const named = isOp(...ops)
  return (c: Case): boolean => named(c) && c.test.exception === undefined
}

/** The count of a shift, as the 80286 and later take it: modulo 32. */
function shiftCount({ insn, test }: Case): number {
  const operand = insn!.operands[1]!
  const count = operand.kind === Kind.one ? 1 : operand.kind === Kind.imm ? insn!.imm : test.initial.registers['cx']!
  return count & 31
}

const GPRS = ['ax', 'cx', 'dx', 'bx', 'sp', 'bp', 'si', 'di']
const SEGMENTS = ['es', 'cs', 'ss', 'ds']

/** The byte that an instruction has as its operand, from the test's initial state. */
function byteOperand({ insn, test }: Case): number {
  const { registers, ram } = test.initial
  const register = (n: number): number => (n < 0 ? 0 : registers[GPRS[n]!]!)
  const { kind, reg, high } = insn!.operands[0]!
  if (kind === Kind.gpr) return register(reg) >> (high ? 8 : 0)
  const offset = (register(insn!.base) + register(insn!.index) + insn!.disp) & 0xffff
  const at = registers[SEGMENTS[insn!.seg]!]! * 16 + offset
  return ram.find(({ address }) => address === at)!.value
}

/** 8-bit IDIV: does the quotient not fit? */
function quotientIsTooLarge(c: Case): boolean {
  if (c.insn!.operands[0]!.size !== 8) return false
  const quotient = Math.trunc(signed(c.test.initial.registers['ax']!, 16) / signed(byteOperand(c), 8))
  return quotient < -128 || quotient > 127
}
const signed = (value: number, bits: number): number => (value << (32 - bits)) >> (32 - bits)

/** Rules of flags that the manual leaves undefined (SDM vol. 2, "Flags Affected"), as far as the two processors differ in them. */
const UNDEFINED_FLAGS: readonly Rule[] = [
  {
    name: 'AF after shifts',
    why: 'SHL, SHR and SAR leave AF undefined unless the count is 0',
    applies: (c) => completed('shl', 'shr', 'sar')(c) && shiftCount(c) !== 0,
    change: (draft) => draft.ignoreFlags(AF),
  },
  {
    name: 'OF after shifts by more than 1',
    why: 'OF is defined for a count of 1 only',
    applies: (c) => completed('shr')(c) && shiftCount(c) > 1,
    change: (draft) => draft.ignoreFlags(OF),
  },
  {
    name: 'flags of multiplications',
    why: 'MUL and IMUL define CF and OF only',
    applies: completed('mul', 'imul', 'imul1'),
    change: (draft) => draft.ignoreFlags(SF | ZF | AF | PF),
  },
  {
    name: 'flags of divisions',
    why: 'DIV and IDIV leave all six status flags undefined',
    applies: completed('div', 'idiv'),
    change: (draft) => draft.ignoreFlags(STATUS),
  },
  {
    name: 'OF of DAA and DAS',
    why: 'DAA and DAS leave OF undefined',
    applies: completed('daa', 'das'),
    change: (draft) => draft.ignoreFlags(OF),
  },
  {
    name: 'flags of AAA and AAS',
    why: 'AAA and AAS define AF and CF only',
    applies: completed('aaa', 'aas'),
    change: (draft) => draft.ignoreFlags(OF | SF | ZF | PF),
  },
  {
    name: 'flags of AAD and AAM',
    why: 'AAD and AAM leave OF, AF and CF undefined',
    applies: completed('aad', 'aam'),
    change: (draft) => draft.ignoreFlags(OF | AF | CF),
  },
]

/** Differences in what is the result. */
const RESULTS: readonly Rule[] = [
  {
    name: 'FLAGS bits 12–15 in real mode',
    why: 'the 80286 keeps them 0; the 80386 has IOPL and NT there: tests begin with 0, and what POPF and IRET load is not compared',
    applies: () => true,
    change: (draft, c) => {
      draft.initialFlags &= 0xfff
      if (isOp('popf', 'iret')(c)) draft.ignoreFlags(0xf000)
    },
  },
  {
    name: 'flags at a division error',
    why: 'DIV, IDIV and AAM of the 80286 have changed status flags when they raise #DE; faults of the 80386 leave all as it was',
    applies: (c) => isOp('div', 'idiv', 'aam')(c) && vectorOf(c) === Vector.DE,
    change: (draft) => draft.expectFlags(STATUS, draft.initialFlags),
  },
  {
    name: 'stack faults',
    why: 'a word beyond the limit of SS raises 12 on the 80386, and 13 on the 80286: the handler of 13 is entered by 12',
    applies: (c) => vectorOf(c) === Vector.GP,
    change: (draft) => draft.shareHandler(Vector.GP, Vector.SS),
  },
  {
    name: 'string instructions at a fault',
    why: 'the 80286 has moved SI and DI and counted CX before the fault; the 80386 restarts at the element that faulted',
    applies: (c) => isOp(...WORD_STRINGS)(c) && vectorOf(c) === Vector.GP && c.insn!.length <= 10,
    change: (draft, c) => draft.beforeElementAt(0xffff, c.insn!),
  },
  {
    name: 'POP to memory at a fault',
    why: 'the 80286 has moved SP before the fault, the 80386 has not',
    applies: (c) =>
      isOp('pop')(c) && vectorOf(c) === Vector.GP && c.insn!.operands[0]!.kind === Kind.mem && c.insn!.length <= 10,
    change: (draft) => draft.moveFrame(-2),
  },
]

/** Tests of which nothing remains. */
const INSTEAD: readonly Rule[] = [
  {
    name: 'LOCK',
    why: 'the 80286 takes LOCK before any instruction, the 80386 before some with a memory destination (SDM vol. 2, LOCK)',
    applies: ({ insn, test }) => insn === undefined && test.bytes.includes(0xf0),
    instead: Vector.UD,
  },
  {
    name: 'FS and GS',
    why: 'MOV to and from segment registers 4 and 5 is undefined on the 80286',
    applies: (c) => isOp('mov')(c) && c.insn!.operands.some(({ kind, reg }) => kind === Kind.seg && reg >= 4),
    instead: -1,
  },
  {
    name: 'more than 10 bytes',
    why: 'the 80286 raises 13 for instructions of more than 10 bytes, the 80386 for more than 15',
    applies: ({ insn }) => insn !== undefined && insn.length > 10,
    instead: -1,
  },
  {
    name: 'IDIV overflow',
    why: 'some quotients below −128 the 80286 takes for −128; the 80386 raises #DE',
    applies: (c) => completed('idiv')(c) && quotientIsTooLarge(c),
    instead: Vector.DE,
  },
]

export const RULES: readonly Rule[] = [...INSTEAD, ...RESULTS, ...UNDEFINED_FLAGS]

/** What an 80386 is expected to make of a test: the rules that apply, and either a changed expectation or what happens instead. */
export interface Reading {
  readonly rules: readonly Rule[]
  readonly instead: number | undefined
  readonly draft: Draft
}

/** Reads tests for a processor. */
export class Reader386 {
  readonly #decoder
  readonly #insn: Insn = createInsn()

  constructor(model: CpuModel) {
    this.#decoder = createDecoder({ features: model.features })
  }

  read(test: SingleStepTest): Reading {
    const bytes = new Uint8Array(16)
    bytes.set(test.bytes.subarray(0, 16))
    const length = this.#decoder.decode(bytes, 0, bytes.length, 16, this.#insn)
    const c: Case = { test, insn: length === Failure.undefined ? undefined : this.#insn }
    const rules = RULES.filter((rule) => rule.applies(c))
    const draft = new Draft(test)
    for (const rule of rules) rule.change?.(draft, c)
    return { rules, instead: rules.find((rule) => rule.instead !== undefined)?.instead, draft }
  }
}
