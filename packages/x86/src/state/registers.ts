/** The registers of a CPU by name: for saved states, debuggers and tests. */
import { Layout, SegmentSlot } from './layout.ts'
import type { CpuState } from './state.ts'

interface Slot {
  readonly name: string
  readonly offset: number
  /** 4: int32; 8: 64 bits; 16: a vector. */
  readonly bytes: 4 | 8 | 16
}

const GPRS = [
  'rax',
  'rcx',
  'rdx',
  'rbx',
  'rsp',
  'rbp',
  'rsi',
  'rdi',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
]
const SEGMENTS = ['es', 'cs', 'ss', 'ds', 'fs', 'gs', 'ldtr', 'tr']

function slots(): Slot[] {
  const all: Slot[] = []
  const add = (name: string, offset: number, bytes: 4 | 8 | 16): void => void all.push({ name, offset, bytes })
  for (const [n, name] of GPRS.entries()) add(name, Layout.gpr + n * 8, 8)
  add('rip', Layout.ip, 8)
  for (const [n, name] of SEGMENTS.entries()) {
    const at = Layout.segments + n * SegmentSlot.size
    add(`${name}.selector`, at + SegmentSlot.selector, 4)
    add(`${name}.base`, at + SegmentSlot.base, 8)
    add(`${name}.limit`, at + SegmentSlot.limit, 4)
    add(`${name}.attributes`, at + SegmentSlot.attributes, 4)
    add(`${name}.low`, at + SegmentSlot.low, 4)
    add(`${name}.readSpan`, at + SegmentSlot.readSpan, 4)
    add(`${name}.writeSpan`, at + SegmentSlot.writeSpan, 4)
  }
  for (const name of ['cr0', 'cr2', 'cr3', 'cr4', 'cr8', 'efer'] as const) add(name, Layout[name], 8)
  for (let n = 0; n < 8; n++) add(`dr${n}`, Layout.dr + n * 8, 8)
  add('gdtr.base', Layout.gdtBase, 8)
  add('gdtr.limit', Layout.gdtLimit, 4)
  add('idtr.base', Layout.idtBase, 8)
  add('idtr.limit', Layout.idtLimit, 4)
  for (let n = 0; n < 8; n++) add(`fpr${n}`, Layout.fpr + n * 16, 16)
  for (const name of ['fcw', 'fsw', 'top', 'empty', 'fop', 'fcs', 'fds', 'mxcsr'] as const) add(name, Layout[name], 4)
  add('fip', Layout.fip, 8)
  add('fdp', Layout.fdp, 8)
  for (let n = 0; n < 16; n++) add(`xmm${n}`, Layout.xmm + n * 16, 16)
  add('fpuBlocked', Layout.fpuBlocked, 4)
  add('sseBlocked', Layout.sseBlocked, 4)
  add('alignmentCheck', Layout.alignmentCheck, 4)
  return all
}
const SLOTS: readonly Slot[] = slots()

/** All architectural registers as hexadecimal strings, by name; `eflags` among them. */
export function readRegisters(state: CpuState): Record<string, string> {
  const registers: Record<string, string> = { eflags: (state.eflags >>> 0).toString(16) }
  for (const { name, offset, bytes } of SLOTS) {
    const at = state.base + offset
    let text = ''
    for (let i = bytes - 1; i >= 0; i--) text += state.host.u8[at + i]!.toString(16).padStart(2, '0')
    registers[name] = text
  }
  return registers
}

/** Put back what {@link readRegisters} gave; a name that is missing leaves its register as it is. */
export function writeRegisters(state: CpuState, registers: Readonly<Record<string, string>>): void {
  for (const { name, offset, bytes } of SLOTS) {
    const text = registers[name]
    if (text === undefined) continue
    const at = state.base + offset
    for (let i = 0; i < bytes; i++) {
      const end = text.length - 2 * i
      state.host.u8[at + i] = Number.parseInt(text.slice(Math.max(0, end - 2), end), 16) || 0
    }
  }
  const flags = registers['eflags']
  if (flags !== undefined) state.eflags = Number.parseInt(flags, 16)
}
