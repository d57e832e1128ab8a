/**
 * The decoder alone: which instructions of a kernel's code would a hypervisor without hardware support never hear of? Popek and Goldberg:
 * what is sensitive and does not trap in a deprivileged guest cannot be virtualized by trap-and-emulate.
 */
import { createDecoder, createInsn, disassemble, failureName, table } from '@vmexit/x86-decoder'

/** The way into a kernel and out again, as a compiler and an assembler have left it. */
const code = Uint8Array.of(
  ...[0x9c, 0xfa, 0x0f, 0x20, 0xd8, 0x0f, 0x22, 0xd8], // pushfd; cli; mov eax,cr3; mov cr3,eax
  ...[0x0f, 0x01, 0x04, 0x24, 0x0f, 0x01, 0xe0, 0x66, 0x8c, 0xc8], // sgdt [esp]; smsw eax; mov ax,cs
  ...[0x0f, 0x00, 0xd8, 0xe4, 0x60, 0x0f, 0x31, 0xf4], // ltr ax; in al,60h; rdtsc; hlt
  ...[0x0f, 0x02, 0xc3, 0x9d, 0x89, 0xd8, 0xcf], // lar eax,ebx; popfd; mov eax,ebx; iretd
)

const decoder = createDecoder()
const insn = createInsn() // filled again by each call
const counts: Record<string, number> = {}
for (let at = 0; at < code.length; ) {
  const length = decoder.decode(code, at, code.length, 32, insn)
  if (length < 0) throw new Error(`${failureName(length)} at ${at}`)
  const { privilege } = insn.row
  counts[privilege] = (counts[privilege] ?? 0) + 1
  console.log(`${at.toString(16).padStart(4, '0')}  ${disassemble(insn, at).padEnd(34)} ${privilege}`)
  at += length
}
console.log(counts)

const silent = new Set(table.filter(({ privilege }) => privilege === 'sensitive').map(({ op }) => op))
console.log(`sensitive in the whole table: ${[...silent].sort().join(' ')}`)
