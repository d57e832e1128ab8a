/** The instruction that a CPU is about to execute, in words. To look leaves no trace. */
import { type Cpu, Seg } from '@vmexit/x86'
import { createDecoder, createInsn, disassemble } from '@vmexit/x86-decoder'

const LONGEST = 15
const SPACE = 2 ** 32

/** Where it is, and its text; the text is `?` where its bytes cannot be read without a fault. */
export function nextOf(cpu: Cpu): { readonly ip: number; readonly text: string } {
  const { state, paging, memory } = cpu
  const ip = state.ip >>> 0
  const linear = (((state.segBase(Seg.cs) + state.ip) % SPACE) + SPACE) % SPACE
  const code: number[] = []
  for (let n = 0; n < LONGEST; n++) {
    const physical = paging.peek((linear + n) % SPACE, 0)
    if (physical < 0) break
    code.push(memory.read8(physical))
  }
  const insn = createInsn()
  const decoder = createDecoder({ features: cpu.model.features })
  const length = decoder.decode(Uint8Array.from(code), 0, code.length, state.codeBits, insn)
  return { ip, text: length > 0 ? disassemble(insn, ip) : '?' }
}
