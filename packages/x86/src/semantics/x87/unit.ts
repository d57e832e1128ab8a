/**
 * The x87 unit as its instructions see it: the register stack with its tags, the status word, the pointers to the last
 * instruction, and what every instruction does first and last (SDM vol. 1, 8.1 and 8.4 to 8.7).
 */
import { type Insn, Kind, Seg } from '@vmexit/x86-decoder'
import type { Ops } from '../../ops/ops.ts'
import { Exception } from '../../softfloat/arithmetic.ts'
import { type Extended, INDEFINITE } from '../../softfloat/extended.ts'
import { Layout, SegmentSlot } from '../../state/layout.ts'
import type { Processor } from '../processor.ts'

/** Bits of the status word (SDM vol. 1, figure 8-4). Exception flags 0–5 are those of {@link Exception}. */
export const Status = {
  exceptions: 0x3f,
  stackFault: 0x40,
  /** ES: an unmasked exception is pending; B follows it. */
  summary: 0x80,
  c0: 0x100,
  c1: 0x200,
  c2: 0x400,
  c3: 0x4000,
  busy: 0x8000,
} as const
const PENDING = Status.summary | Status.busy
/** C0, C2 and C3. */
export const CODES = 0x4500
/** Exceptions found before an operation computes: unmasked, they leave the operands alone. */
const EARLY = Exception.invalid | Exception.denormal | Exception.zeroDivide

const REGISTER_SIZE = 16

export function statusWord<V>(o: Ops<V>): V {
  return o.let(o.peek('i32', o.state(), Layout.fsw, 32))
}
export function setStatusWord<V>(o: Ops<V>, value: V): void {
  o.poke(o.state(), Layout.fsw, value, 32)
}
export function controlWord<V>(o: Ops<V>): V {
  return o.let(o.peek('i32', o.state(), Layout.fcw, 32))
}

/** An instruction that waits begins: #NM by CR0 or a pending exception, both the slow way. */
export function enter<V>(c: Processor<V>): void {
  c.bailIf('x87', () => {
    const pending = c.and(c.peek('i32', c.state(), Layout.fsw, 32), c.i32(Status.summary))
    return c.or(c.peek('i32', c.state(), Layout.fpuBlocked, 32), pending)
  })
}
/** One that does not wait begins. */
export function enterWithoutWait<V>(c: Processor<V>): void {
  c.bailIf('fpu', () => c.peek('i32', c.state(), Layout.fpuBlocked, 32))
}

/** Where a stack register is: its physical number and the host address that its `Layout.fpr` offsets add to. */
export interface Register<V> {
  readonly physical: V
  readonly address: V
}

/** ST(i); −1 is the register that a push will make ST(0). */
export function stackRegister<V>(o: Ops<V>, i: number): Register<V> {
  const top = o.let(o.peek('i32', o.state(), Layout.top, 32))
  const physical = i === 0 ? top : o.let(o.and(o.add(top, o.i32(i)), o.i32(7)))
  return { physical, address: o.let(o.add(o.state(), o.mul(physical, o.i32(REGISTER_SIZE)))) }
}
export function read<V>(o: Ops<V>, register: Register<V>): Extended<V> {
  return {
    significand: o.let(o.peek('i64', register.address, Layout.fpr, 64)),
    se: o.let(o.peek('i32', register.address, Layout.fpr + 8, 16)),
  }
}
export function write<V>(o: Ops<V>, register: Register<V>, value: Extended<V>): void {
  o.poke(register.address, Layout.fpr, value.significand, 64)
  o.poke(register.address, Layout.fpr + 8, value.se, 16)
}
export function indefinite<V>(o: Ops<V>): Extended<V> {
  return { significand: o.i64(INDEFINITE.significand), se: o.i32(INDEFINITE.se) }
}

/** i32 0 or not: at least one of the registers is empty. */
export function anyEmpty<V>(o: Ops<V>, ...registers: Register<V>[]): V {
  const empty = o.let(o.peek('i32', o.state(), Layout.empty, 32))
  const bits = registers.map((register) => o.shr(empty, register.physical)).reduce((a, b) => o.or(a, b))
  return o.and(bits, o.i32(1))
}
/** Tag a register valid (which includes zero and special). */
export function tagValid<V>(o: Ops<V>, register: Register<V>): void {
  const empty = o.peek('i32', o.state(), Layout.empty, 32)
  const bit = o.shl(o.i32(1), register.physical)
  o.poke(o.state(), Layout.empty, o.and(empty, o.xor(bit, o.i32(-1))), 32)
}
export function tagEmpty<V>(o: Ops<V>, register: Register<V>): void {
  const empty = o.peek('i32', o.state(), Layout.empty, 32)
  o.poke(o.state(), Layout.empty, o.or(empty, o.shl(o.i32(1), register.physical)), 32)
}
export function moveTop<V>(o: Ops<V>, by: number): void {
  const top = o.peek('i32', o.state(), Layout.top, 32)
  o.poke(o.state(), Layout.top, o.and(o.add(top, o.i32(by)), o.i32(7)), 32)
}
/** Free ST(0) and make ST(1) the top. */
export function pop<V>(o: Ops<V>): void {
  tagEmpty(o, stackRegister(o, 0))
  moveTop(o, 1)
}
/** Make the free register ST(−1) the top, holding `value`. */
export function push<V>(o: Ops<V>, value: Extended<V>): void {
  const register = stackRegister(o, -1)
  write(o, register, value)
  tagValid(o, register)
  o.poke(o.state(), Layout.top, register.physical, 32)
}

