/** A CPU in real mode that executes x87 instructions one at a time, on any engine. */
import { GuestMemory } from '@vmexit/memory'
import { decode } from '@vmexit/x86-decoder'
import { Cpu, type EngineChoice, Gpr, Layout } from '../../src/index.ts'
import { x87Actions } from '../../src/semantics/x87/actions.ts'
import { readX87, writeX87 } from '../../src/semantics/x87/environment.ts'
import type { StackValue, X87State } from '../../src/semantics/x87/image.ts'

/** Offset of the memory operand, which [BX] names. */
export const OPERAND = 0x400
const CODE = 0x1000
/** HLT stands here, for every vector. */
const HANDLER = 0x800
const CR0_NE = 0x20
const HLT = 0xf4
/** NOP, JMP to it: so that an engine that translates has room for more than the instruction, and ends behind it. */
const AGAIN = [0x90, 0xeb, 0xfd]
const BUDGET = 3

/** `text` in the manual's order: sign and exponent, significand. */
export function extended(text: string): StackValue {
  return { se: Number.parseInt(text.slice(0, 4), 16), significand: BigInt(`0x${text.slice(4)}`) }
}
export function textOf({ se, significand }: StackValue): string {
  return se.toString(16).padStart(4, '0') + significand.toString(16).padStart(16, '0')
}

export class Machine {
  readonly cpu: Cpu
  readonly memory = new GuestMemory({ ranges: [{ kind: 'ram', start: 0, bytes: 1 << 16 }] })
  readonly #placed = new Map<string, number>()
  #free = CODE

  constructor(engine: EngineChoice) {
    this.cpu = new Cpu({ memory: this.memory, engine })
    const { state } = this.cpu
    state.set32(Layout.cr0, state.get32(Layout.cr0) | CR0_NE)
    for (let vector = 0; vector < 32; vector++) this.memory.write32(vector * 4, HANDLER)
    this.memory.write8(HANDLER, HLT)
  }

  /**
   * Execute the instruction that `code` encodes; memory operands are [BX] (ModRM.rm 7). Gives the vector of the exception that it
   * raised, −1 for none. What no engine generates code for is executed directly.
   */
  execute(...code: number[]): number {
    const { cpu } = this
    const key = code.join()
    const insn = decode(Uint8Array.from(code), { bits: 16 })
    let at = this.#placed.get(key)
    if (at === undefined) {
      at = this.#free
      this.#free += 16
      this.#placed.set(key, at)
      this.memory.writeBytes(at, Uint8Array.of(...code, ...AGAIN))
    }
    const before = cpu.counts.exceptions.slice()
    cpu.state.setReg16(Gpr.bx, OPERAND)
    cpu.state.setReg16(Gpr.sp, 0x700)
    cpu.startAt(0, at)
    const action = x87Actions[insn.op]
    if (action) {
      cpu.state.ip = at + insn.length
      action(cpu, insn)
      return -1
    }
    cpu.run(BUDGET)
    const raised = cpu.counts.exceptions.findIndex((count, vector) => count !== before[vector])
    if (raised < 0) cpu.state.ip = at + insn.length
    return raised
  }

  get x87(): X87State {
    return readX87(this.cpu.state)
  }
  set x87(state: X87State) {
    writeX87(this.cpu.state, state)
  }
  /** Set what a test is about; the rest is as FNINIT leaves it, with these values on the stack and nothing else. */
  load(stack: readonly string[], { control = 0x37f, status = 0 }: { control?: number; status?: number } = {}): void {
    const top = (8 - stack.length) & 7
    this.x87 = {
      control,
      status: status | (top << 11),
      empty: stack.length === 8 ? 0 : (1 << top) - 1 || 0xff,
      stack: Array.from({ length: 8 }, (_, i) => extended(stack[i] ?? '00000000000000000000')),
      opcode: 0,
      instruction: 0n,
      codeSelector: 0,
      operand: 0n,
      dataSelector: 0,
    }
  }
  st(i: number): string {
    return textOf(this.x87.stack[i]!)
  }
  get status(): number {
    return this.x87.status
  }
  get operand(): Uint8Array {
    const bytes = new Uint8Array(10)
    this.memory.readBytes(OPERAND, bytes)
    return bytes
  }
  set operand(bytes: Uint8Array) {
    this.memory.writeBytes(OPERAND, bytes)
  }
}
