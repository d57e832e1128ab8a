/** One instruction of a form, with everything around it that lets it do its work. */
import { type Insn, Kind, type Row, Seg } from '@vmexit/x86-decoder'
import { Flag } from '../../../src/index.ts'
import { Random } from '../../random.ts'
import type { Sequence } from '../format.ts'
import { formOf } from '../forms.ts'
import { CODE, Fx, Part, Profile } from '../input.ts'
import { word } from '../random.ts'
import { FS_BASE, GS_BASE_32, GS_BASE_64 } from '../segments.ts'
import { type Placed, place } from './address.ts'
import { DATA, SequenceDraft } from './draft.ts'
import { type Bits, type Choice, encode, scratchInsn } from './encode.ts'

const AX = 0
const CX = 1
const DX = 2
const BX = 3
const SP = 4
const BP = 5
const SI = 6
const DI = 7

const STRINGS = new Set(['movs', 'cmps', 'scas', 'lods', 'stos'])
const LOOPS = new Set(['loop', 'loope', 'loopne', 'jcxz'])
const RELATIVE = new Set(['jmp', 'jcc', 'call', ...LOOPS])
const STACKED = new Set([
  'push',
  'pop',
  'call',
  'call_ind',
  'ret',
  'enter',
  'leave',
  'pusha',
  'popa',
  'pushf',
  'popf',
  'push_seg',
])

/** Kinds of numbers that x87 operands hold, by the notation of the operand. */
const PARTS: Readonly<Record<string, { readonly start: number; readonly bytes: number; readonly step: number }>> = {
  m32fp: { ...Part.singles, step: 4 },
  m64fp: { ...Part.doubles, step: 8 },
  m80fp: { ...Part.extended, step: 16 },
  m80bcd: { ...Part.decimals, step: 16 },
}

/** Where in the page the memory operand is to lie. */
function target(draft: SequenceDraft, row: Row, insn: Insn): number {
  const { random } = draft
  const part = PARTS[row.operands]
  if (part) return part.start + random.below(part.bytes / part.step) * part.step
  const size = (insn.operands.find(({ kind }) => kind === Kind.mem)?.size ?? 0) >> 3
  if (row.op === 'fxrstor' || row.op === 'fxsave')
    return (row.op === 'fxsave' && random.one(2) ? Part.free.start : Part.image.start) + (random.one(12) ? 4 : 0)
  if (row.op === 'ldmxcsr') return Part.image.start + 24
  if (row.op === 'fldenv' || row.op === 'frstor' || row.op === 'fnstenv' || row.op === 'fnsave')
    return Part.integers.start + random.below(0x180)
  const vector = row.feature === 'sse' || row.feature === 'sse2'
  const profile = draft.seed & 3
  const from =
    vector && profile === Profile.singles
      ? Part.singles
      : vector && profile === Profile.doubles
        ? Part.doubles
        : random.one(8)
          ? Part.free
          : Part.integers
  const alignment = size === 0 ? 1 : random.one(size === 16 ? 10 : 4) ? 1 : size
  const at = from.start + random.below(from.bytes - 32)
  return at - (at % alignment)
}

/** Bytes for immediates, by what the row makes of them. */
function immediates(draft: SequenceDraft, row: Row, at: number): Choice['immediate'] {
  const { random } = draft
  return (code, bytes) => {
    let value = code === 'ib' && random.one(2) ? random.below(40) : word(random)
    if (RELATIVE.has(row.op)) value = 1 + random.below(5)
    if (code === 'mo') value = DATA + at
    if (row.op === 'ret') value = random.below(64)
    if (row.op === 'enter')
      value = code === 'iw' ? random.below(0x80) : random.one(3) ? random.next() & 0xff : random.below(4)
    const all = BigInt(value >>> 0) | (bytes === 8 && code !== 'mo' && random.one(2) ? BigInt(word(random)) << 32n : 0n)
    return Array.from({ length: bytes }, (_, i) => Number((all >> BigInt(8 * i)) & 0xffn))
  }
}

