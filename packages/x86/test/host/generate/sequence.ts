/** Sequences of 3 to 12 instructions that work on each other's results. */
import { type Insn, Kind, type Row } from '@vmexit/x86-decoder'
import { Random } from '../../random.ts'
import { branchTarget, decodeSequence, flow } from '../code.ts'
import { flagEffect } from '../flags.ts'
import type { Sequence } from '../format.ts'
import { coveredRows, formLeftOut, sizesOf } from '../forms.ts'
import { Fx, Part } from '../input.ts'
import { DENORMAL, loadsReal, masksInvalid, undefinedCodes } from '../masks.ts'
import { word } from '../random.ts'
import { DATA, SequenceDraft } from './draft.ts'
import { type Bits, type Choice, encode, scratchInsn } from './encode.ts'

const AX = 0
const CX = 1
const DX = 2
const SP = 4
const SI = 6
const DI = 7
const BRANCHES = new Set(['jmp', 'jcc', 'call', 'loop', 'loope', 'loopne', 'jcxz'])
const STRINGS = new Set(['movs', 'cmps', 'scas', 'lods', 'stos'])

/** By themselves only: they end a sequence, need a stack or addresses of their own, or leave much undefined. */
const ALONE = new Set([
  ...[
    'int3',
    'into',
    'bound',
    'ud',
    'popf',
    'popa',
    'ret',
    'jmp_ind',
    'call_ind',
    'enter',
    'leave',
    'xlat',
    'maskmovq',
    'maskmovdqu',
  ],
  ...['fnstenv', 'fnsave', 'fxsave', 'fxrstor', 'fldenv', 'frstor', 'fldcw', 'ldmxcsr'],
  ...[
    'rcpps',
    'rcpss',
    'rsqrtps',
    'rsqrtss',
    'f2xm1',
    'fyl2x',
    'fyl2xp1',
    'fptan',
    'fpatan',
    'fsin',
    'fcos',
    'fsincos',
  ],
])
const rowsOf = new Map<Bits, readonly Row[]>()
function rows(bits: Bits): readonly Row[] {
  const known = rowsOf.get(bits) ?? coveredRows(bits).filter((row) => !ALONE.has(row.op))
  rowsOf.set(bits, known)
  return known
}

/** What is fixed for one sequence. */
interface Plan {
  /** A register that holds an address in the page, and one that holds a small number: nothing writes them. */
  readonly pointer: number
  readonly index: number
  readonly strings: boolean
  /** Only rows of one kind, or of all. */
  readonly rows: readonly Row[]
}

const VECTORS = new Set(['sse', 'sse2', 'mmx'])
const isInteger = (row: Row): boolean =>
  row.feature !== 'fpu' && !VECTORS.has(row.feature) && !row.op.startsWith('fcmov') && !/^f(u)?comi/.test(row.op)

function plan(draft: SequenceDraft): Plan {
  const { random, bits } = draft
  const strings = random.one(4)
  const candidates = Array.from({ length: draft.count }, (_, reg) => reg).filter(
    (reg) => reg !== AX && reg !== CX && reg !== DX && reg !== SP && !(strings && (reg === SI || reg === DI)),
  )
  const pointer = random.pick(candidates)
  const index = random.pick(candidates.filter((reg) => reg !== pointer))
  draft.set(pointer, BigInt(DATA + 0x800))
  draft.set(index, BigInt(random.below(32)))
  if (strings) {
    draft.set(SI, BigInt(DATA + Part.integers.start + 0x100))
    draft.set(DI, BigInt(DATA + Part.free.start + 0x100))
  }
  const all = rows(bits)
  const how = random.below(8)
  const chosen =
    how < 4
      ? all.filter(isInteger)
      : how === 4
        ? all.filter((row) => row.feature === 'fpu' || row.feature === 'cmov')
        : how < 7
          ? all.filter((row) => VECTORS.has(row.feature))
          : all
  return { pointer, index, strings, rows: chosen }
}

/** A sequence for code of so many bits. */
export function sequence(bits: Bits, seed: number): Sequence {
  const random = new Random(seed ^ 0x5e90_e4ce)
  for (;;) {
    const draft = new SequenceDraft(random, bits, random.next())
    const { code, joints } = write(draft, plan(draft))
    close(draft, code, joints)
    if (isSound(draft, bits)) return draft.finish()
  }
}

interface Joint {
  /** Index of the branch among the instructions, and how many it passes over. */
  readonly instruction: number
  readonly over: number
  /** Bytes of the displacement. */
  readonly bytes: number
}

function write(draft: SequenceDraft, plan: Plan): { code: Uint8Array[]; joints: Joint[] } {
  const { random, bits } = draft
  const count = 3 + random.below(10)
  const code: Uint8Array[] = []
  const joints: Joint[] = []
  const insn = scratchInsn()
  while (code.length < count) {
    const row = random.pick(plan.rows)
    const bytes = instruction(draft, plan, row, insn)
    if (!bytes || !isAllowed(plan, insn, bits)) continue
    if (BRANCHES.has(insn.op)) {
      joints.push({
        instruction: code.length,
        over: 1 + random.below(3),
        bytes: /cb/.test(row.opcode) ? 1 : insn.opSize === 16 ? 2 : 4,
      })
    }
    code.push(bytes)
  }
  return { code, joints }
}

