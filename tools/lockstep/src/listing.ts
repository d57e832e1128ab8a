/** The instructions that a machine executes, as text. */
import type { Pc } from '@vmexit/vmexit'
import { type Cpu, Seg } from '@vmexit/x86'
import { createDecoder, createInsn, disassemble, failureName } from '@vmexit/x86-decoder'
import { advance, position } from './advance.ts'
import { cpuOf } from './cpu-image.ts'
import { memoryOf } from './state-hash.ts'

const longest = 15

/** Runs the machine to instruction `to` and lists the last `count` instructions before it: index, CS:EIP, bytes, text. */
export function listTo(pc: Pc, to: number, count = 16): string[] {
  advance(pc, to - count)
  const lines: string[] = []
  while (position(pc) < to) {
    const line = `${position(pc)}  ${instructionAt(pc)}`
    if (advance(pc, position(pc) + 1) !== 'limit') break
    lines.push(line)
  }
  return lines
}

/** The next instruction; an interrupt may come before it. */
function instructionAt(pc: Pc): string {
  const cpu = cpuOf(pc)
  const { state } = cpu
  const where = `${state.selector(Seg.cs).toString(16).padStart(4, '0')}:${hex8(state.ip)}`
  const bytes = codeAt(pc, cpu)
  const insn = createInsn()
  const length = createDecoder({ features: cpu.model.features }).decode(bytes, 0, bytes.length, state.codeBits, insn)
  const shown = Buffer.from(bytes.subarray(0, Math.max(length, 1))).toString('hex')
  return `${where}  ${shown.padEnd(2 * 8)}  ${length > 0 ? disassemble(insn, state.ip) : failureName(length)}`
}

const hex8 = (value: number): string => (value >>> 0).toString(16).padStart(8, '0')

function codeAt(pc: Pc, cpu: Cpu): Uint8Array {
  const memory = memoryOf(pc)
  const bytes: number[] = []
  for (let i = 0; i < longest; i++) {
    const linear = (cpu.state.segBase(Seg.cs) + cpu.state.ip + i) % 2 ** 32
    const physical = cpu.paging.peek(linear, 0)
    if (physical < 0 || memory.readPage(Math.floor(physical / 4096)) === 0) break
    bytes.push(memory.read8(physical))
  }
  return Uint8Array.from(bytes)
}