/** Where an instruction is, and its memory operand: offsets i64. */
export interface Pointers<V> {
  readonly start: V
  readonly operand: V | undefined
}

/** Record opcode and address of an instruction, and of its memory operand (SDM vol. 1, 8.1.8, 8.1.9). */
export function recordPointers<V>(o: Ops<V>, insn: Insn, { start, operand }: Pointers<V>): void {
  const state = o.state()
  const selector = (seg: Seg): V =>
    o.peek('i32', state, Layout.segments + seg * SegmentSlot.size + SegmentSlot.selector, 32)
  const opcode = Number.parseInt(insn.row.opcode.slice(0, 2), 16)
  o.poke(state, Layout.fop, o.i32(((opcode & 7) << 8) | (insn.modrm & 0xff)), 32)
  o.poke(state, Layout.fip, start, 64)
  o.poke(state, Layout.fcs, selector(Seg.cs), 32)
  if (operand !== undefined) {
    o.poke(state, Layout.fdp, operand, 64)
    o.poke(state, Layout.fds, selector(insn.seg), 32)
  }
}

/** The same for the instruction that the processor executes; `offset` is the operand's effective address. After the last operation that can fault. */
export function point<V>(c: Processor<V>, insn: Insn, offset?: V): void {
  const wide = (value: V): V => (c.width === 64 ? value : c.extendU(value))
  const length = c.width === 64 ? c.i64(BigInt(insn.length)) : c.i32(insn.length)
  const start = wide(c.sub(c.nextIp(insn), length))
  recordPointers(c, insn, { start, operand: offset === undefined ? undefined : wide(offset) })
}

/** Operations that may leave where something is {@link Processor.rare}. */
type Computing<V> = Ops<V> & Pick<Processor<V>, 'rare'>

/** Of the {@link Exception} flags `found`, those that are not masked. */
export function unmaskedOf<V>(o: Computing<V>, found: V): V {
  // The constant part first: it is 0 where a translation knows the control word.
  return o.let(o.rare(o.let(o.and(found, o.and(o.xor(controlWord(o), o.i32(-1)), o.i32(Status.exceptions))))))
}

/** Set the flags that were found, and C1 to what they say; the summary follows the masks. */
function record<V>(o: Ops<V>, status: V, found: V, unmasked: V): void {
  const flags = o.or(o.and(status, o.i32(~Status.c1)), found)
  setStatusWord(o, o.or(flags, o.select(unmasked, o.i32(PENDING), o.i32(0))))
}

/**
 * The end of an arithmetic instruction: `found` are the {@link Exception} flags of its operation. `respond` writes what the
 * instruction leaves behind; it is not run when an exception that is not masked forbids it. `before`: the status word.
 */
export function conclude<V>(o: Computing<V>, found: V, respond: () => void, before: V = statusWord(o)): void {
  const flags = o.let(found)
  const unmasked = unmaskedOf(o, flags)
  const early = o.let(o.and(unmasked, o.i32(EARLY)))
  record(o, before, o.select(early, o.and(flags, o.i32(EARLY)), flags), unmasked)
  o.if(o.eqz(early), respond)
}

/** A store that comes before anything else: it, or only the faults that it would raise. */
export interface Store {
  readonly store: () => void
  readonly probe: () => void
}

/**
 * The end of an instruction that stores to memory. Overflow and underflow that are not masked forbid the store too (SDM
 * vol. 1, 8.5.4, 8.5.5), but not its faults. `respond` is what follows a store.
 */
export function concludeStore<V>(o: Computing<V>, found: V, { store, probe }: Store, respond: () => void): void {
  const but = Status.exceptions & ~Exception.precision
  const flags = o.let(found)
  const unmasked = unmaskedOf(o, flags)
  const forbidden = o.let(o.and(unmasked, o.i32(but)))
  o.if(forbidden, probe, store)
  // What is not stored has not been rounded either.
  record(o, statusWord(o), o.select(forbidden, o.and(flags, o.i32(but)), flags), unmasked)
  o.if(o.eqz(forbidden), respond)
}

/** An instruction that cannot fail but for the stack: C1 is cleared. */
export function clearC1<V>(o: Ops<V>): void {
  setStatusWord(o, o.and(statusWord(o), o.i32(~Status.c1)))
}

/**
 * Stack fault: an operand is empty (C1 is cleared), or the register that a push needs is not (C1 is set).
 * `respond` is the masked response.
 */
export function stackFault<V>(
  o: Ops<V>,
  kind: 'underflow' | 'overflow',
  respond: () => void,
  before: V = statusWord(o),
): void {
  const masked = o.let(o.and(controlWord(o), o.i32(Exception.invalid)))
  const found = Exception.invalid | Status.stackFault | (kind === 'overflow' ? Status.c1 : 0)
  record(o, before, o.i32(found), o.eqz(masked))
  o.if(masked, respond)
}
/** Underflow in an instruction that stores. */
export function stackFaultStore<V>(o: Ops<V>, { store, probe }: Store, respond: () => void): void {
  const masked = o.let(o.and(controlWord(o), o.i32(Exception.invalid)))
  o.if(masked, store, probe)
  stackFault(o, 'underflow', respond)
}

/** The stack register that operand `n` is. */
export function operandRegister<V>(o: Ops<V>, insn: Insn, n: number): Register<V> {
  return stackRegister(o, insn.operands[n]!.reg)
}
export function hasMemoryOperand(insn: Insn): boolean {
  return insn.operands[0]?.kind === Kind.mem
}
