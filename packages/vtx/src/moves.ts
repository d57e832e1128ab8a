/**
 * MOV between a register and memory that the hardware does not reach: a device's registers, or what must be seen when it is written. It is done
 * where the guest's state is. (To have the emulator execute it, which needs all of the state, took 25 µs.)
 */
import type { GuestMemory } from '@vmexit/memory'
import { Access } from '@vmexit/paging'
import { type Cpu, Layout } from '@vmexit/x86'
import { createDecoder, createInsn, type Decoder, type Insn, Kind, type Operand } from '@vmexit/x86-decoder'

const PAGE = 0x1000
const MAXIMUM_LENGTH = 15
const DR7 = Layout.dr + 7 * 8
/** Of DR7: a breakpoint is enabled. */
const ENABLED = 0xff
/** EFER.LMA. */
const LONG_MODE = 1 << 10
const CS = 1

/** A MOV, and where in linear memory its operand is. */
export interface Move {
  readonly insn: Insn
  readonly linear: number
  readonly bytes: number
  readonly stores: boolean
}

/** Finds and does what has left a guest, on the CPU that the guest has left: the registers there are still the guest's. */
export class Moves {
  readonly #decoder: Decoder
  readonly #insn: Insn = createInsn()
  readonly #cpu: Cpu

  constructor(cpu: Cpu) {
    this.#cpu = cpu
    this.#decoder = createDecoder({ features: cpu.model.features })
  }

  /** The instruction at CS:IP, if it is such a MOV and nothing is special about it; undefined where the emulator must execute it. */
  find(): Move | undefined {
    const { state, memory, paging } = this.#cpu
    if ((state.get32(DR7) & ENABLED) !== 0 || (state.get32(Layout.efer) & LONG_MODE) !== 0) return undefined
    const code = (state.segBase(CS) + state.ip) >>> 0
    const frame = paging.mmu.find(code, Access.FETCH | (state.cpl === 3 ? Access.USER : 0))
    const page = frame < 0 ? 0 : memory.readPage(frame)
    if (page === 0) return undefined
    const at = page + (code % PAGE)
    const end = Math.min(at + MAXIMUM_LENGTH, page + PAGE)
    const insn = this.#insn
    if (this.#decoder.decode(state.host.u8, at, end, state.codeBits, insn) <= 0 || !isPlain(insn)) return undefined
    const [to] = insn.operands as [Operand]
    const linear = this.#linearOf(insn)
    const bytes = to.size >> 3
    if ((linear % PAGE) + bytes > PAGE) return undefined
    return { insn, linear, bytes, stores: to.kind === Kind.mem }
  }

  /** Moves between the register and `memory`, `address` being where in it the operand is. */
  perform({ insn, bytes, stores }: Move, memory: GuestMemory, address: number): void {
    const [to, from] = insn.operands as [Operand, Operand]
    if (stores) store(memory, address, bytes, this.#valueOf(insn, from))
    else this.#setRegister(to, load(memory, address, bytes))
  }

  #linearOf({ seg, base, index, scale, disp, addrSize }: Insn): number {
    const { state } = this.#cpu
    const sum = (base < 0 ? 0 : state.reg32(base)) + (index < 0 ? 0 : state.reg32(index) << scale) + disp
    return (state.segBase(seg) + (addrSize === 16 ? sum & 0xffff : sum >>> 0)) >>> 0
  }

  #valueOf({ imm }: Insn, { kind, reg, high }: Operand): number {
    if (kind === Kind.imm) return imm
    return this.#cpu.state.reg32(reg) >> (high ? 8 : 0)
  }

  #setRegister({ reg, size, high }: Operand, value: number): void {
    const { state } = this.#cpu
    if (size === 32) state.setReg32(reg, value)
    else if (size === 16) state.setReg16(reg, value)
    else if (high) state.setReg16(reg, (value << 8) | state.reg8(reg))
    else state.setReg8(reg, value)
  }
}

/** MOV of 8 to 32 bits between memory and a general register, or of a constant to memory. */
function isPlain({ op, operands, lock }: Insn): boolean {
  if (op !== 'mov' || lock) return false
  const [to, from] = operands as [Operand, Operand]
  if (to.size > 32) return false
  if (to.kind === Kind.mem) return from.kind === Kind.gpr || from.kind === Kind.imm
  return to.kind === Kind.gpr && from.kind === Kind.mem
}

function load(memory: GuestMemory, address: number, bytes: number): number {
  return bytes === 4 ? memory.read32(address) : bytes === 2 ? memory.read16(address) : memory.read8(address)
}
function store(memory: GuestMemory, address: number, bytes: number, value: number): void {
  if (bytes === 4) memory.write32(address, value)
  else if (bytes === 2) memory.write16(address, value)
  else memory.write8(address, value)
}
