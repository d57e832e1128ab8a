/**
 * What an instruction's meaning may ask of the processor, over abstract values (see `ops/ops.ts`).
 * Engines implement it: the reference engine acts at once, generated engines emit code.
 */
import type { Insn, Seg } from '@vmexit/x86-decoder'
import type { Ops } from '../ops/ops.ts'

export interface Processor<V> extends Ops<V> {
  /** 64 when addresses and the widest registers are i64 (64-bit code), else 32. */
  readonly width: 32 | 64
  /** Operand `n` of the instruction: sizes 8 and 16 sign-extended into i32, 32 as i32, 64 as i64. Loads may fault. GPR, memory and immediate operands only. */
  read(insn: Insn, n: number): V
  /** The same, 8 and 16 zero-extended. */
  readU(insn: Insn, n: number): V
  /** Write the operand's low bits; a 32-bit register write clears the upper half in 64-bit mode. Stores may fault. */
  write(insn: Insn, n: number, value: V): void
  /** Read (sign-extended), compute, write: a memory operand is translated once, for writing, before anything else happens. */
  modify(insn: Insn, n: number, compute: (value: V) => V): void

  /** A general register by number: 8 (low byte), 16 sign-extended, 32, 64. */
  gpr(reg: number, bits: number): V
  setGpr(reg: number, bits: number, value: V): void

  /** Effective address of the memory operand, as offset in its segment, i32 or i64 by `width`, wrapped to the address size. */
  address(insn: Insn): V
  /** Load `bits` (8–64) at `offset` in `seg`: ≤ 32 gives i32 (sign- or zero-extended), 64 gives i64. Segment, page and alignment faults. */
  load(seg: Seg, offset: V, bits: number, signed?: boolean): V
  store(seg: Seg, offset: V, bits: number, value: V): void
  /** 16 bytes; `aligned`: #GP(0) unless on a 16-byte boundary. */
  load128(seg: Seg, offset: V, aligned: boolean): V
  store128(seg: Seg, offset: V, value: V, aligned: boolean): void
  /** Fault now if the `bytes` (≤ 16) at `offset` cannot all be written: before a store in several parts. */
  probeWrite(seg: Seg, offset: V, bytes: number): void
  /** `offset` plus a constant, wrapped to the instruction's address size. */
  displace(insn: Insn, offset: V, by: number): V

  /** Width of the stack pointer, by SS.B. */
  readonly stackBits: 16 | 32 | 64
  /** Store `bits` (16, 32, 64) below the stack pointer, then move it. */
  push(bits: number, value: V): void
  /** Load at stack pointer + `displacement`; the pointer stays. 16 bits are sign-extended. */
  stackLoad(displacement: number, bits: number): V
  /** Add `bytes` to the stack pointer. */
  stackAdjust(bytes: number): void
  /** +`bytes` or −`bytes` by EFLAGS.DF, in the type of an address. */
  stringStep(bytes: number): V

  /** Condition code 0–15 as i32 0 or 1 (SDM vol. 1, appendix B). */
  condition(cc: number): V
  /** CF as i32 0 or 1. */
  carry(): V
  /** Set all six status flags from operands and result, each sign-extended from the operand's size. */
  flagsAdd(a: V, b: V, result: V): void
  flagsAdc(a: V, b: V, result: V, carryOut: V): void
  flagsSub(a: V, b: V, result: V): void
  flagsSbb(a: V, b: V, result: V, carryOut: V): void
  flagsLogic(result: V): void
  /** INC and DEC: CF stays. */
  flagsInc(a: V, result: V): void
  flagsDec(a: V, result: V): void
  /** CF (i32 0/1) alone. */
  flagsCarry(carry: V): void
  /** OF and CF (i32 0/1 each); SF, ZF, AF, PF stay. */
  flagsRotate(overflow: V, carry: V): void
  /** ZF, SF, PF from `result`; OF (i32 0/1), CF (i32 0/1) as given, AF cleared. */
  flagsResult(result: V, overflow: V, carry: V): void
  /** All six from an EFLAGS image (i32), bits elsewhere ignored (SAHF, POPF, COMISD, FCOMI). */
  setStatusFlags(image: V): void
  /** The six status flags as an EFLAGS image (i32). */
  statusFlags(): V

  /** Leave with a fault, the state being that before the instruction. Inside {@link Ops.if} it ends that path. */
  raise(vector: number, errorCode?: V): void
  /** Have this instruction executed again the slow way, by plain TypeScript (rare cases). Nothing may have been written. */
  bail(): void
  /** {@link bail} where `condition` (i32) holds. Where it does not, it will not before what it is of is written: see {@link Ready}. */
  bailIf(ready: Ready, condition: () => V): void
  /**
   * `value` (i32), which is hardly ever not 0. Where it is not, an engine may leave and have the instruction executed by
   * another, and go on with a constant 0 where it is: what has been written must be what that writes again.
   */
  rare(value: V): V

  /** Offset of the next instruction (i32 or i64 by `width`). */
  nextIp(insn: Insn): V
  /** Continue at next + displacement, when `condition` holds (or always). #GP(0) beyond the limit of CS. Ends the instruction. */
  branch(insn: Insn, condition?: V): void
  /** #GP(0) now if the target of {@link branch} is out of bounds: before a CALL writes its return address. */
  checkBranch(insn: Insn): void
  /** `target` cut to the operand size, as an address; #GP(0) when it is beyond the limit of CS or not canonical. */
  checkTarget(insn: Insn, target: V): V
  /** Continue at an offset that {@link checkTarget} gave. Ends the instruction. */
  jump(insn: Insn, target: V): void

  /**
   * A string instruction: `step` does one element and moves the index registers after its last access. With a REP prefix
   * the step repeats while the count register says so, and for CMPS and SCAS while ZF does; each iteration counts as one
   * instruction and is a point where the instruction can be left and taken up again.
   */
  repeat(insn: Insn, step: () => void): void
}

/**
 * What instructions that use a unit ask first. `x87`: the unit may be used, and no exception is pending (only a new
 * control word brings one about that is not masked); `fpu`: it may be used; `sse`: SSE may.
 */
export type Ready = 'x87' | 'fpu' | 'sse'

/** The meaning of one operation. */
export type Semantics = <V>(c: Processor<V>, insn: Insn) => void
/** Operation name (`Row.op`) → meaning. */
export type SemanticsTable = Readonly<Record<string, Semantics>>