/** Put displacements in place, and all bytes into the draft. */
function close(draft: SequenceDraft, code: readonly Uint8Array[], joints: readonly Joint[]): void {
  for (const { instruction, over, bytes } of joints) {
    let distance = 0
    for (let i = instruction + 1; i < Math.min(code.length, instruction + 1 + over); i++) distance += code[i]!.length
    const branch = code[instruction]!
    for (let i = 0; i < bytes; i++) branch[branch.length - bytes + i] = distance >> (8 * i)
  }
  for (const bytes of code) draft.code.push(...bytes)
}

function instruction(draft: SequenceDraft, plan: Plan, row: Row, insn: Insn): Uint8Array | undefined {
  const { random, bits } = draft
  const integer = isInteger(row)
  // Few registers of the other files, which generated code has one by one.
  const few = bits === 64 ? [0, 1, 9] : [0, 1, 2]
  const register = (): number => (integer ? random.below(draft.count) : random.pick(few))
  const at = target(random, row)
  const indexed = integer && random.one(2)
  const scale = random.below(3) as 0 | 1 | 2
  const choice: Choice = {
    operandSize: random.pick(sizesOf(row, bits)),
    address: random.one(2)
      ? { size: bits === 16 ? 32 : bits, base: plan.pointer, index: indexed ? plan.index : -1, scale, disp: at - 0x800 }
      : undefined,
    reg: register(),
    rm: register(),
    low: integer ? random.below(16) : random.below(3),
    prefixes: [],
    rex: bits === 64 && integer && random.one(4) ? 0x40 : 0,
    immediate: (code, bytes) => {
      const value = code === 'mo' ? DATA + at : code === 'ib' && random.one(2) ? random.below(40) : word(random)
      return Array.from({ length: bytes }, (_, i) => (i < 4 ? (value >>> (8 * i)) & 0xff : 0))
    },
  }
  return encode(row, bits, choice, insn)
}

function target(random: Random, row: Row): number {
  const part = row.operands.includes('m32fp')
    ? Part.singles
    : row.operands.includes('m64fp')
      ? Part.doubles
      : row.operands.includes('m80fp')
        ? Part.extended
        : undefined
  if (part) return part.start + random.below(part.bytes >> 4) * 16
  const vector = row.feature === 'sse' || row.feature === 'sse2'
  const from: { start: number; bytes: number } = random.pick(
    vector
      ? [Part.singles, Part.doubles, Part.integers, Part.free]
      : ([Part.integers, Part.free, Part.stack] as { start: number; bytes: number }[]),
  )
  return from.start + random.below(from.bytes >> 4) * 16 + (vector || random.one(2) ? 0 : random.below(8))
}

/** Does the instruction leave the plan's registers alone, and is it one that a sequence can have? */
function isAllowed(plan: Plan, insn: Insn, bits: Bits): boolean {
  const { op, operands } = insn
  if (formLeftOut(insn)) return false
  if (STRINGS.has(op)) return plan.strings
  if (
    (op === 'shld' || op === 'shrd') &&
    insn.opSize === 16 &&
    !(operands[2]!.kind === Kind.imm && (insn.imm & 31) <= 16)
  )
    return false
  if ((op === 'bsf' || op === 'bsr') && bits === 64 && insn.opSize === 32) return false
  if (op === 'cmpxchg' && bits === 64 && insn.opSize === 32 && insn.modrm >= 0xc0) return false
  if (/^bt/.test(op) && operands[0]!.kind === Kind.mem && operands[1]!.kind === Kind.gpr) return false
  // Faults end a sequence early: few of them.
  if ((op === 'div' || op === 'idiv') && operands[0]!.kind === Kind.mem) return false
  if (op === 'cvtpi2ps' && insn.modrm < 0xc0) return false
  return !operands.some(({ kind, reg }) => kind === Kind.gpr && isFixed(plan, reg))
}
function isFixed({ pointer, index, strings }: Plan, reg: number): boolean {
  return reg === pointer || reg === index || reg === SP || (strings && (reg === SI || reg === DI))
}

/** Nothing that is undefined is read on any path, and every branch leads to an instruction or to the end. */
function isSound(draft: SequenceDraft, bits: Bits): boolean {
  const code = Uint8Array.from(draft.code)
  if (code.length > 200) return false
  const steps = decodeSequence(code, bits)
  const invalidMasked = masksInvalid(steps, draft.state)
  let sound = true
  flow(steps, (value, { insn }) => {
    const { reads, defines, undefines } = flagEffect(insn, invalidMasked)
    if (value & reads) sound = false
    return (value & ~defines) | undefines
  })
  flow(steps, (value, { insn }) => {
    if (value && insn.op === 'fnstsw') sound = false
    return undefinedCodes(value, insn, invalidMasked)
  })
  // Processors differ about a denormal that is loaded and not masked.
  if (!(draft.state.fx[Fx.fcw]! & DENORMAL) && steps.some(({ insn }) => loadsReal(insn))) return false
  return sound && steps.every((step) => targetIsSound(step, steps, code.length))
}
function targetIsSound(
  step: Parameters<typeof branchTarget>[0],
  steps: ReturnType<typeof decodeSequence>,
  end: number,
): boolean {
  const target = branchTarget(step)
  return target === undefined || target === end || steps.some(({ at }) => at === target)
}