export interface Form {
  readonly row: Row
  readonly name: string
  readonly operandSize: Bits
  readonly memory: boolean
}

/** A sequence of one instruction of the form. */
export function single(form: Form, bits: Bits, seed: number): Sequence {
  const random = new Random(seed ^ 0x0bad_cafe)
  const insn = scratchInsn()
  for (let attempts = 0; attempts < 1000; attempts++) {
    const draft = new SequenceDraft(random, bits, random.next())
    const bytes = attempt(draft, form, insn)
    if (!bytes) continue
    draft.code.push(...bytes)
    if (!prepare(draft, insn)) continue
    return draft.finish()
  }
  throw new Error(`no encoding was found for ${form.name} in ${bits}-bit code`)
}

function attempt(draft: SequenceDraft, form: Form, insn: Insn): Uint8Array | undefined {
  const { random, bits } = draft
  const { row } = form
  const rex = bits === 64 && random.one(4) ? 0x40 : 0
  const registers = { reg: random.below(draft.count), rm: random.below(draft.count), low: random.below(16), rex }
  const operandSize = form.operandSize
  // A first encoding, to see the size of its memory operand.
  const probe: Choice = {
    ...registers,
    operandSize,
    address: form.memory ? { size: bits === 16 ? 32 : bits, base: BX, index: -1, scale: 0, disp: 0 } : undefined,
    prefixes: [],
    immediate: (_code, count) => Array.from({ length: count }, () => 0),
  }
  if (!encode(row, bits, probe, insn)) return undefined
  const modrm = form.memory && insn.modrm >= 0
  const at = target(draft, row, insn)
  let placed: Placed | undefined
  if (modrm) placed = place(draft, at, implied(row, insn))
  const prefixes = [...(placed?.prefixes ?? [])]
  if (row.lockable && modrm && random.one(8)) prefixes.push(0xf0)
  if (STRINGS.has(row.op) && random.one(2)) prefixes.push(random.pick([0xf2, 0xf3]))
  const choice: Choice = {
    ...registers,
    operandSize,
    address: placed?.address,
    prefixes,
    immediate: immediates(draft, row, at),
  }
  let bytes = encode(row, bits, choice, insn)
  if (bytes && placed?.address.rip) {
    // Relative to the next instruction, whose address is known now.
    const length = bytes.length
    const disp = placed.address.disp - CODE - length
    const tail = bytes.slice()
    bytes = encode(row, bits, { ...choice, address: { ...placed.address, disp }, immediate: keep(tail) }, insn)
    if (bytes?.length !== length) return undefined
  }
  return bytes && formOf(insn) === form.name ? bytes : undefined
}

/** The immediates of an encoding that is made anew: its last bytes. */
function keep(bytes: Uint8Array): Choice['immediate'] {
  return (_code, count) => Array.from(bytes.subarray(bytes.length - count))
}

/** Registers that the instruction gives a meaning of their own. */
function implied(row: Row, insn: Insn): readonly number[] {
  const taken: number[] = []
  if (insn.operands.some(({ kind }, n) => kind === Kind.gpr && n === 1) && /^bt/.test(row.op))
    taken.push(insn.operands[1]!.reg)
  if (row.op === 'div' || row.op === 'idiv' || row.op.startsWith('cmpxchg')) taken.push(AX, DX)
  return taken
}

