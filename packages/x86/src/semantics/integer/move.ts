/** Moves, extensions, exchanges, stack operations and flag moves. */
import { Seg } from '@vmexit/x86-decoder'
import { Flag, Layout } from '../../state/layout.ts'
import type { Processor, SemanticsTable } from '../processor.ts'
import { constant, isRegister, sizeOf, source, unsigned } from './operands.ts'

const STACK_POINTER = 4
const FRAME_POINTER = 5

export const move: SemanticsTable = {
  nop() {},
  pause() {},
  mov(c, insn) {
    c.write(insn, 0, source(c, insn, 1, sizeOf(insn, 0)))
  },
  movzx(c, insn) {
    const value = c.readU(insn, 1)
    c.write(insn, 0, sizeOf(insn, 0) === 64 ? c.extendU(value) : value)
  },
  movsx(c, insn) {
    c.write(insn, 0, source(c, insn, 1, sizeOf(insn, 0)))
  },
  movsxd(c, insn) {
    c.write(insn, 0, source(c, insn, 1, sizeOf(insn, 0)))
  },
  lea(c, insn) {
    const address = c.address(insn)
    const bits = sizeOf(insn, 0)
    if (c.width === 64 && bits < 64) c.write(insn, 0, c.wrap(address))
    else c.write(insn, 0, address)
  },
  xchg(c, insn) {
    const b = c.read(insn, 1)
    c.modify(insn, 0, (a) => {
      c.write(insn, 1, a)
      return b
    })
  },
  bswap(c, insn) {
    const bits = sizeOf(insn, 0)
    const a = c.read(insn, 0)
    if (bits === 16) {
      // Undefined by the manual; processors give 0.
      c.write(insn, 0, c.i32(0))
      return
    }
    const swap32 = (v: typeof a): typeof a =>
      c.or(c.and(c.rotl(v, c.i32(8)), c.i32(0x00ff00ff)), c.and(c.rotl(v, c.i32(24)), c.i32(0xff00ff00 | 0)))
    if (bits === 32) {
      c.write(insn, 0, swap32(a))
      return
    }
    const low = c.let(c.wrap(a))
    const high = c.let(c.wrap(c.shr(a, c.i64(32n))))
    c.write(insn, 0, c.or(c.shl(c.extendU(swap32(low)), c.i64(32n)), c.extendU(swap32(high))))
  },
  cbw(c, insn) {
    if (insn.opSize === 16) c.setGpr(0, 16, c.gpr(0, 8))
    else if (insn.opSize === 32) c.setGpr(0, 32, c.gpr(0, 16))
    else c.setGpr(0, 64, c.extendS(c.gpr(0, 32)))
  },
  cwd(c, insn) {
    const bits = insn.opSize
    c.setGpr(2, bits, c.sar(c.gpr(0, bits), constant(c, bits, bits === 16 ? 31 : bits - 1)))
  },
  xlat(c, insn) {
    const bits = insn.addrSize
    const table = unsigned(c, bits, c.gpr(3, bits))
    const index = c.and(c.gpr(0, 8), c.i32(0xff))
    const sum = bits === 64 ? c.add(table, c.extendU(index)) : unsigned(c, bits, c.add(table, index))
    const offset = c.let(c.width === 64 && bits !== 64 ? c.extendU(sum) : sum)
    c.setGpr(0, 8, c.load(insn.seg, offset, 8))
  },

  push(c, insn) {
    c.push(insn.opSize, c.let(source(c, insn, 0, insn.opSize)))
  },
  /** A memory destination based on the stack pointer sees its value after the pop. */
  pop(c, insn) {
    const bits = insn.opSize
    const value = c.stackLoad(0, bits)
    if (isRegister(insn, 0)) {
      c.stackAdjust(bits >> 3)
      c.write(insn, 0, value)
      return
    }
    const address = c.address(insn)
    const relative = insn.base === STACK_POINTER && insn.addrSize !== 16
    c.store(insn.seg, c.let(relative ? c.displace(insn, address, bits >> 3) : address), bits, value)
    c.stackAdjust(bits >> 3)
  },
  leave(c, insn) {
    const frame = c.gpr(FRAME_POINTER, c.stackBits)
    const top = c.let(c.width === 64 ? frame : unsigned(c, c.stackBits, frame))
    const value = c.load(Seg.ss, top, insn.opSize, true)
    c.setGpr(STACK_POINTER, c.stackBits, c.add(top, constant(c, c.width === 64 ? 64 : 32, insn.opSize >> 3)))
    c.setGpr(FRAME_POINTER, insn.opSize, value)
  },

  lahf(c) {
    // AH is register 0's second byte.
    const ah = c.or(c.and(c.statusFlags(), c.i32(0xd5)), c.i32(2))
    c.setGpr(0, 16, c.or(c.and(c.gpr(0, 16), c.i32(0xff)), c.shl(ah, c.i32(8))))
  },
  sahf(c) {
    const ah = c.shr(c.and(c.gpr(0, 16), c.i32(0xffff)), c.i32(8))
    c.setStatusFlags(c.let(c.or(c.and(ah, c.i32(0xd5)), c.and(c.statusFlags(), c.i32(0x800)))))
  },
  salc(c) {
    c.setGpr(0, 8, c.sub(c.i32(0), c.carry()))
  },
  clc(c) {
    c.flagsCarry(c.i32(0))
  },
  stc(c) {
    c.flagsCarry(c.i32(1))
  },
  cmc(c) {
    c.flagsCarry(c.let(c.eqz(c.carry())))
  },
  setcc(c, insn) {
    c.write(insn, 0, c.condition(insn.cc))
  },
  cmovcc(c, insn) {
    const value = c.read(insn, 1)
    const old = c.read(insn, 0)
    c.write(insn, 0, c.select(c.condition(insn.cc), value, old))
  },
  cld(c) {
    setDirection(c, 0)
  },
  std(c) {
    setDirection(c, 1)
  },
}

function setDirection<V>(c: Processor<V>, on: 0 | 1): void {
  const flags = c.and(c.peek('i32', c.state(), Layout.flags, 32), c.i32(~Flag.DF))
  c.poke(c.state(), Layout.flags, on ? c.or(flags, c.i32(Flag.DF)) : flags, 32)
}