/** Give registers and memory what the instruction needs. False: try another. */
function prepare(draft: SequenceDraft, insn: Insn): boolean {
  const { random } = draft
  const { op } = insn
  if (processorsDiffer(draft, insn)) return false
  if (STRINGS.has(op)) strings(draft, insn)
  else if (LOOPS.has(op)) {
    if (random.one(2)) draft.set(CX, BigInt(random.below(3)), insn.addrSize)
  } else if (op === 'xlat')
    draft.set(BX, BigInt(DATA + Part.integers.start) - (draft.register(AX) & 0xffn), insn.addrSize)
  else if (op === 'maskmovq' || op === 'maskmovdqu')
    draft.set(DI, BigInt(DATA + Part.free.start + random.below(64)), insn.addrSize)
  else if (op === 'jmp_ind' || op === 'call_ind') return indirect(draft, insn)
  else if (op === 'ret')
    draft.patchNumber(stackOffset(draft), BigInt(CODE + insn.length + random.below(8)), insn.opSize >> 3)
  else if (op === 'leave' || op === 'enter')
    draft.set(BP, BigInt(DATA + Part.stack.start + 0x100 + random.below(32) * 4))
  else if (op === 'div' || op === 'idiv') dividend(draft, insn)
  else if (/^bt/.test(op)) return bitIndex(draft, insn)
  else if (op.startsWith('cmpxchg')) expectEqual(draft, insn)
  else if (op === 'bound') bounds(draft, insn)
  else if ((op === 'shld' || op === 'shrd') && insn.opSize === 16) return shortDouble(draft, insn)
  if (STACKED.has(op) && draft.isSet(SP)) return false
  return true
}

/** States in which processors differ about an instruction as a whole. */
function processorsDiffer({ state }: SequenceDraft, insn: Insn): boolean {
  const { op } = insn
  // The host begins no MMX operation when the source is memory, and asks for no pending x87 exception.
  if (op === 'cvtpi2ps') return insn.modrm < 0xc0 && (state.fx[Fx.fsw]! & 0x80) !== 0
  // By the manual ARPL needs memory that it may write; the host only when it does write.
  if (op === 'arpl') return insn.seg === Seg.cs
  if (!(state.flags & Flag.AC)) return false
  // The host checks the alignment of the stack as ENTER leaves it, of bytes that MASKMOV does not store, of 32 bits for MOVSXD.
  return (op === 'enter' && (insn.imm & 7) !== 0) || op.startsWith('maskmov') || (op === 'movsxd' && insn.opSize === 16)
}

const stackOffset = (draft: SequenceDraft): number => Number(draft.register(SP)) - DATA

function strings(draft: SequenceDraft, insn: Insn): void {
  const { random } = draft
  const bytes = insn.operands[0]!.size >> 3
  const from = Part.integers.start + 0x80 + random.below(0x80)
  const to = Part.free.start + 0x80 + random.below(0x80)
  draft.set(SI, BigInt(DATA + from), insn.addrSize)
  draft.set(DI, BigInt(DATA + to), insn.addrSize)
  if (insn.rep !== 0) draft.set(CX, BigInt(random.one(6) ? 0 : random.below(12)), insn.addrSize)
  const down = (draft.state.flags & 0x400) !== 0
  const count = 1 + random.below(8)
  const start = down ? 1 - count : 0
  if (insn.op === 'cmps' && random.one(2))
    draft.patch(to + start * bytes, draft.copy(from + start * bytes, count * bytes))
  if (insn.op === 'scas' && random.one(2)) {
    const repeats = insn.rep === 0xf2 ? 1 : count
    for (let i = 0; i < repeats; i++)
      draft.patchNumber(
        to + (insn.rep === 0xf2 ? (down ? -count : count) : down ? -i : i) * bytes,
        draft.register(AX),
        bytes,
      )
  }
}

function indirect(draft: SequenceDraft, insn: Insn): boolean {
  const goal = BigInt(CODE + insn.length + draft.random.below(6))
  const operand = insn.operands[0]!
  if (operand.kind === Kind.gpr) {
    if (operand.reg === SP) return false
    draft.set(operand.reg, goal, operand.size)
    return true
  }
  const at = memoryOffset(draft, insn)
  if (at === undefined) return false
  draft.patchNumber(at, goal, operand.size >> 3)
  return true
}

/** Offset in the page of the memory operand, from the registers as they begin; undefined when it is not in the page. */
export function memoryOffset(draft: SequenceDraft, insn: Insn): number | undefined {
  let sum = (BigInt(insn.dispHigh) << 32n) | BigInt(insn.disp >>> 0)
  if (insn.ripRelative) sum += BigInt(CODE + insn.length)
  if (insn.base >= 0) sum += draft.register(insn.base)
  if (insn.index >= 0) sum += draft.register(insn.index) << BigInt(insn.scale)
  sum = BigInt.asUintN(insn.addrSize, sum)
  if (insn.seg === Seg.fs) sum += BigInt(FS_BASE)
  if (insn.seg === Seg.gs) sum += BigInt(draft.bits === 64 ? GS_BASE_64 : GS_BASE_32)
  const at = Number(BigInt.asUintN(draft.bits === 64 ? 64 : 32, sum)) - DATA
  return at >= 0 && at < 0x1000 ? at : undefined
}

/** Half of all quotients fit. */
function dividend(draft: SequenceDraft, insn: Insn): void {
  const { random } = draft
  if (random.one(2) || usesAddress(insn, AX) || usesAddress(insn, DX)) return
  const size = insn.operands[0]!.size
  const signed = insn.op === 'idiv'
  if (size === 8) {
    const low = draft.register(AX) & 0xffn
    draft.set(AX, low | (signed && low & 0x80n ? 0xff00n : BigInt(random.below(3)) << 8n), 16)
    return
  }
  const negative = (draft.register(AX) >> BigInt(size - 1)) & 1n
  draft.set(DX, signed && negative ? -1n : signed ? 0n : BigInt(random.below(3)), size)
}

/** An index in a register reaches bytes of the page, on both sides of the operand. */
function bitIndex(draft: SequenceDraft, insn: Insn): boolean {
  const [first, second] = insn.operands
  if (first!.kind !== Kind.mem || second!.kind !== Kind.gpr) return true
  if (second!.reg === insn.base || second!.reg === insn.index || second!.reg === SP) return false
  const at = memoryOffset(draft, insn)
  if (at === undefined) return false
  const below = Math.min(at & ~7, 0x800) * 8
  const above = Math.max(Math.min((0x1000 - 16 - at) & ~7, 0x800), 1) * 8
  draft.set(second!.reg, BigInt(draft.random.below(below + above) - below), second!.size)
  return true
}

/** The accumulator equals the destination, every second time. */
function expectEqual(draft: SequenceDraft, insn: Insn): void {
  if (draft.random.one(2)) return
  const operand = insn.operands[0]!
  if (operand.kind === Kind.gpr) {
    if (!operand.high) draft.set(AX, draft.register(operand.reg), operand.size)
    return
  }
  const at = memoryOffset(draft, insn)
  if (at === undefined) return
  const half = operand.size / 2
  if (insn.op === 'cmpxchg') {
    if (!usesAddress(insn, AX)) draft.set(AX, draft.memory(at, operand.size >> 3), operand.size)
  } else if (!usesAddress(insn, AX) && !usesAddress(insn, DX)) {
    draft.set(AX, draft.memory(at, half >> 3), half)
    draft.set(DX, draft.memory(at + (half >> 3), half >> 3), half)
  }
}
const usesAddress = (insn: Insn, reg: number): boolean => insn.base === reg || insn.index === reg

/** The index is in bounds, two times of three. */
function bounds(draft: SequenceDraft, insn: Insn): void {
  const at = memoryOffset(draft, insn)
  if (at === undefined || draft.random.one(3)) return
  const bytes = insn.operands[0]!.size >> 3
  const index = draft.register(insn.operands[0]!.reg)
  draft.patchNumber(at, index - BigInt(draft.random.below(3)), bytes)
  draft.patchNumber(at + bytes, index + BigInt(draft.random.below(3)), bytes)
}

/** The manual leaves all undefined for counts above 16 of a 16-bit operand. */
function shortDouble(draft: SequenceDraft, insn: Insn): boolean {
  if (insn.operands[2]!.kind === Kind.imm) return (insn.imm & 31) <= 16
  if (insn.base === CX || insn.index === CX) return false
  draft.set(CX, BigInt(draft.random.below(17) + 32 * draft.random.below(4)), 8)
  return true
}
